import type { Query } from '../bind/query.ts';
import { visibleOutput } from '../bind/sublinks.ts';
import type { Expr, SequenceExpr } from '../expression.ts';
import { someExpr, visitChildren, visitQuery } from '../expression-tree.ts';
import {
  isCatalogFunction,
  isCatalogType,
  isSessionFunction,
  isWriterFunction,
} from '../functions/index.ts';
import { changesData, plannedCte } from './ctes.ts';
import type { Plan, ResultColumn } from './plan.ts';
import { QueryPlanner } from './query-planner.ts';
import { type PlanContext, StatementPlanner } from './statement-planner.ts';

/** Plans a bound query. */
export function planQuery(query: Query, context: PlanContext): Plan {
  const statement = new StatementPlanner(context);
  const planner = new QueryPlanner(statement, query, null, false);
  const root = planner.plan();
  // Nodes do not refer to views, but the plan is locked against their changes, too.
  for (const view of context.views ?? []) statement.tableIndex(view);
  const changes = planner.ctes.filter(({ cte }) => changesData(cte.query)).map(plannedCte);
  const output = visibleOutput(query).map(
    ({ name, expr, sourceTable, sourceColumn }): ResultColumn => ({
      name,
      type: expr.type,
      typmod: expr.typmod,
      sourceTable,
      sourceColumn,
    }),
  );
  return {
    root,
    subplans: statement.subplans,
    ctes: statement.ctes,
    changes,
    tables: statement.tables,
    slots: statement.slots,
    output,
    parameterTypes: context.parameterTypes,
    needsWriter: statement.needsWriter || callsWriter(query),
    needsCatalog: statement.needsCatalog || asksCatalog(query),
    needsSession: asksSession(query),
    needsSessionState: statement.needsSessionState,
    rowByRow: callsMeet(query),
    catalogVersion: context.catalog.version,
  };
}

/** Whether one of the query's calls on sequences changes what another one gives. */
function callsMeet(query: Query): boolean {
  const calls: SequenceExpr[] = [];
  someExprOf(query, (part) => {
    if (part.kind === 'sequence') calls.push(part);
    return false;
  });
  return calls.some(
    (call) =>
      (call.operation === 'nextval' || call.operation === 'setval') &&
      calls.some((other) => other !== call && mayBeOfOneSequence(call, other)),
  );
}

function mayBeOfOneSequence(a: SequenceExpr, b: SequenceExpr): boolean {
  if (a.relation?.kind !== 'const' || b.relation?.kind !== 'const') return true;
  return a.relation.value === b.relation.value;
}

/** Whether the statement advances sequences, or takes or shows locks. */
function callsWriter(query: Query): boolean {
  return someExprOf(
    query,
    (part) => part.kind === 'sequence' || (part.kind === 'call' && isWriterFunction(part.function)),
  );
}

function asksSession(query: Query): boolean {
  return someExprOf(
    query,
    (part) => (part.kind === 'call' || part.kind === 'setCall') && isSessionFunction(part.function),
  );
}

/** Whether the statement calls functions that ask the catalog, or turns values such as regclass into
 * text or back. */
function asksCatalog(query: Query): boolean {
  return (
    visibleOutput(query).some(({ expr }) => isCatalogType(expr.type)) ||
    someExprOf(query, isCatalogExpr)
  );
}

function isCatalogExpr(expr: Expr): boolean {
  switch (expr.kind) {
    case 'call':
    case 'setCall':
    case 'aggregate':
    case 'window':
      return (
        isCatalogFunction(expr.function) ||
        expr.arguments.some((argument) => isCatalogType(argument.type))
      );
    case 'row':
      return expr.fields.some((field) => isCatalogType(field.type));
    case 'cast':
      return (
        expr.method !== 'relabel' && (isCatalogType(expr.type) || isCatalogType(expr.argument.type))
      );
    case 'sqlValue':
      return expr.name === 'current_schema';
    default:
      return false;
  }
}

/** Whether an expression of the query, or of a query in it, passes the test. */
function someExprOf(query: Query, test: (part: Expr) => boolean): boolean {
  let found = false;
  const visitExpr = (expr: Expr): void => {
    found ||= someExpr(expr, test);
    const enter = (part: Expr): void => {
      if (part.kind === 'subquery') found ||= someExprOf(part.query, test);
      visitChildren(part, enter);
    };
    enter(expr);
  };
  visitQuery(query, visitExpr, (inner) => {
    found ||= someExprOf(inner, test);
  });
  return found;
}
