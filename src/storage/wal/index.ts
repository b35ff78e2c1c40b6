export { LogFailure } from './log-failure.ts';
export { WalReader } from './reader.ts';
export { BATCH_DELETED, readU64, WalRecordKind, writeU64 } from './record.ts';
export { AHEAD_NAME, type SegmentFiller, WAL_SEGMENT_SIZE, WalSegments } from './segments.ts';
export { type WalSync, WalWriter } from './writer.ts';
