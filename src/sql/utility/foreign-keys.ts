import type { RangeVar } from '@pgsql/types';
import type {
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { typeByOid } from '../../types/index.ts';
import { canCoerceOne } from '../bind/coercion-rules.ts';
import { btreeFamily, btreeOperator, EQUAL } from '../functions/index.ts';
import type { Command } from './command.ts';
import { duplicateConstraint, isConstraintTaken } from './constraint-names.ts';
import type { UtilityPause } from './environment.ts';
import type { ForeignKeyDraft } from './foreign-key-draft.ts';
import { columnPosition } from './keys.ts';
import { chooseName, findRelation, indexColumnsName, undefinedRelation } from './object-names.ts';
import { spreadForeignKey } from './partition-foreign-keys.ts';
import { isWhole } from './partition-indexes.ts';
import { lockPartitions, partitionsBelow } from './partition-scan.ts';
import { referrersOf } from './referencing.ts';
import { changeRelation, currentRelation, isTable } from './relation-change.ts';
import { SYSTEM_COLUMNS } from './table-elements.ts';
import { isOthers } from './temporary.ts';
import { validateForeignKey } from './validate-foreign-key.ts';

/** Adds foreign keys to a table. `isEmpty`: it has no rows that could break them. */
export function* addForeignKeys(
  command: Command,
  table: RelationDescriptor,
  drafts: readonly ForeignKeyDraft[],
  isEmpty: boolean,
  descends = true,
): Generator<UtilityPause, void, undefined> {
  for (const draft of drafts) {
    const parent = yield* lockReferenced(command, draft.table);
    const child = currentRelation(command, table.oid) ?? table;
    if (child.partitioning !== null) checkPartitionedChild(child, parent, draft, descends);
    const constraint = makeForeignKey(command, child, parent, draft, isEmpty);
    yield* lockPartitions(command, parent, TABLE_LOCK.shareRowExclusive);
    // Plans for the table referred to are to be made anew, since its rows are watched now.
    for (const referenced of [parent, ...partitionsBelow(command, parent)]) {
      if (referenced.oid !== child.oid) changeRelation(command, referenced, {});
    }
    const changed = changeRelation(command, child, {
      constraints: [...child.constraints, constraint],
    });
    if (changed.partitioning !== null) {
      yield* spreadForeignKey(command, changed, constraint);
      continue;
    }
    if (isEmpty || !draft.validate) continue;
    command.environment.nextCommand();
    yield* validateForeignKey(command, changed, constraint);
  }
}

function checkPartitionedChild(
  child: RelationDescriptor,
  parent: RelationDescriptor,
  draft: ForeignKeyDraft,
  descends: boolean,
): void {
  const tables = `partitioned table "${child.name}" referencing relation "${parent.name}"`;
  if (!descends) {
    throw pgError('wrong_object_type', `cannot use ONLY for foreign key on ${tables}`);
  }
  if (draft.validate) return;
  throw pgError('wrong_object_type', `cannot add NOT VALID foreign key on ${tables}`, {
    detail: 'This feature is not yet supported on partitioned tables.',
  });
}

function* lockReferenced(
  command: Command,
  name: RangeVar,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const parent = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareRowExclusive,
  );
  if (parent !== undefined && isTable(parent)) return parent;
  if (parent === undefined) throw undefinedRelation(command, name);
  throw pgError('wrong_object_type', `referenced relation "${name.relname}" is not a table`);
}

/** What a foreign key refers to lives as long as the table that has it. */
function checkPersistence(
  command: Command,
  child: RelationDescriptor,
  parent: RelationDescriptor,
): void {
  const refusal =
    child.persistence === parent.persistence
      ? isOthers(command, child) || isOthers(command, parent)
        ? 'constraints on temporary tables must involve temporary tables of this session'
        : null
      : child.persistence === 't'
        ? 'constraints on temporary tables may reference only temporary tables'
        : 'constraints on permanent tables may reference only permanent tables';
  if (refusal !== null) throw pgError('invalid_table_definition', refusal);
}

/** Nothing but its expression changes a generated column. */
function refuseGenerated(
  child: RelationDescriptor,
  columns: readonly number[],
  { foreign: { onUpdate, onDelete } }: ForeignKeyDraft,
): void {
  if (!columns.some((column) => child.columns[column]!.generated === true)) return;
  const isUpdate = 'ndc'.includes(onUpdate);
  if (!isUpdate && !'nd'.includes(onDelete)) return;
  throw pgError(
    'syntax_error',
    `invalid ON ${isUpdate ? 'UPDATE' : 'DELETE'} action for foreign key constraint containing generated column`,
  );
}

function makeForeignKey(
  command: Command,
  child: RelationDescriptor,
  parent: RelationDescriptor,
  draft: ForeignKeyDraft,
  isEmpty: boolean,
): ConstraintDescriptor {
  checkPersistence(command, child, parent);
  const name = constraintName(command, child, draft);
  const columns = referencingColumns(child, draft.columns);
  const deleteColumns = [...new Set(referencingColumns(child, draft.deleteColumns))];
  for (const column of deleteColumns) {
    if (columns.includes(column)) continue;
    throw pgError(
      'invalid_column_reference',
      `column "${child.columns[column]!.name}" referenced in ON DELETE SET action must be part of foreign key`,
    );
  }
  refuseGenerated(child, columns, draft);
  const index = referencedIndex(command, parent, draft.referenced);
  const referenced =
    draft.referenced.length === 0
      ? index.columns.map(({ column }) => column)
      : referencingColumns(parent, draft.referenced);
  if (columns.length !== referenced.length) throw columnCounts();
  columns.forEach((column, i) => {
    checkTypes(name, child, column, parent, referenced[i]!);
  });
  return {
    oid: command.environment.nextOid(),
    name,
    kind: 'foreign',
    columns,
    index: index.oid,
    check: null,
    deferrable: draft.deferrable,
    deferred: draft.deferred,
    validated: draft.validate || isEmpty,
    foreign: {
      ...draft.foreign,
      table: parent.oid,
      columns: referenced,
      deleteColumns,
    },
  };
}

