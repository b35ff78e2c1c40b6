import type { DropStmt, Node, RangeVar } from '@pgsql/types';
import type { IndexDescriptor, PartitionPlace, RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import {
  type Dependent,
  dependencyLines,
  dependentObjects,
  dependentsOf,
  describe,
  describeDependent,
  noticeCascade,
} from './dependencies.ts';
import { dropSchemas } from './drop-schema.ts';
import { dropNamedTypes } from './drop-type.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import {
  findIndex,
  findRelation,
  isSystemView,
  namedSchema,
  undefinedRelation,
  visibleIndexName,
} from './object-names.ts';
import { lockPartitions } from './partition-scan.ts';
import {
  dropForeignKey,
  dropIndexReferrers,
  lockReferenced,
  refusePendingEvents,
} from './referencing.ts';
import { changeRelation, currentRelation, isTable, ordinaryKind } from './relation-change.ts';
import { dropIndexTree, dropTrees } from './rewrite-table.ts';

const KINDS = {
  OBJECT_TABLE: { kind: 'table', label: 'table', tag: 'DROP TABLE' },
  OBJECT_VIEW: { kind: 'view', label: 'view', tag: 'DROP VIEW' },
  OBJECT_SEQUENCE: { kind: 'sequence', label: 'sequence', tag: 'DROP SEQUENCE' },
} as const;

/** DROP TABLE, VIEW, SEQUENCE, INDEX, TYPE, SCHEMA. */
export function* drop(command: Command, statement: DropStmt): UtilityExecution {
  const { removeType = 'OBJECT_TABLE', objects = [] } = statement;
  const cascade = statement.behavior === 'DROP_CASCADE';
  const ifExists = statement.missing_ok === true;
  switch (removeType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE': {
      const found: RelationDescriptor[] = [];
      for (const object of objects) {
        const relation = yield* lockForDrop(command, nameOf(object), removeType, ifExists);
        if (relation !== undefined && !found.some((other) => other.oid === relation.oid)) {
          found.push(relation);
        }
      }
      yield* dropRelations(command, found, cascade);
      return { tag: KINDS[removeType].tag };
    }
    case 'OBJECT_INDEX':
      if (statement.concurrent === true) checkConcurrentDrop(command, objects.length, cascade);
      for (const object of objects) {
        yield* dropIndex(command, nameOf(object), ifExists, cascade);
      }
      return { tag: 'DROP INDEX' };
    case 'OBJECT_TYPE':
      yield* dropNamedTypes(command, objects, ifExists, cascade);
      return { tag: 'DROP TYPE' };
    case 'OBJECT_SCHEMA':
      yield* dropSchemas(command, objects, ifExists, cascade);
      return { tag: 'DROP SCHEMA' };
    default:
      throw notSupported(`DROP ${removeType.slice('OBJECT_'.length).replaceAll('_', ' ')}`);
  }
}

/** A qualified name of DROP, as a RangeVar. */
export function nameOf(node: Node): RangeVar {
  const names = 'List' in node ? nameList(node.List.items) : nameList([node]);
  return rangeVarOf(names);
}

export function rangeVarOf(names: readonly string[]): RangeVar {
  const [relname, schemaname, catalogname] = [...names].reverse();
  const name: RangeVar = {};
  if (relname !== undefined) name.relname = relname;
  if (schemaname !== undefined) name.schemaname = schemaname;
  if (catalogname !== undefined) name.catalogname = catalogname;
  return name;
}

function* lockForDrop(
  command: Command,
  name: RangeVar,
  type: keyof typeof KINDS,
  ifExists: boolean,
): Generator<UtilityPause, RelationDescriptor | undefined, undefined> {
  const { kind, label } = KINDS[type];
  const relation = yield* command.lockNamed(() => {
    const found = findRelation(command, name);
    if (found !== undefined && ordinaryKind(found) !== kind) {
      throw wrongKind(found.name, label, ordinaryKind(found));
    }
    if (found === undefined && findIndex(command, name) !== undefined) {
      throw wrongKind(name.relname ?? '', label, 'index');
    }
    return found;
  }, TABLE_LOCK.accessExclusive);
  if (relation !== undefined) return relation;
  if (isSystemView(command, name)) throw undefinedRelation(command, name);
  reportMissing(command, name, label, ifExists, 'undefined_table');
  return undefined;
}

/** Says that what is to be dropped, or its schema, does not exist: as an error, or with IF EXISTS as a notice. */
function reportMissing(
  command: Command,
  { schemaname, relname }: RangeVar,
  label: string,
  ifExists: boolean,
  condition: 'undefined_table' | 'undefined_object',
): void {
  const missingSchema = schemaname !== undefined && namedSchema(command, schemaname) === undefined;
  const what = missingSchema ? `schema "${schemaname}"` : `${label} "${relname}"`;
  const message = `${what} does not exist`;
  if (!ifExists) throw pgError(missingSchema ? 'invalid_schema_name' : condition, message);
  command.environment.notice({ message: `${message}, skipping` });
}

