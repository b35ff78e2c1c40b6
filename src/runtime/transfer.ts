import type { ByteWriter } from '../base/index.ts';
import type { TreeId } from '../storage/index.ts';
import type { WriteSet } from '../txn/index.ts';

/** A transaction on its way from the main thread to the writer, to go on there or to be committed; its locks go along
 * in the first case alone. Integers are little-endian.
 *
 *   2 bytes   number of commits that it depends on, then for each
 *     4 bytes   its number; 0: it has failed
 *   2 bytes   number of tables, then for each that it changes
 *     4 bytes   oid
 *   2 bytes   number of locked rows, then for each
 *     1 byte    mode (ROW_LOCK)
 *     2 bytes   length, then the row's name in the lock table, a byte a character
 *   then to the end, for each changed key its newest value
 *     1 byte    kind: 0 deleted, 1 put, 2 put with a row id that the writer gives (no key follows)
 *     4 bytes   tree
 *     2 bytes   length, then the key
 *     4 bytes   length, then the value, when it is put
 */
const DELETED = 0;
const PUT = 1;
const PUT_KEYLESS = 2;

/** What is transferred. */
export interface Transfer {
  readonly predecessors: readonly { readonly commitNumber: number; readonly outcome: string }[];
  readonly tables: ReadonlySet<number>;
  /** Modes by the row's name. */
  readonly rows: ReadonlyMap<string, number>;
  readonly writes: WriteSet;
  /** Trees whose keys are stand-ins for row ids. */
  readonly keyless: ReadonlySet<TreeId>;
}

export function encodeTransfer(transfer: Transfer, out: ByteWriter): void {
  encodePredecessors(transfer, out);
  out.u16le(transfer.tables.size);
  for (const oid of transfer.tables) out.u32le(oid);
  out.u16le(transfer.rows.size);
  for (const [tag, mode] of transfer.rows) {
    out.u8(mode);
    out.u16le(tag.length);
    for (let i = 0; i < tag.length; i++) out.u8(tag.charCodeAt(i));
  }
  encodeChanges(transfer, out);
}

/** A transaction that is to be committed: its locks stay where they are. */
export function encodeCommit(transfer: Transfer, out: ByteWriter): void {
  encodePredecessors(transfer, out);
  out.u16le(0);
  out.u16le(0);
  encodeChanges(transfer, out);
}

function encodePredecessors({ predecessors }: Transfer, out: ByteWriter): void {
  out.u16le(predecessors.length);
  for (const { commitNumber, outcome } of predecessors) {
    out.u32le(outcome === 'failed' ? 0 : commitNumber);
  }
}

function encodeChanges({ writes, keyless }: Transfer, out: ByteWriter): void {
  for (const tree of writes.trees.values()) {
    const isKeyless = keyless.has(tree.id);
    for (const run of tree.runs) {
      for (const { keyBytes, keyStart, keyEnd, latest } of run) {
        if (latest === null) continue;
        const { bytes, start, end } = latest;
        out.u8(bytes === null ? DELETED : isKeyless ? PUT_KEYLESS : PUT);
        out.u32le(tree.id);
        if (!isKeyless) {
          out.u16le(keyEnd - keyStart);
          out.range(keyBytes, keyStart, keyEnd);
        }
        if (bytes === null) continue;
        out.u32le(end - start);
        out.range(bytes, start, end);
      }
    }
  }
}

/** What the writer does with a transfer. */
export interface TransferTarget {
  predecessor(commitNumber: number): void;
  table(oid: number): void;
  row(tag: string, mode: number): void;
  /** `keyEnd` 0: the row has no key, and is given a row id. `bytes` has key and value. */
  put(
    tree: TreeId,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void;
  delete(tree: TreeId, bytes: Uint8Array, keyStart: number, keyEnd: number): void;
}

export function decodeTransfer(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: TransferTarget,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const predecessorCount = view.getUint16(at, true);
  at += 2;
  for (let i = 0; i < predecessorCount; i++, at += 4) target.predecessor(view.getUint32(at, true));
  const tableCount = view.getUint16(at, true);
  at += 2;
  for (let i = 0; i < tableCount; i++, at += 4) target.table(view.getUint32(at, true));
  const rowCount = view.getUint16(at, true);
  at += 2;
  for (let i = 0; i < rowCount; i++) {
    const from = at + 3;
    const to = from + view.getUint16(at + 1, true);
    target.row(rowName(bytes, from, to), bytes[at]!);
    at = to;
  }
  while (at < end) {
    const kind = bytes[at]!;
    const tree = view.getUint32(at + 1, true) as TreeId;
    at += 5;
    let keyStart = 0;
    let keyEnd = 0;
    if (kind !== PUT_KEYLESS) {
      keyStart = at + 2;
      keyEnd = keyStart + view.getUint16(at, true);
      at = keyEnd;
    }
    if (kind === DELETED) {
      target.delete(tree, bytes, keyStart, keyEnd);
      continue;
    }
    const valueStart = at + 4;
    at = valueStart + view.getUint32(at, true);
    target.put(tree, bytes, keyStart, keyEnd, valueStart, at);
  }
}

function rowName(bytes: Uint8Array, start: number, end: number): string {
  let name = '';
  for (let i = start; i < end; i++) name += String.fromCharCode(bytes[i]!);
  return name;
}
