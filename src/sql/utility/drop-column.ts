import type { AlterTableCmd } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { lastingType } from '../../types/index.ts';
import { undefinedColumn } from './alter-column.ts';
import type { Command } from './command.ts';
import { dependentObjects, describe, noticeCascade } from './dependencies.ts';
import { dropRelations, ownedSequences } from './drop.ts';
import type { UtilityPause } from './environment.ts';
import { columnPosition, readsColumn, servingIndex } from './keys.ts';
import { checkDropColumn, type Reach } from './partition-rules.ts';
import { dropForeignKey, lockReferenced } from './referencing.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { dropIndexTree, recluster } from './rewrite-table.ts';
import { columnUsers, describeUser, droppedWhole, userLines } from './type-users.ts';

/** ALTER TABLE … DROP COLUMN. The column keeps its position and its bytes in the rows that have it;
 * indexes and constraints over it go. */
export function* dropColumn(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const name = action.name ?? '';
  const position = columnPosition(table.columns, name);
  if (position < 0) {
    if (action.missing_ok !== true) throw undefinedColumn(table, name);
    command.environment.notice({
      message: `column "${name}" of relation "${table.name}" does not exist, skipping`,
    });
    return;
  }
  checkDropColumn(command, table, position, reach);
  yield* dropDependents(command, table, position, action.behavior === 'DROP_CASCADE');
  yield* removeColumn(command, currentRelation(command, table.oid) ?? table, position);
}

/** Takes a column off its table, with the indexes and constraints over it. */
export function* removeColumn(
  command: Command,
  table: RelationDescriptor,
  position: number,
): Generator<UtilityPause, void, undefined> {
  for (const constraint of table.constraints) {
    if (constraint.columns.includes(position)) yield* lockReferenced(command, constraint);
  }
  const sequences = ownedSequences(command, table).filter(
    (sequence) => sequence.sequence?.ownerColumn === position,
  );
  const columns = table.columns.map((column, i) =>
    i === position
      ? {
          ...column,
          // Its bytes stay in the rows, while a type of users may go.
          type: lastingType(column.type),
          missing: null,
          name: `........pg.dropped.${position + 1}........`,
          dropped: true,
          notNull: false,
          default: null,
          generated: false,
          identity: '' as const,
          sequence: 0,
        }
      : column,
  );
  const gone = table.indexes.filter(
    (index) => index.included.includes(position) || readsColumn(index, position),
  );
  const indexes = table.indexes.filter((index) => !gone.includes(index));
  const constraints = table.constraints.filter(
    (constraint) =>
      !constraint.columns.includes(position) &&
      !gone.some((index) => index.oid === servingIndex(constraint)),
  );
  const statistics =
    table.statistics === null
      ? null
      : {
          ...table.statistics,
          columns: table.statistics.columns.map((column, i) => (i === position ? null : column)),
        };
  const changed = { columns, indexes, constraints, statistics };
  for (const index of gone) dropIndexTree(command, index);
  if (gone.some((index) => index.clustered)) {
    yield* recluster(command, { ...table, indexes }, { ...changed, clusterKey: null });
  } else changeRelation(command, table, changed);
  yield* dropRelations(command, sequences, true);
}

/** Foreign keys that refer to the column and views that read it go with it, or are in its way. */
function* dropDependents(
  command: Command,
  table: RelationDescriptor,
  position: number,
  cascade: boolean,
): Generator<UtilityPause, void, undefined> {
  const found = columnUsers(command, table, position);
  if (found.length === 0) return;
  if (!cascade) {
    const target = `column ${table.columns[position]!.name} of ${describe(command, table)}`;
    throw dependentObjects(target, userLines(command, found));
  }
  const users = found.map(({ user }) => user);
  noticeCascade(
    command,
    users.map((user) => describeUser(command, user)),
  );
  for (const user of users) {
    if (user.kind === 'constraint') {
      yield* dropForeignKey(command, { table: user.relation, constraint: user.constraint });
    } else if (user.kind === 'column') {
      const holder = currentRelation(command, user.relation.oid);
      if (holder !== undefined) yield* removeColumn(command, holder, user.column);
    }
  }
  yield* dropRelations(command, droppedWhole(users), true, []);
}
