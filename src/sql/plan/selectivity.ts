import type { ColumnStatistics, RelationDescriptor } from '../../catalog/descriptors.ts';
import { OID } from '../../types/index.ts';
import type { CallExpr, Expr } from '../expression.ts';
import { sameExpr, someExpr, stripRelabel } from '../expression-tree.ts';
import { operatorByOid } from '../functions/index.ts';
import { type IndexedRelation, keyTest } from '../optimize/index.ts';
import { leadingComparison } from './clauses.ts';

/** How many rows a condition keeps: PostgreSQL's estimates, as far as the statistics reach. */

const DEFAULT_EQUAL = 0.005;
const DEFAULT_INEQUALITY = 1 / 3;
const DEFAULT_RANGE = 0.005;
const DEFAULT_MATCH = 0.005;
const DEFAULT_UNKNOWN = 0.5;
const DEFAULT_DISTINCT = 200;
const DEFAULT_NULLS = 0.005;

/** What is known of a column of the query. */
export interface ColumnFacts {
  readonly rows: number;
  readonly distinct: number;
  readonly nullFraction: number;
}

export type FactsOf = (expr: Expr) => ColumnFacts | null;

/** Facts of a table's column; a unique column is known to be distinct without statistics. */
export function tableColumnFacts(
  table: RelationDescriptor,
  rows: number,
  column: number,
): ColumnFacts {
  const statistics: ColumnStatistics | null = table.statistics?.columns[column] ?? null;
  const unique = table.indexes.some(
    (index) =>
      index.unique &&
      index.predicate === null &&
      index.columns.length === 1 &&
      column >= 0 &&
      index.columns[0]?.column === column,
  );
  const nullFraction =
    statistics?.nullFraction ?? (table.columns[column]?.notNull ? 0 : DEFAULT_NULLS);
  if (unique) return { rows, distinct: Math.max(1, rows), nullFraction };
  if (statistics !== null) {
    // Negative counts are fractions of the rows, as in pg_statistic.
    const distinct = statistics.distinct < 0 ? -statistics.distinct * rows : statistics.distinct;
    return { rows, distinct: clamp(distinct, 1, Math.max(1, rows)), nullFraction };
  }
  const type = table.columns[column]?.type;
  const distinct = type === OID.bool ? 2 : DEFAULT_DISTINCT;
  return { rows, distinct: Math.max(1, Math.min(distinct, rows)), nullFraction };
}

