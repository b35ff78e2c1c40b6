import {
  checkKeyLength,
  clusterKeyOf,
  encodeClusterKey,
  encodeIndexEntry,
  hasEntry,
  indexKeyOf,
  keyNames,
} from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { readDatum } from '../../chunk/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import { IndexedRow } from '../execute/indexed-row.ts';
import type { Run } from '../execute/run.ts';
import { Sorter } from '../execute/sorter.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { RowReader, scanTree } from './table-scan.ts';

/** Fills the tree of a new index from the rows of its table. */
export function* buildIndex(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  const key = indexKeyOf(table, index);
  const run = beginRun(command.environment);
  const row = new IndexedRow(table, index, storedExpressions(run, 1));
  const out = new ByteWriter(64);
  const loader = new EntryLoader(command, index.tree);
  try {
    yield* scanTree(command.environment, table.tree, (cursor) => {
      const columns = row.read(cursor.valueBytes, cursor.valueStart);
      if (!hasEntry(key, columns, 0)) return;
      const { keyBytes, keyStart, keyEnd } = cursor;
      encodeIndexEntry(key, columns, 0, keyBytes, keyStart, keyEnd, out.reset());
      checkKeyLength(out, index);
      loader.add(out.bytes, 0, out.position, keyBytes, keyStart, keyEnd);
    });
    yield* loader.finish((bytes, start, end) =>
      duplicateEntry(command, table, index, bytes.slice(start, end)),
    );
  } finally {
    loader.close();
    run.end();
  }
}

/** Copies the rows of a table to a new tree that is clustered by a primary key. `from` is the table
 * as it was, `to` as it will be; both have the same columns. */
export function* clusterRows(
  command: Command,
  from: RelationDescriptor,
  to: RelationDescriptor,
  index: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  const key = clusterKeyOf(to);
  const positions = key.columns ?? [];
  const reader = new RowReader(from, positions);
  const out = new ByteWriter(64);
  const loader = new EntryLoader(command, to.tree);
  try {
    yield* scanTree(command.environment, from.tree, (cursor) => {
      reader.read(cursor);
      for (const position of positions) {
        if (reader.columns[position]!.isNull(0)) throw containsNull(to, position);
      }
      encodeClusterKey(key, reader.columns, 0, out.reset());
      checkKeyLength(out, index);
      const { valueBytes, valueStart, valueEnd } = cursor;
      loader.add(out.bytes, 0, out.position, valueBytes, valueStart, valueEnd);
    });
    yield* loader.finish((bytes, start) => duplicateRow(command, to, index, bytes, start));
  } finally {
    loader.close();
  }
}

/** Entries that have to come in order before all are taken to do so. */
const ORDERED_MIN = 4096;
/** Memory for sorting. */
const SORT_BYTES = 64 << 20;

/** Takes entries in any order and puts them into a new tree; two of one key are refused.
 *
 * While entries come in order, which is common, they go to the tree at once; the others are sorted
 * first. Of entries in no order some of the first would be in order and close to the last of all, and
 * all others would have to go before them, so the first few wait in the sorter too. */
class EntryLoader {
  private readonly command: Command;
  private readonly tree: TreeId;
  private readonly run: Run;
  private readonly sorter: Sorter;
  /** Key of the last entry in order. */
  private readonly last = new ByteWriter(64);
  private count = 0;
  private isOrdered = true;
  private written = 0;
  private sorted = 0;

