import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the repository, whether this runs from the sources or from dist. */
export const REPOSITORY = (() => {
  const here = fileURLToPath(import.meta.url);
  return here.slice(0, here.lastIndexOf('/test/support/')).replace(/\/dist$/, '');
})();

const MAIN = `${REPOSITORY}/dist/src/cli/main.js`;
/** Arguments of node in `npm start`. */
const NODE_ARGUMENTS = (() => {
  const { scripts } = JSON.parse(readFileSync(`${REPOSITORY}/package.json`, 'utf8'));
  return (scripts.start as string).split(' ').filter((argument) => argument.startsWith('--'));
})();
const START_TIMEOUT_MS = 20_000;

export interface ServerOptions {
  readonly data: string;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Where its Unix socket is to be, too; needs the number of a port. */
  readonly socketFolder?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Arguments of node itself. */
  readonly nodeArguments?: readonly string[];
  /** A command that runs node as its last arguments say, and becomes it. */
  readonly wrapper?: readonly string[];
  /** Kills the process, while it starts or later. */
  readonly signal?: AbortSignal;
}

/** A Heddle server in a process of its own, as users start it. */
export class ServerProcess {
  readonly port: number;
  readonly data: string;
  /** Milliseconds from the start to the line that says ready. */
  readonly startedMs: number;
  private readonly child: ChildProcess;
  private readonly output: { text: string };
  private readonly ended: Promise<number | string>;

  /** Starts it and waits until it is ready; fails with all that it said when it ends instead. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build`);
    const settings = Object.entries(options.settings ?? {}).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const started = performance.now();
    const [command = process.execPath, ...before] = [...(options.wrapper ?? []), process.execPath];
    const child = spawn(
      command,
      [
        ...before,
        ...NODE_ARGUMENTS,
        ...(options.nodeArguments ?? []),
        MAIN,
        'serve',
        '--listen',
        `127.0.0.1:${options.port ?? 0}`,
        ...(options.socketFolder === undefined
          ? []
          : ['--listen', `${options.socketFolder}:${options.port}`]),
        '--data',
        options.data,
        ...settings,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    options.signal?.addEventListener('abort', () => child.kill('SIGKILL'));
    const output = { text: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
    const ended = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`the server was not ready in time:\n${output.text}`));
      }, START_TIMEOUT_MS);
      child.stdout.on('data', () => {
        const ready = /ready to accept connections on .*:(\d+)/.exec(output.text);
        if (ready === null) return;
        clearTimeout(timer);
        resolve(Number(ready[1]));
      });
      void ended.then((how) => {
        clearTimeout(timer);
        // What it said last may still be under way.
        setTimeout(() => reject(new Error(`the server ended (${how}):\n${output.text}`)), 50);
      });
    });
    return new ServerProcess(options.data, port, performance.now() - started, child, output, ended);
  }

  private constructor(
    data: string,
    port: number,
    startedMs: number,
    child: ChildProcess,
    output: { text: string },
    ended: Promise<number | string>,
  ) {
    this.data = data;
    this.port = port;
    this.startedMs = startedMs;
    this.child = child;
    this.output = output;
    this.ended = ended;
  }

  /** All that it printed so far. */
  get log(): string {
    return this.output.text;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Memory of the process that is really there, in bytes. */
  residentBytes(): number {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  }

  /** A clean stop; resolves to the exit code. */
  async stop(): Promise<number | string> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  /** The process is gone at once, as when it is killed for want of memory. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
