import { CONFLICTS, type LockKind } from './lock-modes.ts';

/** The lock table of the writer thread: who holds what, who waits for what, in which order.
 *
 * A lock is granted when it conflicts with nothing that others hold and nothing that others have
 * asked for before (so that nobody starves); a transaction that already holds the lock in some
 * mode passes those who wait for it. It is granted to waiters in order as soon as others let go.
 * One thread uses the table, so nothing here is atomic.
 */
export class LockTable<Owner extends LockOwner> {
  private readonly locks = new Map<string, Lock<Owner>>();
  private readonly onGranted: (owner: Owner) => void;

  /** `onGranted` is told when a waiting owner's request has been granted. */
  constructor(onGranted: (owner: Owner) => void) {
    this.onGranted = onGranted;
  }

  /** Asks for a lock. 'waiting': the owner is queued, until `onGranted` or `cancelWait`. 'busy': it
   * would have to wait and `wait` is false. */
  acquire(
    owner: Owner,
    kind: LockKind,
    tag: string,
    mode: number,
    wait: boolean,
  ): 'granted' | 'waiting' | 'busy' {
    let lock = this.locks.get(tag);
    if (lock === undefined) {
      lock = { tag, kind, grants: [], queue: [] };
      this.locks.set(tag, lock);
      this.grant(lock, owner, mode);
      return 'granted';
    }
    if (holds(lock, owner, mode)) return 'granted';
    const holder = lock.grants.some((grant) => grant.owner === owner);
    if (!this.blocked(lock, owner, mode, holder ? 0 : lock.queue.length)) {
      this.grant(lock, owner, mode);
      return 'granted';
    }
    if (!wait) return 'busy';
    const request: LockRequest<Owner> = { lock, owner, mode };
    if (holder) lock.queue.splice(this.placeOfHolder(lock), 0, request);
    else lock.queue.push(request);
    owner.waitingFor = request;
    return 'waiting';
  }

  /** True when the owner holds the lock in a mode at least as strong. */
  isHeld(owner: Owner, tag: string, mode: number): boolean {
    const lock = this.locks.get(tag);
    return lock !== undefined && holds(lock, owner, mode);
  }

  /** Who holds the lock, in whatever mode. */
  holders(tag: string): Owner[] {
    return this.locks.get(tag)?.grants.map((grant) => grant.owner) ?? [];
  }

  /** Position in an owner's list of grants, to release back to. */
  mark(owner: Owner): number {
    return owner.grants.length;
  }

  /** Lets go of what the owner was granted since the mark. */
  releaseTo(owner: Owner, mark: number): void {
    const grants = owner.grants as LockGrant<Owner>[];
    while (grants.length > mark) this.release(grants.pop()!);
  }

  /** Lets go of one grant (advisory locks of a session). False when it was not held. */
  releaseOne(owner: Owner, tag: string, mode: number): boolean {
    const grants = owner.grants as LockGrant<Owner>[];
    for (let i = grants.length - 1; i >= 0; i--) {
      const grant = grants[i]!;
      if (grant.lock.tag !== tag || grant.mode !== mode) continue;
      grants.splice(i, 1);
      this.release(grant);
      return true;
    }
    return false;
  }

  /** Grants a mode without asking for conflicts again, so that it counts twice (advisory locks nest). */
  hold(owner: Owner, tag: string, mode: number): void {
    this.grant(this.locks.get(tag)!, owner, mode);
  }

  /** Takes the owner out of the queue it waits in. */
  cancelWait(owner: Owner): void {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return;
    owner.waitingFor = null;
    const { lock } = request;
    lock.queue.splice(lock.queue.indexOf(request), 1);
    this.wakeQueue(lock);
  }

  /** Owners that keep a waiting owner waiting: holders and earlier waiters that conflict. */
  blockers(owner: Owner): Owner[] {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return [];
    const { lock, mode } = request;
    const conflicts = CONFLICTS[lock.kind][mode]!;
    const blockers: Owner[] = [];
    for (const grant of lock.grants) {
      if (grant.owner !== owner && conflicts & (1 << grant.mode)) blockers.push(grant.owner);
    }
    for (const earlier of lock.queue) {
      if (earlier === request) break;
      if (earlier.owner !== owner && conflicts & (1 << earlier.mode)) blockers.push(earlier.owner);
    }
    return blockers;
  }

