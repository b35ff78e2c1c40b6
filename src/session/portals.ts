import type { CursorFacts } from '../catalog/system/index.ts';
import { pgError } from '../errors/index.ts';
import type { HeldSnapshot } from './backend.ts';
import type { CursorState, Portal } from './portal.ts';
import type { ClientSession } from './session.ts';

/** The portals of a session by name, and the snapshots that its cursors read at. The unnamed portal, which
 * every statement of the extended protocol makes and drops, is a field, as a Map leaves garbage behind for
 * each. */
export class Portals {
  private readonly session: ClientSession;
  private readonly named = new Map<string, Portal>();
  private unnamed: Portal | null = null;

  constructor(session: ClientSession) {
    this.session = session;
  }

  find(name: string): Portal | undefined {
    return name === '' ? (this.unnamed ?? undefined) : this.named.get(name);
  }

  require(name: string): Portal {
    const portal = this.find(name);
    if (portal !== undefined) return portal;
    throw pgError('invalid_cursor_name', `portal "${name}" does not exist`);
  }

  add(portal: Portal): void {
    portal.level = this.session.block.savepoints.length;
    if (portal.name === '') this.unnamed = portal;
    else this.named.set(portal.name, portal);
  }

  /** Closes the portal of that name, if there is one. */
  close(name: string): void {
    const portal = this.find(name);
    if (portal === undefined) return;
    if (name === '') this.unnamed = null;
    else this.named.delete(name);
    this.end(portal);
  }

  /** CLOSE ALL: what runs it stays. */
  closeAll(): void {
    for (const portal of this.all()) {
      if (portal !== this.session.executing) this.close(portal.name);
    }
  }

  /** ROLLBACK TO: what was opened since the savepoint is gone. */
  closeAbove(level: number): void {
    for (const portal of this.all()) {
      if (portal.level > level) this.close(portal.name);
    }
  }

  /** RELEASE: what was opened since the savepoint belongs to the one around it. */
  lower(level: number): void {
    for (const portal of this.all()) portal.level = Math.min(portal.level, level);
  }

  /** A transaction is about to end: only cursors WITH HOLD stay. */
  beginSettling(): void {
    this.clear(IS_HOLDABLE);
  }

  /** A transaction has ended: of cursors WITH HOLD its own stay if it was committed. */
  settle(committed: boolean): void {
    this.clear(committed ? IS_HOLDABLE : IS_HELD);
    if (this.named.size === 0) return;
    for (const portal of this.named.values()) {
      portal.cursor!.isHeld = true;
      portal.level = 0;
    }
  }

  /** The session is over. */
  closeForGood(): void {
    this.clear(IS_NOTHING);
  }

  get hasCursors(): boolean {
    return this.all().some(({ cursor }) => cursor !== null);
  }

  /** Oids of the tables that the transaction's cursors and suspended portals read. */
  usedTables(): ReadonlySet<number> {
    const isOpen = ({ cursor, state }: Portal) =>
      cursor === null ? state === 'suspended' : !cursor.isHeld;
    const plans = this.all().flatMap((portal) =>
      isOpen(portal) ? (portal.prepared.planned?.plan ?? []) : [],
    );
    return new Set(plans.flatMap(({ tables }) => tables.map(({ oid }) => oid)));
  }

  /** Rows of pg_cursors. */
  *cursors(): Iterable<CursorFacts> {
    for (const { name, cursor } of this.named.values())
      if (cursor !== null) yield { name, ...cursor };
  }

  /** Lets go of a snapshot, unless the block or a cursor still reads at it. */
  releaseUnused(snapshot: HeldSnapshot): void {
    const { backend, block } = this.session;
    if (snapshot === block.snapshot) return;
    if (this.all().some(({ cursor }) => cursor?.snapshot === snapshot)) return;
    backend.releaseSnapshot(snapshot);
  }

  private clear(isKept: (cursor: CursorState) => boolean): void {
    const { unnamed } = this;
    this.unnamed = null;
    if (unnamed !== null) this.end(unnamed);
    if (this.named.size === 0) return;
    for (const [name, portal] of this.named) {
      if (portal.cursor !== null && isKept(portal.cursor)) continue;
      this.named.delete(name);
      this.end(portal);
    }
  }

  /** Ends a portal that is out. */
  private end(portal: Portal): void {
    portal.close();
    const { cursor } = portal;
    if (cursor === null) return;
    this.releaseUnused(cursor.snapshot);
    const { backend, processId } = this.session;
    if (cursor.seenChanges !== 0) backend.forgetChanges(processId, cursor.seenChanges);
  }

  private all(): Portal[] {
    const all = [...this.named.values()];
    if (this.unnamed !== null) all.push(this.unnamed);
    return all;
  }
}

/** Which cursors stay. */
const IS_HOLDABLE = (cursor: CursorState): boolean => cursor.isHoldable;
const IS_HELD = (cursor: CursorState): boolean => cursor.isHeld;
const IS_NOTHING = (): boolean => false;
