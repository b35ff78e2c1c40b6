import type { ValuesQuery } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import type { Plan } from './plan.ts';
import { planQuery } from './plan-query.ts';
import type { PlanContext } from './statement-planner.ts';

/** The plan of one row of expressions without columns. */
export function planValues(exprs: readonly Expr[], context: PlanContext): Plan {
  const query: ValuesQuery = {
    kind: 'values',
    ctes: [],
    rows: [exprs],
    output: exprs.map(({ type, typmod }, column) => ({
      name: '',
      expr: { kind: 'input', column, type, typmod },
      junk: false,
      sourceTable: 0,
      sourceColumn: 0,
    })),
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
  };
  return planQuery(query, context);
}
