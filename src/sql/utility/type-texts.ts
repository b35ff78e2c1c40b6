import {
  type ConstraintDescriptor,
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
  type StoredExpression,
  type TypeDescriptor,
} from '../../catalog/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { changeRelation, isTable } from './relation-change.ts';
import { mentionsType } from './type-users.ts';
import { type RelationName, renameTypes } from './view-text.ts';

/** Writes the texts of defaults, checks and partition keys anew that name a type or its values. */
export function* refreshTexts(
  command: Command,
  type: TypeDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const { oid, name } of [...command.catalog.relations()].filter(isTable)) {
    const present = command.catalog.relationByOid(oid);
    if (present === undefined || !mentions(present, type)) continue;
    yield* command.lock({ oid, name }, TABLE_LOCK.shareUpdateExclusive);
    const table = command.catalog.relationByOid(oid);
    if (table !== undefined) changeRelation(command, table, freshTexts(command, table));
  }
}

function storedExpressions({
  columns,
  constraints,
  partitioning,
  indexes,
}: RelationDescriptor): (StoredExpression | null)[] {
  return [
    ...columns.map((column) => column.default),
    ...constraints.map(({ check }) => check),
    ...(partitioning?.keys ?? []).map(({ expression }) => expression),
    ...indexes.flatMap(computedParts),
  ];
}

function mentions(table: RelationDescriptor, { oid, arrayOid }: TypeDescriptor): boolean {
  return storedExpressions(table).some((stored) => mentionsType(stored?.expr, oid, arrayOid));
}

function freshTexts(command: Command, table: RelationDescriptor): Partial<RelationDescriptor> {
  const fresh = ({ expr }: StoredExpression): StoredExpression => command.stored(expr, table);
  const { partitioning } = table;
  return {
    columns: table.columns.map((column) =>
      column.default === null ? column : { ...column, default: fresh(column.default) },
    ),
    constraints: table.constraints.map(
      (constraint): ConstraintDescriptor =>
        constraint.check === null ? constraint : { ...constraint, check: fresh(constraint.check) },
    ),
    partitioning: partitioning && {
      ...partitioning,
      keys: partitioning.keys.map((key) =>
        key.expression === null ? key : { ...key, expression: fresh(key.expression) },
      ),
    },
    indexes: freshIndexes(command, table),
  };
}

/** The indexes of a table with the texts that their expressions have now. */
export function freshIndexes(command: Command, table: RelationDescriptor): IndexDescriptor[] {
  const fresh = (stored: StoredExpression | null): StoredExpression | null =>
    stored && command.stored(stored.expr, table);
  return table.indexes.map((index) => ({
    ...index,
    columns: index.columns.map((key) => ({ ...key, expression: fresh(key.expression) })),
    predicate: fresh(index.predicate),
  }));
}

/** Makes views look for a type, or its array type, under a new name. */
export function* retargetTypes(
  command: Command,
  renames: readonly { readonly from: RelationName; readonly to: RelationName }[],
): Generator<UtilityPause, void, undefined> {
  const rename = (names: readonly string[]): RelationName | null => {
    const [name, schema] = [...names].reverse();
    const found = renames.find(({ from }) => from.name === name && from.schema === schema);
    return found?.to ?? null;
  };
  for (const view of [...command.catalog.relations()]) {
    if (view.kind !== 'view' || view.definition === null) continue;
    if (renameTypes(view.definition, rename) === view.definition) continue;
    yield* command.lock(view, TABLE_LOCK.accessExclusive);
    const now = command.catalog.relationByOid(view.oid);
    if (now === undefined || now.definition === null) continue;
    changeRelation(command, now, { definition: renameTypes(now.definition, rename) });
  }
}
