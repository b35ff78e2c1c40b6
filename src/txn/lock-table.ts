import { OpenHashMap } from '../base/index.ts';
import type { TreeId } from '../storage/index.ts';
import type { ExclusiveTables } from './exclusive-tables.ts';
import { type FastPathWords, rowWord, rowWordOfKey } from './fast-path-words.ts';
import { CONFLICTS, type LockKind, ROW_LOCK, TABLE_LOCK } from './lock-modes.ts';
import { rowLockTag, treeName } from './lock-tags.ts';

/** The lock table of the writer thread: who holds what, who waits for what, in which order.
 *
 * A lock is granted when it conflicts with nothing that other sessions hold and nothing that others
 * have asked for before (so that nobody starves); a session that already holds the lock in some
 * mode passes those who wait for it. A row lock passes those who wait whenever it conflicts with no
 * holder, as in PostgreSQL, where only who has to wait queues up. Waiters get the lock in order as
 * soon as others let go. Who only asks whether a key is free (`isCheck`) waits for holders alone, and
 * nobody waits for him: he is served in his turn, but that makes no deadlock. Owners of one session never conflict: its transaction, and the session
 * itself, which holds advisory locks. A session waits for one lock at a time.
 * One thread uses the table, so nothing here is atomic.
 */
export class LockTable<Owner extends LockOwner> {
  private readonly locks = new OpenHashMap<string, Lock<Owner>>();
  /** Who waits, by session. */
  private readonly waiting = new OpenHashMap<number, Owner>();
  /** Rows that are locked, or waited for. */
  private rowCount = 0;
  private readonly onGranted: (owner: Owner) => void;
  private readonly exclusive: ExclusiveTables | null;
  private readonly fastPath: FastPath | null;
  /** Locks that wait for transactions of the main thread, by the number of what was asked of it. */
  private readonly awaiting = new OpenHashMap<number, Lock<Owner>>();
  /** Locks that wait for a mark to go away. */
  private patient: { readonly lock: Lock<Owner>; readonly sinceMs: number }[] = [];
  private nextAsk = 1;
  /** Of the last row that was asked about. */
  private namedTree = 0;
  private treeName = '';

  /** `onGranted` is told when a waiting owner's request has been granted; `exclusive` is kept up to
   * date with the tables that are locked against readers. */
  constructor(
    onGranted: (owner: Owner) => void,
    exclusive: ExclusiveTables | null = null,
    fastPath: FastPath | null = null,
  ) {
    this.onGranted = onGranted;
    this.exclusive = exclusive;
    this.fastPath = fastPath;
  }

  /** Asks for a lock, which it has already when it holds as strong a one. 'waiting': the owner is
   * queued, until `onGranted` or `cancelWait`; then the caller asks again. 'busy': it would have to
   * wait for others and `wait` is false. `isCheck`: it asks whether a key is free, and depends, as
   * such a check of PostgreSQL does, on who holds the lock alone. */
  acquire(
    owner: Owner,
    kind: LockKind,
    tag: string,
    mode: number,
    wait: boolean,
    isCheck = false,
  ): 'granted' | 'waiting' | 'busy' {
    const lock = this.locks.get(tag);
    if (lock === undefined) {
      const made = this.create(tag, kind, owner.session);
      return this.request(made, owner, owner, mode, wait, isCheck);
    }
    if (holds(lock, owner, mode)) return 'granted';
    return this.request(lock, owner, owner, mode, wait, isCheck);
  }

  /** Asks for a lock that `holder` gets while `owner`, of the same session, does the waiting. What
   * is granted counts by itself, whatever the holder has already: advisory locks nest. */
  acquireFor(
    owner: Owner,
    holder: Owner,
    kind: LockKind,
    tag: string,
    mode: number,
    wait: boolean,
  ): 'granted' | 'waiting' | 'busy' {
    const lock = this.locks.get(tag) ?? this.create(tag, kind, owner.session);
    return this.request(lock, owner, holder, mode, wait, false);
  }

