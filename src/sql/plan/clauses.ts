import { OID } from '../../types/index.ts';
import type { CallExpr, Expr, RowCompareExpr } from '../expression.ts';
import { someExpr, visitChildren, visitReferences } from '../expression-tree.ts';
import { type BtreeStrategy, btreeOperator, functionByOid, LESS } from '../functions/index.ts';
import { rewriteExpr } from '../query-rewrite.ts';

/** Sets of relations of one query, as bits. */
export type RelSet = bigint;
export const NO_RELS: RelSet = 0n;

export function relBit(relation: number): RelSet {
  return 1n << BigInt(relation);
}

export function isSubset(a: RelSet, b: RelSet): boolean {
  return (a & ~b) === 0n;
}

/** A condition of WHERE or ON. */
export interface Clause {
  readonly expr: Expr;
  readonly rels: RelSet;
}

export function makeClause(expr: Expr): Clause {
  return { expr, rels: relsOf(expr) };
}

/** The condition where a relation's column is known to be `value`. */
export function withColumnValue(
  clause: Clause,
  relation: number,
  column: number,
  value: Expr,
): Clause {
  let found = false;
  const reference = (part: Expr, depth: number): Expr | null => {
    if (part.kind !== 'column' || part.column !== column) return null;
    if (part.level !== depth || part.relation !== relation) return null;
    found = true;
    return value;
  };
  const expr = rewriteExpr(clause.expr, { reference, cteLevel: (level) => level }, 0);
  return found ? makeClause(expr) : clause;
}

/** The relations of this query level that an expression needs. */
export function relsOf(expr: Expr): RelSet {
  let rels = NO_RELS;
  visitReferences(expr, (reference, depth) => {
    if (reference.kind === 'column' && reference.level === depth) {
      rels |= relBit(reference.relation);
    }
  });
  return rels;
}

/** The members of a conjunction; none for a condition that is always true. */
export function conjuncts(expr: Expr | null): Expr[] {
  if (expr === null) return [];
  if (expr.kind === 'and') return expr.arguments.flatMap(conjuncts);
  if (expr.kind === 'const' && expr.value === true) return [];
  return [expr];
}

export function conjunction(exprs: readonly Expr[]): Expr | null {
  if (exprs.length === 0) return null;
  if (exprs.length === 1) return exprs[0] as Expr;
  return { kind: 'and', type: OID.bool, typmod: -1, arguments: exprs };
}

export function isVolatile(expr: Expr): boolean {
  return someExpr(expr, (part) => {
    if (part.kind === 'sequence') return true;
    if (part.kind !== 'call' && part.kind !== 'setCall') return false;
    return functionByOid(part.function)?.volatility === 'v';
  });
}

export function hasSubquery(expr: Expr): boolean {
  return someExpr(expr, (part) => part.kind === 'subquery');
}

/** What ROW(a, b) > ROW(x, y) says of its first columns: a >= x. */
export function leadingComparison(expr: RowCompareExpr): CallExpr | null {
  const [left, right] = [expr.left[0], expr.right[0]];
  if (left === undefined || right === undefined) return null;
  if (expr.comparison === '=' || expr.comparison === '<>') return null;
  const strategy = expr.comparison.startsWith('<') ? LESS_OR_EQUAL : GREATER_OR_EQUAL;
  const operator = btreeOperator(strategy, left.type, right.type);
  const less = btreeOperator(LESS, left.type, right.type);
  if (operator === undefined || less?.function !== expr.less[0]) return null;
  return {
    kind: 'call',
    type: expr.type,
    typmod: -1,
    function: operator.function,
    operator: operator.oid,
    arguments: [left, right],
  };
}

const LESS_OR_EQUAL: BtreeStrategy = 2;
const GREATER_OR_EQUAL: BtreeStrategy = 4;

/** Relations whose null row keeps the condition from being true. */
export function strictRels(expr: Expr): RelSet {
  switch (expr.kind) {
    case 'and':
      return expr.arguments.reduce((rels, part) => rels | strictRels(part), NO_RELS);
    case 'or':
      return expr.arguments.map(strictRels).reduce((a, b) => a & b);
    case 'isNull':
      return expr.negated ? nullRels(expr.argument) : NO_RELS;
    case 'any':
      return nullRels(expr.left);
    case 'booleanTest':
      if (expr.test === 'unknown') return expr.negated ? nullRels(expr.argument) : NO_RELS;
      if (expr.negated) return NO_RELS;
      return expr.test === 'true' ? strictRels(expr.argument) : nullRels(expr.argument);
    default:
      return nullRels(expr);
  }
}

/** Relations whose null row makes the value NULL, which is more than not being true. */
function nullRels(expr: Expr): RelSet {
  switch (expr.kind) {
    case 'column':
      return expr.level === 0 ? relBit(expr.relation) : NO_RELS;
    case 'and':
    case 'or':
      return expr.arguments.map(nullRels).reduce((a, b) => a & b);
    case 'call':
      if (functionByOid(expr.function)?.strict !== true) return NO_RELS;
      return expr.arguments.reduce((rels, part) => rels | nullRels(part), NO_RELS);
    case 'cast':
    case 'typmod':
    case 'not':
      return nullRels(expr.argument);
    case 'any':
    case 'all':
      return (expr.list?.length ?? 0) > 0 ? nullRels(expr.left) : NO_RELS;
    default:
      return NO_RELS;
  }
}

/** Whether the expression holds an aggregate of its own query level. */
export function hasAggregate(expr: Expr): boolean {
  if (expr.kind === 'aggregate' && expr.level === 0) return true;
  let found = false;
  visitChildren(expr, (child) => {
    found ||= hasAggregate(child);
  });
  return found;
}
