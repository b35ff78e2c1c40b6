import type { RelationDescriptor } from '../../catalog/index.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { partitionChecks } from '../bind/partition-checks.ts';
import type { ChangeOutcome, RowOperations } from '../execute/environment.ts';
import type { ExpressionCompiler } from '../execute/expression/compile.ts';
import { hasForeignKeys } from '../execute/foreign-keys/index.ts';
import { IndexValues } from '../execute/index-values.ts';
import { InsertTarget } from '../execute/insert-target.ts';
import { constraintsOf, RoutedRows, type RowMakers } from '../execute/routed-rows.ts';
import type { Run } from '../execute/run.ts';
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

interface Makers extends RowMakers {
  readonly command: Command;
}

class TableTarget implements CopyTarget {
  readonly hasForeignKeys: boolean;
  private readonly target: InsertTarget;

  constructor(makers: Makers, table: RelationDescriptor) {
    const { catalog } = makers.command;
    this.hasForeignKeys = hasForeignKeys(catalog, table);
    const constraints = constraintsOf(makers, table, partitionChecks(catalog, table));
    const values = IndexValues.ofTable(table, makers.compiler);
    this.target = new InsertTarget(table, null, constraints, values, null, null);
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
class PartitionedTarget extends RoutedRows implements CopyTarget {
  readonly hasForeignKeys: boolean;

  constructor(makers: Makers, table: RelationDescriptor) {
    const { catalog } = makers.command;
    super(makers, catalog, table);
    this.hasForeignKeys = this.tables.some((one) => hasForeignKeys(catalog, one));
  }
}
