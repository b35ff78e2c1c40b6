import type { Datum } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { mapChildren, someExpr } from '../expression-tree.ts';
import { constantValues, mapPruning } from './partition-levels.ts';
import { PartitionPruner } from './partition-pruning.ts';
import type { KeyCondition, PartitionPruning, Plan, PlanNode } from './plan.ts';
import { visitNodes } from './plan-tree.ts';

/** The inputs that nodes over partitions read, where some are left out before the plan runs. */
export type SelectedInputs = ReadonlyMap<PlanNode, readonly number[]>;

/** What the values of parameters leave of the inputs: for EXPLAIN, which runs nothing. `evaluate`
 * computes expressions without columns. */
export function selectInputs(
  plan: Plan,
  parameters: readonly Datum[],
  evaluate: (exprs: readonly Expr[]) => readonly Datum[],
): SelectedInputs {
  const prunings = new Map<PlanNode, PartitionPruning>();
  for (const root of [plan.root, ...plan.subplans, ...plan.ctes]) {
    visitNodes(root, (node) => {
      const pruning = pruningOf(node);
      if (pruning !== null && isDecidedBefore(pruning)) prunings.set(node, pruning);
    });
  }
  if (prunings.size === 0) return NOTHING;
  const exprs = [...prunings.values()].flatMap(valuesOf);
  const values = evaluate(exprs.map((expr) => withParameters(expr, parameters)));
  const constants = new Map(exprs.map((expr, i) => [expr, constant(expr, values[i]!)] as const));
  const selected = new Map<PlanNode, readonly number[]>();
  for (const [node, pruning] of prunings) {
    const known = mapPruning(pruning, (expr) => constants.get(expr)!);
    const inputs: number[] = [];
    new PartitionPruner(known).select(constantValues, inputs);
    selected.set(
      node,
      inputs.sort((a, b) => a - b),
    );
  }
  return selected;
}

const NOTHING: SelectedInputs = new Map();

export function pruningOf(node: PlanNode): PartitionPruning | null {
  return node.kind === 'append' || node.kind === 'mergeAppend'
    ? (node.partitions?.pruning ?? null)
    : null;
}

/** Whether no value comes from the rows of another node. */
export function isDecidedBefore(pruning: PartitionPruning): boolean {
  return !valuesOf(pruning).some((expr) => someExpr(expr, (part) => part.kind === 'outer'));
}

function valuesOf({ conditions, partitions }: PartitionPruning): Expr[] {
  return [
    ...conditions.flatMap(valuesIn),
    ...partitions.flatMap(({ below }) => (below === null ? [] : valuesOf(below))),
  ];
}

function valuesIn(condition: KeyCondition): Expr[] {
  switch (condition.kind) {
    case 'compare':
    case 'notEqual':
      return [condition.value];
    case 'anyOf':
      return [...(condition.array === null ? [] : [condition.array]), ...(condition.list ?? [])];
    case 'or':
      return condition.branches.flatMap((branch) => branch.flatMap(valuesIn));
    case 'isNull':
      return [];
  }
}

function withParameters(expr: Expr, parameters: readonly Datum[]): Expr {
  if (expr.kind === 'param') return constant(expr, parameters[expr.index] ?? null);
  return mapChildren(expr, (child) => withParameters(child, parameters));
}

function constant({ type, typmod }: Expr, value: Datum): Expr {
  return { kind: 'const', type, typmod, value };
}
