import type { Query } from '../bind/query.ts';
import { visibleOutput } from '../bind/sublinks.ts';
import type { Expr } from '../expression.ts';
import { someExpr, visitChildren, visitQuery } from '../expression-tree.ts';
import type { Plan, ResultColumn } from './plan.ts';
import { QueryPlanner } from './query-planner.ts';
import { type PlanContext, StatementPlanner } from './statement-planner.ts';

/** Plans a bound query. */
export function planQuery(query: Query, context: PlanContext): Plan {
  const statement = new StatementPlanner(context);
  const planner = new QueryPlanner(statement, query, null, false);
  const root = planner.plan();
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
    tables: statement.tables,
    slots: statement.slots,
    output,
    parameterTypes: context.parameterTypes,
    needsWriter: statement.needsWriter || advancesSequence(query),
    needsCatalog: statement.needsCatalog,
    catalogVersion: context.catalog.version,
  };
}

function advancesSequence(query: Query): boolean {
  let found = false;
  const visitExpr = (expr: Expr): void => {
    found ||= someExpr(expr, (part) => part.kind === 'sequence');
    const enter = (part: Expr): void => {
      if (part.kind === 'subquery') found ||= advancesSequence(part.query);
      visitChildren(part, enter);
    };
    enter(expr);
  };
  visitQuery(query, visitExpr, (inner) => {
    found ||= advancesSequence(inner);
  });
  return found;
}
