import type { CatalogView, ConstraintDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { parseStatements } from '../parse/index.ts';
import type { Command } from './command.ts';
import { visibleName } from './object-names.ts';
import { isTable, ordinaryKind, referencingWholes } from './relation-change.ts';

/** What depends on what: views on the relations they name, defaults on the sequences they call,
 * foreign keys on the tables they refer to. Descriptors hold no list of this; it is found out when something is dropped or altered. */

/** Something that is in the way of a drop, or goes with it. */
export type Dependent =
  | {
      readonly kind: 'view';
      readonly relation: RelationDescriptor;
      readonly on: RelationDescriptor;
    }
  | {
      readonly kind: 'default';
      readonly relation: RelationDescriptor;
      readonly column: number;
      readonly on: RelationDescriptor;
    }
  | {
      readonly kind: 'foreign key';
      readonly relation: RelationDescriptor;
      readonly constraint: ConstraintDescriptor;
      readonly on: RelationDescriptor;
    };

/** Views, defaults and foreign keys that use a relation. */
export function dependentsOf(command: Command, relation: RelationDescriptor): Dependent[] {
  const dependents = foreignKeysTo(command, relation);
  for (const other of command.catalog.relations()) {
    if (other.kind === 'view') {
      if (viewRelations(command.catalog, other).has(relation.oid)) {
        dependents.push({ kind: 'view', relation: other, on: relation });
      }
    } else if (relation.kind === 'sequence' && isTable(other)) {
      other.columns.forEach((column, i) => {
        if (column.dropped || column.default === null) return;
        if (!usesSequence(column.default.expr as Expr, relation.oid)) return;
        dependents.push({ kind: 'default', relation: other, column: i, on: relation });
      });
    }
  }
  return dependents.sort((a, b) => madeAs(a) - madeAs(b));
}

/** Oids tell what was made first, which PostgreSQL names first. */
function madeAs(dependent: Dependent): number {
  return dependent.kind === 'foreign key' ? dependent.constraint.oid : dependent.relation.oid;
}

function foreignKeysTo(command: Command, on: RelationDescriptor): Dependent[] {
  return referencingWholes(command, on).flatMap(({ table, constraint }) => {
    const relation = command.catalog.relationByOid(table);
    // The part of a partition goes with the whole.
    const isPart = (constraint.parent ?? 0) !== 0;
    return relation === undefined || table === on.oid || isPart
      ? []
      : [{ kind: 'foreign key', relation, constraint, on }];
  });
}

function usesSequence(expr: Expr, sequence: number): boolean {
  return someExpr(
    expr,
    (part) =>
      part.kind === 'sequence' &&
      part.relation?.kind === 'const' &&
      part.relation.value === sequence,
  );
}

/** Oids of the relations that a view's query names; none for other relations. */
export function viewRelations(catalog: CatalogView, view: RelationDescriptor): Set<number> {
  const oids = new Set<number>();
  if (view.kind !== 'view') return oids;
  for (const statement of parseStatements(view.definition ?? '')) {
    visitTree(statement.node, (tag, node) => {
      if (tag !== 'RangeVar' || typeof node.schemaname !== 'string') return;
      const schema = catalog.schemaByName(node.schemaname);
      const found = schema && catalog.relationByName(schema.oid, String(node.relname));
      if (found !== undefined) oids.add(found.oid);
    });
  }
  return oids;
}

/** Calls `visit` with each object of a syntax tree and the name of the field that holds it. */
export function visitTree(
  node: unknown,
  visit: (tag: string, node: Record<string, unknown>) => void,
  tag = '',
): void {
  if (Array.isArray(node)) {
    for (const item of node) visitTree(item, visit, tag);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  visit(tag, node as Record<string, unknown>);
  for (const [name, child] of Object.entries(node)) visitTree(child, visit, name);
}

/** `view v`, `table t`, `default value for column a of table t`. */
export function describe(command: Command, relation: RelationDescriptor): string {
  return `${ordinaryKind(relation)} ${visibleName(command, relation)}`;
}

export function describeDependent(command: Command, dependent: Dependent): string {
  const relation = describe(command, dependent.relation);
  if (dependent.kind === 'view') return relation;
  if (dependent.kind === 'foreign key') {
    return `constraint ${dependent.constraint.name} on ${relation}`;
  }
  const column = dependent.relation.columns[dependent.column]!.name;
  return `default value for column ${column} of ${relation}`;
}

/** `view v depends on table t`, for each. */
export function dependencyLines(command: Command, dependents: readonly Dependent[]): string[] {
  return dependents.map(
    (dependent) =>
      `${describeDependent(command, dependent)} depends on ${describe(command, dependent.on)}`,
  );
}

/** 2BP01: what is to go is still used. `target` names it, or is null for several objects. */
export function dependentObjects(target: string | null, lines: readonly string[]): PgError {
  const message =
    target === null
      ? 'cannot drop desired object(s) because other objects depend on them'
      : `cannot drop ${target} because other objects depend on it`;
  return pgError('dependent_objects_still_exist', message, {
    detail: lines.join('\n'),
    hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
  });
}

/** The notice of a cascade. */
export function noticeCascade(command: Command, descriptions: readonly string[]): void {
  if (descriptions.length === 0) return;
  const { environment } = command;
  if (descriptions.length === 1) {
    environment.notice({ message: `drop cascades to ${descriptions[0]}` });
    return;
  }
  environment.notice({
    message: `drop cascades to ${descriptions.length} other objects`,
    detail: descriptions.map((description) => `drop cascades to ${description}`).join('\n'),
  });
}
