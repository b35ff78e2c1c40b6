export { Doorbell } from './doorbell.ts';
export { clearEndedThread } from './ended-thread.ts';
export { EpochClock, EpochSlot } from './epochs.ts';
export { FrameInHand, FreeFrames } from './free-frames.ts';
export {
  frameLocation,
  HOME_LOCATION,
  isSpilled,
  Locations,
  spillLocation,
  spillSlotOf,
} from './locations.ts';
export { createRing, RingConsumer, RingProducer } from './ring.ts';
export {
  FRAME_BYTES,
  MAIN_THREAD,
  SharedMemory,
  type SharedMemoryOptions,
  type SharedMemoryParts,
  WRITER_THREAD,
} from './shared-memory.ts';
export { CommitPublisher, SnapshotSlotPool, Snapshots } from './snapshots.ts';
export { SharedWords } from './words.ts';
