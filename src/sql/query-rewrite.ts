import type { FromItem, OutputColumn, Query, RangeTableEntry } from './bind/query.ts';
import type { Expr, SortKey } from './expression.ts';
import { mapChildren, mapKeys, mapList, mapWindow } from './expression-tree.ts';

/** What a rewrite does to the parts of a query that name columns or common tables. */
export interface QueryRewrite {
  /** The expression with what refers to the query `depth` levels out changed; must not descend into
   * subqueries itself: `rewriteExpr` does. Null to go on with the children. */
  reference(expr: Expr, depth: number): Expr | null;
  cteLevel(level: number, depth: number): number;
  /** Where not given, aggregates stay at their levels. */
  aggregateLevel?(level: number, depth: number): number;
}

/** Rewrites an expression and the subqueries within. */
export function rewriteExpr(expr: Expr, rewrite: QueryRewrite, depth: number): Expr {
  const changed = rewrite.reference(expr, depth);
  if (changed !== null) return changed;
  const mapped = mapChildren(expr, (child) => rewriteExpr(child, rewrite, depth));
  if (mapped.kind === 'aggregate' && rewrite.aggregateLevel !== undefined) {
    const level = rewrite.aggregateLevel(mapped.level, depth);
    return level === mapped.level ? mapped : { ...mapped, level };
  }
  if (mapped.kind !== 'subquery') return mapped;
  return { ...mapped, query: rewriteQuery(mapped.query, rewrite, depth + 1) };
}

/** Rewrites every expression and common table reference of a query and of those within. */
export function rewriteQuery<Kind extends Query>(
  query: Kind,
  rewrite: QueryRewrite,
  depth: number,
): Kind {
  const expr = (part: Expr) => rewriteExpr(part, rewrite, depth);
  const maybe = (part: Expr | null) => part && expr(part);
  const outputs = (columns: readonly OutputColumn[]) =>
    columns.map((column) => ({ ...column, expr: expr(column.expr) }));
  const keys = (list: readonly SortKey[]) => mapKeys(list, expr);
  const ctes = query.ctes.map((cte) => ({
    ...cte,
    query: rewriteQuery(cte.query, rewrite, depth + 1),
  }));
  const rewritten = ((): Query => {
    switch (query.kind) {
      case 'select':
        return {
          ...query,
          ctes,
          rangeTable: query.rangeTable.map((entry) => rewriteEntry(entry, rewrite, depth)),
          from: query.from.map((item) => rewriteFrom(item, expr)),
          where: maybe(query.where),
          output: outputs(query.output),
          groupBy: mapList(query.groupBy, expr),
          having: maybe(query.having),
          windows: query.windows.map((window) => mapWindow(window, expr)),
          distinct:
            typeof query.distinct === 'object'
              ? { on: mapList(query.distinct.on, expr) }
              : query.distinct,
          orderBy: keys(query.orderBy),
          limit: maybe(query.limit),
          offset: maybe(query.offset),
        };
      case 'values':
        return {
          ...query,
          ctes,
          rows: query.rows.map((row) => mapList(row, expr)),
          output: outputs(query.output),
          limit: maybe(query.limit),
          offset: maybe(query.offset),
        };
      case 'setOperation':
        return {
          ...query,
          ctes,
          left: rewriteQuery(query.left, rewrite, depth + 1),
          right: rewriteQuery(query.right, rewrite, depth + 1),
          limit: maybe(query.limit),
          offset: maybe(query.offset),
        };
      default:
        // Statements that write stand at the top alone, where nothing is rewritten.
        return query;
    }
  })();
  return rewritten as Kind;
}

export function rewriteEntry(
  entry: RangeTableEntry,
  rewrite: QueryRewrite,
  depth: number,
): RangeTableEntry {
  const expr = (part: Expr) => rewriteExpr(part, rewrite, depth);
  switch (entry.kind) {
    case 'subquery':
      return { ...entry, query: rewriteQuery(entry.query, rewrite, depth + 1) };
    case 'cte':
      return { ...entry, level: rewrite.cteLevel(entry.level, depth) };
    case 'function':
      return { ...entry, calls: mapList(entry.calls, expr) };
    case 'values':
      return { ...entry, rows: entry.rows.map((row) => mapList(row, expr)) };
    default:
      return entry;
  }
}

export function rewriteFrom(item: FromItem, expr: (part: Expr) => Expr): FromItem {
  if (item.kind === 'relation') return item;
  return {
    ...item,
    left: rewriteFrom(item.left, expr),
    right: rewriteFrom(item.right, expr),
    on: item.on && expr(item.on),
  };
}

/** An expression that moves `levels` queries further in (below 0: further out): what it says of the
 * queries from level `from` on has its level changed. */
export function raise(expr: Expr, levels: number, from = 0): Expr {
  return levels === 0 ? expr : rewriteExpr(expr, moving(levels, from), 0);
}

/** A query that moves `levels` queries further in. */
export function raiseQuery<Kind extends Query>(query: Kind, levels: number): Kind {
  return rewriteQuery(query, moving(levels, 1), 0);
}

function moving(levels: number, from: number): QueryRewrite {
  const move = (level: number, depth: number) => (level >= depth + from ? level + levels : level);
  return {
    reference: (part, depth) =>
      part.kind === 'column' && part.level >= depth + from
        ? { ...part, level: part.level + levels }
        : null,
    cteLevel: move,
    aggregateLevel: move,
  };
}
