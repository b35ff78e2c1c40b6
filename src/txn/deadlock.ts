import type { LockOwner, LockTable } from './lock-table.ts';

/** Finds out whether a waiting owner is part of a cycle of waits.
 *
 * Like PostgreSQL's DeadLockCheck: first the wait queues are taken as they are. If a cycle uses an
 * edge that is only the order of a queue (a soft edge), the owner that waits on it may go ahead of
 * the others instead ('resolved'); a cycle of hard edges alone is a deadlock.
 *
 * @returns null without a cycle; the owners of the cycle, `owner` first, where one must end.
 */
export function findDeadlock<Owner extends LockOwner>(
  table: LockTable<Owner>,
  owner: Owner,
): Owner[] | null {
  const hard = findCycle(owner, (from) => table.hardBlockers(from));
  if (hard !== null) return hard;
  const soft = findCycle(owner, (from) => table.blockers(from));
  if (soft === null) return null;
  for (const member of soft) {
    const next = soft[(soft.indexOf(member) + 1) % soft.length]!;
    if (table.hardBlockers(member).includes(next)) continue;
    if (table.promote(member)) return null;
  }
  return findCycle(owner, (from) => table.blockers(from));
}

/** Depth-first search for a path from `start` back to it. */
function findCycle<Owner>(start: Owner, edges: (from: Owner) => Owner[]): Owner[] | null {
  const seen = new Set<Owner>();
  const path: Owner[] = [];
  const visit = (node: Owner): boolean => {
    path.push(node);
    for (const next of edges(node)) {
      if (next === start) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      if (visit(next)) return true;
    }
    path.pop();
    return false;
  };
  return visit(start) ? path : null;
}
