import type { Brand } from '../base/index.ts';

/** A B+tree of the store. Ids are handed out once and never reused; they outlive page numbers. Below 2^53. */
export type TreeId = Brand<'TreeId'>;

/** Position in the log, and so the version of everything: bytes since the log began. Below 2^53. */
export type Lsn = Brand<'Lsn'>;

/** Where a search ends relative to a key: first entry >=, first >, last <=, last <. */
export type SeekMode = 'ge' | 'gt' | 'le' | 'lt';

/** Walks the entries of one tree in key order, as of one snapshot.
 *
 * After a move that returned true the cursor stands on an entry and the fields below describe it.
 * The byte arrays are views of shared pages (or of the cursor's own scratch memory, where a long
 * value was put together): they are good until the next move and never across a pause of the
 * statement, after which `refresh()` finds the same position again.
 */
export interface Cursor {
  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean;
  first(): boolean;
  last(): boolean;
  next(): boolean;
  prev(): boolean;
  /** Re-reads the current entry after a pause. */
  refresh(): void;
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueBytes: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Commit LSN that last wrote the entry; 0 for an entry of the transaction's own write set. */
  readonly rowLsn: number;
  /** Points the cursor at another tree or snapshot, so that prepared statements reuse it. */
  reset(tree: TreeId, snapshot: number): void;
}

/** A run of entries that lie in one leaf page, for scans that read many rows at once.
 *
 * Entry i of 0 .. count-1 has its value at bytes[valueStart[i], valueEnd[i]). A long value is given
 * whole from scratch memory through `bytesOf(i)`; `inPlace` is true when no entry of the run is long,
 * and then all values lie in `bytes`.
 */
export interface LeafRun {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly inPlace: boolean;
  /** The bytes that valueStart[i] and valueEnd[i] refer to; for a long value good until the next call. */
  bytesOf(i: number): Uint8Array;
}

/** A cursor over committed pages alone, which can hand out whole leaves. */
export interface PageCursor extends Cursor {
  /** From the current entry on, the entries of its leaf (forward), at most `max`; the cursor then stands
   * on the last of them. Null when the cursor stands on no entry. */
  leafRun(max: number): LeafRun | null;
}
