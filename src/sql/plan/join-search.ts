import { type Clause, isSubset, isVolatile, NO_RELS, type RelSet } from './clauses.ts';
import { filtered, gated } from './from.ts';
import { joinInner, joinSemi } from './joins.ts';
import { type Candidates, cheapest } from './paths.ts';
import type { QueryPlanner } from './query-planner.ts';
import type { SemiJoin } from './unnest.ts';

/** The order of inner joins: dynamic programming over small problems, greedy over large ones; very
 * large ones are joined as they are written. */
const EXHAUSTIVE_MAX = 8;
const GREEDY_MAX = 40;

export function searchJoins(
  planner: QueryPlanner,
  items: readonly Candidates[],
  clauses: readonly Clause[],
  semiJoins: readonly SemiJoin[],
): Candidates {
  const constant = clauses.filter((clause) => clause.rels === NO_RELS);
  const joining = clauses.filter((clause) => clause.rels !== NO_RELS);
  let result: Candidates;
  if (items.length === 1) result = items[0] as Candidates;
  else if (items.length <= EXHAUSTIVE_MAX) result = exhaustive(planner, items, joining);
  else if (items.length <= GREEDY_MAX) result = greedy(planner, items, joining);
  else result = inOrder(planner, items, joining);
  for (const { join, right, clauses: conditions } of semiJoins) {
    result = joinSemi(planner, join, result, right, conditions);
  }
  // What refers to no relation of the problem alone is tested above it.
  const all = items.reduce((rels, item) => rels | item.rels, NO_RELS);
  const outside = joining.filter((clause) => !isSubset(clause.rels, all));
  const gates = constant.filter((clause) => !isVolatile(clause.expr));
  const volatile = constant.filter((clause) => !gates.includes(clause));
  return gated(planner, filtered(planner, result, [...volatile, ...outside]), gates);
}

/** The clauses that can be tested when `left` and `right` meet, and not before. */
function applicable(clauses: readonly Clause[], left: RelSet, right: RelSet): Clause[] {
  const both = left | right;
  return clauses.filter(
    ({ rels }) => isSubset(rels, both) && !isSubset(rels, left) && !isSubset(rels, right),
  );
}

function requiredOf(item: Candidates): RelSet {
  return item.paths.reduce(
    (rels, path) => rels & path.requires,
    item.paths[0]?.requires ?? NO_RELS,
  );
}

function connected(clauses: readonly Clause[], left: Candidates, right: Candidates): boolean {
  const lateral =
    (requiredOf(left) & right.rels) !== NO_RELS || (requiredOf(right) & left.rels) !== NO_RELS;
  return (
    lateral ||
    clauses.some(({ rels }) => (rels & left.rels) !== NO_RELS && (rels & right.rels) !== NO_RELS)
  );
}

function exhaustive(
  planner: QueryPlanner,
  items: readonly Candidates[],
  clauses: readonly Clause[],
): Candidates {
  const count = items.length;
  const table = new Map<number, Candidates>();
  for (let i = 0; i < count; i++) table.set(1 << i, items[i] as Candidates);
  const full = (1 << count) - 1;
  for (let size = 2; size <= count; size++) {
    for (let set = 1; set <= full; set++) {
      if (bits(set) !== size) continue;
      const best =
        bestSplit(planner, table, set, clauses, false) ??
        (size === count || needsCross(table, set, clauses)
          ? bestSplit(planner, table, set, clauses, true)
          : null);
      if (best !== null) table.set(set, best);
    }
  }
  return table.get(full) ?? greedy(planner, items, clauses);
}

/** Without any join clause inside the set, only a cross product makes it. */
function needsCross(
  table: ReadonlyMap<number, Candidates>,
  set: number,
  clauses: readonly Clause[],
): boolean {
  const rels = [...table]
    .filter(([member]) => bits(member) === 1 && (member & set) !== 0)
    .reduce((sum, [, item]) => sum | item.rels, NO_RELS);
  return !clauses.some((clause) => (clause.rels & rels) !== NO_RELS);
}

