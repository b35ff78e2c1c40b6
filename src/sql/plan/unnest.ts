import type { Expr } from '../expression.ts';
import type { Clause } from './clauses.ts';
import type { Candidates } from './paths.ts';
import type { QueryPlanner } from './query-planner.ts';

/** A subquery of WHERE that became a semi or anti join with what is left of it. */
export interface SemiJoin {
  readonly join: 'semi' | 'anti' | 'nullAnti';
  readonly right: Candidates;
  readonly clauses: readonly Clause[];
}

export function unnest(
  _planner: QueryPlanner,
  conditions: readonly Expr[],
): { readonly conditions: readonly Expr[]; readonly semiJoins: readonly SemiJoin[] } {
  return { conditions, semiJoins: [] };
}
