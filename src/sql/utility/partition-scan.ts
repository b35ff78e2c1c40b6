import type { PartitionBound, RelationDescriptor } from '../../catalog/index.ts';
import { type DataChunk, readDatum } from '../../chunk/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { typeByOid } from '../../types/index.ts';
import { type PartitionCheck, partitionCheck, passesCheck } from '../bind/index.ts';
import type { Command } from './command.ts';
import { columnsOf } from './create-table.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { currentRelation, partitionsByAge } from './relation-change.ts';
import { scanChunks } from './table-scan.ts';

/** Rows that are there when the bounds of partitions change. */

/** The tables that hold the rows of a table, its partitions at any depth or itself. */
export function leavesOf(command: Command, table: RelationDescriptor): RelationDescriptor[] {
  if (table.partitioning === null) return [table];
  return partitionsBelow(command, table).filter(({ partitioning }) => partitioning === null);
}

/** The partitions of a table at any depth, each after the one that it is in. */
export function partitionsBelow(command: Command, table: RelationDescriptor): RelationDescriptor[] {
  return command.catalog
    .partitionsOf(table.oid)
    .flatMap((partition) => [partition, ...partitionsBelow(command, partition)]);
}

/** Locks all partitions of a table, at any depth. */
export function* lockPartitions(
  command: Command,
  table: RelationDescriptor,
  mode: number,
  nowait = false,
): Generator<UtilityPause, void, undefined> {
  for (const { oid, name } of partitionsByAge(command, table.oid)) {
    yield* command.lock({ oid, name }, mode, nowait);
    const now = currentRelation(command, oid);
    if (now !== undefined) yield* lockPartitions(command, now, mode, nowait);
  }
}

/** Before a partition of `bound` comes: the default partition must have none of its rows. */
export function* testDefaultPartition(
  command: Command,
  parent: RelationDescriptor,
  bound: PartitionBound,
): Generator<UtilityPause, void, undefined> {
  const present = command.catalog
    .partitionsOf(parent.oid)
    .find(({ partitionOf }) => partitionOf!.bound.kind === 'default');
  if (present === undefined || bound.kind === 'default') return;
  yield* command.lock(present, TABLE_LOCK.accessExclusive);
  yield* lockPartitions(command, present, TABLE_LOCK.accessExclusive);
  const checkOf = (leaf: RelationDescriptor) => [
    partitionCheck(command.catalog, parent, bound, leaf),
  ];
  yield* testRows(command, present, checkOf, false, () =>
    violated(
      command,
      present,
      `updated partition constraint for default partition "${present.name}" would be violated by some row`,
    ),
  );
}

/** Tests that all rows of a table that becomes a partition belong there. */
export function* testPartitionRows(
  command: Command,
  table: RelationDescriptor,
  checksOf: (leaf: RelationDescriptor) => readonly PartitionCheck[],
): Generator<UtilityPause, void, undefined> {
  yield* testRows(command, table, checksOf, true, (leaf) =>
    violated(
      command,
      leaf,
      `partition constraint of relation "${leaf.name}" is violated by some row`,
    ),
  );
}

function violated(
  command: Command,
  { schema, name }: RelationDescriptor,
  message: string,
): PgError {
  return pgError('check_violation', message, {
    schema: command.catalog.schemaByOid(schema)?.name,
    table: name,
  });
}

/** Fails at a row of the table of which one of the checks is not what it is to be. */
function* testRows(
  command: Command,
  table: RelationDescriptor,
  checksOf: (leaf: RelationDescriptor) => readonly PartitionCheck[],
  wanted: boolean,
  failure: (leaf: RelationDescriptor) => PgError,
): Generator<UtilityPause, void, undefined> {
  for (const leaf of leavesOf(command, table)) {
    for (const check of checksOf(leaf)) {
      yield* testLeaf(command, leaf, check, wanted, failure);
    }
  }
}

function* testLeaf(
  command: Command,
  leaf: RelationDescriptor,
  check: PartitionCheck,
  wanted: boolean,
  failure: (leaf: RelationDescriptor) => PgError,
): Generator<UtilityPause, void, undefined> {
  const run = beginRun(command.environment);
  try {
    const compiler = storedExpressions(run, 1024);
    const evaluators = check.keys.map((key) => compiler.compile(key));
    const types = check.keys.map(({ type }) => typeByOid(type));
    const test = (rows: DataChunk) => {
      const vectors = evaluators.map((evaluator) => evaluator.evaluate(rows));
      for (let row = 0; row < rows.count; row++) {
        const values = vectors.map((vector, i) => readDatum(vector, row, types[i]!));
        if (passesCheck(check, values) !== wanted) throw failure(leaf);
      }
    };
    yield* scanChunks(command.environment, leaf, check.keys.flatMap(columnsOf), test);
  } finally {
    run.end();
  }
}
