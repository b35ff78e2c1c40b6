import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Starts a thread from the compiled twin of `test/threads/<name>.ts`; `npm run build` makes it. */
export function startThread(name: string, workerData: unknown): Worker {
  const here = fileURLToPath(import.meta.url);
  const root = here.slice(0, here.lastIndexOf('/test/threads/')).replace(/\/dist$/, '');
  const path = `${root}/dist/test/threads/${name}.js`;
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build`);
  return new Worker(path, { workerData });
}

/** The thread's one message, when it has ended well. */
export function resultOf<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    let result: T;
    worker.on('message', (message: T) => {
      result = message;
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code === 0) resolve(result);
      else reject(new Error(`the thread ended with ${code}`));
    });
  });
}

/** A small seeded generator: values in 0 .. bound-1. */
export function seededRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}