/** 42809: `"v" is not a table`, with the command that would fit. */
function wrongKind(name: string, wanted: string, found: string) {
  const article = wanted === 'index' ? 'an' : 'a';
  return pgError('wrong_object_type', `"${name}" is not ${article} ${wanted}`, {
    hint: `Use DROP ${found.toUpperCase()} to remove ${found === 'index' ? 'an' : 'a'} ${found}.`,
  });
}

/** Drops relations with what belongs to them; what else depends on them goes too, or is in the way.
 * With `reported`, the notice is left to the caller, who gets the descriptions in it. */
export function* dropRelations(
  command: Command,
  targets: readonly RelationDescriptor[],
  cascade: boolean,
  reported: string[] | null = null,
): Generator<UtilityPause, void, undefined> {
  const { doomed, dependents } = dropClosure(command, targets);
  if (dependents.length > 0 && !cascade) {
    const single = targets.length === 1 ? describe(command, targets[0]!) : null;
    throw dependentObjects(single, dependencyLines(command, dependents));
  }
  const descriptions = dependents.map((dependent) => describeDependent(command, dependent));
  if (reported === null) noticeCascade(command, descriptions);
  else reported.push(...descriptions);
  for (const { relation } of dependents) yield* command.lock(relation, TABLE_LOCK.accessExclusive);
  for (const relation of doomed) {
    if (relation.partitionOf === null) continue;
    yield* command.lock(relation, TABLE_LOCK.accessExclusive);
    yield* leaveParent(command, relation, relation.partitionOf);
  }
  for (const dependent of dependents) {
    if (dependent.kind === 'default') forgetDefault(command, dependent);
    else if (dependent.kind === 'foreign key') {
      yield* dropForeignKey(command, { ...dependent, table: dependent.relation });
    }
  }
  for (const relation of doomed) {
    refusePendingEvents(command, relation, `DROP ${ordinaryKind(relation).toUpperCase()}`);
    for (const constraint of relation.constraints) yield* lockReferenced(command, constraint);
    removeRelation(command, relation);
  }
}

/** Plans for the parent of a partition that goes are to be made anew, and what the default partition
 * takes grows. */
function* leaveParent(
  command: Command,
  relation: RelationDescriptor,
  { parent }: PartitionPlace,
): Generator<UtilityPause, void, undefined> {
  const siblings = command.catalog.partitionsOf(parent);
  const fallback = siblings.find(({ partitionOf }) => partitionOf!.bound.kind === 'default');
  const table = currentRelation(command, parent);
  if (table === undefined) return;
  yield* command.lock(table, TABLE_LOCK.accessExclusive);
  if (fallback !== undefined && fallback.oid !== relation.oid) {
    yield* command.lock(fallback, TABLE_LOCK.accessExclusive);
  }
  const now = currentRelation(command, parent);
  if (now !== undefined) changeRelation(command, now, {});
}

/** All that goes when relations go: they and what belongs to them, and what depends on these. */
export function dropClosure(
  command: Command,
  targets: readonly RelationDescriptor[],
): { readonly doomed: readonly RelationDescriptor[]; readonly dependents: readonly Dependent[] } {
  const doomed = new Map(targets.map((relation) => [relation.oid, relation]));
  const dependents: Dependent[] = [];
  const visit = (relation: RelationDescriptor): void => {
    if (relation.kind === 'sequence') refuseIdentitySequence(command, relation, doomed);
    visitParts(ownedSequences(command, relation));
    for (const dependent of dependentsOf(command, relation)) {
      if (doomed.has(dependent.relation.oid)) continue;
      if (dependents.some((other) => isSame(other, dependent))) continue;
      dependents.push(dependent);
      if (dependent.kind !== 'view') continue;
      doomed.set(dependent.relation.oid, dependent.relation);
      visit(dependent.relation);
    }
    visitParts(command.catalog.partitionsOf(relation.oid));
  };
  const visitParts = (parts: readonly RelationDescriptor[]): void => {
    for (const part of parts) {
      if (doomed.has(part.oid)) continue;
      doomed.set(part.oid, part);
      visit(part);
    }
  };
  // PostgreSQL names what depends on the last one first.
  for (const relation of [...targets].reverse()) visit(relation);
  return {
    doomed: [...doomed.values()],
    dependents: dependents.filter(
      (dependent) => dependent.kind === 'view' || !doomed.has(dependent.relation.oid),
    ),
  };
}

function isSame(a: Dependent, b: Dependent): boolean {
  if (a.relation.oid !== b.relation.oid) return false;
  if (a.kind === 'default') return b.kind === 'default' && a.column === b.column;
  if (a.kind === 'foreign key') {
    return b.kind === 'foreign key' && a.constraint.oid === b.constraint.oid;
  }
  return a.kind === b.kind;
}

