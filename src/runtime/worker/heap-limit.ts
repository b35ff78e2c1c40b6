import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { once } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';

/** The part of a thread's heap that statements may fill. V8 ends a thread, and all its statements, whose heap is full;
 * the rest is for what a computation takes between two questions, such as an array that grows by half. */
const FILLED_MAX = 0.7;

/** Ends the statement that runs when what it has made leaves too little of the heap. */
export function checkHeap(): void {
  if (!isFilled()) return;
  // Much of it may be left by statements that are over.
  collector()();
  if (!isFilled()) return;
  throw pgError('out_of_memory', 'out of memory', {
    detail: 'The values that the statement computes take more memory than its thread has.',
  });
}

function isFilled(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used > limit * FILLED_MAX;
}

/** What collects all garbage; V8 shows it to contexts that are made after it was told to. */
const collector = once((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
});
