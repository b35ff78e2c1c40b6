import type { Plan, PlanNode } from '../plan/plan.ts';

/** In the place of a slot: the rows of a recursive union's last round. */
export const WORK_TABLES = -1;

/** Whether a plan's rows may differ from one rescan to the next. */
export function usesSlots(node: PlanNode, plan: Plan): boolean {
  return slotsOf(node, plan).length > 0;
}

/** The `outer` slots that a plan, or a common table that it reads, takes from outside, WORK_TABLES
 * among them. Slots that the plan fills itself do not count. */
export function slotsOf(node: PlanNode, plan: Plan): number[] {
  const read = new Set<number>();
  const filled = new Set<number>();
  collect(node, plan, read, filled, new Set());
  return [...read].filter((slot) => !filled.has(slot));
}

/** Plans are plain data, so one walk over all fields meets every node and expression. */
function collect(
  value: unknown,
  plan: Plan,
  read: Set<number>,
  filled: Set<number>,
  seen: Set<unknown>,
): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, plan, read, filled, seen);
    return;
  }
  const fields = value as Record<string, unknown>;
  if (fields.kind === 'outer') read.add(fields.slot as number);
  if (fields.kind === 'nestedLoop') for (const slot of fields.slots as number[]) filled.add(slot);
  if (fields.kind === 'workTableScan') read.add(WORK_TABLES);
  if (fields.kind === 'recursiveUnion') filled.add(WORK_TABLES);
  if (fields.kind === 'cteScan') collect(plan.ctes[fields.cte as number], plan, read, filled, seen);
  if (fields.kind === 'subplan') {
    for (const slot of fields.slots as number[]) filled.add(slot);
    for (const slot of fields.columnSlots as number[]) filled.add(slot);
    collect(plan.subplans[fields.plan as number], plan, read, filled, seen);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (name !== 'output') collect(field, plan, read, filled, seen);
  }
}
