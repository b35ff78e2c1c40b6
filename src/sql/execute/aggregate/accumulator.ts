import type { ColumnVector, DataChunk } from '../../../chunk/index.ts';

/** The states of one aggregate, one for each group.
 *
 * `groups[row]` is the group of a row; null means that all rows are of group 0. */
export interface Accumulator {
  /** Forgets all groups. */
  reset(): void;
  /** Makes room for groups below `count`, the new ones empty. */
  grow(count: number): void;
  update(rows: DataChunk, groups: Int32Array | null): void;
  /** Called once, when all rows are in and before `finish`. False when it has to be called again. */
  complete(): boolean;
  /** Writes a group's result to a row. */
  finish(group: number, out: ColumnVector, row: number): void;
  /** Bytes held. */
  memory(): number;
  close(): void;
}
