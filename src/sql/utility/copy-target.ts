import type { RelationDescriptor } from '../../catalog/index.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { type PartitionCheck, partitionChecks } from '../bind/partition-checks.ts';
import type { ChangeOutcome, RowOperations } from '../execute/environment.ts';
import type { ExpressionCompiler } from '../execute/expression/compile.ts';
import { hasForeignKeys } from '../execute/foreign-keys/index.ts';
import { InsertTarget, InsertTargets, TableColumns } from '../execute/insert-target.ts';
import { PartitionRouter, routedTable } from '../execute/partition-router.ts';
import { RowConstraints } from '../execute/row-constraints.ts';
import type { Run } from '../execute/run.ts';
import type { Expr } from '../expression.ts';
import { copiedPartitions } from '../plan/index.ts';
import type { Command } from './command.ts';

/** Where the rows of COPY FROM go: rows are taken chunk by chunk, then named by their numbers. */
export interface CopyTarget {
  readonly hasForeignKeys: boolean;
  take(rows: DataChunk, changes: RowOperations): void;
  /** Throws where no table may have the row. */
  verify(row: number): void;
  insert(changes: RowOperations, row: number): ChangeOutcome;
}

export function copyTarget(
  command: Command,
  table: RelationDescriptor,
  run: Run,
  compiler: ExpressionCompiler,
): CopyTarget {
  const makers = { command, run, compiler };
  return table.kind === 'partitioned'
    ? new PartitionedTarget(makers, table)
    : new TableTarget(makers, table);
}

interface Makers {
  readonly command: Command;
  readonly run: Run;
  readonly compiler: ExpressionCompiler;
}

class TableTarget implements CopyTarget {
  readonly hasForeignKeys: boolean;
  private readonly target: InsertTarget;

  constructor(makers: Makers, table: RelationDescriptor) {
    const { catalog } = makers.command;
    this.hasForeignKeys = hasForeignKeys(catalog, table);
    const constraints = constraintsOf(makers, table, partitionChecks(catalog, table));
    this.target = new InsertTarget(table, null, constraints, null, null);
  }

  take(rows: DataChunk, changes: RowOperations): void {
    this.target.take(rows, changes);
  }

  verify(row: number): void {
    this.target.verify(row);
  }

  insert(changes: RowOperations, row: number): ChangeOutcome {
    return this.target.insert(changes, row);
  }
}

/** Each row goes to its partition. */
class PartitionedTarget implements CopyTarget {
  readonly hasForeignKeys: boolean;
  private readonly run: Run;
  /** What the table itself demands where it is a partition. */
  private readonly demands: RowConstraints | null;
  private readonly router: PartitionRouter;
  private readonly targets: InsertTargets;

  constructor(makers: Makers, table: RelationDescriptor) {
    const { command, run, compiler } = makers;
    const { tables, partitions } = copiedPartitions(command.catalog, table);
    this.run = run;
    this.hasForeignKeys = tables.some((one) => hasForeignKeys(command.catalog, one));
    const checks = partitionChecks(command.catalog, table);
    this.demands = checks.length === 0 ? null : constraintsOf(makers, bare(table), checks);
    this.router = new PartitionRouter(partitions.routing!, compiler, (place) =>
      routedTable(tables[place]!),
    );
    this.targets = new InsertTargets((place) => {
      const relation = partitions.relations[place]!;
      const partition = tables[relation.table]!;
      const columns = new TableColumns(partition, relation.columns, compiler.capacity);
      const shown = table.columns.map((_, i) => relation.columns.indexOf(i));
      const constraints = constraintsOf(makers, partition, [], shown);
      return new InsertTarget(partition, columns, constraints, null, null);
    });
  }

  take(rows: DataChunk, changes: RowOperations): void {
    this.router.route(rows);
    this.demands?.prepare(rows);
    this.targets.take(rows, this.router.places, changes);
  }

  verify(row: number): void {
    this.demands?.verify(row);
    const place = this.router.places[row]!;
    if (place < 0) throw this.router.failure(row, this.run.environment.functions);
    this.targets.at(place).verify(row);
  }

  insert(changes: RowOperations, row: number): ChangeOutcome {
    return this.targets.at(this.router.places[row]!).insert(changes, row);
  }
}

/** Null where a table has no constraints that rows can violate. */
function constraintsOf(
  { run, compiler }: Makers,
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
