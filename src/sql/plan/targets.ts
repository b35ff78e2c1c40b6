import type { Expr } from '../expression.ts';
import {
  mapChildren,
  sameExpr,
  someExpr,
  visitChildren,
  visitQueryReferences,
} from '../expression-tree.ts';
import { raise } from '../query-rewrite.ts';
import type { Rows } from './computed-keys.ts';
import { levelOf, SET_NUMBER } from './groups.ts';
import { Layout } from './layout.ts';
import { projectNode, projectSetNode } from './nodes.ts';
import type { PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';

/** Whether an expression has a set-returning call in it that the rows of `layout` have no column for. */
export function holdsSet(expr: Expr, layout: Layout): boolean {
  if (layout.find(expr) >= 0) return false;
  if (expr.kind === 'setCall') return true;
  let found = false;
  visitChildren(expr, (child) => {
    found ||= holdsSet(child, layout);
  });
  return found;
}

/** Computes targets; set-returning calls run in a projectSet below what uses their values. */
export function projectTargets(
  planner: QueryPlanner,
  { node: input, layout }: Rows,
  targets: readonly Expr[],
): PlanNode {
  const holds = (expr: Expr) => holdsSet(expr, layout);
  if (!targets.some(holds)) {
    return projectNode(
      input,
      targets.map((expr) => planner.convert(expr, layout)),
    );
  }
  // Innermost calls first; each round computes those whose arguments hold no further call.
  const calls: Expr[] = [];
  const collect = (expr: Expr): void => {
    if (!holds(expr)) return;
    if (expr.kind === 'setCall' && !expr.arguments.some(holds)) {
      if (!calls.some((call) => sameExpr(call, expr))) calls.push(expr);
      return;
    }
    visitChildren(expr, collect);
  };
  for (const target of targets) collect(target);
  const nested = targets.some((target) =>
    someExpr(target, (part) => part.kind === 'setCall' && part.arguments.some(holds)),
  );
  // A set in the same round as a nested one steps with the outer one.
  const now = nested ? calls.filter((call) => isArgument(call, targets)) : calls;
  const passed: Expr[] = [];
  const pass = (expr: Expr): void => {
    if (expr.kind === 'setCall' && now.some((call) => sameExpr(call, expr))) return;
    const source = expr.kind === 'grouping' ? SET_NUMBER : expr;
    if (layout.find(source) >= 0) {
      if (!passed.some((known) => sameExpr(known, source))) passed.push(source);
      return;
    }
    visitChildren(expr, pass);
  };
  for (const target of targets) {
    pass(target);
    collectSubqueryColumns(target, layout, passed);
  }
  const exprs = [...passed, ...now];
  const converted = exprs.map((expr) => planner.convert(expr, layout));
  const node = projectSetNode(input, converted);
  return projectTargets(
    planner,
    { node, layout: Layout.ofExprs(exprs) },
    replaceSets(targets, now, passed.length),
  );
}

/** Columns and aggregates that only a subquery of a target reads. */
function collectSubqueryColumns(target: Expr, layout: Layout, passed: Expr[]): void {
  if (target.kind === 'subquery') {
    visitQueryReferences(
      target.query,
      (reference, depth) => {
        if (levelOf(reference) !== depth) return;
        const own = raise(reference, -depth, depth);
        if (layout.find(own) >= 0 && !passed.some((known) => sameExpr(known, own)))
          passed.push(own);
      },
      1,
    );
  }
  visitChildren(target, (child) => collectSubqueryColumns(child, layout, passed));
}

function isArgument(call: Expr, targets: readonly Expr[]): boolean {
  return targets.some((target) =>
    someExpr(
      target,
      (part) =>
        part.kind === 'setCall' &&
        part.arguments.some((arg) => someExpr(arg, (inner) => sameExpr(inner, call))),
    ),
  );
}

/** Calls that are computed already become columns of the row below. */
function replaceSets(targets: readonly Expr[], calls: readonly Expr[], first: number): Expr[] {
  const replace = (expr: Expr): Expr => {
    const index = calls.findIndex((call) => sameExpr(call, expr));
    if (index >= 0) {
      return { kind: 'input', type: expr.type, typmod: expr.typmod, column: first + index };
    }
    return mapChildren(expr, replace);
  };
  return targets.map(replace);
}