/** The sequences of the serial and identity columns of a table, and others that are owned by it. */
export function ownedSequences(command: Command, table: RelationDescriptor): RelationDescriptor[] {
  const owned: RelationDescriptor[] = [];
  if (!isTable(table)) return owned;
  for (const relation of command.catalog.relations()) {
    if (relation.sequence?.ownerTable === table.oid) owned.push(relation);
  }
  return owned;
}

/** An identity column cannot be without its sequence. */
function refuseIdentitySequence(
  command: Command,
  sequence: RelationDescriptor,
  doomed: ReadonlyMap<number, RelationDescriptor>,
): void {
  const { ownerTable, ownerColumn } = sequence.sequence ?? { ownerTable: 0, ownerColumn: 0 };
  const table = command.catalog.relationByOid(ownerTable);
  const column = table?.columns[ownerColumn];
  if (table === undefined || column === undefined || doomed.has(table.oid)) return;
  if (column.identity === '' || column.sequence !== sequence.oid) return;
  const place = `column ${column.name} of ${describe(command, table)}`;
  throw pgError(
    'dependent_objects_still_exist',
    `cannot drop ${describe(command, sequence)} because ${place} requires it`,
    { hint: `You can drop ${place} instead.` },
  );
}

function forgetDefault(
  command: Command,
  dependent: { readonly relation: RelationDescriptor; readonly column: number },
): void {
  const table = command.catalog.relationByOid(dependent.relation.oid);
  if (table === undefined) return;
  const columns = table.columns.map((column, i) =>
    i === dependent.column ? { ...column, default: null, sequence: 0 } : column,
  );
  changeRelation(command, table, { columns });
}

function removeRelation(command: Command, relation: RelationDescriptor): void {
  const { environment } = command;
  environment.change({ kind: 'relation', oid: relation.oid, descriptor: null });
  if (relation.kind === 'sequence') environment.setSequence(relation.oid, null);
  if (relation.kind !== 'table') return;
  dropTrees(command, relation);
}

function checkConcurrentDrop(command: Command, count: number, cascade: boolean): void {
  const what = 'DROP INDEX CONCURRENTLY';
  if (command.environment.inBlock) {
    throw pgError('active_sql_transaction', `${what} cannot run inside a transaction block`);
  }
  if (count > 1) {
    throw pgError('feature_not_supported', `${what} does not support dropping multiple objects`);
  }
  if (cascade) throw pgError('feature_not_supported', `${what} does not support CASCADE`);
}

function* dropIndex(
  command: Command,
  name: RangeVar,
  ifExists: boolean,
  cascade: boolean,
): Generator<UtilityPause, void, undefined> {
  const table = yield* command.lockNamed(() => {
    const relation = findRelation(command, name);
    if (relation !== undefined) throw wrongKind(relation.name, 'index', ordinaryKind(relation));
    return findIndex(command, name)?.table;
  }, TABLE_LOCK.accessExclusive);
  const found = findIndex(command, name);
  if (table === undefined || found === undefined) {
    reportMissing(command, name, 'index', ifExists, 'undefined_object');
    return;
  }
  const { index } = found;
  const target = `index ${visibleIndexName(command, table, index)}`;
  if (index.constraint !== 0) {
    const constraint = `constraint ${index.name} on ${describe(command, table)}`;
    throw pgError(
      'dependent_objects_still_exist',
      `cannot drop ${target} because ${constraint} requires it`,
      { hint: `You can drop ${constraint} instead.` },
    );
  }
  refusePart(command, index, target);
  yield* dropIndexReferrers(command, table, index, target, cascade);
  const now = currentRelation(command, table.oid) ?? table;
  refusePendingEvents(command, now, 'DROP INDEX');
  if (now.partitioning !== null) {
    yield* lockPartitions(command, now, TABLE_LOCK.accessExclusive);
  }
  removeIndex(command, now, index);
}

/** The index of a partition that is the part of another index goes with that one. */
function refusePart(command: Command, index: IndexDescriptor, target: string): void {
  const above = command.catalog.indexByOid(index.parent ?? 0);
  if (above === undefined) return;
  const whole = `index ${visibleIndexName(command, above.table, above.index)}`;
  throw pgError(
    'dependent_objects_still_exist',
    `cannot drop ${target} because ${whole} requires it`,
    { hint: `You can drop ${whole} instead.` },
  );
}

/** Takes an index off its table, and its parts off the partitions. */
function removeIndex(command: Command, table: RelationDescriptor, index: IndexDescriptor): void {
  changeRelation(command, table, {
    indexes: table.indexes.filter((other) => other.oid !== index.oid),
  });
  dropIndexTree(command, index);
  for (const partition of command.catalog.partitionsOf(table.oid)) {
    const part = partition.indexes.find(({ parent }) => parent === index.oid);
    if (part !== undefined) removeIndex(command, partition, part);
  }
}
