import {
  type ConstraintDescriptor,
  columnsIn,
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
  type TypeDescriptor,
} from '../../catalog/index.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import type { Command } from './command.ts';
import { type Dependent, dependentsOf, describe } from './dependencies.ts';
import { readsColumn } from './keys.ts';
import { visibleIndexName } from './object-names.ts';
import { referrersOf } from './referencing.ts';
import { isTable } from './relation-change.ts';
import { visibleTypeName } from './user-types.ts';
import { viewDependencies, viewsReading } from './view-dependencies.ts';

/** What uses a type or a column, and so is in the way of its drop or goes with it. */
export type ObjectUser =
  | { readonly kind: 'relation'; readonly relation: RelationDescriptor }
  | {
      readonly kind: 'column';
      readonly relation: RelationDescriptor;
      readonly column: number;
      /** It uses another column, by its expression. */
      readonly generated?: true;
    }
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
  readonly user: ObjectUser;
  readonly on: string;
}

/** The users of types and what depends on them, as PostgreSQL lists them: those of the last type first, the
 * oldest first, each with its own dependents after it. What goes without saying is left out: the default,
 * constraints and indexes of a column, and the parts of a table. */
export function typeUsers(command: Command, types: readonly TypeDescriptor[]): FoundUser[] {
  const search = new UserSearch(command);
  for (const type of types) search.visitType(type);
  return search.reported();
}

/** The same of a column of a table: foreign keys that refer to it, views that read it, and what depends on these. */
export function columnUsers(
  command: Command,
  table: RelationDescriptor,
  column: number,
): FoundUser[] {
  const search = new UserSearch(command);
  search.visitColumn(table, column);
  return search.reported();
}

export function userLines(command: Command, users: readonly FoundUser[]): string[] {
  return users.map(({ user, on }) => `${describeUser(command, user)} depends on ${on}`);
}

export function describeUser(command: Command, user: ObjectUser): string {
  const relation = describe(command, user.relation);
  switch (user.kind) {
    case 'relation':
      return relation;
    case 'column':
      return `column ${user.relation.columns[user.column]!.name} of ${relation}`;
    case 'default':
      return `default value for column ${user.relation.columns[user.column]!.name} of ${relation}`;
    case 'constraint':
      return `constraint ${user.constraint.name} on ${relation}`;
    case 'index':
      return `index ${visibleIndexName(command, user.relation, user.index)}`;
  }
}

/** The columns that are computed of another one. */
export function generatedFrom({ columns }: RelationDescriptor, column: number): number[] {
  return columns.flatMap(({ generated, default: value }, position) =>
    generated === true && columnsIn(value?.expr).has(column) ? [position] : [],
  );
}

/** The views and tables among users. */
export function droppedWhole(users: readonly ObjectUser[]): RelationDescriptor[] {
  return users.filter(({ kind }) => kind === 'relation').map(({ relation }) => relation);
}

class UserSearch {
  private readonly command: Command;
  /** The last to be named first. What two others depend on is named with the younger one. */
  private readonly found = new Map<string, FoundUser>();
  private readonly seen = new Set<string>();

  constructor(command: Command) {
    this.command = command;
  }

  visitType(type: TypeDescriptor): void {
    const name = visibleTypeName(this.command, type);
    const arrays = directUsers(this.command, type.arrayOid);
    const own = directUsers(this.command, type.oid);
    const younger = own.filter((user) => madeAs(user) > type.arrayOid);
    const older = own.filter((user) => madeAs(user) < type.arrayOid);
    this.visitAll(younger, `type ${name}`);
    this.visitAll(arrays, `type ${name}[]`);
    this.visitAll(older, `type ${name}`);
  }

  /** Users of one thing, the youngest first. */
  private visitAll(users: readonly ObjectUser[], on: string): void {
    for (const user of [...users].sort(youngestFirst)) {
      const key = keyOf(user);
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      this.visitDependents(user);
      this.found.set(key, { user, on });
    }
  }

  private visitDependents(user: ObjectUser): void {
    const { command } = this;
    const { relation } = user;
    if (user.kind === 'column') this.visitColumn(relation, user.column);
    else if (user.kind === 'relation') {
      const users = dependentsOf(command, relation).map(userOf);
      this.visitAll(users, describe(command, relation));
    }
  }

  visitColumn(table: RelationDescriptor, column: number): void {
    const { command } = this;
    const users: ObjectUser[] = [];
    for (const { table: relation, constraint } of referrersOf(command, table)) {
      if (constraint.foreign?.columns.includes(column) !== true) continue;
      users.push({ kind: 'constraint', relation, constraint });
    }
    for (const generated of generatedFrom(table, column)) {
      users.push({ kind: 'column', relation: table, column: generated, generated: true });
    }
    for (const view of viewsReading(command, table, column)) {
      users.push({ kind: 'relation', relation: view });
    }
    this.visitAll(users, describeUser(command, { kind: 'column', relation: table, column }));
  }

  reported(): FoundUser[] {
    return [...this.found.values()].reverse().filter(({ user }) => !this.goesAnyway(user));
  }

