import type { Query, SelectQuery, SetOperationQuery } from '../bind/query.ts';
import { ROW_MARK_COLUMN } from '../bind/query.ts';
import type { ColumnExpr, Expr } from '../expression.ts';
import { sameExpr, someExpr } from '../expression-tree.ts';
import { functionByOid } from '../functions/index.ts';
import { rewriteExpr } from '../query-rewrite.ts';
import { allOf, parts } from './conjunctions.ts';

/** A query with conditions of the query around it, and the conditions that have to stay there. */
export interface PushedDown {
  readonly query: Query;
  readonly rest: readonly Expr[];
}

/** Moves conditions on the rows of a query of FROM, which is the relation `relation` of the query around it,
 * into it, where that changes no result: as deep as they can go they may use an index, and keep rows from
 * being grouped, sorted or numbered. The rules are PostgreSQL's (subquery_is_pushdown_safe). */
export function pushDown(query: Query, relation: number, conditions: readonly Expr[]): PushedDown {
  if (!takesConditions(query)) return { query, rest: conditions };
  const movable = conditions.filter(
    (condition) => isMovable(condition, relation) && accepts(query, condition, relation),
  );
  if (movable.length === 0) return { query, rest: conditions };
  return {
    query: withConditions(query, movable, relation, 1),
    rest: conditions.filter((condition) => !movable.includes(condition)),
  };
}

type Taker = SelectQuery | SetOperationQuery;

/** Which rows a LIMIT cuts off, and which rows are locked, depends on those that are there. */
function takesConditions(query: Query): query is Taker {
  if (query.kind === 'select') {
    const { limit, offset, locking, barrier } = query;
    return limit === null && offset === null && locking.length === 0 && barrier !== true;
  }
  return query.kind === 'setOperation' && query.limit === null && query.offset === null;
}

/** A condition that can be computed at any time and place: on columns of the relation alone. */
function isMovable(condition: Expr, relation: number): boolean {
  return !someExpr(condition, (part) => {
    if (part.kind === 'column' && part.level === 0) {
      return part.relation !== relation || part.column === ROW_MARK_COLUMN;
    }
    return isOnce(part) || part.kind === 'subquery';
  });
}

/** What must be computed as often as it is written: a sequence, a set, a volatile function. */
function isOnce(part: Expr): boolean {
  if (part.kind === 'sequence' || part.kind === 'setCall') return true;
  return part.kind === 'call' && functionByOid(part.function)?.volatility === 'v';
}

/** Whether the query has the same rows with the condition when it is applied inside. */
function accepts(query: Query, condition: Expr, relation: number): boolean {
  if (!takesConditions(query)) return false;
  const columns = columnsOf(condition, relation);
  if (query.kind === 'setOperation') {
    const isSame = columns.every(({ column, type }) => {
      const expr = query.output[column]?.expr;
      return expr?.kind === 'input' && expr.column === column && expr.type === type;
    });
    if (!isSame || !accepts(query.left, condition, relation)) return false;
    return query.operation === 'except' || accepts(query.right, condition, relation);
  }
  return columns.every((column) => passes(query, column));
}

/** Whether a column can be read below what makes the query's rows: rows that are equal in it go together. */
function passes(query: SelectQuery, { column, type }: ColumnExpr): boolean {
  const expr = query.output[column]?.expr;
  if (expr === undefined || expr.type !== type) return false;
  if (
    someExpr(expr, (part) => isOnce(part) || part.kind === 'subquery' || part.kind === 'window')
  ) {
    return false;
  }
  const { distinct } = query;
  if (typeof distinct === 'object' && !distinct.on.some((key) => sameExpr(key, expr))) return false;
  return query.windows.every(({ partitionBy }) =>
    partitionBy.some((key) => sameExpr(key.expr, expr)),
  );
}

function columnsOf(condition: Expr, relation: number): ColumnExpr[] {
  const columns: ColumnExpr[] = [];
  someExpr(condition, (part) => {
    if (part.kind === 'column' && part.level === 0 && part.relation === relation) {
      columns.push(part);
    }
    return false;
  });
  return columns;
}

/** `levels`: how many queries the query is inside of the one that the conditions are of. */
function withConditions(
  query: Query,
  conditions: readonly Expr[],
  relation: number,
  levels: number,
): Query {
  if (query.kind === 'setOperation') {
    const member = (inner: Query) => withConditions(inner, conditions, relation, levels + 1);
    const left = member(query.left);
    return query.operation === 'except'
      ? { ...query, left }
      : { ...query, left, right: member(query.right) };
  }
  if (query.kind !== 'select') return query;
  const own = conditions.map((condition) => inside(condition, query, relation, levels));
  const grouped = query.hasAggregates || query.groupBy.length > 0 || query.groupingSets !== null;
  return grouped
    ? { ...query, having: allOf([...parts(query.having), ...own]) }
    : { ...query, where: allOf([...parts(query.where), ...own]) };
}

/** The condition as the query itself would write it. */
function inside(condition: Expr, query: SelectQuery, relation: number, levels: number): Expr {
  return rewriteExpr(
    condition,
    {
      reference(part, depth) {
        if (part.kind !== 'column') return null;
        if (part.level > depth) return { ...part, level: part.level + levels };
        return part.relation === relation ? (query.output[part.column]?.expr ?? part) : part;
      },
      cteLevel: (level) => level,
      aggregateLevel: (level, depth) => (level > depth ? level + levels : level),
    },
    0,
  );
}

/** HAVING without the conditions that are the same for all rows of a group, which WHERE applies sooner. */
export function havingToWhere(query: SelectQuery): SelectQuery {
  if (query.having === null || query.groupBy.length === 0 || query.groupingSets !== null) {
    return query;
  }
  const staying = parts(query.having).filter((part) =>
    someExpr(
      part,
      (inner) => isOnce(inner) || inner.kind === 'subquery' || inner.kind === 'aggregate',
    ),
  );
  const moving = parts(query.having).filter((part) => !staying.includes(part));
  if (moving.length === 0) return query;
  return { ...query, having: allOf(staying), where: allOf([...parts(query.where), ...moving]) };
}
