import type {
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import { impliesPredicate } from '../bind/predicate-proof.ts';
import type { ColumnExpr, Expr } from '../expression.ts';
import { mapChildren, sameExpr, stripRelabel } from '../expression-tree.ts';
import { foldAll } from './constant-folding.ts';

/** A table that a query reads: the number of the relation, and the positions in the table of the
 * relation's columns. */
export interface IndexedRelation {
  readonly relation: number;
  readonly attributes: readonly number[];
  readonly table: RelationDescriptor;
}

/** What a column of an index is in a query. */
export function indexedExpr(place: IndexedRelation, { column, expression }: IndexColumn): Expr {
  return expression === null
    ? columnOf(place, column)
    : overRelation(place, expression.expr as Expr);
}

function columnOf({ relation, attributes, table }: IndexedRelation, position: number): ColumnExpr {
  const { type, typmod } = table.columns[position]!;
  const column = attributes.indexOf(position);
  return { kind: 'column', type, typmod, level: 0, relation, column };
}

/** A stored expression over the table's columns as one over those of the relation. */
function overRelation(place: IndexedRelation, expr: Expr): Expr {
  if (expr.kind === 'input') return columnOf(place, expr.column);
  return mapChildren(expr, (child) => overRelation(place, child));
}

/** Whether an expression of the query is what a column of an index holds. */
export function keyTest(
  place: IndexedRelation,
  column: IndexColumn,
): ((expr: Expr) => boolean) | null {
  if (column.expression === null) {
    const { relation, attributes } = place;
    const attribute = attributes.indexOf(column.column);
    if (attribute < 0) return null;
    return (expr) => isColumn(stripRelabel(expr), relation, attribute);
  }
  const key = stripRelabel(foldAll(indexedExpr(place, column)));
  return (expr) => sameExpr(key, foldAll(stripRelabel(expr)));
}

function isColumn(expr: Expr, relation: number, attribute: number): boolean {
  return (
    expr.kind === 'column' &&
    expr.level === 0 &&
    expr.relation === relation &&
    expr.column === attribute
  );
}

/** A partial index in a query whose conditions let it be used. */
export interface UsablePart {
  readonly predicate: Expr;
  /** Whether all rows in the index fulfil a condition. */
  fulfils(condition: Expr): boolean;
}

/** What the predicate of an index is to a query with these conditions; null where it has none, or where
 * the index lacks rows that are asked for. */
export function usablePart(
  place: IndexedRelation,
  { predicate }: IndexDescriptor,
  conditions: readonly Expr[],
): UsablePart | null {
  if (predicate === null) return null;
  const own = foldAll(overRelation(place, predicate.expr as Expr));
  if (!impliesPredicate(conditions.map(foldAll), own)) return null;
  return {
    predicate: own,
    fulfils: (condition) => impliesPredicate([own], foldAll(condition)),
  };
}
