import type { ColumnVector } from './column-vector.ts';

/** A batch of rows: equally long columns, and which of their rows are meant.
 *
 * With `selection` null the rows are 0 .. count-1; otherwise they are selection[0 .. count-1], in
 * that order. A filter narrows the selection and moves no data. Expressions compute only selected
 * rows and leave their results at the same row numbers.
 */
export interface DataChunk {
  columns: ColumnVector[];
  count: number;
  selection: Int32Array | null;
}