function constraintName(
  command: Command,
  child: RelationDescriptor,
  draft: ForeignKeyDraft,
): string {
  const { name } = draft;
  if (name === null) {
    return chooseName(child.name, indexColumnsName(draft.columns), 'fkey', (candidate) =>
      isConstraintTaken(command, child.schema, candidate, child.constraints),
    );
  }
  if (child.constraints.some((other) => other.name === name)) {
    throw duplicateConstraint(name, child.name);
  }
  return name;
}

/** Columns that a foreign key may have, as in PostgreSQL. */
const COLUMNS_MAX = 32;

function referencingColumns(table: RelationDescriptor, names: readonly string[]): number[] {
  return names.map((name, i) => {
    const position = columnPosition(table.columns, name);
    if (position < 0) {
      if (SYSTEM_COLUMNS.has(name)) {
        throw pgError('feature_not_supported', 'system columns cannot be used in foreign keys');
      }
      throw pgError(
        'undefined_column',
        `column "${name}" referenced in foreign key constraint does not exist`,
      );
    }
    if (i >= COLUMNS_MAX) {
      throw pgError(
        'too_many_columns',
        `cannot have more than ${COLUMNS_MAX} keys in a foreign key`,
      );
    }
    return position;
  });
}

/** The unique index whose columns are those named, in whatever order; the primary key's when none
 * are. */
function referencedIndex(
  command: Command,
  parent: RelationDescriptor,
  names: readonly string[],
): IndexDescriptor {
  if (names.length === 0) {
    const primary = parent.indexes.find(
      (index) => index.primary && isWhole(command, parent, index),
    );
    if (primary !== undefined) return primary;
    throw pgError(
      'undefined_object',
      `there is no primary key for referenced table "${parent.name}"`,
    );
  }
  const columns = referencingColumns(parent, names);
  if (new Set(columns).size < columns.length) {
    throw pgError(
      'invalid_foreign_key',
      'foreign key referenced-columns list must not contain duplicates',
    );
  }
  const index = parent.indexes.find(
    (candidate) =>
      candidate.unique &&
      candidate.predicate === null &&
      isWhole(command, parent, candidate) &&
      candidate.columns.length === columns.length &&
      candidate.columns.every(({ column }) => columns.includes(column)),
  );
  if (index !== undefined) return index;
  throw pgError(
    'invalid_foreign_key',
    `there is no unique constraint matching given keys for referenced table "${parent.name}"`,
  );
}

function columnCounts(): PgError {
  return pgError(
    'invalid_foreign_key',
    'number of referencing and referenced columns for foreign key disagree',
  );
}

/** A column of a foreign key is to be of another type: it must still fit. `changed` is its table with
 * the new type. */
export function* checkForeignKeysOn(
  command: Command,
  changed: RelationDescriptor,
  position: number,
): Generator<UtilityPause, void, undefined> {
  const { catalog } = command;
  for (const { constraint, child } of foreignKeysOn(command, changed, position)) {
    yield* command.lock(child, TABLE_LOCK.accessExclusive);
    const { columns, table } = constraint.foreign!;
    const parent = table === changed.oid ? changed : catalog.relationByOid(table)!;
    constraint.columns.forEach((column, i) => {
      checkTypes(constraint.name, child, column, parent, columns[i]!);
    });
  }
}

/** The rows of such foreign keys are tested again. */
export function* validateForeignKeysOn(
  command: Command,
  table: RelationDescriptor,
  position: number,
): Generator<UtilityPause, void, undefined> {
  for (const { constraint, child } of foreignKeysOn(command, table, position)) {
    if (constraint.validated) yield* validateForeignKey(command, child, constraint);
  }
}

function foreignKeysOn(command: Command, table: RelationDescriptor, position: number) {
  const own = table.constraints
    .filter(({ kind, columns }) => kind === 'foreign' && columns.includes(position))
    .map((constraint) => ({ constraint, child: table }));
  const referring = referrersOf(command, table)
    .filter(({ constraint }) => constraint.foreign!.columns.includes(position))
    .map(({ constraint, table: child }) => ({
      constraint,
      child: child.oid === table.oid ? table : child,
    }));
  return [...own, ...referring];
}

/** The types must be of one operator family, or the referencing one be implicitly castable. */
function checkTypes(
  name: string,
  child: RelationDescriptor,
  column: number,
  parent: RelationDescriptor,
  referenced: number,
): void {
  const from = child.columns[column]!;
  const to = parent.columns[referenced]!;
  const inFamily =
    btreeFamily(from.type) === btreeFamily(to.type) &&
    btreeOperator(EQUAL, to.type, from.type) !== undefined;
  if (inFamily || canCoerceOne(from.type, to.type, 'implicit')) return;
  const types = [from, to].map(({ type }) => typeByOid(type).sqlName);
  throw pgError('datatype_mismatch', `foreign key constraint "${name}" cannot be implemented`, {
    detail: `Key columns "${from.name}" and "${to.name}" are of incompatible types: ${types.join(' and ')}.`,
  });
}
