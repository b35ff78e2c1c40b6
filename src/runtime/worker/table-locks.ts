import type { RelationDescriptor } from '../../catalog/index.ts';
import { isAdvisoryFunction } from '../../sql/functions/index.ts';
import { inputsOf, type Plan, type PlanNode, UsedTables } from '../../sql/plan/index.ts';
import { TABLE_LOCK, tableLockTag } from '../../txn/index.ts';
import type { Datum } from '../../types/index.ts';

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
      for (const { table } of node.partitions?.relations ?? []) {
        strengthen(table, TABLE_LOCK.rowExclusive);
      }
    } else if (node.kind === 'lockRows') {
      for (const lock of node.locks) {
        strengthen(lock.table, TABLE_LOCK.rowShare);
        for (const { table } of lock.partitions?.relations ?? []) {
          strengthen(table, TABLE_LOCK.rowShare);
        }
      }
    }
    for (const input of inputsOf(node)) visit(input);
  };
  for (const root of [plan.root, ...plan.subplans, ...plan.ctes]) visit(root);
  return [...modes].map(([relation, mode]) => ({ relation, tag: tableLockTag(relation), mode }));
}

const USED = new WeakMap<Plan, UsedTables | null>();

/** The locks that a run with these parameters needs: partitions that it cannot touch stay free. */
export function locksOfRun(plan: Plan, parameters: readonly Datum[]): readonly PlanTableLock[] {
  const locks = tableLocksOf(plan);
  let tables = USED.get(plan);
  if (tables === undefined) {
    tables = UsedTables.of(plan);
    USED.set(plan, tables);
  }
  if (tables === null) return locks;
  // The locks are in the order of the tables.
  return [...tables.by(parameters)].sort((a, b) => a - b).map((table) => locks[table]!);
}

const CHANGED = new WeakMap<Plan, readonly RelationDescriptor[]>();

/** The tables that a plan changes rows of. */
export function changedTables(plan: Plan): readonly RelationDescriptor[] {
  let tables = CHANGED.get(plan);
  if (tables === undefined) {
    const oids = new Set(
      tableLocksOf(plan).flatMap(({ relation, mode }) =>
        mode === TABLE_LOCK.rowExclusive ? [relation] : [],
      ),
    );
    tables = plan.tables.filter(({ oid }) => oids.has(oid));
    CHANGED.set(plan, tables);
  }
  return tables;
}

const CALLERS = new WeakMap<Plan, boolean>();

/** Whether an expression of the plan takes advisory locks. */
export function takesAdvisoryLocks(plan: Plan): boolean {
  let takes = CALLERS.get(plan);
  if (takes === undefined) {
    takes = plan.needsWriter && [plan.root, plan.subplans, plan.ctes].some(callsAdvisory);
    CALLERS.set(plan, takes);
  }
  return takes;
}

/** Plans are plain data, whatever shape their nodes have. */
function callsAdvisory(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  const call = part as { kind?: unknown; function?: unknown };
  if (call.kind === 'call' && isAdvisoryFunction(call.function as number)) return true;
  return Object.values(part).some(callsAdvisory);
}
