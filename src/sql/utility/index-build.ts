import {
  clusterKeyOf,
  encodeClusterKey,
  encodeIndexColumns,
  indexKeyOf,
  isUniqueEntry,
  layoutOf,
  readTupleDatum,
} from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { KEY_LENGTH_MAX, keyTooLong, type TreeId } from '../../storage/index.ts';
import { typeByOid } from '../../types/index.ts';
import { Sorter } from '../execute/sorter.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun } from './execution.ts';
import { RowReader, scanTree } from './table-scan.ts';

/** Fills the tree of a new index from the rows of its table, in key order. */
export function* buildIndex(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  const key = indexKeyOf(table, index);
  const reader = new RowReader(table, key.columns);
  const out = new ByteWriter(64);
  yield* sortEntries(
    command,
    function* (sorter) {
      yield* scanTree(environment, table.tree, (cursor) => {
        reader.read(cursor);
        out.reset();
        const hasNull = encodeIndexColumns(key, reader.columns, 0, out);
        const { keyBytes, keyStart, keyEnd } = cursor;
        if (!isUniqueEntry(key, hasNull)) out.range(keyBytes, keyStart, keyEnd);
        if (out.position > KEY_LENGTH_MAX) throw keyTooLong(out.position, index.name);
        sorter.addEncoded(out.bytes, 0, out.position, keyBytes, keyStart, keyEnd);
      });
    },
    index.tree,
    (bytes, start, end) => duplicateEntry(command, table, index, bytes.slice(start, end)),
  );
}

/** Copies the rows of a table to a new tree clustered by a primary key, in key order. `from` is the
 * table as it was, `to` as it will be; both have the same columns. */
export function* clusterRows(
  command: Command,
  from: RelationDescriptor,
  to: RelationDescriptor,
  index: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  const key = clusterKeyOf(to);
  const positions = key.columns ?? [];
  const reader = new RowReader(from, positions);
  const out = new ByteWriter(64);
  yield* sortEntries(
    command,
    function* (sorter) {
      yield* scanTree(environment, from.tree, (cursor) => {
        reader.read(cursor);
        for (const position of positions) {
          if (reader.columns[position]!.isNull(0)) throw containsNull(to, position);
        }
        encodeClusterKey(key, reader.columns, 0, out.reset());
        if (out.position > KEY_LENGTH_MAX) throw keyTooLong(out.position, index.name);
        const { valueBytes, valueStart, valueEnd } = cursor;
        sorter.addEncoded(out.bytes, 0, out.position, valueBytes, valueStart, valueEnd);
      });
    },
    to.tree,
    (bytes, start) => duplicateRow(command, to, index, bytes, start),
  );
}

/** Sorts the entries that `fill` adds and writes them to a tree; two entries of one key are refused
 * with the error that `duplicate` makes of the second one's value. */
function* sortEntries(
  command: Command,
  fill: (sorter: Sorter) => Generator<UtilityPause, void, undefined>,
  tree: TreeId,
  duplicate: (value: Uint8Array, start: number, end: number) => PgError,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  const run = beginRun(environment);
  const sorter = new Sorter(run, [], []);
  try {
    sorter.begin(Number.POSITIVE_INFINITY);
    yield* fill(sorter);
    sorter.sort();
    const last = new ByteWriter(64);
    let written = 0;
    while (sorter.nextRecord()) {
      const { bytes, keyFrom, tupleFrom, tupleEnd } = sorter;
      const sameKey =
        written > 0 &&
        compareByteRanges(last.bytes, 0, last.position, bytes, keyFrom, tupleFrom) === 0;
      if (sameKey) throw duplicate(bytes, tupleFrom, tupleEnd);
      last.reset();
      last.range(bytes, keyFrom, tupleFrom);
      environment.putEntry(tree, bytes, keyFrom, tupleFrom, bytes, tupleFrom, tupleEnd);
      if ((++written & 0xff) !== 0) continue;
      environment.checkInterrupts();
      if (environment.shouldPause()) yield 'pause';
    }
  } finally {
    sorter.close();
    run.end();
  }
}

/** 23502 of a scan: the column must not have nulls, and has. */
export function containsNull(table: RelationDescriptor, position: number): PgError {
  const column = table.columns[position]!.name;
  return pgError(
    'not_null_violation',
    `column "${column}" of relation "${table.name}" contains null values`,
    { table: table.name, column },
  );
}

function duplicateEntry(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
  clusterKey: Uint8Array,
): PgError {
  const cursor = command.environment.openCursor(table.tree);
  try {
    cursor.seek(clusterKey, clusterKey.length, 'ge');
    return duplicateRow(command, table, index, cursor.valueBytes, cursor.valueStart);
  } finally {
    command.environment.closeCursor(cursor);
  }
}

/** 23505 of a unique index that is being built; the row is given by its tuple. */
function duplicateRow(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
  tuple: Uint8Array,
  start: number,
): PgError {
  const layout = layoutOf(table);
  const names = index.columns.map(({ column }) => table.columns[column]!.name);
  const values = index.columns.map(({ column, type }) => {
    const value = readTupleDatum(layout, column, tuple, start);
    if (value === null) return 'null';
    return typeByOid(type).output(value, command.environment.functions);
  });
  return pgError('unique_violation', `could not create unique index "${index.name}"`, {
    detail: `Key (${names.join(', ')})=(${values.join(', ')}) is duplicated.`,
    schema: command.catalog.schemaByOid(table.schema)?.name,
    table: table.name,
    constraint: index.name,
  });
}
