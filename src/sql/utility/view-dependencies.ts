import {
  type CatalogView,
  checkOption,
  type RelationDescriptor,
  temporaryOwner,
} from '../../catalog/index.ts';
import { notSupported, PgError } from '../../errors/index.ts';
import { bindStatement } from '../bind/index.ts';
import type { Query, RangeTableEntry } from '../bind/query.ts';
import { refuseCheckOption } from '../bind/view-target.ts';
import type { Expr } from '../expression.ts';
import { visitChildren, visitQuery } from '../expression-tree.ts';
import { parseStatements } from '../parse/index.ts';
import type { Command } from './command.ts';
import { dependentsOf, describe } from './dependencies.ts';

/** What a view's query uses besides whole relations. Views in it are not looked into: they have dependencies of
 * their own. */
export interface ViewDependencies {
  /** The columns that it reads: their positions, by the oid of the relation that has them. */
  readonly columns: ReadonlyMap<number, ReadonlySet<number>>;
  /** The constants and casts of types of users: values of a type that it makes rather than reads. */
  readonly made: readonly Expr[];
}

/** A descriptor is of one text, and what the names in a text lead to stays what it is while the view does. */
const known = new WeakMap<RelationDescriptor, ViewDependencies>();

export function viewDependencies(command: Command, view: RelationDescriptor): ViewDependencies {
  let dependencies = known.get(view);
  if (dependencies === undefined) {
    dependencies = new Collector(command.catalog).collect(boundQuery(command, view));
    known.set(view, dependencies);
  }
  return dependencies;
}

/** Views that read a column of a relation, oldest first. */
export function viewsReading(
  command: Command,
  relation: RelationDescriptor,
  column: number,
): RelationDescriptor[] {
  const reads = (view: RelationDescriptor): boolean =>
    viewDependencies(command, view).columns.get(relation.oid)?.has(column) === true;
  return dependentsOf(command, relation)
    .flatMap((dependent) => (dependent.kind === 'view' ? [dependent.relation] : []))
    .filter(reads);
}

/** A table or view that a view reads; `only` without its partitions. */
export interface ViewInput {
  readonly relation: RelationDescriptor;
  readonly only: boolean;
}

/** What a view's query names, in its order. What the views among it read is not looked at. */
export function viewInputs(command: Command, view: RelationDescriptor): ViewInput[] {
  const inputs: ViewInput[] = [];
  const visit = (query: Query): void => {
    const views = new Set<Query>();
    for (const entry of entriesOf(query)) {
      if (entry.kind === 'table') inputs.push({ relation: entry.table, only: entry.only === true });
      if (!isView(entry)) continue;
      const relation = command.catalog.relationByOid(entry.view);
      if (relation !== undefined) inputs.push({ relation, only: true });
      views.add(entry.query);
    }
    const visitExpr = (expr: Expr): void => {
      if (expr.kind === 'subquery') visit(expr.query);
      visitChildren(expr, visitExpr);
    };
    visitQuery(query, visitExpr, (inner) => {
      if (!views.has(inner)) visit(inner);
    });
  };
  const query = boundQuery(command, view);
  if (query !== null) visit(query);
  return inputs;
}

/** 0A000 where a column of a new name changes what a view means: NATURAL JOIN takes it up, or a name in USING
 * leads to it as well. */
export function refuseCapture(command: Command, relation: RelationDescriptor, name: string): void {
  const column = relation.columns.findIndex((other) => other.name === name);
  for (const dependent of dependentsOf(command, relation)) {
    if (dependent.kind !== 'view' || !isCaptured(command, dependent.relation, relation, column)) {
      continue;
    }
    const view = describe(command, dependent.relation);
    throw notSupported(`a column "${name}" that changes what ${view} means`);
  }
}

function isCaptured(
  command: Command,
  view: RelationDescriptor,
  relation: RelationDescriptor,
  column: number,
): boolean {
  try {
    const { columns } = new Collector(command.catalog).collect(boundQuery(command, view));
    return columns.get(relation.oid)?.has(column) === true;
  } catch (error) {
    if (error instanceof PgError) return true;
    throw error;
  }
}

/** Throws where the view has a check option and passes no changes on. */
export function checkCheckOption(command: Command, view: RelationDescriptor): void {
  if (checkOption(view) === null) return;
  const query = boundQuery(command, view);
  if (query !== null) refuseCheckOption(query);
}

/** The view's query as its own session sees it, if it is a temporary one. */
function boundQuery(command: Command, view: RelationDescriptor): Query | null {
  const text = view.definition ?? '';
  const [statement] = parseStatements(text);
  if (statement === undefined) return null;
  const context = command.bindContext();
  const owner = temporaryOwner(command.catalog.schemaByOid(view.schema)?.name ?? '');
  const processId = owner ?? context.processId;
  return bindStatement(statement.node, { ...context, text, processId }).query;
}

/** Queries that enclose a place, from the inside out. */
type Scopes = readonly Query[];

class Collector {
  private readonly catalog: CatalogView;
  private readonly columns = new Map<number, Set<number>>();
  private readonly made: Expr[] = [];

  constructor(catalog: CatalogView) {
    this.catalog = catalog;
  }

  collect(query: Query | null): ViewDependencies {
    if (query !== null) this.visitQuery(query, []);
    return { columns: this.columns, made: this.made };
  }

  private visitQuery(query: Query, outside: Scopes): void {
    const scopes = [query, ...outside];
    const views = new Set(entriesOf(query).map((entry) => isView(entry) && entry.query));
    visitQuery(
      query,
      (expr) => this.visitExpr(expr, scopes),
      (inner) => {
        if (!views.has(inner)) this.visitQuery(inner, scopes);
      },
    );
  }

  private visitExpr(expr: Expr, scopes: Scopes): void {
    if (expr.kind === 'column') {
      const rest = scopes.slice(expr.level);
      const entry = entriesOf(rest[0])[expr.relation];
      if (entry !== undefined) this.visitColumn(entry, expr.column, rest);
    } else if (expr.kind === 'const' || expr.kind === 'cast') {
      if (this.catalog.typeByOid(expr.type) !== undefined) this.made.push(expr);
    } else if (expr.kind === 'subquery') this.visitQuery(expr.query, scopes);
    visitChildren(expr, (child) => this.visitExpr(child, scopes));
  }

  private visitColumn(entry: RangeTableEntry, column: number, scopes: Scopes): void {
    if (entry.kind === 'table') this.add(entry.table.oid, entry.attributes[column]);
    else if (isView(entry)) this.add(entry.view, column);
    else if (entry.kind === 'join') {
      const expr = entry.expressions[column];
      if (expr !== undefined) this.visitExpr(expr, scopes);
    }
  }

  /** Columns that are none of the relation's own, such as tableoid, have no position. */
  private add(relation: number, position: number | undefined): void {
    if (position === undefined) return;
    const columns = this.columns.get(relation) ?? new Set();
    this.columns.set(relation, columns.add(position));
  }
}

function entriesOf(query: Query | undefined): readonly RangeTableEntry[] {
  return query !== undefined && 'rangeTable' in query ? query.rangeTable : [];
}

function isView(
  entry: RangeTableEntry,
): entry is Extract<RangeTableEntry, { kind: 'subquery' }> & { readonly view: number } {
  return entry.kind === 'subquery' && entry.view !== undefined;
}
