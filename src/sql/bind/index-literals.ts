import { computedParts, type RelationDescriptor } from '../../catalog/descriptors.ts';
import type { CallExpr, ColumnExpr, Expr } from '../expression.ts';
import { someExpr, stripRelabel, visitChildren, visitQuery } from '../expression-tree.ts';
import { btreeMembers, EQUAL, operatorByOid } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import type { Query, RangeTableEntry } from './query.ts';

/** Literals that decide whether an index can be used: those in an expression that is one of an index but
 * for its constants, as the 10 of `a % 10`, and those that are compared with what the predicate of a
 * partial index is about. The statement is planned for their values. */
export function fixIndexLiterals(b: Binder, query: Query): void {
  const visit = (inner: Query): void => {
    const search = new LiteralSearch(b, inner);
    const visitExpr = (expr: Expr): void => {
      search.visit(expr);
      if (expr.kind === 'subquery') visit(expr.query);
      visitChildren(expr, visitExpr);
    };
    visitQuery(inner, visitExpr, visit);
  };
  visit(query);
}

/** Fixes all literals in an expression. */
export function fixLiterals(b: Binder, expr: Expr): void {
  const literal = b.literalOf(expr);
  if (literal >= 0) b.fixed.add(literal);
  visitChildren(expr, (child) => fixLiterals(b, child));
}

/** A part of an index, over the columns of its table. */
interface Template {
  readonly table: number;
  readonly expr: Expr;
}

class LiteralSearch {
  private readonly b: Binder;
  private readonly query: Query;
  /** Expressions of indexes, and the conditions in predicates. */
  private readonly wholes: Template[] = [];
  /** What predicates compare with constants. */
  private readonly subjects: Template[] = [];

  constructor(b: Binder, query: Query) {
    this.b = b;
    this.query = query;
    for (const { oid, indexes } of tablesOf(query)) {
      for (const { columns, predicate } of indexes) {
        for (const { expression } of columns) {
          if (expression !== null) this.wholes.push({ table: oid, expr: expression.expr as Expr });
        }
        if (predicate !== null) this.addPredicate(oid, predicate.expr as Expr);
      }
    }
  }

  private addPredicate(table: number, expr: Expr): void {
    if (expr.kind === 'and' || expr.kind === 'or' || expr.kind === 'not') {
      visitChildren(expr, (part) => this.addPredicate(table, part));
      return;
    }
    this.wholes.push({ table, expr });
    if (expr.kind === 'any') this.subjects.push({ table, expr: expr.left });
    if (expr.kind !== 'call' || expr.operator === 0) return;
    for (const argument of expr.arguments) {
      if (readsRow(argument)) this.subjects.push({ table, expr: argument });
    }
  }

  visit(expr: Expr): void {
    if (this.wholes.length === 0) return;
    if (this.wholes.some((template) => this.matches(expr, template))) fixLiterals(this.b, expr);
    if (this.namesRow(expr)) return;
    const left = expr.kind === 'any' ? expr.left : null;
    const sides = left !== null ? [left] : expr.kind === 'call' ? comparedSides(expr) : [];
    for (const side of sides) {
      if (this.subjects.some((template) => this.matches(side, template))) fixLiterals(this.b, expr);
    }
  }

  /** Whether a condition names a row by its clustering key, by which it is found whatever indexes there are. */
  private namesRow(expr: Expr): boolean {
    if (expr.kind !== 'call') return false;
    if (!btreeMembers(expr.operator).some(({ strategy }) => strategy === EQUAL)) return false;
    return expr.arguments.map(stripRelabel).some((side) => {
      if (side.kind !== 'column' || side.level !== 0) return false;
      const source = sourceOf(this.query, side);
      const key = source?.table.clusterKey ?? [];
      return key.length === 1 && key[0] === source?.position;
    });
  }

  private matches(expr: Expr, { table, expr: template }: Template): boolean {
    return this.same(stripRelabel(expr), stripRelabel(template), table);
  }

  /** Equality but for constants. */
  private same(a: unknown, b: unknown, table: number): boolean {
    if (a === b) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (Array.isArray(a)) {
      if (!Array.isArray(b) || a.length !== b.length) return false;
      return a.every((part, i) => this.same(part, b[i], table));
    }
    if (!('kind' in a) || !('kind' in b)) return this.sameFields(a, b, table);
    const [part, template] = [a as Expr, b as Expr];
    if (template.kind === 'input') return this.isColumn(part, table, template.column);
    if (part.type === template.type && isConstant(part) && isConstant(template)) return true;
    return part.kind === template.kind && this.sameFields(part, template, table);
  }

  private sameFields(a: object, b: object, table: number): boolean {
    const other = b as Record<string, unknown>;
    return Object.entries(a).every(
      ([name, field]) => name === 'inWords' || this.same(field, other[name], table),
    );
  }

  private isColumn(expr: Expr, table: number, position: number): boolean {
    if (expr.kind !== 'column' || expr.level !== 0) return false;
    const source = sourceOf(this.query, expr);
    return source !== null && source.table.oid === table && source.position === position;
  }
}

/** Tables that a query reads, also through the queries in its FROM. */
function tablesOf(query: Query): RelationDescriptor[] {
  if (!('rangeTable' in query)) return [];
  return query.rangeTable.flatMap((entry) => {
    if (entry.kind === 'subquery') return tablesOf(entry.query);
    return entry.kind === 'table' &&
      entry.table.indexes.some((one) => computedParts(one).length > 0)
      ? [entry.table]
      : [];
  });
}

/** The column of a table that a column of a query is. */
function sourceOf(
  query: Query,
  { relation, column }: ColumnExpr,
): { readonly table: RelationDescriptor; readonly position: number } | null {
  const entry: RangeTableEntry | undefined =
    'rangeTable' in query ? query.rangeTable[relation] : undefined;
  if (entry?.kind === 'table')
    return { table: entry.table, position: entry.attributes[column] ?? -1 };
  if (entry?.kind !== 'subquery' || entry.query.kind !== 'select') return null;
  const inner = entry.query.output[column]?.expr;
  if (inner?.kind !== 'column' || inner.level !== 0) return null;
  return sourceOf(entry.query, inner);
}

/** The sides of a comparison. */
function comparedSides({ operator, arguments: sides }: CallExpr): readonly Expr[] {
  if (operator === 0) return [];
  const negator = operatorByOid(operator)?.negator ?? 0;
  const compares = btreeMembers(operator).length > 0 || btreeMembers(negator).length > 0;
  return compares ? sides : [];
}

function isConstant(expr: Expr): boolean {
  return !someExpr(
    expr,
    ({ kind }) => kind === 'column' || kind === 'input' || kind === 'subquery',
  );
}

function readsRow(expr: Expr): boolean {
  return someExpr(expr, ({ kind }) => kind === 'input');
}