  /** With its column, its table or the table that it is a partition of. */
  private goesAnyway(user: ObjectUser): boolean {
    const { relation } = user;
    if (user.kind !== 'relation' && this.isDropped(relation)) return true;
    const parent = this.command.catalog.relationByOid(relation.partitionOf?.parent ?? 0);
    if (parent !== undefined && this.isDroppedAbove(parent)) return true;
    const goes = (column: number) => this.found.has(columnKey(relation, column));
    switch (user.kind) {
      case 'default':
        return goes(user.column);
      case 'constraint':
        return user.constraint.columns.some(goes);
      case 'index':
        return relation.columns.some(
          (_, column) => readsColumn(user.index, column) && goes(column),
        );
      default:
        return false;
    }
  }

  private isDropped({ oid }: RelationDescriptor): boolean {
    return this.found.has(`${oid}`);
  }

  private isDroppedAbove(table: RelationDescriptor): boolean {
    if (this.isDropped(table)) return true;
    const parent = this.command.catalog.relationByOid(table.partitionOf?.parent ?? 0);
    return parent !== undefined && this.isDroppedAbove(parent);
  }
}

function userOf(dependent: Dependent): ObjectUser {
  if (dependent.kind === 'view') return { kind: 'relation', relation: dependent.relation };
  return dependent.kind === 'foreign key' ? { ...dependent, kind: 'constraint' } : dependent;
}

function columnKey({ oid }: RelationDescriptor, column: number): string {
  return `${oid}.${column}`;
}

function keyOf(user: ObjectUser): string {
  switch (user.kind) {
    case 'relation':
      return `${user.relation.oid}`;
    case 'column':
      return columnKey(user.relation, user.column);
    case 'default':
      return `${columnKey(user.relation, user.column)} default`;
    case 'constraint':
      return `${user.constraint.oid}`;
    case 'index':
      return `${user.index.oid}`;
  }
}

/** Oids tell what was made first; what a partition has of its parent may have one before its own. */
function madeAs(user: ObjectUser): number {
  const { oid } = user.relation;
  if (user.kind === 'constraint') return Math.max(user.constraint.oid, oid);
  return user.kind === 'index' ? Math.max(user.index.oid, oid) : oid;
}

/** The first of several columns of a table counts as the youngest, the last of those that are generated. */
function youngestFirst(a: ObjectUser, b: ObjectUser): number {
  const order = madeAs(b) - madeAs(a) || KINDS.indexOf(b.kind) - KINDS.indexOf(a.kind);
  if (order !== 0) return order;
  if (a.kind === 'column' && b.kind === 'column') {
    return a.generated === true ? b.column - a.column : a.column - b.column;
  }
  return a.kind === 'default' && b.kind === 'default' ? b.column - a.column : 0;
}

/** The parts of a table in the order in which they are made. */
const KINDS: readonly ObjectUser['kind'][] = [
  'relation',
  'column',
  'default',
  'constraint',
  'index',
];

/** What names a type, or an array type, itself. */
function directUsers(command: Command, oid: number): ObjectUser[] {
  return [...command.catalog.relations()].flatMap((relation) => {
    if (relation.kind === 'view') {
      const { made } = viewDependencies(command, relation);
      return made.some(({ type }) => type === oid) ? [{ kind: 'relation', relation }] : [];
    }
    return isTable(relation) ? tableUsers(relation, oid) : [];
  });
}

/** A table that is partitioned by values of the type goes as a whole. */
function tableUsers(table: RelationDescriptor, oid: number): ObjectUser[] {
  if (table.partitioning?.keys.some((key) => key.type === oid) === true) {
    return [{ kind: 'relation', relation: table }];
  }
  const users: ObjectUser[] = [];
  for (const [column, { type, dropped, default: value }] of table.columns.entries()) {
    if (type === oid && !dropped) users.push({ kind: 'column', relation: table, column });
    if (mentionsType(value?.expr, oid)) users.push({ kind: 'default', relation: table, column });
  }
  for (const constraint of table.constraints) {
    if (!mentionsType(constraint.check?.expr, oid)) continue;
    users.push({ kind: 'constraint', relation: table, constraint });
  }
  for (const index of table.indexes) {
    if (!computedParts(index).some(({ expr }) => mentionsType(expr, oid))) continue;
    users.push({ kind: 'index', relation: table, index });
  }
  return users;
}

/** Whether a stored expression has a part of the type. */
export function mentionsType(expr: unknown, ...oids: readonly number[]): boolean {
  if (expr === undefined || expr === null) return false;
  return someExpr(expr as Expr, (part) => oids.includes(part.type));
}

/** The views whose queries hold one value of a type. */
export function viewsOfValue(
  command: Command,
  type: TypeDescriptor,
  place: number,
): RelationDescriptor[] {
  return [...command.catalog.relations()].filter(
    (relation) =>
      relation.kind === 'view' &&
      viewDependencies(command, relation).made.some((part) => holdsPlace(part, type, place)),
  );
}

function holdsPlace(part: Expr, type: TypeDescriptor, place: number): boolean {
  if (part.kind !== 'const' || part.value === null) return false;
  if (part.type === type.oid) return part.value === place;
  if (part.type !== type.arrayOid) return false;
  return (part.value as { readonly elements: readonly unknown[] }).elements.includes(place);
}