  private request(
    lock: Lock<Owner>,
    owner: Owner,
    holder: Owner,
    mode: number,
    wait: boolean,
    isCheck: boolean,
  ): 'granted' | 'waiting' | 'busy' {
    const { kind } = lock;
    if (kind === 'row' && isUnused(lock)) {
      this.grant(lock, holder, mode);
      return 'granted';
    }
    this.raise(lock, mode);
    // Who will not wait, or may not have to, is told at once.
    if (lock.awaited === PATIENT && (!wait || mode < ROW_LOCK.noKeyUpdate)) this.askForHolder(lock);
    const held = heldModes(lock, owner.session);
    const place = this.place(lock, held);
    if (!this.blocked(lock, owner, mode, kind === 'row' ? 0 : place)) {
      this.grant(lock, holder, mode);
      return 'granted';
    }
    const isTry = !wait;
    if (isTry && lock.awaited === 0) {
      this.lower(lock, mode);
      return 'busy';
    }
    const behind = lock.queue[place];
    const isDeadlock =
      kind !== 'row' &&
      behind !== undefined &&
      (CONFLICTS[kind][mode]! & heldModes(lock, behind.owner.session)) !== 0;
    const request: LockRequest<Owner> = { lock, owner, holder, mode, isTry, isDeadlock, isCheck };
    if (lock.queue === NONE) lock.queue = [request];
    else lock.queue.splice(place, 0, request);
    owner.waitingFor = request;
    this.waiting.set(owner.session, owner);
    return 'waiting';
  }

  /** True when the owner holds the lock in a mode at least as strong. */
  isHeld(owner: Owner, tag: string, mode: number): boolean {
    const lock = this.locks.get(tag);
    return lock !== undefined && holds(lock, owner, mode);
  }

  /** Gives an owner a lock that its transaction held on the main thread; who asked for it meanwhile
   * came later. */
  adopt(owner: Owner, kind: LockKind, tag: string, mode: number): void {
    const lock = this.locks.get(tag) ?? this.create(tag, kind, owner.session);
    this.grant(lock, owner, mode);
    if (kind === 'row') this.fastPath?.words.freeRow(lock.word);
    else this.fastPath?.words.freeTable(relationOf(lock));
  }

  /** The main thread has handed over what it was asked for. What is being committed it cannot hand over, nor
   * what has gone to another of its transactions meanwhile; the mark says so. */
  surrendered(ask: number): void {
    const lock = this.awaiting.get(ask);
    if (lock === undefined) return;
    this.awaiting.delete(ask);
    if (this.isMarkedLock(lock)) this.awaitMark(lock);
    else this.unmarked(lock);
  }

  private isMarkedLock(lock: Lock<Owner>): boolean {
    const { words } = this.fastPath!;
    return lock.kind === 'row'
      ? words.rowHolder(lock.word) !== 0
      : words.isTableUsed(relationOf(lock));
  }

  private awaitMark(lock: Lock<Owner>): void {
    lock.awaited = PATIENT;
    this.patient.push({ lock, sinceMs: performance.now() });
  }

  private unmarked(lock: Lock<Owner>): void {
    lock.awaited = 0;
    this.wakeQueue(lock);
  }

  /** Looks whether marks are gone that are in the way of requests; to be called again and again. */
  checkMarks(): void {
    if (this.patient.length === 0) return;
    const { patient } = this;
    this.patient = [];
    const latest = performance.now() - PATIENCE_MS;
    for (const wait of patient) {
      const { lock } = wait;
      if (lock.awaited !== PATIENT) continue;
      if (!this.isMarkedLock(lock)) this.unmarked(lock);
      else if (wait.sinceMs < latest) this.askForHolder(lock);
      else this.patient.push(wait);
    }
  }

  /** Whether a transaction of the main thread may have locked the row, which has no entry here. */
  isMarked(tag: string): boolean {
    const words = this.fastPath?.words;
    return words !== undefined && !this.locks.has(tag) && words.rowHolder(rowWord(tag)) !== 0;
  }

