import type { Expr } from '../expression.ts';
import { sameExpr, visitChildren } from '../expression-tree.ts';
import { Layout } from './layout.ts';
import { projectNode, projectSetNode } from './nodes.ts';
import type { PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';

/** Rows of a plan, and where their values lie. */
export interface Rows {
  readonly node: PlanNode;
  readonly layout: Layout;
}

/** The rows with the values of keys as columns, so that what is read again above is computed once. */
export function withKeys(planner: QueryPlanner, keys: readonly Expr[], input: Rows): Rows {
  const { node, layout } = withSets(planner, keys, input);
  const missing: Expr[] = [];
  for (const key of keys) {
    if (key.kind === 'const' || layout.find(key) >= 0) continue;
    if (!missing.some((known) => sameExpr(known, key))) missing.push(key);
  }
  if (missing.length === 0) return { node, layout };
  const computed = missing.map((key) => planner.convert(key, layout));
  return {
    node: projectNode(node, [...passedOn(node), ...computed]),
    layout: Layout.concat(layout, Layout.ofExprs(missing)),
  };
}

/** The rows with the set-returning calls that keys hold, innermost ones first: what is sorted or grouped
 * by has one value a row. */
export function withSets(planner: QueryPlanner, keys: readonly Expr[], input: Rows): Rows {
  const { node, layout } = input;
  const calls: Expr[] = [];
  const collect = (expr: Expr): boolean => {
    if (layout.find(expr) >= 0) return false;
    let holdsCall = false;
    visitChildren(expr, (child) => {
      if (collect(child)) holdsCall = true;
    });
    if (expr.kind !== 'setCall') return holdsCall;
    if (!holdsCall && !calls.some((call) => sameExpr(call, expr))) calls.push(expr);
    return true;
  };
  for (const key of keys) collect(key);
  if (calls.length === 0) return input;
  const exprs = [...passedOn(node), ...calls.map((call) => planner.convert(call, layout))];
  return withSets(planner, keys, {
    node: projectSetNode(node, exprs),
    layout: Layout.concat(layout, Layout.ofExprs(calls)),
  });
}

/** A node's columns as expressions over its rows. */
function passedOn(node: PlanNode): Expr[] {
  return node.output.map(({ type, typmod }, column) => ({ kind: 'input', type, typmod, column }));
}
