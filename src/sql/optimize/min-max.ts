import { OID } from '../../types/index.ts';
import type { RangeTableEntry, SelectQuery } from '../bind/query.ts';
import type { AggregateExpr, Expr, SubqueryExpr } from '../expression.ts';
import { mapChildren, visitChildren } from '../expression-tree.ts';
import { aggregateByOid, operatorByOid } from '../functions/index.ts';
import { raise } from '../query-rewrite.ts';
import { keyTest, usablePart } from './index-keys.ts';

/** `SELECT min(x), max(x) FROM t` where an index begins with x, column or expression: each is the first
 * row of the index, `(SELECT x FROM t WHERE x IS NOT NULL ORDER BY x LIMIT 1)`. */
export function readExtremes(query: SelectQuery): SelectQuery {
  const [item] = query.from;
  if (!query.hasAggregates || query.groupBy.length > 0 || query.groupingSets !== null) return query;
  if (query.from.length !== 1 || item?.kind !== 'relation' || query.orderBy.length > 0)
    return query;
  if (query.distinct !== 'none' || query.windows.length > 0) return query;
  const entry = query.rangeTable[item.relation];
  if (entry?.kind !== 'table') return query;
  const exprs = [
    ...query.output.map((column) => column.expr),
    ...(query.having ? [query.having] : []),
  ];
  const extremes = new Map<AggregateExpr, SubqueryExpr>();
  let possible = true;
  const collect = (expr: Expr): void => {
    if (expr.kind === 'subquery') possible = false;
    if (expr.kind !== 'aggregate' || expr.level > 0) {
      visitChildren(expr, collect);
      return;
    }
    const subquery = extremeOf(query, entry, item.relation, expr);
    if (subquery === null) possible = false;
    else extremes.set(expr, subquery);
  };
  for (const expr of exprs) collect(expr);
  if (!possible || extremes.size === 0) return query;
  const replace = (expr: Expr): Expr => {
    const found = expr.kind === 'aggregate' ? extremes.get(expr) : undefined;
    return found ?? mapChildren(expr, replace);
  };
  return {
    ...query,
    rangeTable: [],
    from: [],
    where: query.having && replace(query.having),
    having: null,
    hasAggregates: false,
    output: query.output.map((column) => ({ ...column, expr: replace(column.expr) })),
  };
}

function extremeOf(
  query: SelectQuery,
  entry: Extract<RangeTableEntry, { kind: 'table' }>,
  relation: number,
  expr: AggregateExpr,
): SubqueryExpr | null {
  const sortOperator = operatorByOid(aggregateByOid(expr.function)?.sortOperator ?? 0);
  const [argument] = expr.arguments;
  if (sortOperator === undefined || expr.arguments.length !== 1 || argument === undefined)
    return null;
  if (expr.filter !== null || expr.distinct) return null;
  const { attributes, table } = entry;
  const place = { relation, attributes, table };
  const present = isPresent(argument);
  const conditions = query.where === null ? [present] : [query.where, present];
  const indexed = table.indexes.some((index) => {
    const [first] = index.columns;
    if (first === undefined || first.descending || first.nullsFirst) return false;
    if (first.expression === null && argument.kind !== 'column') return false;
    if (keyTest(place, first)?.(argument) !== true) return false;
    return index.predicate === null || usablePart(place, index, conditions) !== null;
  });
  if (!indexed) return null;
  const descending = sortOperator.name === '>';
  return {
    kind: 'subquery',
    type: expr.type,
    typmod: expr.typmod,
    form: 'scalar',
    comparison: null,
    query: firstOf(query, argument, descending),
  };
}

function isPresent(argument: Expr): Expr {
  return { kind: 'isNull', type: OID.bool, typmod: -1, argument, negated: true };
}

function firstOf(query: SelectQuery, value: Expr, descending: boolean): SelectQuery {
  const present = isPresent(value);
  const where: Expr =
    query.where === null
      ? present
      : { kind: 'and', type: OID.bool, typmod: -1, arguments: [raise(query.where, 1, 1), present] };
  return {
    ...query,
    ctes: [],
    where,
    output: [{ name: 'extreme', expr: value, junk: false, sourceTable: 0, sourceColumn: 0 }],
    hasAggregates: false,
    having: null,
    orderBy: [{ expr: value, descending, nullsFirst: descending }],
    limit: { kind: 'const', type: OID.int8, typmod: -1, value: 1 },
    offset: null,
    withTies: false,
  };
}
