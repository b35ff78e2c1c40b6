import { pgError } from '../../errors/index.ts';
import { canCoerceOne, coercionPathway } from '../bind/coercion-rules.ts';
import { commute } from '../bind/commute.ts';
import type { Expr } from '../expression.ts';
import { btreeMembers, operatorByOid } from '../functions/index.ts';
import {
  type Clause,
  conjunction,
  isSubset,
  isVolatile,
  NO_RELS,
  type RelSet,
  relsOf,
} from './clauses.ts';
import {
  CPU_OPERATOR_COST,
  CPU_TUPLE_COST,
  exprsCost,
  PAGE_SIZE,
  SEQ_PAGE_COST,
  TUPLE_OVERHEAD,
  WORK_MEM_BYTES,
} from './cost.ts';
import { Layout } from './layout.ts';
import { materializeNode } from './nodes.ts';
import { type Candidates, cheapest, keepBest, type Path, type SlotValue } from './paths.ts';
import type { JoinType, NodeColumn, PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import { clamp, clausesSelectivity } from './selectivity.ts';

/** Inner join of two sets of relations. */
export function joinInner(
  planner: QueryPlanner,
  left: Candidates,
  right: Candidates,
  clauses: readonly Clause[],
): Candidates {
  const exprs = clauses.map((clause) => clause.expr);
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  const rows = Math.max(1, Math.round(left.rows * right.rows * kept));
  const paths = [
    ...joinPaths(planner, 'inner', left, right, clauses, rows),
    ...joinPaths(planner, 'inner', right, left, clauses, rows),
  ];
  return joined(left, right, rows, left.width + right.width, paths);
}

function joined(
  left: Candidates,
  right: Candidates,
  rows: number,
  width: number,
  paths: readonly Path[],
): Candidates {
  return { rels: left.rels | right.rels, rows, width, paths: keepBest(paths), parameterized: null };
}

/** Left or full join. */
export function joinOuter(
  planner: QueryPlanner,
  join: 'left' | 'full',
  left: Candidates,
  right: Candidates,
  on: readonly Clause[],
): Candidates {
  const exprs = on.map((clause) => clause.expr);
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  let rows = Math.max(left.rows, Math.round(left.rows * right.rows * kept));
  if (join === 'full') rows = Math.max(rows, right.rows);
  const paths = joinPaths(planner, join, left, right, on, rows);
  if (paths.length === 0) {
    throw pgError(
      'feature_not_supported',
      'FULL JOIN is only supported with merge-joinable or hash-joinable join conditions',
    );
  }
  return joined(left, right, rows, left.width + right.width, paths);
}

/** Semi or anti join: the left rows with (without) a match. */
export function joinSemi(
  planner: QueryPlanner,
  join: 'semi' | 'anti' | 'nullAnti',
  left: Candidates,
  right: Candidates,
  clauses: readonly Clause[],
): Candidates {
  const exprs = clauses.map((clause) => clause.expr);
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  const matched = clamp(kept * right.rows, 0, 1);
  const share = join === 'semi' ? matched : clamp(1 - matched, 0.01, 1);
  const rows = Math.max(1, Math.round(left.rows * share));
  const paths = joinPaths(planner, join, left, right, clauses, rows);
  return { rels: left.rels, rows, width: left.width, paths: keepBest(paths), parameterized: null };
}

interface EquiClause {
  readonly clause: Clause;
  readonly left: Expr;
  readonly right: Expr;
}

/** All ways to join `left` (outer) with `right` (inner). The conditions of an outer join may be about further
 * relations, which then have to be on the left of it. */
export function joinPaths(
  planner: QueryPlanner,
  join: JoinType,
  left: Candidates,
  right: Candidates,
  clauses: readonly Clause[],
  rows: number,
): Path[] {
  const paths: Path[] = [];
  const equi = clauses.flatMap((clause) => equiClause(clause, left.rels, right.rels) ?? []);
  const outside =
    clauses.reduce((rels, clause) => rels | clause.rels, NO_RELS) & ~(left.rels | right.rels);
  const lefts = left.paths.filter((path) => path.requires === NO_RELS);
  const leftCheapest = lefts.length === 0 ? null : cheapest(lefts);
  const rightFree = right.paths.filter((path) => path.requires === NO_RELS);
  // A full join on no column of either side is a hash join with one bucket.
  const unkeyed = join === 'full' && clauses.every((clause) => clause.rels === NO_RELS);
  if ((equi.length > 0 || unkeyed) && leftCheapest !== null && rightFree.length > 0) {
    const inner = cheapest(rightFree);
    for (const outer of new Set([leftCheapest, fastest(lefts)])) {
      paths.push(hashJoinPath(planner, join, outside, outer, inner, equi, clauses, rows));
    }
  }
  if (join === 'full') return paths;
  const outerPaths = lefts.length === 0 ? left.paths : lefts;
  for (const outer of outerPaths) {
    if ((outer.requires & right.rels) !== NO_RELS) continue;
    for (const inner of right.paths) {
      if (!isSubset(inner.requires, left.rels | outer.requires)) continue;
      if (join === 'nullAnti' && inner.requires !== NO_RELS) continue;
      paths.push(nestedLoopPath(planner, join, left.rels, outside, outer, inner, clauses, rows));
    }
    const parameterized =
      join === 'nullAnti' ? [] : (right.parameterized?.(left.rels, clauses) ?? []);
    for (const { path, used } of parameterized) {
      const rest = clauses.filter((clause) => !used.includes(clause));
      paths.push(nestedLoopPath(planner, join, left.rels, outside, outer, path, rest, rows));
    }
  }
  return paths;
}

function fastest(paths: readonly Path[]): Path {
  let best = paths[0] as Path;
  for (const path of paths) if (path.startup < best.startup) best = path;
  return best;
}

/** `a = b` with one side on the left and the other on the right, for operators that hash. */
function equiClause(clause: Clause, leftRels: RelSet, rightRels: RelSet): EquiClause | null {
  const { expr } = clause;
  if (expr.kind !== 'call' || isVolatile(expr)) return null;
  const operator = operatorByOid(expr.operator);
  if (operator === undefined || btreeMembers(expr.operator)[0]?.strategy !== 3) return null;
  for (const call of [expr, commute(expr)]) {
    if (call === null) continue;
    const [a, b] = call.arguments as [Expr, Expr];
    const sides = sidesOf(a, b, leftRels, rightRels);
    if (!sides) continue;
    const pair = sameTypes(a, b);
    if (pair !== null) return { clause, left: pair[0], right: pair[1] };
  }
  return null;
}

function sidesOf(a: Expr, b: Expr, leftRels: RelSet, rightRels: RelSet): boolean {
  const ra = relsOfCached(a);
  const rb = relsOfCached(b);
  return ra !== NO_RELS && rb !== NO_RELS && isSubset(ra, leftRels) && isSubset(rb, rightRels);
}

/** Hash keys must be of one type: the narrower side is cast. */
function sameTypes(a: Expr, b: Expr): readonly [Expr, Expr] | null {
  if (a.type === b.type) return [a, b];
  if (canCoerceOne(a.type, b.type, 'implicit')) {
    const cast = castTo(a, b.type);
    return cast && [cast, b];
  }
  if (canCoerceOne(b.type, a.type, 'implicit')) {
    const cast = castTo(b, a.type);
    return cast && [a, cast];
  }
  return null;
}

function castTo(argument: Expr, type: number): Expr | null {
  const pathway = coercionPathway(argument.type, type, 'implicit');
  if (pathway === null || pathway.kind === 'array') return null;
  return {
    kind: 'cast',
    type,
    typmod: -1,
    method: pathway.kind,
    function: pathway.kind === 'function' ? pathway.function : 0,
    argument,
    explicit: false,
  };
}

const RELS = new WeakMap<Expr, RelSet>();

function relsOfCached(expr: Expr): RelSet {
  let rels = RELS.get(expr);
  if (rels === undefined) {
    rels = relsOf(expr);
    RELS.set(expr, rels);
  }
  return rels;
}

function joinedOutput(join: JoinType, left: PlanNode, right: PlanNode): readonly NodeColumn[] {
  return keepsLeftOnly(join) ? left.output : [...left.output, ...right.output];
}

function keepsLeftOnly(join: JoinType): boolean {
  return join === 'semi' || join === 'anti' || join === 'nullAnti';
}

function hashJoinPath(
  planner: QueryPlanner,
  join: JoinType,
  outside: RelSet,
  outer: Path,
  inner: Path,
  equi: readonly EquiClause[],
  clauses: readonly Clause[],
  rows: number,
): Path {
  const rest = clauses.filter((clause) => !equi.some((pair) => pair.clause === clause));
  const restExprs = rest.map((clause) => clause.expr);
  const keys = equi.length;
  const bytes = inner.rows * (inner.width + TUPLE_OVERHEAD);
  const spilled = bytes > WORK_MEM_BYTES;
  const spillPages = spilled
    ? Math.ceil(bytes / PAGE_SIZE) +
      Math.ceil((outer.rows * (outer.width + TUPLE_OVERHEAD)) / PAGE_SIZE)
    : 0;
  const buildCost = inner.total + (CPU_OPERATOR_COST * keys + CPU_TUPLE_COST) * inner.rows;
  const startup = outer.startup + buildCost + (spilled ? spillPages * SEQ_PAGE_COST * 0.5 : 0);
  const total =
    startup +
    (outer.total - outer.startup) +
    CPU_OPERATOR_COST * keys * outer.rows +
    CPU_OPERATOR_COST * 0.5 * keys * Math.max(outer.rows, rows) +
    (CPU_TUPLE_COST + exprsCost(restExprs)) * rows +
    spillPages * SEQ_PAGE_COST * 1.5;
  const width = keepsLeftOnly(join) ? outer.width : outer.width + inner.width;
  return {
    rows,
    width,
    startup,
    total,
    order: [],
    requires: outside,
    rescan: total,
    build: () => {
      const left = outer.build();
      const right = inner.build();
      const both = Layout.concat(left.layout, right.layout);
      const predicate = conjunction(restExprs);
      const slots = new Map<string, SlotValue>();
      const node: PlanNode = {
        kind: 'hashJoin',
        output: joinedOutput(join, left.node, right.node),
        rows,
        width,
        startupCost: startup,
        totalCost: total,
        join,
        left: left.node,
        right: right.node,
        leftKeys: equi.map((pair) => planner.convert(pair.left, left.layout)),
        rightKeys: equi.map((pair) => planner.convert(pair.right, right.layout)),
        on: predicate && planner.convert(predicate, both, slots),
      };
      const layout = keepsLeftOnly(join) ? left.layout : both;
      return { node, layout, needs: [...left.needs, ...right.needs, ...slots.values()] };
    },
  };
}

function nestedLoopPath(
  planner: QueryPlanner,
  join: JoinType,
  leftRels: RelSet,
  outside: RelSet,
  outer: Path,
  inner: Path,
  clauses: readonly Clause[],
  rows: number,
): Path {
  const exprs = clauses.map((clause) => clause.expr);
  const dependent = (inner.requires & leftRels) !== NO_RELS;
  // Rows that do not change from round to round are kept rather than computed anew.
  const keptCost = inner.rows * CPU_OPERATOR_COST;
  const keep = !dependent && outer.rows > 1 && keptCost < inner.rescan;
  const rescan = keep ? keptCost : inner.rescan;
  const first = inner.total + (keep ? 2 * CPU_OPERATOR_COST * inner.rows : 0);
  const pairs = outer.rows * inner.rows;
  const examined = keepsLeftOnly(join) ? pairs / 2 : pairs;
  const startup = outer.startup + inner.startup;
  const total =
    outer.total +
    first +
    Math.max(0, outer.rows - 1) * rescan +
    (CPU_TUPLE_COST + exprsCost(exprs)) * examined;
  const width = keepsLeftOnly(join) ? outer.width : outer.width + inner.width;
  return {
    rows,
    width,
    startup,
    total,
    order: outer.order,
    requires: outer.requires | (inner.requires & ~leftRels) | outside,
    rescan: total,
    build: () => {
      const left = outer.build();
      const right = inner.build();
      const both = Layout.concat(left.layout, right.layout);
      const mine = right.needs.filter((value) => (value.rels & leftRels) !== NO_RELS);
      const others = right.needs.filter((value) => (value.rels & leftRels) === NO_RELS);
      const slots = new Map<string, SlotValue>();
      const predicate = conjunction(exprs);
      const rightNode = keep ? materializeNode(right.node) : right.node;
      const node: PlanNode = {
        kind: 'nestedLoop',
        output: joinedOutput(join, left.node, right.node),
        rows,
        width,
        startupCost: startup,
        totalCost: total,
        join,
        left: left.node,
        right: rightNode,
        slots: mine.map((value) => value.slot),
        values: mine.map((value) => planner.convert(value.expr, left.layout, slots)),
        on: predicate && planner.convert(predicate, both, slots),
      };
      const layout = keepsLeftOnly(join) ? left.layout : both;
      return { node, layout, needs: [...left.needs, ...others, ...slots.values()] };
    },
  };
}