  /** Whether anybody holds or awaits the lock of a row. Of most that are free it is known without a name. */
  isRowTaken(tree: TreeId, key: Uint8Array, start: number, end: number): boolean {
    if (this.rowCount === 0) return false;
    const words = this.fastPath?.words;
    if (words !== undefined) {
      if (tree !== this.namedTree) {
        this.namedTree = tree;
        this.treeName = treeName(tree);
      }
      if (!words.isRowLocked(rowWordOfKey(this.treeName, key, start, end))) return false;
    }
    return this.locks.has(rowLockTag(tree, key, start, end));
  }

  /** Whether anybody holds or awaits the lock. */
  isTaken(tag: string): boolean {
    return this.locks.has(tag);
  }

  /** Who holds the lock, in whatever mode. */
  holders(tag: string): Owner[] {
    return this.locks.get(tag)?.grants.map((grant) => grant.owner) ?? [];
  }

  /** Position in an owner's list of grants, to release back to. */
  mark(owner: Owner): number {
    return owner.grants.length;
  }

  /** Names of the rows that the owner has locked since a position in its list of grants. */
  rowsSince(owner: Owner, mark: number): string[] {
    const grants = owner.grants as LockGrant<Owner>[];
    return grants
      .slice(mark)
      .filter(({ lock }) => lock.kind === 'row')
      .map(({ lock }) => lock.tag);
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

  /** Takes the owner out of the queue it waits in. */
  cancelWait(owner: Owner): void {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return;
    owner.waitingFor = null;
    this.waiting.delete(owner.session);
    const { lock } = request;
    this.lower(lock, request.mode);
    lock.queue.splice(lock.queue.indexOf(request), 1);
    this.wakeQueue(lock);
  }

  /** The owner of the session that waits, if one does. */
  waiterOf(session: number): Owner | undefined {
    return this.waiting.get(session);
  }

  /** Owners that keep a waiting owner waiting: holders and earlier waiters that conflict. */
  blockers(owner: Owner): Owner[] {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return [];
    const blockers = this.hardBlockers(owner);
    for (const earlier of ahead(request)) {
      if (!blockers.includes(earlier.owner)) blockers.push(earlier.owner);
    }
    return blockers;
  }

  /** Whether an owner waits for a row behind others, who have to get it first: it has yet to begin to wait for those
   * who hold the row. */
  isBehind(owner: Owner): boolean {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    return request !== null && request.lock.kind === 'row' && ahead(request).length > 0;
  }

  /** Owners that hold what a waiting owner waits for, without those merely ahead in the queue. Of a row those
   * who are first in the queue hold the right to be next, as in PostgreSQL, where they have locked the tuple. */
  hardBlockers(owner: Owner): Owner[] {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request === null) return [];
    if (this.isBehind(owner)) {
      const first = ahead(request).filter((earlier) => ahead(earlier).length === 0);
      return first.map((earlier) => earlier.owner);
    }
    const conflicts = CONFLICTS[request.lock.kind][request.mode]!;
    const blockers: Owner[] = [];
    for (const { owner: other, mode } of request.lock.grants) {
      if (other.session !== owner.session && conflicts & (1 << mode)) blockers.push(other);
    }
    return blockers;
  }

  /** Moves a waiting owner to just before another one in the same queue. What it returns puts the
   * queue back into the order it had. */
  moveBefore(owner: Owner, other: Owner): () => void {
    const request = owner.waitingFor as LockRequest<Owner>;
    const { queue } = request.lock;
    const before = [...queue];
    queue.splice(queue.indexOf(request), 1);
    queue.splice(queue.indexOf(other.waitingFor as LockRequest<Owner>), 0, request);
    return () => queue.splice(0, queue.length, ...before);
  }

  /** Grants what can be granted now that queues have another order. */
  wakeAround(owner: Owner): void {
    const request = owner.waitingFor as LockRequest<Owner> | null;
    if (request !== null) this.wakeQueue(request.lock);
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
    const grant = new LockGrant(lock, owner, mode);
    if (lock.grants.length === 0) lock.grants = [grant];
    else lock.grants.push(grant);
    owner.grants.push(grant);
  }

