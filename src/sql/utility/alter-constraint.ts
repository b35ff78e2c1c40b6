import type { AlterTableCmd } from '@pgsql/types';
import type { ConstraintDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import type { NumberVector } from '../../chunk/index.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Expr } from '../expression.ts';
import type { Command } from './command.ts';
import { duplicateConstraint } from './constraint-names.ts';
import { inheritedCheck, isMerged } from './create-partition.ts';
import { columnsOf, makeCheck, refuseNoInherit } from './create-table.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { addForeignKeys } from './foreign-keys.ts';
import { makeKey, NamesInUse } from './keys.ts';
import { putIndex, spreadIndex } from './partition-indexes.ts';
import { checkAddCheck, checkDropConstraint, isAlone, type Reach } from './partition-rules.ts';
import {
  describeConstraint,
  dropForeignKey,
  dropIndexReferrers,
  lockReferenced,
  refusePendingEvents,
} from './referencing.ts';
import { changeRelation, currentRelation, partitionsByAge } from './relation-change.ts';
import { dropIndexTree, recluster } from './rewrite-table.ts';
import {
  type CheckDraft,
  type KeyDraft,
  multiplePrimaryKeys,
  TableElements,
} from './table-elements.ts';
import { scanChunks } from './table-scan.ts';
import { validateForeignKey } from './validate-foreign-key.ts';

/** ALTER TABLE … ADD CONSTRAINT. */
export function* addConstraint(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const { def } = action;
  if (def === undefined || !('Constraint' in def)) throw notSupported('this constraint');
  const elements = new TableElements(command, table.name);
  elements.addConstraint(def.Constraint);
  yield* addElements(command, table, elements, reach);
}

/** Adds the checks, keys and foreign keys of `elements` to a table, testing the rows it has.
 * `isEmpty`: no row can break a foreign key. */
export function* addElements(
  command: Command,
  table: RelationDescriptor,
  elements: TableElements,
  reach: Reach,
  isEmpty = false,
): Generator<UtilityPause, void, undefined> {
  let present = table;
  for (const check of elements.checks) {
    checkAddCheck(command, present, reach);
    present = yield* addCheck(command, present, check);
  }
  for (const key of elements.keys) present = yield* addKey(command, present, key, reach);
  yield* addForeignKeys(command, present, elements.foreignKeys, isEmpty, reach.descends);
}

function* addCheck(
  command: Command,
  table: RelationDescriptor,
  draft: CheckDraft,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  refuseNoInherit(table, draft);
  refuseTakenName(table, draft.name);
  const constraint = makeCheck(command, table, draft, table.constraints);
  if (draft.validate) yield* testCheck(command, table, constraint);
  const changed = changeRelation(command, table, {
    constraints: [...table.constraints, constraint],
  });
  yield* spreadCheck(command, changed, constraint);
  return changed;
}

/** The partitions have the CHECK too; one that has it already keeps it. */
function* spreadCheck(
  command: Command,
  table: RelationDescriptor,
  check: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const { oid } of partitionsByAge(command, table.oid)) {
    const partition = currentRelation(command, oid)!;
    const part = inheritedCheck(command, table, partition, check);
    const present = partition.constraints.filter(({ kind }) => kind === 'check');
    if (isMerged(command, partition, part, present)) continue;
    if (check.validated) yield* testCheck(command, partition, part);
    const constraints = [...partition.constraints, part];
    yield* spreadCheck(command, changeRelation(command, partition, { constraints }), part);
  }
}

function refuseTakenName(table: RelationDescriptor, name: string | null): void {
  if (name === null) return;
  if (table.constraints.some((constraint) => constraint.name === name)) {
    throw duplicateConstraint(name, table.name);
  }
}

/** 23514 of a scan: a row that does not pass a CHECK. */
export function violatedCheck(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): PgError {
  return pgError(
    'check_violation',
    `check constraint "${constraint.name}" of relation "${table.name}" is violated by some row`,
    {
      schema: command.catalog.schemaByOid(table.schema)?.name,
      table: table.name,
      constraint: constraint.name,
    },
  );
}

/** Tests a CHECK on all rows: 23514. */
export function* testCheck(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  if (table.kind === 'partitioned') return;
  const expr = constraint.check?.expr as Expr;
  const run = beginRun(environment);
  try {
    const test = storedExpressions(run, 1024).compile(expr);
    yield* scanChunks(environment, table, columnsOf(expr), (rows) => {
      const result = test.evaluate(rows) as NumberVector;
      for (let row = 0; row < rows.count; row++) {
        if (result.values[row] !== 0 || result.isNull(row)) continue;
        throw violatedCheck(command, table, constraint);
      }
    });
  } finally {
    run.end();
  }
}

function* addKey(
  command: Command,
  table: RelationDescriptor,
  draft: KeyDraft,
  reach: Reach,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const primary = draft.kind === 'primary';
  if (primary && table.constraints.some((constraint) => constraint.kind === 'primary')) {
    throw multiplePrimaryKeys(table.name, command, draft.location);
  }
  const names = new NamesInUse(command, table.schema);
  const { index, constraint } = makeKey(command, table, draft, names);
  refuseTakenName(table, draft.name);
  const changed = yield* putIndex(command, table, index, [constraint]);
  if (reach.descends) yield* spreadIndex(command, changed, index);
  return currentRelation(command, changed.oid) ?? changed;
}