  constructor(command: Command, tree: TreeId) {
    this.command = command;
    this.tree = tree;
    this.run = beginRun(command.environment);
    this.sorter = new Sorter(this.run, [], [], SORT_BYTES);
    this.sorter.begin(Number.POSITIVE_INFINITY);
  }

  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.isOrdered || this.written > 0) {
      if (this.count++ === 0 || this.isAfter(key, keyStart, keyEnd)) {
        this.last.reset().range(key, keyStart, keyEnd);
        if (this.written > 0) {
          this.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
          return;
        }
      } else this.isOrdered = false;
    }
    this.sorted++;
    this.sorter.addEncoded(key, keyStart, keyEnd, value, valueStart, valueEnd);
    if (this.isOrdered && this.sorted === ORDERED_MIN) this.putOrdered();
  }

  /** Puts what has come into the tree; it is in order. */
  private putOrdered(): void {
    const { sorter } = this;
    sorter.sort();
    while (sorter.nextRecord()) {
      const { bytes, keyFrom, tupleFrom, tupleEnd } = sorter;
      this.put(bytes, keyFrom, tupleFrom, bytes, tupleFrom, tupleEnd);
    }
    sorter.begin(Number.POSITIVE_INFINITY);
    this.sorted = 0;
  }

  private put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.written++;
    const { environment } = this.command;
    environment.putEntry(this.tree, key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  private isAfter(key: Uint8Array, start: number, end: number): boolean {
    const { bytes, position } = this.last;
    return compareByteRanges(bytes, 0, position, key, start, end) < 0;
  }

  /** Writes the entries that were sorted. `duplicate` makes an error of the value of an entry whose
   * key is there already. */
  *finish(
    duplicate: (value: Uint8Array, start: number, end: number) => PgError,
  ): Generator<UtilityPause, void, undefined> {
    if (this.sorted === 0) return;
    const { environment } = this.command;
    const { sorter, last, tree } = this;
    environment.nextCommand();
    const present = environment.newestCursor(tree);
    try {
      sorter.sort();
      let more = present.first();
      last.reset();
      for (let count = 0; sorter.nextRecord(); count++) {
        const { bytes, keyFrom, tupleFrom, tupleEnd } = sorter;
        const isBehind = more && compareToEntry(present, bytes, keyFrom, tupleFrom) < 0;
        if (isBehind) more = seek(present, bytes, keyFrom, tupleFrom);
        const isPresent = more && compareToEntry(present, bytes, keyFrom, tupleFrom) === 0;
        if (isPresent || (count > 0 && !this.isAfter(bytes, keyFrom, tupleFrom))) {
          throw duplicate(bytes, tupleFrom, tupleEnd);
        }
        last.reset();
        last.range(bytes, keyFrom, tupleFrom);
        environment.putEntry(tree, bytes, keyFrom, tupleFrom, bytes, tupleFrom, tupleEnd);
        if (count % ENTRIES_PER_LOOK !== ENTRIES_PER_LOOK - 1) continue;
        environment.checkInterrupts();
        if (!environment.shouldPause()) continue;
        yield 'pause';
        if (more) present.refresh();
      }
    } finally {
      environment.closeCursor(present);
    }
  }

  close(): void {
    this.sorter.close();
    this.run.end();
  }
}

const ENTRIES_PER_LOOK = 256;

/** Order of the entry that a cursor stands on relative to a key. */
function compareToEntry(cursor: Cursor, key: Uint8Array, start: number, end: number): number {
  return compareByteRanges(cursor.keyBytes, cursor.keyStart, cursor.keyEnd, key, start, end);
}

function seek(cursor: Cursor, key: Uint8Array, start: number, end: number): boolean {
  return cursor.seek(key.subarray(start, end), end - start, 'ge');
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
  const cursor = command.environment.newestCursor(table.tree);
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
  const run = beginRun(command.environment);
  const columns = new IndexedRow(table, index, storedExpressions(run, 1)).read(tuple, start);
  const { columns: positions, types } = indexKeyOf(table, index);
  const values = types.map((type, i) => {
    const value = readDatum(columns[positions[i]!]!, 0, type);
    return value === null ? 'null' : type.output(value, command.environment.functions);
  });
  run.end();
  return pgError('unique_violation', `could not create unique index "${index.name}"`, {
    detail: `Key (${keyNames(table, index)})=(${values.join(', ')}) is duplicated.`,
    schema: command.catalog.schemaByOid(table.schema)?.name,
    table: table.name,
    constraint: index.name,
  });
}
