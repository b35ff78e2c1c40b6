import type { SemiJoinItem } from '../optimize/index.ts';
import { type Clause, isSubset, makeClause, NO_RELS, type RelSet } from './clauses.ts';
import { itemRels, planItems } from './from.ts';
import type { Candidates } from './paths.ts';
import type { QueryPlanner } from './query-planner.ts';

/** A subquery of WHERE that is joined: its relations, and the conditions that join them. */
export interface SemiJoin {
  readonly join: 'semi' | 'anti';
  readonly right: Candidates;
  readonly clauses: readonly Clause[];
}

export function planSemiJoin(planner: QueryPlanner, item: SemiJoinItem): SemiJoin {
  const rels = item.from.reduce<RelSet>((sum, from) => sum | itemRels(from), NO_RELS);
  const clauses = item.conditions.map(makeClause);
  const own = clauses.filter((clause) => clause.rels !== NO_RELS && isSubset(clause.rels, rels));
  return {
    join: item.join,
    right: planItems(planner, item.from, own, []),
    clauses: clauses.filter((clause) => !own.includes(clause)),
  };
}
