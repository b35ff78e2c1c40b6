/** WAL record. Integers are little-endian.
 *
 *   offset  size  field
 *        0     4  length    of the whole record, a multiple of 8
 *        4     4  crc32     of bytes 8 .. length
 *        8     8  lsn       position of the first byte in the log
 *       16     6  xid       0 outside a transaction
 *       22     1  kind      see WalRecordKind
 *       23     1  padding   count of zero bytes that end the record, 0 .. 7
 *       24     4  epoch     number of the opening of the store that wrote it
 *       28     4  unsynced  bytes between the synced end of the log and lsn when it was written;
 *                           2^32-1 when they were more
 *       32     …  payload   by kind
 *
 * Payloads:
 *   put         tree u64, key length u32, key, value
 *   delete      tree u64, key
 *   batch       tree u64, count u32, then for each entry key length u32, value length u32, key, value;
 *               of a deletion the value length is 2^32-1, and there is no value
 *   createTree  tree u64
 *   dropTree    tree u64
 *   commit      timestamp f64 (milliseconds since 1970), count u32, count xids u64, then bytes that
 *               the transaction layer gave
 *   abort       empty
 *   mark        empty; a place in the log for changes that need no record
 *
 * Valid if and only if (1) length is within WAL_RECORD_MIN .. WAL_RECORD_MAX and a multiple of 8,
 * (2) lsn is the position it was read from, (3) the epoch is not below that of the record before it
 * and not above that of the control file, (4) the checksum matches. (2) rejects remains of a reused
 * segment, (3) remains of a flush that a crash left behind the end of the log, which pass (1), (2)
 * and (4). Replay ends at the first invalid record. Versions: 1, first release.
 *
 * `unsynced` tells the end of the log from damage in its middle: when a valid record behind an
 * invalid one was written with the log synced beyond the invalid one, that one had been on disk. */

export const WAL_HEADER_SIZE = 32;
export const WAL_RECORD_MIN = WAL_HEADER_SIZE;
/** A value may have 1 GiB, as in PostgreSQL, and needs room for its key. */
export const WAL_RECORD_MAX = 0x4100_0000;
export const WAL_ALIGNMENT = 8;

export const LENGTH_OFFSET = 0;
export const CRC_OFFSET = 4;
export const LSN_OFFSET = 8;
export const XID_OFFSET = 16;
export const KIND_OFFSET = 22;
export const PADDING_OFFSET = 23;
export const EPOCH_OFFSET = 24;
export const UNSYNCED_OFFSET = 28;
/** Stands for "more than fits". */
export const UNSYNCED_MAX = 0xffff_ffff;

/** What a record says. The numbers are stored. */
export const WalRecordKind = {
  put: 1,
  delete: 2,
  batch: 3,
  createTree: 4,
  dropTree: 5,
  commit: 6,
  abort: 7,
  mark: 8,
} as const;
export type WalRecordKind = (typeof WalRecordKind)[keyof typeof WalRecordKind];

/** In the place of a value's length in a batch: the key is deleted. */
export const BATCH_DELETED = 0xffff_ffff;

const TWO_POW_32 = 0x1_0000_0000;

/** A 64-bit integer that is known to be below 2^53. */
export function readU64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_POW_32;
}

export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_POW_32), true);
}

/** A 48-bit integer. */
export function readU48(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint16(offset + 4, true) * TWO_POW_32;
}

export function writeU48(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint16(offset + 4, Math.floor(value / TWO_POW_32), true);
}
