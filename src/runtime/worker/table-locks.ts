import type { Plan, PlanNode } from '../../sql/plan/plan.ts';
import { TABLE_LOCK, tableLockTag } from '../../txn/index.ts';

export interface PlanTableLock {
  readonly relation: number;
  /** Its name in the lock table. */
  readonly tag: string;
  readonly mode: number;
}

const KNOWN = new WeakMap<Plan, readonly PlanTableLock[]>();

/** The table locks of a plan: ROW EXCLUSIVE on what it changes, ROW SHARE on what it locks rows of,
 * ACCESS SHARE on the rest, each table once in its strongest mode, in the plan's order of tables. */
export function tableLocksOf(plan: Plan): readonly PlanTableLock[] {
  let locks = KNOWN.get(plan);
  if (locks === undefined) {
    locks = collectLocks(plan);
    KNOWN.set(plan, locks);
  }
  return locks;
}

function collectLocks(plan: Plan): PlanTableLock[] {
  const modes = new Map<number, number>();
  const strengthen = (table: number, mode: number): void => {
    const relation = plan.tables[table]!.oid;
    modes.set(relation, Math.max(modes.get(relation) ?? 0, mode));
  };
  for (const table of plan.tables.keys()) strengthen(table, TABLE_LOCK.accessShare);
  const visit = (node: PlanNode): void => {
    if (node.kind === 'insert' || node.kind === 'update' || node.kind === 'delete') {
      strengthen(node.table, TABLE_LOCK.rowExclusive);
    } else if (node.kind === 'lockRows') {
      for (const lock of node.locks) strengthen(lock.table, TABLE_LOCK.rowShare);
    }
    for (const input of inputsOf(node)) visit(input);
  };
  for (const root of [plan.root, ...plan.subplans, ...plan.ctes]) visit(root);
  return [...modes].map(([relation, mode]) => ({ relation, tag: tableLockTag(relation), mode }));
}

/** The inputs of a plan node. */
export function inputsOf(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'append':
      return node.inputs;
    case 'recursiveUnion':
      return [node.initial, node.step];
    case 'nestedLoop':
    case 'hashJoin':
    case 'mergeJoin':
    case 'setOperation':
      return [node.left, node.right];
    default:
      return 'input' in node ? [node.input] : [];
  }
}
