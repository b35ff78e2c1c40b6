import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { PartitionSearch } from '../../catalog/index.ts';
import { type ColumnVector, type DataChunk, readDatum } from '../../chunk/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Datum, TypeContext } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { PartitionRouting } from '../plan/plan.ts';
import type { AddedPartitions } from './added-partitions.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { failingRow, partitionViolation } from './row-constraints.ts';
import type { Run } from './run.ts';

/** What the router needs to know of a partitioned table for its errors. */
export interface RoutedTable {
  readonly oid: number;
  readonly name: string;
  readonly columns: RelationDescriptor['columns'];
  /** Text of the partition key's columns and expressions. */
  readonly keyNames: readonly string[];
}

/** Finds the partition of each row of a chunk; `places` has, by row number, its place among the result
 * relations. A row that no partition takes has a negative place, even where the default partition refuses it, and
 * `failure` makes its error: whether it is one is only known when it is that row's turn. */
export class PartitionRouter {
  places: Int32Array;
  readonly #levels: Level[] = [];
  readonly #top: Level;
  readonly #run: Run;
  #added: AddedPartitions | null = null;
  #rows: DataChunk = { columns: [], count: 0, selection: null };

  constructor(
    routing: PartitionRouting,
    compiler: ExpressionCompiler,
    tableOf: (table: number) => RoutedTable,
  ) {
    this.places = new Int32Array(compiler.capacity);
    this.#run = compiler.run;
    this.#top = this.#level(routing, compiler, tableOf);
  }

  #level(
    routing: PartitionRouting,
    compiler: ExpressionCompiler,
    tableOf: (table: number) => RoutedTable,
  ): Level {
    const level: Level = {
      number: this.#levels.length,
      table: tableOf(routing.table),
      search: new PartitionSearch(routing.partitioning, routing.bounds),
      keys: compiler.all(routing.keys),
      vectors: [],
      places: [],
      key: [],
    };
    this.#levels.push(level);
    level.places = routing.places.map((place) =>
      typeof place === 'number' ? place : this.#level(place, compiler, tableOf),
    );
    return level;
  }

  /** Routes the selected rows, whose columns are those of the statement's table. */
  route(rows: DataChunk): void {
    this.#rows = rows;
    this.#added = this.#run.environment.addedPartitions ?? null;
    for (const level of this.#levels) level.vectors = NOT_COMPUTED;
    const { selection, count } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      this.places[row] = this.#placeIn(this.#top, row);
    }
  }

  #placeIn(level: Level, row: number): number {
    if (level.vectors === NOT_COMPUTED) {
      level.vectors = level.keys.map((key) => key.evaluate(this.#rows));
    }
    const key = keyOf(level, row);
    const found = level.search.find(key);
    if (found < 0) return -1 - 2 * level.number;
    const isDefault = found === level.search.defaultIndex;
    if (isDefault && this.#added?.takes(level.table.oid, key)) return -2 - 2 * level.number;
    const place = level.places[found]!;
    return typeof place === 'number' ? place : this.#placeIn(place, row);
  }

  /** The error of a row that no partition takes. */
  failure(row: number, context: TypeContext): PgError {
    const code = -1 - this.places[row]!;
    const level = this.#levels[code >> 1]!;
    if (code % 2 === 1) return this.#narrowed(level, row, context);
    const { name, keyNames } = level.table;
    const values = keyOf(level, row).map((value, i) =>
      value === null ? 'null' : level.keys[i]!.type.output(value, context),
    );
    return pgError('check_violation', `no partition of relation "${name}" found for row`, {
      detail: `Partition key of the failing row contains (${keyNames.join(', ')}) = (${values.join(', ')}).`,
      table: name,
    });
  }

  /** The default partition takes the row no longer. */
  #narrowed({ table }: Level, row: number, context: TypeContext): PgError {
    const name = this.#added!.defaultOf(table.oid);
    const { columns } = this.#top.table;
    const shown = columns.flatMap(({ dropped }, i) => (dropped ? [] : [i]));
    const detail = failingRow(columns, shown, this.#rows.columns, row, context);
    return partitionViolation(name, detail);
  }
}

interface Level {
  readonly number: number;
  readonly table: RoutedTable;
  readonly search: PartitionSearch;
  readonly keys: readonly Evaluator[];
  vectors: readonly ColumnVector[];
  places: readonly (number | Level)[];
  /** The key of the row at hand. */
  readonly key: Datum[];
}

const NOT_COMPUTED: readonly ColumnVector[] = [];

function keyOf({ keys, vectors, key }: Level, row: number): readonly Datum[] {
  for (let i = 0; i < keys.length; i++) key[i] = readDatum(vectors[i]!, row, keys[i]!.type);
  return key;
}

/** What errors say of a partitioned table. */
export function routedTable({
  oid,
  name,
  columns,
  partitioning,
}: Pick<RelationDescriptor, 'oid' | 'name' | 'columns' | 'partitioning'>): RoutedTable {
  const keyNames = partitioning!.keys.map(({ column, expression }) =>
    expression === null ? columns[column]!.name : expressionName(expression),
  );
  return { oid, name, columns, keyNames };
}

/** Anything but a call stands in parentheses, which operators have already. */
function expressionName({ text, expr }: { readonly text: string; readonly expr: unknown }): string {
  return (expr as Expr).kind === 'call' ? text : `(${text})`;
}
