import type { IndexDescriptor } from '../../catalog/descriptors.ts';
import { OID } from '../../types/index.ts';
import { commute } from '../bind/commute.ts';
import type { CallExpr, Expr, SortKey } from '../expression.ts';
import { type BtreeStrategy, btreeFamily, btreeMembers } from '../functions/index.ts';
import { type IndexedRelation, indexedExpr, keyTest } from '../optimize/index.ts';
import { type Clause, isVolatile, leadingComparison, relBit, relsOf } from './clauses.ts';
import type { KeyBound } from './plan.ts';

/** Which conditions an index can answer. */
export interface IndexMatch {
  readonly index: IndexDescriptor;
  readonly equal: readonly Expr[];
  readonly anyOf: { readonly array: Expr | null; readonly list: readonly Expr[] | null } | null;
  readonly lower: KeyBound | null;
  readonly upper: KeyBound | null;
  readonly isNull: boolean;
  readonly used: readonly Clause[];
  /** Comparisons of rows, whose first column bounds the range; they have to be tested all the same. */
  readonly narrowing: readonly Clause[];
  /** All columns of a unique index are held equal: at most one row. */
  readonly oneRow: boolean;
}

const EQUAL: BtreeStrategy = 3;

/** Matches clauses with an index's columns: equality on the first ones, then ANY, then a range. */
export function matchIndex(
  place: IndexedRelation,
  index: IndexDescriptor,
  clauses: readonly Clause[],
): IndexMatch | null {
  const used: Clause[] = [];
  const narrowing: Clause[] = [];
  const equal: Expr[] = [];
  let anyOf: IndexMatch['anyOf'] = null;
  let lower: KeyBound | null = null;
  let upper: KeyBound | null = null;
  let isNull = false;
  let position = 0;
  for (; position < index.columns.length; position++) {
    const column = index.columns[position]!;
    const isKey = keyTest(place, column);
    const family = btreeFamily(column.type);
    if (isKey === null || family === undefined) break;
    const target = { relation: place.relation, family, isKey };
    const comparisons = clauses.flatMap((clause) => comparisonOn(target, clause) ?? []);
    const equality = comparisons.find((found) => found.strategy === EQUAL);
    if (equality !== undefined) {
      used.push(equality.clause);
      if (anyOf === null) {
        equal.push(equality.value);
        continue;
      }
      // After ANY a single column can still be bounded, from both sides by the same value.
      lower = upper = { expr: equality.value, inclusive: true };
      position++;
      break;
    }
    if (anyOf === null) {
      const any = clauses.flatMap((clause) => anyOn(target, clause) ?? [])[0];
      if (any !== undefined) {
        used.push(any.clause);
        anyOf = { array: any.array, list: any.list };
        continue;
      }
      const nullTest = clauses.find((clause) => isNullOn(target, clause));
      if (nullTest !== undefined) {
        used.push(nullTest);
        isNull = true;
        break;
      }
    }
    const limits = [
      ...comparisons.map((comparison) => ({ comparison, by: used })),
      ...clauses
        .flatMap((clause) => rowComparisonOn(target, clause) ?? [])
        .map((comparison) => ({ comparison, by: narrowing })),
    ];
    for (const { comparison, by } of limits) {
      const { strategy, clause, value } = comparison;
      if (strategy > EQUAL && lower === null) {
        lower = { expr: value, inclusive: strategy === 4 };
        by.push(clause);
      } else if (strategy < EQUAL && upper === null) {
        upper = { expr: value, inclusive: strategy === 2 };
        by.push(clause);
      }
    }
    break;
  }
  if (used.length === 0 && narrowing.length === 0) return null;
  const oneRow = index.unique && equal.length === index.columns.length;
  return { index, equal, anyOf, lower, upper, isNull, used, narrowing, oneRow };
}

/** What conditions are about: a column of an index, or of a partition key. */
export interface KeyTarget {
  readonly relation: number;
  /** Its operator family for B-trees. */
  readonly family: number;
  isKey(expr: Expr): boolean;
}

/** `key op value`. */
export interface Comparison {
  readonly strategy: BtreeStrategy;
  readonly clause: Clause;
  readonly value: Expr;
}

/** The clause as `column op value`, the value being free of the relation. */
export function comparisonOn(target: KeyTarget, clause: Clause): Comparison | null {
  const truth = truthOf(target, clause.expr);
  if (truth !== null) {
    const value: Expr = { kind: 'const', type: OID.bool, typmod: -1, value: truth };
    return { strategy: EQUAL, clause, value };
  }
  if (clause.expr.kind !== 'call' || clause.expr.operator === 0) return null;
  const direct = strategyIn(target, clause.expr);
  if (direct !== null) return { ...direct, clause };
  const turned = commute(clause.expr);
  const other = turned === null ? null : strategyIn(target, turned);
  return other === null ? null : { ...other, clause };
}

/** What a condition demands of a key that is boolean; null where it is another condition. */
function truthOf(target: KeyTarget, expr: Expr): boolean | null {
  if (expr.type !== OID.bool) return null;
  if (target.isKey(expr)) return true;
  if (expr.kind === 'not' && target.isKey(expr.argument)) return false;
  if (expr.kind !== 'booleanTest' || expr.negated || !target.isKey(expr.argument)) return null;
  return expr.test === 'unknown' ? null : expr.test === 'true';
}

/** What a comparison of rows says of the column that stands first in it. */
function rowComparisonOn(target: KeyTarget, clause: Clause): Comparison | null {
  if (clause.expr.kind !== 'rowCompare' || clause.rels !== relBit(target.relation)) return null;
  const leading = leadingComparison(clause.expr);
  const found = leading && comparisonOn(target, { ...clause, expr: leading });
  return found && { ...found, clause };
}

function strategyIn(
  target: KeyTarget,
  call: CallExpr,
): { strategy: BtreeStrategy; value: Expr } | null {
  const [left, right] = call.arguments;
  if (left === undefined || right === undefined || !target.isKey(left)) return null;
  if ((relsOf(right) & relBit(target.relation)) !== 0n || isVolatile(right)) return null;
  const member = btreeMembers(call.operator).find((found) => found.family === target.family);
  return member === undefined ? null : { strategy: member.strategy, value: right };
}

export function anyOn(
  target: KeyTarget,
  clause: Clause,
): { clause: Clause; array: Expr | null; list: readonly Expr[] | null } | null {
  const { expr } = clause;
  if (expr.kind !== 'any' || !target.isKey(expr.left)) return null;
  const values = expr.list ?? (expr.array === null ? [] : [expr.array]);
  for (const value of values) {
    if ((relsOf(value) & relBit(target.relation)) !== 0n || isVolatile(value)) return null;
  }
  const member = btreeMembers(expr.operator).find((found) => found.family === target.family);
  if (member?.strategy !== EQUAL) return null;
  return { clause, array: expr.array, list: expr.list };
}

function isNullOn(target: KeyTarget, clause: Clause): boolean {
  return (
    clause.expr.kind === 'isNull' && !clause.expr.negated && target.isKey(clause.expr.argument)
  );
}

/** The order in which an index gives its rows. */
export function indexOrder(
  place: IndexedRelation,
  index: IndexDescriptor,
  backward: boolean,
): SortKey[] {
  const keys: SortKey[] = [];
  for (const column of index.columns) {
    if (column.expression === null && !place.attributes.includes(column.column)) break;
    keys.push({
      expr: indexedExpr(place, column),
      descending: column.descending !== backward,
      nullsFirst: column.nullsFirst !== backward,
    });
  }
  return keys;
}