/** Facts of what an index computes; null for other expressions. */
export function expressionFacts(
  place: IndexedRelation,
  rows: number,
  expr: Expr,
): ColumnFacts | null {
  const { indexes, statistics } = place.table;
  for (const index of indexes) {
    for (const [i, key] of index.columns.entries()) {
      if (key.expression === null || keyTest(place, key)?.(expr) !== true) continue;
      const isUnique = index.unique && index.predicate === null && index.columns.length === 1;
      const found = statistics?.expressions?.find(
        ({ index: oid, column }) => oid === index.oid && column === i,
      );
      if (found === undefined && !isUnique) continue;
      const distinct = isUnique ? rows : (found?.distinct ?? 0);
      const nullFraction = found?.nullFraction ?? DEFAULT_NULLS;
      return { rows, distinct: clamp(distinct, 1, Math.max(1, rows)), nullFraction };
    }
  }
  return null;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function selectivity(expr: Expr, factsOf: FactsOf): number {
  switch (expr.kind) {
    case 'const':
      return expr.value === true ? 1 : 0;
    case 'and':
      return conjunctionSelectivity(expr.arguments, factsOf);
    case 'or':
      return expr.arguments.reduce((sum, part) => {
        const next = selectivity(part, factsOf);
        return sum + next - sum * next;
      }, 0);
    case 'not':
      return 1 - selectivity(expr.argument, factsOf);
    case 'call':
      return callSelectivity(expr, factsOf);
    case 'rowCompare': {
      const leading = leadingComparison(expr);
      return leading === null ? DEFAULT_UNKNOWN : callSelectivity(leading, factsOf);
    }
    case 'isNull': {
      const facts = factsOf(stripRelabel(expr.argument));
      const nulls = facts?.nullFraction ?? DEFAULT_RANGE;
      return expr.negated ? 1 - nulls : nulls;
    }
    case 'booleanTest':
      return expr.test === 'unknown' ? (expr.negated ? 0.995 : 0.005) : 0.5;
    case 'any': {
      const facts = factsOf(stripRelabel(expr.left));
      const one = equalitySelectivity(facts, expr.operator);
      const count = expr.list?.length ?? arrayLength(expr.array);
      return clamp(one * count, 0, 1);
    }
    case 'all': {
      const facts = factsOf(stripRelabel(expr.left));
      const count = expr.list?.length ?? arrayLength(expr.array);
      return clamp(1 - equalitySelectivity(facts, 0) * count, 0, 1);
    }
    case 'distinct': {
      const facts = factsOf(stripRelabel(expr.left));
      const one = equalitySelectivity(facts, 0);
      return expr.negated ? one : 1 - one;
    }
    case 'column': {
      return DEFAULT_UNKNOWN;
    }
    default:
      return DEFAULT_UNKNOWN;
  }
}

function arrayLength(array: Expr | null): number {
  if (array?.kind === 'array') return array.elements.length;
  return 10;
}

function equalitySelectivity(facts: ColumnFacts | null, operator: number): number {
  const estimator = operatorByOid(operator)?.restrict ?? 'eqsel';
  if (estimator !== 'eqsel') return DEFAULT_INEQUALITY;
  return facts === null ? DEFAULT_EQUAL : (1 - facts.nullFraction) / facts.distinct;
}

/** Two bounds on one expression make a range. */
function conjunctionSelectivity(parts: readonly Expr[], factsOf: FactsOf): number {
  return clausesSelectivity(parts, factsOf);
}

export function clausesSelectivity(parts: readonly Expr[], factsOf: FactsOf): number {
  let product = 1;
  const bounds: { readonly expr: Expr; low: number; high: number }[] = [];
  for (const part of parts) {
    const side = part.kind === 'call' ? boundSide(part) : null;
    if (side === null) {
      product *= selectivity(part, factsOf);
      continue;
    }
    let known = bounds.find(({ expr }) => sameExpr(expr, side.expr));
    if (known === undefined) {
      known = { expr: side.expr, low: 0, high: 0 };
      bounds.push(known);
    }
    known[side.direction]++;
  }
  for (const { low, high } of bounds) {
    if (low > 0 && high > 0) product *= DEFAULT_RANGE;
    else product *= DEFAULT_INEQUALITY;
  }
  return product;
}

/** The expression that a comparison bounds, and from which side. */
function boundSide(call: CallExpr): { expr: Expr; direction: 'low' | 'high' } | null {
  const estimator = operatorByOid(call.operator)?.restrict ?? '';
  const [left, right] = call.arguments.map(stripRelabel);
  const lower = estimator === 'scalargtsel' || estimator === 'scalargesel';
  const upper = estimator === 'scalarltsel' || estimator === 'scalarlesel';
  if ((!lower && !upper) || left === undefined || right === undefined) return null;
  const flipped = !readsColumns(left);
  if (flipped !== readsColumns(right)) return null;
  return { expr: flipped ? right : left, direction: lower !== flipped ? 'low' : 'high' };
}

function readsColumns(expr: Expr): boolean {
  return someExpr(expr, ({ kind }) => kind === 'column');
}

function callSelectivity(call: CallExpr, factsOf: FactsOf): number {
  const operator = operatorByOid(call.operator);
  const [left, right] = call.arguments.map(stripRelabel);
  if (operator === undefined || left === undefined || right === undefined) return 1 / 3;
  const leftFacts = factsOf(left);
  const rightFacts = factsOf(right);
  switch (operator.restrict) {
    case 'eqsel':
    case 'neqsel': {
      let equal: number;
      if (leftFacts !== null && rightFacts !== null) {
        equal =
          ((1 - leftFacts.nullFraction) * (1 - rightFacts.nullFraction)) /
          Math.max(leftFacts.distinct, rightFacts.distinct);
      } else equal = equalitySelectivity(leftFacts ?? rightFacts, 0);
      return operator.restrict === 'eqsel' ? equal : 1 - equal;
    }
    case 'scalarltsel':
    case 'scalarlesel':
    case 'scalargtsel':
    case 'scalargesel':
      return DEFAULT_INEQUALITY;
    case 'likesel':
    case 'iclikesel':
    case 'regexeqsel':
    case 'icregexeqsel':
    case 'prefixsel':
      return DEFAULT_MATCH;
    case 'nlikesel':
    case 'icnlikesel':
    case 'regexnesel':
    case 'icregexnesel':
      return 1 - DEFAULT_MATCH;
    default:
      return DEFAULT_UNKNOWN;
  }
}