  private create(tag: string, kind: LockKind, session: number): Lock<Owner> {
    const lock = new Lock<Owner>(tag, kind);
    this.locks.set(tag, lock);
    if (kind !== 'row') return lock;
    this.rowCount++;
    if (this.fastPath === null) return lock;
    lock.word = rowWord(tag);
    const holder = this.fastPath.words.raiseRow(lock.word);
    if (holder !== 0 && holder !== session) this.awaitMark(lock);
    return lock;
  }

  /** Has the transaction handed over that has marked a row, or all because of a table. */
  private askForHolder(lock: Lock<Owner>): void {
    if (lock.kind !== 'row') {
      this.awaitSurrender(lock, 0);
      return;
    }
    const holder = this.fastPath!.words.rowHolder(lock.word);
    // Without a mark there is nothing to hand over, and the answer says so.
    this.awaitSurrender(lock, holder === 0 ? NOBODY : holder);
  }

  /** Has a session's transaction, or all (0), handed over by the main thread. */
  private awaitSurrender(lock: Lock<Owner>, session: number): void {
    if (lock.awaited > 0) return;
    lock.awaited = this.nextAsk;
    this.nextAsk = this.nextAsk === 0xffff_ffff ? 1 : this.nextAsk + 1;
    this.awaiting.set(lock.awaited, lock);
    this.fastPath!.surrender(session, lock.awaited);
  }

  /** A lock that keeps readers, or changes, out is asked for. */
  private raise(lock: Lock<Owner>, mode: number): void {
    const relation = mode < TABLE_LOCK.share ? 0 : relationOf(lock);
    if (relation === 0) return;
    if (mode === TABLE_LOCK.accessExclusive) this.exclusive?.raise(relation);
    if (this.fastPath?.words.raiseTable(relation)) this.awaitSurrender(lock, 0);
  }

  private lower(lock: Lock<Owner>, mode: number): void {
    const relation = mode < TABLE_LOCK.share ? 0 : relationOf(lock);
    if (relation === 0) return;
    if (mode === TABLE_LOCK.accessExclusive) this.exclusive?.lower(relation);
    this.fastPath?.words.lowerTable(relation);
  }

  private release(grant: LockGrant<Owner>): void {
    const { lock } = grant;
    this.lower(lock, grant.mode);
    const grants = lock.grants;
    const at = grants.indexOf(grant);
    const last = grants.pop()!;
    if (last !== grant) grants[at] = last;
    if (lock.queue.length > 0) this.wakeQueue(lock);
    else this.removeUnused(lock);
  }

  /** Conflicts with another's grant, or with one of the first `ahead` waiters; or it is not known yet
   * with what. */
  private blocked(lock: Lock<Owner>, owner: Owner, mode: number, ahead: number): boolean {
    if (lock.awaited !== 0) return true;
    const conflicts = CONFLICTS[lock.kind][mode]!;
    for (const grant of lock.grants) {
      if (grant.owner.session !== owner.session && conflicts & (1 << grant.mode)) return true;
    }
    for (let i = 0; i < ahead; i++) {
      if (conflicts & (1 << lock.queue[i]!.mode)) return true;
    }
    return false;
  }

  /** Where to queue: who has the lock in some mode goes ahead of those who wait for him. */
  private place(lock: Lock<Owner>, held: number): number {
    const { queue } = lock;
    if (held === 0) return queue.length;
    const conflicts = CONFLICTS[lock.kind];
    const place = queue.findIndex((waiter) => (conflicts[waiter.mode]! & held) !== 0);
    return place < 0 ? queue.length : place;
  }

  private wakeQueue(lock: Lock<Owner>): void {
    const { queue } = lock;
    let i = 0;
    while (i < queue.length && lock.awaited === 0) {
      const request = queue[i]!;
      if (!request.isTry && this.blocked(lock, request.owner, request.mode, i)) {
        i++;
        continue;
      }
      queue.splice(i, 1);
      if (request.isTry) this.lower(lock, request.mode);
      else this.grant(lock, request.holder, request.mode);
      request.owner.waitingFor = null;
      this.waiting.delete(request.owner.session);
      this.onGranted(request.owner);
    }
    this.removeUnused(lock);
  }