/** ALTER TABLE … DROP CONSTRAINT. */
export function* dropConstraint(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const constraint = table.constraints.find((other) => other.name === action.name);
  if (constraint === undefined) {
    const message = `constraint "${action.name}" of relation "${table.name}" does not exist`;
    if (action.missing_ok !== true) throw pgError('undefined_object', message);
    command.environment.notice({ message: `${message}, skipping` });
    return;
  }
  checkDropConstraint(command, table, constraint, reach);
  if (constraint.kind === 'foreign') {
    yield* lockReferenced(command, constraint);
    const parent = currentRelation(command, constraint.foreign!.table);
    if (parent !== undefined) refusePendingEvents(command, parent, 'ALTER TABLE');
    yield* dropForeignKey(command, { table, constraint });
    return;
  }
  const index = table.indexes.find((other) => other.oid === constraint.index);
  if (index !== undefined) {
    const target = describeConstraint(command, { table, constraint });
    const cascade = action.behavior === 'DROP_CASCADE';
    yield* dropIndexReferrers(command, table, index, target, cascade);
  }
  yield* dropOwnConstraint(command, currentRelation(command, table.oid) ?? table, constraint);
  yield* dropParts(command, table, constraint);
}

/** What the partitions have of a constraint goes with it. */
function* dropParts(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const { oid, name } of partitionsByAge(command, table.oid)) {
    yield* command.lock({ oid, name }, TABLE_LOCK.accessExclusive);
    const partition = currentRelation(command, oid)!;
    const part = partition.constraints.find((other) =>
      constraint.kind === 'check'
        ? other.kind === 'check' && other.name === constraint.name
        : other.parent === constraint.oid,
    );
    if (part === undefined) continue;
    yield* dropOwnConstraint(command, partition, part);
    yield* dropParts(command, partition, part);
  }
}

function* dropOwnConstraint(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  const constraints = table.constraints.filter(({ oid }) => oid !== constraint.oid);
  const index = table.indexes.find((other) => other.oid === constraint.index);
  const indexes = table.indexes.filter((other) => other !== index);
  if (index !== undefined) dropIndexTree(command, index);
  if (index?.clustered !== true) {
    changeRelation(command, table, { constraints, indexes });
    return;
  }
  const { columns } = table;
  const rest = { ...table, indexes };
  yield* recluster(command, rest, { columns, constraints, indexes, clusterKey: null });
}

/** ALTER TABLE … ALTER CONSTRAINT: whether a foreign key can be deferred. */
export function alterConstraint(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const wanted =
    action.def !== undefined && 'ATAlterConstraint' in action.def
      ? action.def.ATAlterConstraint
      : {};
  if (wanted.noinherit === true || wanted.alterInheritability === true) {
    throw pgError('feature_not_supported', 'FOREIGN KEY constraints cannot be marked NO INHERIT');
  }
  if (wanted.alterEnforceability === true) throw notSupported('ALTER CONSTRAINT ... ENFORCED');
  const name = wanted.conname ?? '';
  const constraint = table.constraints.find((other) => other.name === name);
  const place = `constraint "${name}" of relation "${table.name}"`;
  if (constraint === undefined) throw pgError('undefined_object', `${place} does not exist`);
  if (constraint.kind !== 'foreign') {
    throw pgError('wrong_object_type', `${place} is not a foreign key constraint`);
  }
  refusePart(command, table, constraint);
  const deferred = wanted.initdeferred === true;
  const deferrable = deferred || wanted.deferrable === true;
  setDeferrable(command, table, constraint, { deferrable, deferred });
}

/** The foreign key of a partition is altered through its parent's. */
function refusePart(
  command: Command,
  table: RelationDescriptor,
  { name, parent = 0 }: ConstraintDescriptor,
): void {
  const above = command.catalog.relationByOid(table.partitionOf?.parent ?? 0);
  const origin = above?.constraints.find(({ oid }) => oid === parent);
  if (above === undefined || origin === undefined) return;
  throw pgError('internal_error', `cannot alter constraint "${name}" on relation "${table.name}"`, {
    detail: `Constraint "${name}" is derived from constraint "${origin.name}" of relation "${above.name}".`,
    hint: 'You may alter the constraint it derives from, instead.',
  });
}

function setDeferrable(
  command: Command,
  table: RelationDescriptor,
  { oid }: ConstraintDescriptor,
  changes: Pick<ConstraintDescriptor, 'deferrable' | 'deferred'>,
): void {
  changeRelation(command, table, {
    constraints: table.constraints.map((other) =>
      other.oid === oid ? { ...other, ...changes } : other,
    ),
  });
  for (const { oid: below } of partitionsByAge(command, table.oid)) {
    const partition = currentRelation(command, below)!;
    const part = partition.constraints.find(({ parent }) => parent === oid);
    if (part !== undefined) setDeferrable(command, partition, part, changes);
  }
}

/** ALTER TABLE … VALIDATE CONSTRAINT. */
export function* validateConstraint(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const constraint = table.constraints.find((other) => other.name === action.name);
  if (constraint === undefined) {
    throw pgError(
      'undefined_object',
      `constraint "${action.name}" of relation "${table.name}" does not exist`,
    );
  }
  if (constraint.kind !== 'check' && constraint.kind !== 'foreign') {
    throw pgError(
      'wrong_object_type',
      `constraint "${action.name}" of relation "${table.name}" is not a foreign key or check constraint`,
    );
  }
  if (constraint.validated) return;
  if (constraint.kind === 'check') {
    if (isAlone(command, table, reach)) {
      throw pgError('invalid_table_definition', 'constraint must be validated on child tables too');
    }
    for (const { oid } of partitionsByAge(command, table.oid)) {
      const partition = currentRelation(command, oid)!;
      yield* validateConstraint(command, partition, action, { named: false, descends: true });
    }
    yield* testCheck(command, table, constraint);
  } else yield* validateForeignKey(command, table, constraint);
  const constraints = table.constraints.map((other) =>
    other === constraint ? { ...constraint, validated: true } : other,
  );
  changeRelation(command, table, { constraints });
}
