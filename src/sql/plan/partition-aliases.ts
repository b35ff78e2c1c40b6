import type { Plan, PlanNode } from './plan.ts';
import { shownInputs } from './plan-tree.ts';
import type { SelectedInputs } from './selected-inputs.ts';

/** Partitions have the alias of the partitioned table with a number after it, but for the first that
 * finds the alias free. */
export function partitionAliases(plan: Plan, selected: SelectedInputs): Map<PlanNode, string> {
  const taken = new Set<string>();
  const scans: Extract<PlanNode, { kind: 'seqScan' | 'indexScan' }>[] = [];
  for (const root of [plan.root, ...plan.subplans, ...plan.ctes]) {
    const visit = (node: PlanNode): void => {
      if ('partitions' in node && node.partitions !== undefined) taken.add(node.partitions.alias);
      if ('alias' in node) {
        if ('isPartition' in node && node.isPartition === true) scans.push(node);
        else taken.add(node.alias);
      }
      for (const input of shownInputs(node, selected)) visit(input);
    };
    visit(root);
  }
  const named = new Map<PlanNode, string>();
  // Scans are numbered as the planner met the tables.
  for (const node of scans.sort((a, b) => a.scanId - b.scanId)) {
    let alias = node.alias;
    for (let number = 1; taken.has(alias); number++) alias = `${node.alias}_${number}`;
    taken.add(alias);
    named.set(node, alias);
  }
  return named;
}
