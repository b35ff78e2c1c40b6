import type { LockOwner, LockTable } from './lock-table.ts';

/** Reorderings of queues that are tried one on top of the other. */
const REORDER_DEPTH_MAX = 6;

/** Finds out whether a waiting owner is part of a cycle of waits.
 *
 * Like PostgreSQL's DeadLockCheck: an edge goes from who waits to who holds the lock (hard) or waits
 * for it further ahead in the queue (soft). A cycle with a soft edge is broken by letting the waiter
 * go ahead of the other, when that makes no other cycle; a cycle that cannot be broken so is a
 * deadlock.
 *
 * @returns null without a deadlock; else the owners of the cycle, `owner` first, where one must end.
 */
export function findDeadlock<Owner extends LockOwner>(
  table: LockTable<Owner>,
  owner: Owner,
): Owner[] | null {
  const cycle = findCycle(table, owner, false);
  if (cycle === null) return null;
  const hard = findCycle(table, owner, true);
  if (hard !== null) return hard;
  return reorder(table, cycle, [owner], 0) ? null : cycle;
}

/** Breaks a cycle at one of its soft edges, and the cycles that come of it at theirs. All owners that
 * were `concerned` have to be free of cycles in the end. */
function reorder<Owner extends LockOwner>(
  table: LockTable<Owner>,
  cycle: readonly Owner[],
  concerned: readonly Owner[],
  depth: number,
): boolean {
  if (depth === REORDER_DEPTH_MAX) return false;
  // The edge that is furthest from who looks for the cycle comes first, as in PostgreSQL.
  for (let i = cycle.length - 1; i >= 0; i--) {
    const member = cycle[i]!;
    const ahead = cycle[(i + 1) % cycle.length]!;
    const isHard = table.hardBlockers(member).some(({ session }) => session === ahead.session);
    if (isHard) continue;
    const undo = table.moveBefore(member, ahead);
    const all = [...concerned, member, ahead];
    const next = firstCycle(table, all);
    if (next === null || reorder(table, next, all, depth + 1)) {
      table.wakeAround(member);
      return true;
    }
    undo();
  }
  return false;
}

function firstCycle<Owner extends LockOwner>(
  table: LockTable<Owner>,
  owners: readonly Owner[],
): Owner[] | null {
  for (const owner of owners) {
    const cycle = findCycle(table, owner, false);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Depth-first search for a path of waits from `start` back to its session. */
function findCycle<Owner extends LockOwner>(
  table: LockTable<Owner>,
  start: Owner,
  hardOnly: boolean,
): Owner[] | null {
  const seen = new Set<number>();
  const path: Owner[] = [];
  const visit = (node: Owner): boolean => {
    path.push(node);
    for (const { session } of hardOnly ? table.hardBlockers(node) : table.blockers(node)) {
      if (session === start.session) return true;
      const next = table.waiterOf(session);
      if (next === undefined || seen.has(session)) continue;
      seen.add(session);
      if (visit(next)) return true;
    }
    path.pop();
    return false;
  };
  return visit(start) ? path : null;
}
