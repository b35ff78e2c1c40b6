import type { Expr, SubplanExpr, SubqueryExpr } from '../expression.ts';
import { mapChildren } from '../expression-tree.ts';
import { btreeMembers } from '../functions/index.ts';
import { conjuncts } from './clauses.ts';
import type { Layout } from './layout.ts';
import { projectNode } from './nodes.ts';
import type { SlotValue } from './paths.ts';
import type { PlanNode } from './plan.ts';
import { QueryPlanner } from './query-planner.ts';

/** A subquery in an expression becomes a plan of the statement that the expression runs. */
export function planSubquery(
  planner: QueryPlanner,
  expr: SubqueryExpr,
  layout: Layout,
  slots: Map<string, SlotValue> | undefined,
): SubplanExpr {
  const { statement } = planner;
  const inner = new QueryPlanner(statement, expr.query, planner, true);
  // The place is taken first, since subqueries of the subquery take theirs meanwhile.
  const plan = statement.subplans.length;
  statement.subplans.push(undefined as unknown as PlanNode);
  let node = inner.plan();
  const values = inner.outerValues.map((value) => planner.convert(value.expr, layout, slots));
  const base = {
    kind: 'subplan' as const,
    type: expr.type,
    typmod: expr.typmod,
    form: expr.form,
    plan,
    slots: inner.outerValues.map((value) => value.slot),
    values,
  };
  const hashed =
    expr.form === 'any' && values.length === 0 && expr.comparison !== null
      ? hashableComparison(expr.comparison)
      : null;
  if (hashed !== null) {
    node = projectNode(node, hashed.columns);
    statement.subplans[plan] = node;
    const probe = hashed.probe.map((part) => planner.convert(part, layout, slots));
    return { ...base, comparison: null, columnSlots: [], hashed: true, probe };
  }
  statement.subplans[plan] = node;
  if (expr.comparison === null) {
    return { ...base, comparison: null, columnSlots: [], hashed: false, probe: [] };
  }
  const columnSlots = node.output.map(() => statement.newSlot());
  const overSlots = inputsToSlots(expr.comparison, columnSlots);
  const comparison = planner.convert(overSlots, layout, slots);
  return { ...base, comparison, columnSlots, hashed: false, probe: [] };
}

function inputsToSlots(expr: Expr, slots: readonly number[]): Expr {
  if (expr.kind === 'input') {
    const { type, typmod, column } = expr;
    return { kind: 'outer', type, typmod, slot: slots[column] ?? 0 };
  }
  if (expr.kind === 'subquery') return expr;
  return mapChildren(expr, (child) => inputsToSlots(child, slots));
}

/** `(a, b) IN (SELECT x, y …)` as what to look up and what to look among: equality of one type in
 * each column. */
function hashableComparison(
  comparison: Expr,
): { readonly probe: Expr[]; readonly columns: Expr[] } | null {
  const probe: Expr[] = [];
  const columns: Expr[] = [];
  for (const part of conjuncts(comparison)) {
    if (part.kind !== 'call') return null;
    const [left, right] = part.arguments;
    const member = btreeMembers(part.operator)[0];
    if (left === undefined || right === undefined || member?.strategy !== 3) return null;
    if (left.type !== right.type || holdsInput(left) || !holdsInput(right)) return null;
    probe.push(left);
    columns.push(right);
  }
  return probe.length === 0 ? null : { probe, columns };
}

function holdsInput(expr: Expr): boolean {
  if (expr.kind === 'input') return true;
  let found = false;
  mapChildren(expr, (child) => {
    found ||= holdsInput(child);
    return child;
  });
  return found;
}
