import { EpochClock } from './epochs.ts';
import { FrameInHand } from './free-frames.ts';
import { frameLocation, Locations } from './locations.ts';
import type { SharedMemory } from './shared-memory.ts';

/** Clears what a thread that has ended held: its epoch, and the frame it had in hand. Returns that frame,
 * which the writer is to free, or -1 when there is none, or it was published.
 *
 * The main thread calls it when it has been told of the end, and before another thread gets the number.
 * So nobody else writes these words: whatever the thread stored comes before its end, and its successor
 * begins after the stores here. The writer is not asked to do it, as it may be waiting for just this
 * epoch, in order to free frames; and by the time that it heard of the end, the words might be the
 * successor's. The epoch goes last: until then a frame that was published stays what it is. */
export function clearEndedThread(memory: SharedMemory, thread: number): number {
  const inHand = new FrameInHand(memory, thread);
  const frame = inHand.get();
  inHand.clear();
  const isPublished =
    frame >= 0 && new Locations(memory).load(memory.framePage[frame]!) === frameLocation(frame);
  new EpochClock(memory).expel(thread);
  return isPublished ? -1 : frame;
}
