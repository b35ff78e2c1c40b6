import { getHeapStatistics } from 'node:v8';
import { pgError } from '../../errors/index.ts';

/** The part of a thread's heap that statements may fill. V8 ends a thread, and all its statements, whose heap is full;
 * the rest is for what a computation takes between two questions, such as an array that grows by half. */
const FILLED_MAX = 0.7;

/** Ends the statement that runs when what it has made leaves too little of the heap. */
export function checkHeap(): void {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  if (used < limit * FILLED_MAX) return;
  throw pgError('out_of_memory', 'out of memory', {
    detail: 'The values that the statement computes take more memory than its thread has.',
  });
}
