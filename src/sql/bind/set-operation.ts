import type { SelectStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import { raiseQuery } from '../query-rewrite.ts';
import type { Binder } from './binder.ts';
import { coerceToCommon, commonTypmod, selectCommonType } from './coercion.ts';
import { bindLimit } from './limit-clause.ts';
import { bindOutputOrder } from './output-order.ts';
import type { OutputColumn, Query, SetOperationQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { requireEquality } from './sort-keys.ts';
import { visibleOutput } from './sublinks.ts';
import { NO_SOURCE } from './target-list.ts';

/** UNION, INTERSECT and EXCEPT. */

const OPERATIONS = {
  SETOP_UNION: 'union',
  SETOP_INTERSECT: 'intersect',
  SETOP_EXCEPT: 'except',
} as const;

export function bindSetOperation(b: Binder, scope: Scope, node: SelectStmt): SetOperationQuery {
  const operation = OPERATIONS[node.op as keyof typeof OPERATIONS];
  const name = operation.toUpperCase();
  if ((node.lockingClause?.length ?? 0) > 0) {
    throw pgError('feature_not_supported', 'FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT');
  }
  const left = bindSelectStatement(b, scope, node.larg as SelectStmt, { keepUnknown: true });
  const right = bindSelectStatement(b, scope, node.rarg as SelectStmt, { keepUnknown: true });
  const leftColumns = visibleOutput(left);
  const rightColumns = visibleOutput(right);
  if (leftColumns.length !== rightColumns.length) {
    const first = rightColumns[0];
    throw pgError(
      'syntax_error',
      `each ${name} query must have the same number of columns`,
      first === undefined ? {} : b.positionOf(first.expr),
    );
  }
  const all = node.all === true;
  const leftExprs: Expr[] = [];
  const rightExprs: Expr[] = [];
  const output: OutputColumn[] = leftColumns.map((column, i) => {
    const other = rightColumns[i] as OutputColumn;
    const type = selectCommonType(b, [column.expr, other.expr], name);
    const a = coerceToCommon(b, column.expr, type, name);
    const c = coerceToCommon(b, other.expr, type, name);
    leftExprs.push(a);
    rightExprs.push(c);
    if (!all) requireEquality(b, a);
    const expr: Expr = { kind: 'input', type, typmod: commonTypmod([a, c], type), column: i };
    return { name: column.name, expr: b.at(expr, b.locationOf(a)), junk: false, ...NO_SOURCE };
  });
  const orderBy = bindOutputOrder(b, output, node.sortClause ?? [], 'UNION/INTERSECT/EXCEPT');
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  return {
    kind: 'setOperation',
    ctes: scope.ctes,
    operation,
    all,
    left: withOutput(left, leftExprs),
    right: withOutput(right, rightExprs),
    output,
    orderBy,
    limit,
    offset,
    withTies,
  };
}

/** The query with other expressions for its result columns: casts of what it had. */
function withOutput(query: Query, exprs: readonly Expr[]): Query {
  const before = visibleOutput(query);
  if (exprs.every((expr, i) => expr === before[i]?.expr)) return query;
  if (query.kind === 'select' && query.distinct === 'none' && query.orderBy.length === 0) {
    const output = query.output.map((column, i) => ({ ...column, expr: exprs[i] as Expr }));
    return { ...query, output };
  }
  if (query.kind === 'values' && query.orderBy.length === 0) {
    // An untyped constant of VALUES takes its type in each row.
    const output = query.output.map((column, i) => ({ ...column, expr: exprs[i] as Expr }));
    return { ...query, output };
  }
  const columns = before.map(({ name, expr }) => ({ name, type: expr.type, typmod: expr.typmod }));
  return {
    kind: 'select',
    ctes: [],
    rangeTable: [
      { kind: 'subquery', alias: '*SELECT*', columns, query: raiseQuery(query, 1), lateral: false },
    ],
    from: [{ kind: 'relation', relation: 0 }],
    where: null,
    output: before.map((column, i) => ({
      ...column,
      expr: overSubquery(exprs[i] as Expr, column.expr, i),
    })),
    groupBy: [],
    groupingSets: null,
    hasAggregates: false,
    having: null,
    windows: [],
    distinct: 'none',
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
    locking: [],
  };
}

/** The cast `expr` of `inner`, taken over column `column` of a subquery that yields `inner`. */
function overSubquery(expr: Expr, inner: Expr, column: number): Expr {
  const { type, typmod } = inner;
  const reference: Expr = { kind: 'column', type, typmod, level: 0, relation: 0, column };
  if (expr === inner) return reference;
  if (expr.kind === 'cast' || expr.kind === 'typmod') {
    return { ...expr, argument: overSubquery(expr.argument, inner, column) };
  }
  return reference;
}
