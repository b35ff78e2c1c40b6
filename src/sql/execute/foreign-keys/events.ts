import type { ForeignKeyPlace } from '../../../catalog/descriptors.ts';
import type { Datum } from '../../../types/index.ts';

/** What is still to be checked or done for a foreign key, when the statement is over or, where the
 * constraint is deferred, when the transaction is. */
export type ForeignKeyEvent = ChildEvent | ParentEvent;

/** A row of the child was inserted, or given other referencing values: the row that is at `key` when
 * the event is looked at, if there is one, has to refer to a row of the parent. */
export interface ChildEvent {
  readonly kind: 'child';
  readonly place: ForeignKeyPlace;
  readonly key: Uint8Array;
}

/** A row of the parent was deleted (`now` is null) or its key was changed. */
export interface ParentEvent {
  readonly kind: 'parent';
  readonly place: ForeignKeyPlace;
  /** Name of the table that had the row, which may be a partition of the one referred to. */
  readonly table: string;
  readonly old: readonly Datum[];
  readonly now: readonly Datum[] | null;
}

/** Events of deferred constraints, with the rules of SET CONSTRAINTS. Savepoints remember a mark; the
 * list is replaced, never shortened, where events are taken from its middle, so that a mark is a list
 * and a length. */
export class DeferredEvents {
  #events: ForeignKeyEvent[] = [];
  /** What SET CONSTRAINTS said of all constraints; null: nothing. */
  #all: boolean | null = null;
  /** What it said of single ones since. */
  #single: ReadonlyMap<number, boolean> = new Map();

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  add(event: ForeignKeyEvent): void {
    this.#events.push(event);
  }

  isDeferred({ constraint }: ForeignKeyPlace): boolean {
    if (!constraint.deferrable) return false;
    return this.#single.get(constraint.oid) ?? this.#all ?? constraint.deferred;
  }

  /** Whether an event waits of a table or of a foreign key that refers to it. */
  concerns(table: number): boolean {
    return this.#events.some(({ kind, place }) =>
      kind === 'child' ? place.table === table : place.constraint.foreign?.table === table,
    );
  }

  /** SET CONSTRAINTS; `constraints` is null for ALL. */
  set(constraints: readonly number[] | null, deferred: boolean): void {
    if (constraints === null) {
      this.#all = deferred;
      this.#single = new Map();
      return;
    }
    const single = new Map(this.#single);
    for (const oid of constraints) single.set(oid, deferred);
    this.#single = single;
  }

  /** Takes out the events that have to wait no more. */
  takeImmediate(): ForeignKeyEvent[] {
    const taken = this.#events.filter(({ place }) => !this.isDeferred(place));
    if (taken.length > 0) {
      this.#events = this.#events.filter(({ place }) => this.isDeferred(place));
    }
    return taken;
  }

  takeAll(): ForeignKeyEvent[] {
    const taken = this.#events;
    this.#events = [];
    return taken;
  }

  get mark(): DeferredMark {
    return {
      events: this.#events,
      count: this.#events.length,
      all: this.#all,
      single: this.#single,
    };
  }

  rollbackTo({ events, count, all, single }: DeferredMark): void {
    events.length = count;
    this.#events = events;
    this.#all = all;
    this.#single = single;
  }
}

export interface DeferredMark {
  readonly events: ForeignKeyEvent[];
  readonly count: number;
  readonly all: boolean | null;
  readonly single: ReadonlyMap<number, boolean>;
}
