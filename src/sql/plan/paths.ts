import type { Expr, SortKey } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import type { Clause, RelSet } from './clauses.ts';
import type { Layout } from './layout.ts';
import type { PlanNode } from './plan.ts';

/** A slot that whoever runs a subtree fills first, and the expression (over this query's relations)
 * that it is filled from. */
export interface SlotValue {
  readonly slot: number;
  readonly expr: Expr;
  readonly rels: RelSet;
}

export interface Built {
  readonly node: PlanNode;
  readonly layout: Layout;
  /** Slots that the subtree reads and no node in it fills. */
  readonly needs: readonly SlotValue[];
}

/** A way to compute a relation or join, costed; its plan is built when it has won. */
export interface Path {
  readonly rows: number;
  readonly width: number;
  readonly startup: number;
  readonly total: number;
  /** The order that rows come in, over this query's relations. */
  readonly order: readonly SortKey[];
  /** Relations that have to be on the left of a nested loop around it. */
  readonly requires: RelSet;
  /** Cost of reading it a second time. */
  readonly rescan: number;
  /** `slots`: those that a node around it has for the same outer values already. */
  build(slots?: Map<string, SlotValue>): Built;
}

/** A relation or join with the ways to compute it that are worth keeping. */
export interface Candidates {
  readonly rels: RelSet;
  readonly rows: number;
  readonly width: number;
  readonly paths: readonly Path[];
  /** Paths that take values from the relations of `outer`, by index; null where there are none. */
  readonly parameterized:
    | ((outer: RelSet, clauses: readonly Clause[]) => ParameterizedPath[])
    | null;
}

export interface ParameterizedPath {
  readonly path: Path;
  /** Clauses that it sees to. */
  readonly used: readonly Clause[];
}

/** Keeps the paths that no other beats in cost and order. */
export function keepBest(paths: readonly Path[]): Path[] {
  const kept: Path[] = [];
  for (const path of paths) {
    if (kept.some((other) => dominates(other, path))) continue;
    for (let i = kept.length - 1; i >= 0; i--) {
      if (dominates(path, kept[i] as Path)) kept.splice(i, 1);
    }
    kept.push(path);
  }
  return kept;
}

const FUZZ = 1.01;

function dominates(a: Path, b: Path): boolean {
  return (
    a.total <= b.total * FUZZ &&
    a.startup <= b.startup * FUZZ &&
    (a.requires & ~b.requires) === 0n &&
    satisfiesOrder(a.order, b.order)
  );
}

/** Whether rows that come in `order` are sorted by `keys` (or their first ones). */
export function satisfiesOrder(order: readonly SortKey[], keys: readonly SortKey[]): boolean {
  return commonPrefix(order, keys) === keys.length;
}

export function commonPrefix(order: readonly SortKey[], keys: readonly SortKey[]): number {
  let count = 0;
  while (count < keys.length && count < order.length) {
    const a = order[count] as SortKey;
    const b = keys[count] as SortKey;
    const same =
      a.descending === b.descending && a.nullsFirst === b.nullsFirst && sameExpr(a.expr, b.expr);
    if (!same) break;
    count++;
  }
  return count;
}

export function cheapest(paths: readonly Path[]): Path {
  let best = paths[0] as Path;
  for (const path of paths) if (path.total < best.total) best = path;
  return best;
}
