import type { PlanNode } from './plan.ts';
import type { SelectedInputs } from './selected-inputs.ts';

/** Calls `visit` with a node and all below it, in the order in which EXPLAIN prints them. */
export function visitNodes(node: PlanNode, visit: (node: PlanNode) => void): void {
  visit(node);
  for (const input of inputsOf(node)) visitNodes(input, visit);
}

/** The inputs of a node that EXPLAIN shows. */
export function shownInputs(node: PlanNode, selected: SelectedInputs): readonly PlanNode[] {
  const inputs = inputsOf(node);
  return selected.get(node)?.map((input) => inputs[input]!) ?? inputs;
}

export function inputsOf(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'nestedLoop':
    case 'hashJoin':
    case 'mergeJoin':
    case 'setOperation':
      return [node.left, node.right];
    case 'append':
    case 'mergeAppend':
      return node.inputs;
    case 'recursiveUnion':
      return [node.initial, node.step];
    default:
      return 'input' in node ? [node.input] : [];
  }
}
