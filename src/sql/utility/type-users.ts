import {
  type ConstraintDescriptor,
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
  type TypeDescriptor,
} from '../../catalog/index.ts';
import { bindStatement } from '../bind/index.ts';
import type { Query } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { someExpr, visitChildren, visitQuery } from '../expression-tree.ts';
import { parseStatements } from '../parse/index.ts';
import type { Command } from './command.ts';
import { describe, viewMentions, viewRelations } from './dependencies.ts';
import { readsColumn } from './keys.ts';
import { isTable } from './relation-change.ts';
import { visibleTypeName } from './user-types.ts';

/** What uses a type, and so is in the way of its drop or goes with it. */
export type TypeUser =
  | { readonly kind: 'relation'; readonly relation: RelationDescriptor }
  | { readonly kind: 'column'; readonly relation: RelationDescriptor; readonly column: number }
  | { readonly kind: 'default'; readonly relation: RelationDescriptor; readonly column: number }
  | {
      readonly kind: 'constraint';
      readonly relation: RelationDescriptor;
      readonly constraint: ConstraintDescriptor;
    }
  | {
      readonly kind: 'index';
      readonly relation: RelationDescriptor;
      readonly index: IndexDescriptor;
    };

/** A user, and what it needs, as messages name it. */
export interface FoundUser {
  readonly user: TypeUser;
  readonly on: string;
}

/** The users of a type: first those of its array, then those of its own, oldest first. */
export function typeUsers(command: Command, type: TypeDescriptor): FoundUser[] {
  const name = visibleTypeName(command, type);
  const found: FoundUser[] = [];
  const relations = [...command.catalog.relations()].sort((a, b) => a.oid - b.oid);
  const add = (user: TypeUser, on: string): void => {
    if (!found.some((other) => isSame(other.user, user))) found.push({ user, on });
  };
  const makes = (view: RelationDescriptor): boolean =>
    viewHolds(command, view, (part) => makesType(part, type.oid) || makesType(part, type.arrayOid));
  // A view that makes values of the type needs the type itself, whatever columns it reads.
  const readers = relations.filter((view) => view.kind === 'view' && !makes(view));
  for (const [oid, on] of [
    [type.arrayOid, `type ${name}[]`],
    [type.oid, `type ${name}`],
  ] as const) {
    for (const relation of relations) {
      if (relation.kind === 'view') {
        if (viewHolds(command, relation, (part) => makesType(part, oid))) {
          add({ kind: 'relation', relation }, on);
        }
      } else if (isTable(relation)) addTableUsers(command, relation, oid, on, readers, add);
    }
  }
  return found;
}

function addTableUsers(
  command: Command,
  table: RelationDescriptor,
  oid: number,
  on: string,
  views: readonly RelationDescriptor[],
  add: (user: TypeUser, on: string) => void,
): void {
  if (table.partitioning?.keys.some((key) => key.type === oid) === true) {
    add({ kind: 'relation', relation: table }, on);
    return;
  }
  const gone = new Set<number>();
  // PostgreSQL names the last column of a table first.
  for (const [column, { type, name, dropped }] of [...table.columns.entries()].reverse()) {
    if (type !== oid || dropped) continue;
    gone.add(column);
    add({ kind: 'column', relation: table, column }, on);
    for (const view of views) {
      if (!viewReads(command, view, table, name)) continue;
      add({ kind: 'relation', relation: view }, `column ${name} of ${describe(command, table)}`);
    }
  }
  table.columns.forEach((each, column) => {
    if (gone.has(column) || !mentionsType(each.default?.expr, oid)) return;
    add({ kind: 'default', relation: table, column }, on);
  });
  for (const constraint of table.constraints) {
    if (constraint.columns.some((column) => gone.has(column))) continue;
    if (!mentionsType(constraint.check?.expr, oid)) continue;
    add({ kind: 'constraint', relation: table, constraint }, on);
  }
  for (const index of table.indexes) {
    if ([...gone].some((column) => readsColumn(index, column))) continue;
    if (!computedParts(index).some(({ expr }) => mentionsType(expr, oid))) continue;
    add({ kind: 'index', relation: table, index }, on);
  }
}

function isSame(a: TypeUser, b: TypeUser): boolean {
  if (a.relation.oid !== b.relation.oid || a.kind !== b.kind) return false;
  if (a.kind === 'constraint') {
    return b.kind === 'constraint' && a.constraint.oid === b.constraint.oid;
  }
  if (a.kind === 'index') return b.kind === 'index' && a.index.oid === b.index.oid;
  return a.kind === 'relation' || (b.kind === a.kind && a.column === b.column);
}

/** Whether a stored expression has a part of the type. */
export function mentionsType(expr: unknown, ...oids: readonly number[]): boolean {
  if (expr === undefined || expr === null) return false;
  return someExpr(expr as Expr, (part) => oids.includes(part.type));
}

/** A constant or cast: what is of the type without being so by a column. */
function makesType(part: Expr, oid: number): boolean {
  return part.type === oid && (part.kind === 'const' || part.kind === 'cast');
}

function viewReads(
  command: Command,
  view: RelationDescriptor,
  table: RelationDescriptor,
  column: string,
): boolean {
  return viewRelations(command.catalog, view).has(table.oid) && viewMentions(view, column);
}

/** The views whose queries make values of a type; with `place`, those that hold the one value. */
export function viewsOfType(
  command: Command,
  type: TypeDescriptor,
  place?: number,
): RelationDescriptor[] {
  const test = (part: Expr): boolean =>
    place === undefined
      ? makesType(part, type.oid) || makesType(part, type.arrayOid)
      : holdsPlace(part, type, place);
  return [...command.catalog.relations()].filter(
    (view) => view.kind === 'view' && viewHolds(command, view, test),
  );
}

function holdsPlace(part: Expr, type: TypeDescriptor, place: number): boolean {
  if (part.kind !== 'const' || part.value === null) return false;
  if (part.type === type.oid) return part.value === place;
  if (part.type !== type.arrayOid) return false;
  return (part.value as { readonly elements: readonly unknown[] }).elements.includes(place);
}

/** Whether a part of a view's query passes a test. */
function viewHolds(
  command: Command,
  view: RelationDescriptor,
  test: (part: Expr) => boolean,
): boolean {
  const text = view.definition ?? '';
  const [statement] = parseStatements(text);
  if (statement === undefined) return false;
  let holds = false;
  const visitExpr = (expr: Expr): void => {
    if (test(expr)) holds = true;
    if (expr.kind === 'subquery') visitInner(expr.query);
    visitChildren(expr, visitExpr);
  };
  const visitInner = (query: Query): void => visitQuery(query, visitExpr, visitInner);
  visitInner(bindStatement(statement.node, { ...command.bindContext(), text }).query);
  return holds;
}
