import type { FromItem, Query, RangeTableEntry, SelectQuery } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { someExpr, visitQueryReferences } from '../expression-tree.ts';
import { functionByOid } from '../functions/index.ts';
import {
  type QueryRewrite,
  raise,
  rewriteEntry,
  rewriteExpr,
  rewriteFrom,
  rewriteQuery,
} from '../query-rewrite.ts';
import { allOf, parts } from './conjunctions.ts';
import { readExtremes } from './min-max.ts';

/** A subquery of WHERE that is joined instead of run for each row. */
export interface SemiJoinItem {
  readonly join: 'semi' | 'anti';
  readonly from: readonly FromItem[];
  readonly conditions: readonly Expr[];
}

export interface FlatQuery {
  readonly query: SelectQuery;
  readonly semiJoins: readonly SemiJoinItem[];
}

/** Merges simple subqueries of FROM with the query around them, and turns EXISTS and IN of WHERE
 * into semi joins, NOT EXISTS into anti joins. */
export function flatten(original: SelectQuery): FlatQuery {
  let query = original;
  for (;;) {
    const relation = query.from.map(pullable(query)).find((found) => found !== null) ?? null;
    if (relation === null) break;
    query = pullUp(query, relation);
  }
  return joinSubqueries(readExtremes(query));
}

/** Finds a FROM subquery to merge; those whose rows an outer join may replace by nulls stay. */
function pullable(query: SelectQuery): (item: FromItem) => number | null {
  const search = (item: FromItem): number | null => {
    if (item.kind === 'relation') {
      const entry = query.rangeTable[item.relation];
      const merges = entry?.kind === 'subquery' && isSimple(entry.query);
      return merges ? item.relation : null;
    }
    const left = item.join === 'right' || item.join === 'full' ? null : search(item.left);
    if (left !== null) return left;
    return item.join === 'left' || item.join === 'full' ? null : search(item.right);
  };
  return search;
}

function isSimple(query: Query): query is SelectQuery {
  return (
    query.kind === 'select' &&
    query.from.length > 0 &&
    isPlain(query) &&
    query.output.every((column) => !isUnstable(column.expr))
  );
}

/** A query whose rows are those of its FROM and WHERE. */
function isPlain(query: SelectQuery): boolean {
  return (
    query.ctes.length === 0 &&
    query.groupBy.length === 0 &&
    query.groupingSets === null &&
    !query.hasAggregates &&
    query.having === null &&
    query.windows.length === 0 &&
    query.distinct === 'none' &&
    query.orderBy.length === 0 &&
    query.limit === null &&
    query.offset === null &&
    query.locking.length === 0 &&
    query.barrier !== true &&
    !query.output.some((column) => someExpr(column.expr, (part) => part.kind === 'setCall')) &&
    !aggregatesOutside(query)
  );
}

function isUnstable(expr: Expr): boolean {
  return someExpr(expr, (part) => {
    if (part.kind === 'sequence' || part.kind === 'subquery') return true;
    return part.kind === 'call' && functionByOid(part.function)?.volatility === 'v';
  });
}

function aggregatesOutside(query: Query): boolean {
  let found = false;
  visitQueryReferences(
    query,
    (reference, depth) => {
      if (reference.kind === 'aggregate' && reference.level >= depth) found = true;
    },
    0,
  );
  return found;
}

/** How a subquery's parts read after it has become part of the query around it. */
function merging(offset: number): QueryRewrite {
  return {
    reference(expr, depth) {
      if (expr.kind !== 'column') return null;
      if (expr.level === depth) return { ...expr, relation: expr.relation + offset };
      return expr.level > depth ? { ...expr, level: expr.level - 1 } : expr;
    },
    cteLevel: (level, depth) => (level > depth ? level - 1 : level),
  };
}

function pullUp(query: SelectQuery, relation: number): SelectQuery {
  const entry = query.rangeTable[relation];
  if (entry?.kind !== 'subquery' || entry.query.kind !== 'select') return query;
  const inner = entry.query;
  const offset = query.rangeTable.length;
  const merge = merging(offset);
  const added = inner.rangeTable.map((part) => rewriteEntry(part, merge, 0));
  const from = inner.from.map((item) => moved(item, merge, offset)).reduce(crossJoin);
  const outputs = inner.output.map((column) => rewriteExpr(column.expr, merge, 0));
  const conditions = inner.where === null ? [] : [rewriteExpr(inner.where, merge, 0)];
  const replace: QueryRewrite = {
    reference(expr, depth) {
      if (expr.kind !== 'column') return null;
      if (expr.level !== depth || expr.relation !== relation) return expr;
      return raise(outputs[expr.column] as Expr, depth);
    },
    cteLevel: (level) => level,
  };
  const outer = rewriteQuery(withoutEntry(query, relation), replace, 0);
  const place = (item: FromItem): FromItem => {
    if (item.kind === 'relation') return item.relation === relation ? from : item;
    return { ...item, left: place(item.left), right: place(item.right) };
  };
  return {
    ...outer,
    rangeTable: [...outer.rangeTable, ...added],
    from: outer.from.map(place),
    where: allOf([...(outer.where === null ? [] : [outer.where]), ...conditions]),
  };
}

