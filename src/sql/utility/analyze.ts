import {
  hasEntry,
  indexKeyOf,
  layoutOf,
  readTupleDatum,
  type TupleLayout,
} from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type {
  ColumnStatistics,
  ExpressionStatistics,
  RelationDescriptor,
} from '../../catalog/index.ts';
import { readDatum } from '../../chunk/index.ts';
import { type Datum, encodeKeyPart, type SqlType, typeByOid } from '../../types/index.ts';
import { columnMap } from '../bind/index.ts';
import { IndexedRow } from '../execute/indexed-row.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { leavesOf } from './partition-scan.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { scanTree } from './table-scan.ts';

/** Rows that are looked at closely, as PostgreSQL takes for a statistics target of 100. */
const SAMPLE_ROWS = 30_000;
/** Bytes of rows in the sample at the most; wider rows make a smaller sample. */
const SAMPLE_BYTES = 32 * 1024 * 1024;
const PAGE_BYTES = 8192;
/** How full leaves are on the average. */
const FILL = 0.85;
/** Bytes of an entry besides its key and its value. */
const ENTRY_OVERHEAD = 16;

/** What ANALYZE VERBOSE tells of a table. */
export interface AnalyzedTable {
  readonly rows: number;
  readonly sampled: number;
  readonly pages: number;
}

/** Counts the rows of a table and looks at a sample of them; the rows of a partitioned table are in its
 * partitions. `columns` null: all. */
export function* analyzeTable(
  command: Command,
  table: RelationDescriptor,
  columns: readonly number[] | null,
): Generator<UtilityPause, AnalyzedTable, undefined> {
  const sample = new Sample(() => command.environment.functions.random());
  let bytes = 0;
  for (const leaf of leavesOf(command, table)) {
    const source = { layout: layoutOf(leaf), position: columnMap(table, leaf) };
    yield* scanTree(command.environment, leaf.tree, (cursor) => {
      const { keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      bytes += keyEnd - keyStart + valueEnd - valueStart + ENTRY_OVERHEAD;
      sample.offer(source, valueBytes, valueStart, valueEnd);
    });
  }
  const before = table.statistics?.columns ?? [];
  const statistics = table.columns.map((column, position) => {
    if (column.dropped) return null;
    if (columns !== null && !columns.includes(position)) return before[position] ?? null;
    const values = sample.tuples.map(({ source, bytes }) =>
      readTupleDatum(source.layout, source.position(position), bytes, 0),
    );
    return valueStatistics(typeByOid(column.type), values, sample);
  });
  const pages = Math.ceil(bytes / FILL / PAGE_BYTES);
  const expressions = expressionStatistics(command, table, sample);
  changeRelation(command, currentRelation(command, table.oid) ?? table, {
    statistics: { rows: sample.seen, pages, columns: statistics, expressions },
  });
  return { rows: sample.seen, sampled: sample.tuples.length, pages };
}

/** Where tuples come from: how they lie, and where they have the columns of the table. */
interface TupleSource {
  readonly layout: TupleLayout;
  readonly position: (column: number) => number;
}

/** A random sample of the rows offered, each as likely as the others (a reservoir). */
class Sample {
  seen = 0;
  readonly tuples: { readonly source: TupleSource; readonly bytes: Uint8Array }[] = [];
  private bytes = 0;
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  offer(source: TupleSource, bytes: Uint8Array, start: number, end: number): void {
    const { tuples } = this;
    const at = this.seen++;
    if (at === tuples.length && at < SAMPLE_ROWS && this.bytes < SAMPLE_BYTES) {
      tuples.push({ source, bytes: bytes.slice(start, end) });
      this.bytes += end - start;
      return;
    }
    const place = Math.floor(this.random() * this.seen);
    if (place < tuples.length) tuples[place] = { source, bytes: bytes.slice(start, end) };
  }
}

/** What the indexes of a table compute of the sample, where they have entries. */
function expressionStatistics(
  command: Command,
  table: RelationDescriptor,
  sample: Sample,
): ExpressionStatistics[] {
  if (table.kind !== 'table') return [];
  const run = beginRun(command.environment);
  try {
    const compiler = storedExpressions(run, 1);
    return table.indexes.flatMap((index) => {
      if (index.columns.every(({ expression }) => expression === null)) return [];
      const row = new IndexedRow(table, index, compiler);
      const key = indexKeyOf(table, index);
      const lists: Datum[][] = index.columns.map(() => []);
      for (const { bytes } of sample.tuples) {
        const columns = row.read(bytes, 0);
        if (!hasEntry(key, columns, 0)) continue;
        lists.forEach((list, i) => {
          list.push(readDatum(columns[key.columns[i]!]!, 0, key.types[i]!));
        });
      }
      return index.columns.flatMap(({ expression }, column) => {
        const found = expression && valueStatistics(key.types[column]!, lists[column]!, sample);
        return found === null ? [] : [{ ...found, index: index.oid, column }];
      });
    });
  } finally {
    run.end();
  }
}

/** What the values of some rows of a sample tell of all of them in the table. */
function valueStatistics(
  type: SqlType,
  values: readonly Datum[],
  { seen, tuples }: Sample,
): ColumnStatistics | null {
  const rows = values.length;
  if (rows === 0) return null;
  const counts = new Map<string, number>();
  const key = new ByteWriter(64);
  let nulls = 0;
  let width = 0;
  for (const value of values) {
    if (value === null) {
      nulls++;
      continue;
    }
    encodeKeyPart(type, value, false, false, key.reset());
    const text = Buffer.from(key.bytes.buffer, 0, key.position).toString('latin1');
    counts.set(text, (counts.get(text) ?? 0) + 1);
    width += storedWidth(type, value, key);
  }
  const present = rows - nulls;
  return {
    nullFraction: nulls / rows,
    distinct: distinctValues(counts, present, (seen * present) / tuples.length),
    averageWidth: present === 0 ? 0 : Math.round(width / present),
  };
}

/** Bytes of a value as PostgreSQL stores it: with a header of one or four bytes when it varies. */
function storedWidth(
  type: SqlType,
  value: Parameters<SqlType['compare']>[0],
  out: ByteWriter,
): number {
  if (type.length > 0) return type.length;
  if (value === null) return 0;
  type.toBytes(value, out.reset());
  return out.position + (out.position < 127 ? 1 : 4);
}

/** Distinct values among all rows, from those of a sample: Haas and Stokes' estimator Duj1, as in
 * PostgreSQL. `counts` has how often each value is in the sample of `sampled` non-null rows. */
function distinctValues(
  counts: ReadonlyMap<string, number>,
  sampled: number,
  total: number,
): number {
  const found = counts.size;
  if (found === 0 || sampled >= total) return found;
  let once = 0;
  for (const count of counts.values()) if (count === 1) once++;
  if (once === found) return Math.round(total);
  const estimate = (sampled * found) / (sampled - once + (once * sampled) / total);
  return Math.round(Math.min(Math.max(estimate, found), total));
}