  private removeUnused(lock: Lock<Owner>): void {
    if (!isUnused(lock)) return;
    if (!this.locks.delete(lock.tag) || lock.kind !== 'row') return;
    this.rowCount--;
    this.fastPath?.words.lowerRow(lock.word);
  }
}

/** In the place of the lists of a lock that has not needed them: a statement may lock very many rows. It
 * is never added to. */
const NONE: never[] = [];

/** A mark is in the way, and may go away by itself, for so long. */
const PATIENT = -1;
const PATIENCE_MS = 20;
/** A session that there is not. */
const NOBODY = 0xffff_ffff;

/** What changes of rows need of a lock table. */
export type RowLocks<Owner extends LockOwner> = Pick<
  LockTable<Owner>,
  | 'acquire'
  | 'cancelWait'
  | 'holders'
  | 'isHeld'
  | 'isMarked'
  | 'isTaken'
  | 'isRowTaken'
  | 'releaseOne'
>;

/** The lock table's way to transactions of the main thread. */
export interface FastPath {
  readonly words: FastPathWords;
  /** Has the transaction of a session handed over, or all of them (0): `adopt` for their locks, and
   * then `surrendered` with this number. */
  surrender(session: number, ask: number): void;
}

/** Who can hold locks. The lists belong to the lock table. */
export interface LockOwner {
  /** Owners of the same session do not conflict. */
  readonly session: number;
  readonly grants: unknown[];
  waitingFor: unknown;
}

export class Lock<Owner> {
  readonly tag: string;
  readonly kind: LockKind;
  grants: LockGrant<Owner>[] = NONE;
  queue: LockRequest<Owner>[] = NONE;
  /** A row's word in shared memory; -1 for others. */
  word = -1;
  /** Number of what was asked of the main thread before anything can be granted, or PATIENT; 0 for nothing. */
  awaited = 0;

  constructor(tag: string, kind: LockKind) {
    this.tag = tag;
    this.kind = kind;
  }
}

export class LockGrant<Owner> {
  readonly lock: Lock<Owner>;
  readonly owner: Owner;
  readonly mode: number;

  constructor(lock: Lock<Owner>, owner: Owner, mode: number) {
    this.lock = lock;
    this.owner = owner;
    this.mode = mode;
  }
}

export interface LockRequest<Owner> {
  readonly lock: Lock<Owner>;
  /** Who waits, and who gets the lock. */
  readonly owner: Owner;
  readonly holder: Owner;
  readonly mode: number;
  /** It waits for the main thread alone, and is then to be asked anew. */
  readonly isTry: boolean;
  /** It and the request behind it wait for each other: there is no use in waiting any longer. */
  readonly isDeadlock: boolean;
  /** It waits for holders alone, and keeps nobody waiting. */
  readonly isCheck: boolean;
}

/** Those that conflict with a request and came to its queue before it. */
function ahead<Owner>(request: LockRequest<Owner>): LockRequest<Owner>[] {
  if (request.isCheck) return [];
  const { lock, mode } = request;
  const conflicts = CONFLICTS[lock.kind][mode]!;
  return lock.queue
    .slice(0, lock.queue.indexOf(request))
    .filter((earlier) => !earlier.isCheck && (conflicts & (1 << earlier.mode)) !== 0);
}

/** The oid of the table that a lock is of; 0 for others, among them names of tables to come. */
function relationOf<Owner>(lock: Lock<Owner>): number {
  return lock.kind === 'table' ? Math.max(0, Number(lock.tag.slice(1))) : 0;
}

/** Nobody has the lock, waits for it, or may have it on the main thread. */
function isUnused<Owner>(lock: Lock<Owner>): boolean {
  return lock.grants.length === 0 && lock.queue.length === 0 && lock.awaited === 0;
}

/** The modes that a session has the lock in, as bits. */
function heldModes<Owner extends LockOwner>(lock: Lock<Owner>, session: number): number {
  let modes = 0;
  for (const grant of lock.grants) if (grant.owner.session === session) modes |= 1 << grant.mode;
  return modes;
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
