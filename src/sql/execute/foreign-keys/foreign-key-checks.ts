import { assert } from '../../../base/index.ts';
import type {
  ForeignKey,
  ForeignKeyPlace,
  RelationDescriptor,
} from '../../../catalog/descriptors.ts';
import type { ColumnVector } from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import { TABLE_LOCK } from '../../../txn/index.ts';
import type { Datum } from '../../../types/index.ts';
import type { ExecutionEnvironment, StatementChecks } from '../environment.ts';
import { DONE, PAUSE, type Status } from '../operator.ts';
import { CheckedRows } from './checked-rows.ts';
import {
  DeferredEvents,
  type DeferredMark,
  type ForeignKeyEvent,
  type ParentEvent,
} from './events.ts';
import { KeyCheck } from './key-check.ts';
import { KeyProbe } from './key-probe.ts';
import { isEqual, isSame, valuesOf } from './key-values.ts';
import type { Reference } from './reference.ts';
import { ReferencingAction } from './referencing-action.ts';
import type { ForeignKeyCatalog, ForeignKeyServices, ForeignKeyWork } from './services.ts';
import { type TableKeys, tableKeys } from './table-keys.ts';

/** The foreign keys of one transaction: notes what its statements change, and checks it.
 *
 *   a row changes -> settled at once (the key referred to is there and locked without waiting; no
 *                    row refers to a deleted key)
 *                 -> or an event, looked at in order when the statement is over; cascades add events
 *                 -> or a deferred event, looked at by SET CONSTRAINTS or before the commit
 *
 * Settling at once is sound because what it found cannot be undone unseen: others need the lock that
 * is held to take the parent away or to refer to it, and when the transaction does so itself, that
 * makes an event of its own.
 */
export class ForeignKeyChecks implements StatementChecks {
  readonly deferred = new DeferredEvents();
  /** Row changes that are noted. */
  readonly rows: CheckedRows;
  readonly #services: ForeignKeyServices;
  readonly #probe: KeyProbe;
  #environment: ExecutionEnvironment | null = null;
  /** Outside of a block the end of the statement is that of the transaction too. */
  #inBlock = true;
  #queue: ForeignKeyEvent[] = [];
  #work: ForeignKeyWork | null = null;
  /** The deferred events when the statement began. */
  #began: DeferredMark;
  readonly #keys = new Map<RelationDescriptor, TableKeys>();
  #keysVersion = -1;

  constructor(services: ForeignKeyServices) {
    this.#services = services;
    this.#probe = new KeyProbe(services);
    this.rows = new CheckedRows(services.changes, this);
    this.#began = this.deferred.mark;
  }

  /** A statement begins to change rows; what a failed one has left is forgotten. */
  begin(environment: ExecutionEnvironment, inBlock: boolean): void {
    this.#environment = environment;
    this.#inBlock = inBlock;
    this.#queue = [];
    this.#work?.return();
    this.#work = null;
    this.#began = this.deferred.mark;
  }