/** The query without what an entry stood for that nothing refers to any more: its number stays. */
function withoutEntry(query: SelectQuery, relation: number): SelectQuery {
  const rangeTable = query.rangeTable.map((entry, i): RangeTableEntry => {
    if (i !== relation) return entry;
    return { kind: 'join', alias: entry.alias, columns: entry.columns, expressions: [] };
  });
  return { ...query, rangeTable };
}

function moved(item: FromItem, merge: QueryRewrite, offset: number): FromItem {
  const renumber = (part: FromItem): FromItem =>
    part.kind === 'relation'
      ? { ...part, relation: part.relation + offset }
      : {
          ...part,
          relation: part.relation + offset,
          left: renumber(part.left),
          right: renumber(part.right),
        };
  return renumber(rewriteFrom(item, (expr) => rewriteExpr(expr, merge, 0)));
}

function crossJoin(left: FromItem, right: FromItem): FromItem {
  return { kind: 'join', join: 'cross', left, right, on: null, relation: -1 };
}

/** EXISTS and IN among the conditions of WHERE become joins. */
function joinSubqueries(query: SelectQuery): FlatQuery {
  if (query.locking.length > 0 || query.from.length === 0) return { query, semiJoins: [] };
  const rangeTable: RangeTableEntry[] = [...query.rangeTable];
  const semiJoins: SemiJoinItem[] = [];
  const kept: Expr[] = [];
  for (const condition of parts(query.where)) {
    const item = semiJoinOf(condition, rangeTable);
    if (item === null) kept.push(condition);
    else semiJoins.push(item);
  }
  if (semiJoins.length === 0) return { query, semiJoins };
  return { query: { ...query, rangeTable, where: allOf(kept) }, semiJoins };
}

function semiJoinOf(condition: Expr, rangeTable: RangeTableEntry[]): SemiJoinItem | null {
  const negated = condition.kind === 'not';
  const test = negated ? condition.argument : condition;
  if (test.kind !== 'subquery' || test.query.kind !== 'select') return null;
  const isExists = test.form === 'exists';
  if (!isExists && (test.form !== 'any' || negated || test.comparison === null)) return null;
  const inner = test.query;
  if (inner.from.length === 0 || !isPlain(inner)) return null;
  // Only its conditions may look outside; and some must, or it is run once anyway.
  const outside = (expr: Expr) =>
    refersOutside({ ...inner, output: [], where: expr, rangeTable: [], from: [] });
  if (refersOutside({ ...inner, where: null, output: isExists ? [] : inner.output })) return null;
  const correlated = parts(inner.where).some(outside);
  if (isExists && !correlated) return null;
  if (!isExists && inner.output.some((column) => isUnstable(column.expr))) return null;
  if (test.comparison !== null && isUnstable(test.comparison)) return null;
  const offset = rangeTable.length;
  const merge = merging(offset);
  const outputs = inner.output.map((column) => rewriteExpr(column.expr, merge, 0));
  for (const entry of inner.rangeTable) rangeTable.push(rewriteEntry(entry, merge, 0));
  const compared: QueryRewrite = {
    reference: (expr) => (expr.kind === 'input' ? (outputs[expr.column] as Expr) : null),
    cteLevel: (level) => level,
  };
  const conditions = parts(inner.where).map((part) => rewriteExpr(part, merge, 0));
  if (test.comparison !== null)
    conditions.push(...parts(rewriteExpr(test.comparison, compared, 0)));
  return {
    join: negated ? 'anti' : 'semi',
    from: inner.from.map((item) => moved(item, merge, offset)),
    conditions,
  };
}

function refersOutside(query: Query): boolean {
  let found = false;
  visitQueryReferences(
    query,
    (reference, depth) => {
      if (reference.kind === 'column' && reference.level > depth) found = true;
    },
    0,
  );
  return found;
}
