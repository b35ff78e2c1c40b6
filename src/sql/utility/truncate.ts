import type { TruncateStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import { ownedSequences } from './drop.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { lockPartitions, partitionsBelow } from './partition-scan.ts';
import { refusePendingEvents } from './referencing.ts';
import { changeRelation, currentRelation, isTable, referencingWholes } from './relation-change.ts';
import { dropTrees, withNewTrees } from './rewrite-table.ts';
import { refuseOthers } from './temporary.ts';

/** TRUNCATE: every table gets new, empty trees. */
export function* truncate(command: Command, statement: TruncateStmt): UtilityExecution {
  const tables = new Map<number, RelationDescriptor>();
  for (const node of statement.relations ?? []) {
    if (!('RangeVar' in node)) continue;
    const name = node.RangeVar;
    const table = yield* command.lockNamed(() => {
      const found = findRelation(command, name);
      const isIndex = found === undefined && findIndex(command, name) !== undefined;
      if (isIndex || (found !== undefined && !isTable(found))) {
        throw pgError('wrong_object_type', `"${name.relname}" is not a table`);
      }
      return found;
    }, TABLE_LOCK.accessExclusive);
    if (table === undefined) throw undefinedRelation(command, name);
    refuseOthers(command, table, 'truncate');
    if (table.partitioning !== null && name.inh !== true) throw onlyPartitioned();
    tables.set(table.oid, table);
    yield* addPartitions(command, table, tables);
  }
  if (statement.behavior === 'DROP_CASCADE') yield* addReferring(command, tables);
  else refuseReferring(command, tables);
  for (const table of tables.values()) refusePendingEvents(command, table, 'TRUNCATE');
  for (const table of tables.values()) {
    emptyTable(command, table);
    if (statement.restart_seqs !== true) continue;
    for (const { oid, sequence } of ownedSequences(command, table)) {
      if (sequence === null) continue;
      command.environment.setSequence(oid, { last: sequence.start, isCalled: false });
    }
  }
  return { tag: 'TRUNCATE TABLE' };
}

function onlyPartitioned() {
  return pgError('wrong_object_type', 'cannot truncate only a partitioned table', {
    hint: 'Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.',
  });
}

/** The partitions of a table are emptied with it. */
function* addPartitions(
  command: Command,
  table: RelationDescriptor,
  tables: Map<number, RelationDescriptor>,
): Generator<UtilityPause, void, undefined> {
  yield* lockPartitions(command, table, TABLE_LOCK.accessExclusive);
  for (const partition of partitionsBelow(command, table)) tables.set(partition.oid, partition);
}

/** CASCADE: the tables with foreign keys to those that are emptied are emptied too. */
function* addReferring(
  command: Command,
  tables: Map<number, RelationDescriptor>,
): Generator<UtilityPause, void, undefined> {
  for (let found = referring(command, tables); found.length > 0; ) {
    for (const { child } of found) {
      yield* command.lock(child, TABLE_LOCK.accessExclusive);
      const now = currentRelation(command, child.oid);
      if (now === undefined || tables.has(child.oid)) continue;
      command.environment.notice({ message: `truncate cascades to table "${now.name}"` });
      tables.set(now.oid, now);
    }
    found = referring(command, tables);
  }
}

function refuseReferring(command: Command, tables: ReadonlyMap<number, RelationDescriptor>): void {
  const first = referring(command, tables)[0];
  if (first === undefined) return;
  const { child, parent } = first;
  throw pgError(
    'feature_not_supported',
    'cannot truncate a table referenced in a foreign key constraint',
    {
      detail: `Table "${child.name}" references "${parent.name}".`,
      hint: `Truncate table "${child.name}" at the same time, or use TRUNCATE ... CASCADE.`,
    },
  );
}

/** Other tables with foreign keys to some of these, oldest first. */
function referring(command: Command, tables: ReadonlyMap<number, RelationDescriptor>) {
  const { catalog } = command;
  const found: { readonly child: RelationDescriptor; readonly parent: RelationDescriptor }[] = [];
  for (const parent of tables.values()) {
    for (const { table } of referencingWholes(command, parent)) {
      const child = tables.has(table) ? undefined : catalog.relationByOid(table);
      if (child !== undefined) found.push({ child, parent });
    }
  }
  return found.sort((a, b) => a.child.oid - b.child.oid);
}

function emptyTable(command: Command, table: RelationDescriptor): void {
  if (table.kind === 'partitioned') return;
  const { tree, indexes } = withNewTrees(command, table);
  dropTrees(command, table);
  changeRelation(command, table, { tree, indexes });
}