  /** The statement is taken back to its beginning. */
  restart(): void {
    this.deferred.rollbackTo(this.#began);
    this.begin(this.#running(), this.#inBlock);
  }

  /** Goes on with what is to be done when the rows are changed. */
  run(): Status {
    this.#work ??= this.finish();
    return this.#work.next().done === true ? DONE : PAUSE;
  }

  /** Looks at all events of the statement; outside of a block then at those that it has deferred. */
  *finish(): ForeignKeyWork {
    yield* this.#look();
    if (!this.#inBlock) yield* this.#lookAtDeferred();
  }

  /** Looks at the deferred events that SET CONSTRAINTS has made immediate. */
  *checkImmediate(environment: ExecutionEnvironment): ForeignKeyWork {
    this.begin(environment, true);
    const before = this.deferred.mark;
    this.#queue = this.deferred.takeImmediate();
    try {
      yield* this.#look();
    } catch (thrown) {
      this.deferred.rollbackTo(before);
      throw thrown;
    }
  }

  /** Looks at all deferred events, before the commit. */
  *checkDeferred(environment: ExecutionEnvironment): ForeignKeyWork {
    this.begin(environment, false);
    yield* this.#lookAtDeferred();
  }

  *#lookAtDeferred(): ForeignKeyWork {
    this.#queue = this.deferred.takeAll();
    yield* this.#look();
  }

  *#look(): ForeignKeyWork {
    for (let i = 0; i < this.#queue.length; i++) yield* this.#lookAt(this.#queue[i]!);
    this.#queue = [];
  }

  *#lookAt(event: ForeignKeyEvent): ForeignKeyWork {
    const reference = yield* this.#lockedReference(event);
    if (reference === null) return;
    // The table is as others have left it who had locked it.
    this.#services.nextCommand();
    const environment = this.#running();
    if (event.kind === 'child') {
      yield* new KeyCheck(this.#services, environment, reference).child(event.key);
      return;
    }
    const action = actionOf(event);
    if (action === 'a' || action === 'r') {
      const check = new KeyCheck(this.#services, environment, reference);
      yield* check.parent(event.old, event.table, action === 'a');
      return;
    }
    yield* new ReferencingAction(this.#services, environment, reference, this.rows).run(event);
  }

  /** The foreign key with the other table locked as the work needs it; null when it is gone. */
  *#lockedReference(event: ForeignKeyEvent): ForeignKeyWork<Reference | null> {
    const { place, kind } = event;
    const other = kind === 'child' ? place.constraint.foreign!.table : place.table;
    const mode = isCheck(event) ? TABLE_LOCK.rowShare : TABLE_LOCK.rowExclusive;
    while (!this.#services.lockTable(other, mode, true)) yield 'wait';
    return this.#reference(place);
  }

  #reference({ table, constraint }: ForeignKeyPlace): Reference | null {
    const { catalog, references } = this.#services;
    const child = catalog.relationByOid(table);
    const now = child?.constraints.find(({ oid }) => oid === constraint.oid);
    const parent = catalog.relationByOid(constraint.foreign!.table);
    if (child === undefined || now === undefined || parent === undefined) return null;
    return references.get(child, now, parent);
  }

  #running(): ExecutionEnvironment {
    assert(this.#environment !== null, 'no statement runs');
    return this.#environment;
  }

  // ---------------------------------------------------------------- noting changes

  inserted(table: RelationDescriptor, columns: readonly ColumnVector[], row: number): void {
    for (const place of this.#keysOf(table).own) this.#noteChild(place, columns, row);
  }

  updated(
    table: RelationDescriptor,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
    moved: boolean,
  ): void {
    const { own, referring } = this.#keysOf(table);
    // Of a row that refers to itself the actions come first, as in PostgreSQL.
    for (const place of referring) {
      const { columns } = place.constraint.foreign!;
      // Actions take over also what looks otherwise and is equal.
      const differs = columns.some(
        (column) => changed.includes(column) && !isSame(table, column, oldColumns, newColumns, row),
      );
      if (differs) this.#noteParent(place, table, columns, oldColumns, newColumns, row);
    }
    for (const place of own) {
      const { columns } = place.constraint;
      const differs = columns.some(
        (column) =>
          changed.includes(column) && !isEqual(table, column, oldColumns, newColumns, row),
      );
      // An event that waits for the old key would not find the row any more.
      const follows = moved && !this.deferred.isEmpty && this.deferred.isDeferred(place);
      if (differs || follows) this.#noteChild(place, newColumns, row);
    }
  }

  deleted(table: RelationDescriptor, columns: readonly ColumnVector[], row: number): void {
    for (const place of this.#keysOf(table).referring) {
      this.#noteParent(place, table, place.constraint.foreign!.columns, columns, null, row);
    }
  }

  /** The key that a partitioned table is referred to by holds its partition key, so it has changed. */
  movedOut(
    table: RelationDescriptor,
    whole: RelationDescriptor,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
  ): void {
    const { catalog } = this.#services;
    for (const place of this.#keysOf(table).referring) {
      const { table: oid, columns } = place.constraint.foreign!;
      const referenced = catalog.relationByOid(oid);
      if (referenced === undefined) continue;
      // Who refers to the partition itself loses the row.
      if (oid === table.oid) this.#noteParent(place, table, columns, oldColumns, null, row);
      else if (isBelow(catalog, referenced, whole)) throw refersBelow(referenced, whole);
      else this.#noteParent(place, table, columns, oldColumns, newColumns, row, referenced.name);
    }
  }

  #keysOf(table: RelationDescriptor): TableKeys {
    const { catalog } = this.#services;
    if (catalog.version !== this.#keysVersion) {
      this.#keys.clear();
      this.#keysVersion = catalog.version;
    }
    let keys = this.#keys.get(table);
    if (keys === undefined) {
      keys = tableKeys(catalog, table);
      this.#keys.set(table, keys);
    }
    return keys;
  }

  #noteChild(place: ForeignKeyPlace, columns: readonly ColumnVector[], row: number): void {
    const { constraint } = place;
    let nulls = 0;
    for (const column of constraint.columns) if (columns[column]!.isNull(row)) nulls++;
    if (nulls === constraint.columns.length) return;
    if (nulls > 0 && constraint.foreign!.match === 's') return;
    const isDeferred = this.deferred.isDeferred(place);
    if (!isDeferred && nulls === 0 && this.#hasParent(place, columns, row)) return;
    const key = this.#services.changes.writtenKey.copy();
    this.#note({ kind: 'child', place, key }, isDeferred);
  }

  #hasParent(place: ForeignKeyPlace, columns: readonly ColumnVector[], row: number): boolean {
    const { table } = place.constraint.foreign!;
    if (!this.#services.lockTable(table, TABLE_LOCK.rowShare, false)) return false;
    const reference = this.#reference(place);
    if (reference === null) return false;
    return this.#probe.sharesParent(reference, columns, row, this.#running().functions);
  }

  #noteParent(
    place: ForeignKeyPlace,
    table: RelationDescriptor,
    columns: readonly number[],
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[] | null,
    row: number,
    name = table.name,
  ): void {
    // Nothing refers to a key that has a NULL.
    if (columns.some((column) => oldColumns[column]!.isNull(row))) return;
    const old = valuesOf(table, columns, oldColumns, row);
    if (this.#isUnreferenced(place, old)) return;
    const now = newColumns === null ? null : valuesOf(table, columns, newColumns, row);
    const event: ParentEvent = { kind: 'parent', place, table: name, old, now };
    this.#note(event, actionOf(event) === 'a' && this.deferred.isDeferred(place));
  }

  #isUnreferenced(place: ForeignKeyPlace, key: readonly Datum[]): boolean {
    if (!this.#services.lockTable(place.table, TABLE_LOCK.rowShare, false)) return false;
    const reference = this.#reference(place);
    if (reference === null) return false;
    return this.#probe.isUnreferenced(reference, key, this.#running().functions);
  }

  #note(event: ForeignKeyEvent, isDeferred: boolean): void {
    if (isDeferred) this.deferred.add(event);
    else this.#queue.push(event);
  }
}

/** What the constraint does for an event. A check (`a`, `r`) changes no rows, and `a` can wait. */
function actionOf({ place, now }: ParentEvent): ForeignKey['onDelete'] {
  const foreign = place.constraint.foreign!;
  return now === null ? foreign.onDelete : foreign.onUpdate;
}

function isCheck(event: ForeignKeyEvent): boolean {
  if (event.kind === 'child') return true;
  const action = actionOf(event);
  return action === 'a' || action === 'r';
}

function isBelow(
  catalog: ForeignKeyCatalog,
  table: RelationDescriptor,
  whole: RelationDescriptor,
): boolean {
  for (let at = table; at.partitionOf !== null; ) {
    const parent = catalog.relationByOid(at.partitionOf.parent);
    if (parent === undefined) return false;
    if (parent.oid === whole.oid) return true;
    at = parent;
  }
  return false;
}

/** Whether a row leaves a table between the partition and the table that is updated cannot be told. */
function refersBelow(referenced: RelationDescriptor, whole: RelationDescriptor): Error {
  return pgError(
    'feature_not_supported',
    'cannot move tuple across partitions when a non-root ancestor of the source partition is directly referenced in a foreign key',
    {
      detail: `A foreign key points to ancestor "${referenced.name}" but not the root ancestor "${whole.name}".`,
      hint: `Consider defining the foreign key on table "${whole.name}".`,
    },
  );
}
