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
  /** Takes rows of group 0 away again, the ones that were added first, so that its state is as if they had
   * not been added. False when it cannot; it is good for nothing but `reset` then. Absent where it
   * never can. */
  remove?(rows: DataChunk): boolean;
  /** Called once, when all rows are in and before `finish`. False when it has to be called again. */
  complete(): boolean;
  /** Writes a group's result to a row. */
  finish(group: number, out: ColumnVector, row: number): void;
  /** Bytes held. */
  memory(): number;
  close(): void;
}
