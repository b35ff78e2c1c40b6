import { layoutOf, readColumnOfTuple, type TupleLayout } from '../../access/index.ts';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { CHUNK_ROWS, type ColumnVector, type DataChunk } from '../../chunk/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import type { UtilityEnvironment, UtilityPause } from './environment.ts';
import { columnVectors } from './execution.ts';

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 256;

/** Calls `visit` at each entry of a tree, in key order; what the cursor shows is good in the call. All
 * that is committed is visited, also what a REPEATABLE READ transaction does not see otherwise: what is
 * built or tested must hold for everybody. */
export function* scanTree(
  environment: UtilityEnvironment,
  tree: TreeId,
  visit: (cursor: Cursor) => void,
): Generator<UtilityPause, void, undefined> {
  const cursor = environment.newestCursor(tree);
  try {
    let looked = 0;
    for (let found = cursor.first(); found; found = cursor.next()) {
      visit(cursor);
      if (++looked < ROWS_PER_LOOK) continue;
      looked = 0;
      environment.checkInterrupts();
      if (!environment.shouldPause()) continue;
      yield 'pause';
      cursor.refresh();
    }
  } finally {
    environment.closeCursor(cursor);
  }
}

/** Reads some columns of one row at a time into row 0 of vectors by column position. */
export class RowReader {
  readonly columns: readonly ColumnVector[];
  private readonly layout: TupleLayout;
  private readonly wanted: readonly number[];

  constructor(table: RelationDescriptor, wanted: readonly number[]) {
    this.layout = layoutOf(table);
    this.wanted = [...new Set(wanted)];
    this.columns = columnVectors(table.columns, 1);
  }

  read(cursor: Cursor): void {
    for (const column of this.wanted) {
      const vector = this.columns[column]!;
      vector.reset();
      readColumnOfTuple(this.layout, column, cursor.valueBytes, cursor.valueStart, vector, 0);
    }
  }
}

/** Calls `visit` with the rows of a table in chunks; columns by position, and only the wanted ones
 * are filled. */
export function* scanChunks(
  environment: UtilityEnvironment,
  table: RelationDescriptor,
  wanted: readonly number[],
  visit: (rows: DataChunk) => void,
): Generator<UtilityPause, void, undefined> {
  const layout = layoutOf(table);
  const columns = columnVectors(table.columns, CHUNK_ROWS);
  const chunk: DataChunk = { columns, count: 0, selection: null };
  const flush = () => {
    if (chunk.count > 0) visit(chunk);
    chunk.count = 0;
    for (const column of columns) column.reset();
  };
  yield* scanTree(environment, table.tree, (cursor) => {
    const row = chunk.count++;
    for (const column of wanted) {
      const { valueBytes, valueStart } = cursor;
      readColumnOfTuple(layout, column, valueBytes, valueStart, columns[column]!, row);
    }
    if (chunk.count === CHUNK_ROWS) flush();
  });
  flush();
}
