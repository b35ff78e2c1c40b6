import { PgError } from '../../../errors/index.ts';
import type { Datum } from '../../../types/index.ts';
import type { RowLockStrength } from '../../bind/query.ts';
import type { ExecutionEnvironment, RowOperations } from '../environment.ts';
import { type ChildChange, type ParentChange, releaseChange, takeChange } from './child-change.ts';
import type { ParentEvent } from './events.ts';
import { type ChildRow, ChildSearch } from './find-children.ts';
import { KeyCheck } from './key-check.ts';
import type { Reference } from './reference.ts';
import type { ForeignKeyServices, ForeignKeyWork } from './services.ts';

/** Rows of the child that are looked for at a time. */
const ROWS_AT_ONCE = 256;

/** CASCADE, SET NULL and SET DEFAULT: what happens to the rows of the child when the key that they
 * refer to is deleted or changed. Their changes are checked in turn. */
export class ReferencingAction {
  readonly #services: ForeignKeyServices;
  readonly #environment: ExecutionEnvironment;
  readonly #reference: Reference;
  readonly #rows: RowOperations;

  constructor(
    services: ForeignKeyServices,
    environment: ExecutionEnvironment,
    reference: Reference,
    rows: RowOperations,
  ) {
    this.#services = services;
    this.#environment = environment;
    this.#reference = reference;
    this.#rows = rows;
  }

  *run({ old, now, table }: ParentEvent): ForeignKeyWork {
    const kind: ParentChange = now === null ? 'delete' : 'update';
    const { catalog } = this.#services;
    const { functions } = this.#environment;
    const change = takeChange(this.#reference, kind, catalog, functions);
    try {
      change.begin(this.#environment, now);
      yield* this.#changeRows(old, change);
    } catch (thrown) {
      if (!(thrown instanceof PgError) || thrown.fields.where !== undefined) throw thrown;
      throw thrown.with({ where: `SQL statement "${change.statement(catalog)}"` });
    } finally {
      releaseChange(this.#reference, kind, change);
    }
    if (change.action !== 'd') return;
    // Rows that have the default already still refer to the key, and nobody has noticed that.
    this.#services.nextCommand();
    const check = new KeyCheck(this.#services, this.#environment, this.#reference);
    yield* check.parent(old, table, false);
  }

  *#changeRows(key: readonly Datum[], change: ChildChange): ForeignKeyWork {
    const search = new ChildSearch(this.#services, this.#environment, this.#reference, key);
    for (;;) {
      const rows = yield* search.next(ROWS_AT_ONCE);
      if (rows.length === 0) return;
      for (const found of rows) {
        const row = yield* this.#lock(found, key, change.strength, search.seenAt);
        if (row === null) continue;
        change.read(row.tuple);
        while (change.apply(this.#rows, row.key) === 'wait') yield 'wait';
      }
      this.#environment.checkInterrupts();
      if (this.#environment.shouldPause()) yield 'pause';
    }
  }

  /** Locks a row that was found; null when it does not refer to the key any more. */
  *#lock(
    row: ChildRow,
    key: readonly Datum[],
    strength: RowLockStrength,
    seenAt: number,
  ): ForeignKeyWork<ChildRow | null> {
    const { changes, transaction } = this.#services;
    const { child } = this.#reference;
    // In REPEATABLE READ a row that the snapshot does not show is not to be changed.
    const snapshot = transaction.keepsSnapshot ? transaction.snapshot : seenAt;
    for (;;) {
      const { length } = row.key;
      const outcome = changes.lockRow(
        child,
        row.key,
        0,
        length,
        strength,
        'block',
        false,
        snapshot,
      );
      if (outcome === 'locked') return row;
      if (outcome === 'wait') {
        yield 'wait';
        continue;
      }
      if (outcome !== 'changed') return null;
      const { changedKey } = changes;
      const { bytes, start, end } = changes.changedTuple;
      if (!this.#reference.refersTo(bytes, start, key, this.#environment.functions)) return null;
      return {
        key: changedKey.bytes.slice(changedKey.start, changedKey.end),
        tuple: bytes.slice(start, end),
      };
    }
  }
}