function bestSplit(
  planner: QueryPlanner,
  table: ReadonlyMap<number, Candidates>,
  set: number,
  clauses: readonly Clause[],
  cross: boolean,
): Candidates | null {
  let best: Candidates | null = null;
  // Of equal costs the order as it is written wins: what was joined before, with what comes next.
  for (let part = set & -set; part !== set; part = (part - set) & set) {
    const other = set ^ part;
    const size = bits(part) - bits(other);
    if (size < 0 || (size === 0 && part > other)) continue;
    const left = table.get(part);
    const right = table.get(other);
    if (left === undefined || right === undefined) continue;
    if (!cross && !connected(clauses, left, right)) continue;
    const made = joinInner(planner, left, right, applicable(clauses, left.rels, right.rels));
    if (made.paths.length === 0) continue;
    best = best === null ? made : merge(best, made);
  }
  return best;
}

/** How many paths are kept that require the same relations to their left. */
const PATHS_MAX = 4;

/** Both are of the same relations: the better paths of either. */
function merge(a: Candidates, b: Candidates): Candidates {
  const better = cheapest(b.paths).total < cheapest(a.paths).total;
  const counts = new Map<RelSet, number>();
  const paths = [...a.paths, ...b.paths]
    .sort((x, y) => x.total - y.total)
    .filter(({ requires }) => {
      const count = counts.get(requires) ?? 0;
      counts.set(requires, count + 1);
      return count < PATHS_MAX;
    });
  return { ...(better ? b : a), rows: a.rows, paths };
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

interface Pair {
  readonly left: Candidates;
  readonly right: Candidates;
  readonly made: Candidates;
  readonly connected: boolean;
}

/** Joins the pair with the smallest result first, and so on. */
function greedy(
  planner: QueryPlanner,
  items: readonly Candidates[],
  clauses: readonly Clause[],
): Candidates {
  const pairOf = (left: Candidates, right: Candidates): Pair => ({
    left,
    right,
    made: joinInner(planner, left, right, applicable(clauses, left.rels, right.rels)),
    connected: connected(clauses, left, right),
  });
  let rest = [...items];
  let pairs = items.flatMap((left, i) => items.slice(i + 1).map((right) => pairOf(left, right)));
  while (rest.length > 1) {
    const possible = pairs.filter(({ made }) => made.paths.length > 0);
    const joined = possible.filter((pair) => pair.connected);
    const [first, ...others] = joined.length > 0 ? joined : possible;
    if (first === undefined) throw new Error('no join order satisfies the lateral references');
    const { left, right, made } = others.reduce(smaller, first);
    const isFree = (item: Candidates) => item !== left && item !== right;
    rest = rest.filter(isFree);
    pairs = pairs.filter((pair) => isFree(pair.left) && isFree(pair.right));
    pairs.push(...rest.map((item) => pairOf(made, item)));
    rest.push(made);
  }
  return rest[0] as Candidates;
}

function smaller(a: Pair, b: Pair): Pair {
  if (a.made.rows !== b.made.rows) return a.made.rows < b.made.rows ? a : b;
  return cheapest(b.made.paths).total < cheapest(a.made.paths).total ? b : a;
}

/** Joins one item after the other as they are written, those with a condition first. */
function inOrder(
  planner: QueryPlanner,
  items: readonly Candidates[],
  clauses: readonly Clause[],
): Candidates {
  const [first, ...rest] = items as [Candidates, ...Candidates[]];
  let result = first;
  while (rest.length > 0) {
    const ready = rest.filter((item) => isSubset(requiredOf(item), result.rels));
    const reached = clauses.reduce(
      (rels, clause) => ((clause.rels & result.rels) === NO_RELS ? rels : rels | clause.rels),
      NO_RELS,
    );
    const next = ready.find((item) => (item.rels & reached) !== NO_RELS) ?? ready[0];
    if (next === undefined) throw new Error('no join order satisfies the lateral references');
    rest.splice(rest.indexOf(next), 1);
    result = joinInner(planner, result, next, applicable(clauses, result.rels, next.rels));
  }
  return result;
}
