import type { CatalogView, RelationDescriptor } from '../../catalog/descriptors.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { type PartitionCheck, partitionChecks } from '../bind/partition-checks.ts';
import type { Expr } from '../expression.ts';
import { copiedPartitions } from '../plan/index.ts';
import type { ChangeOutcome, RowOperations } from './environment.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import { IndexValues } from './index-values.ts';
import { InsertTarget, InsertTargets, TableColumns } from './insert-target.ts';
import { PartitionRouter, routedTable } from './partition-router.ts';
import { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

/** What rows and their constraints are computed with. */
export interface RowMakers {
  readonly run: Run;
  readonly compiler: ExpressionCompiler;
}

/** Rows that are inserted into a partitioned table: each goes to its partition. They are taken chunk by
 * chunk, then named by their numbers. */
export class RoutedRows {
  /** The table and its partitions. */
  readonly tables: readonly RelationDescriptor[];
  readonly #run: Run;
  /** What the table itself demands where it is a partition. */
  readonly #demands: RowConstraints | null;
  readonly #router: PartitionRouter;
  readonly #targets: InsertTargets;

  constructor(makers: RowMakers, catalog: CatalogView, table: RelationDescriptor) {
    const { run, compiler } = makers;
    const { tables, partitions } = copiedPartitions(catalog, table);
    this.#run = run;
    this.tables = tables;
    const checks = partitionChecks(catalog, table);
    this.#demands = checks.length === 0 ? null : constraintsOf(makers, bare(table), checks);
    this.#router = new PartitionRouter(partitions.routing!, compiler, (place) =>
      routedTable(tables[place]!),
    );
    this.#targets = new InsertTargets((place) => {
      const relation = partitions.relations[place]!;
      const partition = tables[relation.table]!;
      const columns = new TableColumns(partition, relation.columns, compiler.capacity);
      const shown = table.columns.map((_, i) => relation.columns.indexOf(i));
      const constraints = constraintsOf(makers, partition, [], shown);
      const values = IndexValues.ofTable(partition, compiler);
      return new InsertTarget(partition, columns, constraints, values, null, null);
    });
  }

  take(rows: DataChunk, changes: RowOperations): void {
    this.#router.route(rows);
    this.#demands?.prepare(rows);
    this.#targets.take(rows, this.#router.places, changes);
  }

  /** Throws where no table may have the row. */
  verify(row: number): void {
    this.#demands?.verify(row);
    const place = this.#router.places[row]!;
    if (place < 0) throw this.#router.failure(row, this.#run.environment.functions);
    this.#targets.at(place).verify(row);
  }

  insert(changes: RowOperations, row: number): ChangeOutcome {
    return this.#targets.at(this.#router.places[row]!).insert(changes, row);
  }
}

/** Null where a table has no constraints that rows can violate. */
export function constraintsOf(
  { run, compiler }: RowMakers,
  table: RelationDescriptor,
  places: readonly PartitionCheck[],
  shown?: readonly number[],
): RowConstraints | null {
  const checks = table.constraints.flatMap(({ kind, name, check }) =>
    kind === 'check' && check !== null
      ? [{ name, test: compiler.compile(check.expr as Expr) }]
      : [],
  );
  const tests = places.map((check) => ({ check, keys: compiler.all(check.keys) }));
  const isRequired = table.columns.some(({ notNull, dropped }) => notNull && !dropped);
  if (checks.length === 0 && tests.length === 0 && !isRequired) return null;
  return new RowConstraints(run, table, checks, tests, shown);
}

/** The table as one whose partitions see to its constraints. */
function bare(table: RelationDescriptor): RelationDescriptor {
  const columns = table.columns.map((column) => ({ ...column, notNull: false }));
  return { ...table, columns, constraints: [] };
}