  /** Owners that hold what a waiting owner waits for, without those merely ahead in the queue. */
  hardBlockers(owner: Owner): Owner[] {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return [];
    const conflicts = CONFLICTS[request.lock.kind][request.mode]!;
    return request.lock.grants
      .filter((grant) => grant.owner !== owner && conflicts & (1 << grant.mode))
      .map((grant) => grant.owner);
  }

  /** Moves a waiting owner ahead of all others in its queue; true when that got it the lock. */
  promote(owner: Owner): boolean {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return false;
    const { lock } = request;
    lock.queue.splice(lock.queue.indexOf(request), 1);
    lock.queue.unshift(request);
    this.wakeQueue(lock);
    return owner.waitingFor === null;
  }

  /** Every grant and request, for pg_locks. */
  *entries(): Iterable<{ lock: Lock<Owner>; owner: Owner; mode: number; granted: boolean }> {
    for (const lock of this.locks.values()) {
      for (const grant of lock.grants) {
        yield { lock, owner: grant.owner, mode: grant.mode, granted: true };
      }
      for (const request of lock.queue) {
        yield { lock, owner: request.owner, mode: request.mode, granted: false };
      }
    }
  }

  private grant(lock: Lock<Owner>, owner: Owner, mode: number): void {
    const grant: LockGrant<Owner> = { lock, owner, mode };
    lock.grants.push(grant);
    owner.grants.push(grant);
  }

  private release(grant: LockGrant<Owner>): void {
    const { lock } = grant;
    const grants = lock.grants;
    const at = grants.indexOf(grant);
    const last = grants.pop()!;
    if (last !== grant) grants[at] = last;
    if (lock.queue.length > 0) this.wakeQueue(lock);
    else if (grants.length === 0) this.locks.delete(lock.tag);
  }

  /** Conflicts with another's grant, or with one of the first `ahead` waiters. */
  private blocked(lock: Lock<Owner>, owner: Owner, mode: number, ahead: number): boolean {
    const conflicts = CONFLICTS[lock.kind][mode]!;
    for (const grant of lock.grants) {
      if (grant.owner !== owner && conflicts & (1 << grant.mode)) return true;
    }
    for (let i = 0; i < ahead; i++) {
      const waiter = lock.queue[i]!;
      if (waiter.owner !== owner && conflicts & (1 << waiter.mode)) return true;
    }
    return false;
  }

  /** A holder that wants more goes ahead of those who do not hold the lock. */
  private placeOfHolder(lock: Lock<Owner>): number {
    let place = 0;
    for (const waiter of lock.queue) {
      if (!lock.grants.some((grant) => grant.owner === waiter.owner)) break;
      place++;
    }
    return place;
  }

  private wakeQueue(lock: Lock<Owner>): void {
    const { queue } = lock;
    let i = 0;
    while (i < queue.length) {
      const request = queue[i]!;
      if (this.blocked(lock, request.owner, request.mode, i)) {
        i++;
        continue;
      }
      queue.splice(i, 1);
      this.grant(lock, request.owner, request.mode);
      request.owner.waitingFor = null;
      this.onGranted(request.owner);
    }
    if (lock.grants.length === 0 && queue.length === 0) this.locks.delete(lock.tag);
  }
}

/** Who can hold locks. The lists belong to the lock table. */
export interface LockOwner {
  readonly grants: unknown[];
  waitingFor: unknown;
}

export interface Lock<Owner> {
  readonly tag: string;
  readonly kind: LockKind;
  readonly grants: LockGrant<Owner>[];
  readonly queue: LockRequest<Owner>[];
}

export interface LockGrant<Owner> {
  readonly lock: Lock<Owner>;
  readonly owner: Owner;
  readonly mode: number;
}

export interface LockRequest<Owner> {
  readonly lock: Lock<Owner>;
  readonly owner: Owner;
  readonly mode: number;
}

/** Held in this mode, or in one that conflicts with all that this mode conflicts with. */
function holds<Owner>(lock: Lock<Owner>, owner: Owner, mode: number): boolean {
  const table = CONFLICTS[lock.kind];
  const wanted = table[mode]!;
  for (const grant of lock.grants) {
    if (grant.owner === owner && (wanted & ~table[grant.mode]!) === 0) return true;
  }
  return false;
}
