import { ByteWriter } from '../../../base/index.ts';
import { TABLE_LOCK } from '../../../txn/index.ts';
import type { Datum } from '../../../types/index.ts';
import { ChildSearch, type SearchEnvironment } from './find-children.ts';
import type { Reference } from './reference.ts';
import { partitionReference } from './referenced-partition.ts';
import type { ForeignKeyServices, ForeignKeyWork } from './services.ts';
import { missingParent, mixedNulls, stillReferenced } from './violations.ts';

/** The checks of a foreign key, which wait for the locks they need. */
export class KeyCheck {
  readonly #services: ForeignKeyServices;
  readonly #environment: SearchEnvironment;
  readonly #reference: Reference;

  constructor(services: ForeignKeyServices, environment: SearchEnvironment, reference: Reference) {
    this.#services = services;
    this.#environment = environment;
    this.#reference = reference;
  }

  /** The row of the child that the transaction has at `key`, if it is still there, refers to a row of
   * the parent; that one's key is locked. */
  *child(key: Uint8Array): ForeignKeyWork {
    const reference = this.#reference;
    const { writes } = this.#services.transaction;
    const { child, foreign } = reference;
    const row = writes.find(child.tree, key, 0, key.length)?.latest ?? null;
    if (row === null || row.bytes === null) return;
    const values = reference.childValues(row.bytes, row.start);
    if (values.includes(null)) {
      if (foreign.match === 's' || values.every((value) => value === null)) return;
      throw mixedNulls(reference, this.#schema());
    }
    const parentKey = reference.toParentKey(values, this.#environment.functions);
    if (parentKey !== null && (yield* this.#lockParent(parentKey))) return;
    throw missingParent(reference, values, this.#schema(), this.#environment.functions);
  }

  /** Locks the row of the parent with a key; false when there is none. */
  *#lockParent(key: readonly Datum[]): ForeignKeyWork<boolean> {
    const { changes } = this.#services;
    const reference = yield* this.#lockedPartition(key);
    if (reference === null) return false;
    const { parent } = reference;
    const place = this.#findParent(reference, key);
    if (typeof place === 'boolean') return place;
    for (;;) {
      const outcome = changes.lockRow(parent, place, 0, place.length, 'keyShare', 'block');
      if (outcome === 'wait') {
        yield 'wait';
        continue;
      }
      if (outcome !== 'changed') return outcome === 'locked' || outcome === 'own';
      const { bytes, start } = changes.changedTuple;
      return reference.sameKey(reference.parentValues(bytes, start), key);
    }
  }

  /** The foreign key with the partition that has the key, which is locked, in the place of a partitioned table; null
   * when no partition has it. */
  *#lockedPartition(key: readonly Datum[]): ForeignKeyWork<Reference | null> {
    const services = this.#services;
    for (;;) {
      const reference = partitionReference(services.catalog, this.#reference, key);
      if (reference === null || reference === this.#reference) return reference;
      if (services.lockTable(reference.parent.oid, TABLE_LOCK.rowShare, true)) return reference;
      yield 'wait';
      // Others may have changed the partition meanwhile, or put another in its place.
      services.nextCommand();
    }
  }

  /** The clustered key of the row of the parent that the snapshot shows; or whether the transaction
   * itself has made the row, or taken it away. */
  #findParent(reference: Reference, key: readonly Datum[]): Uint8Array | boolean {
    const { transaction, catalog, newestCommit } = this.#services;
    const { parent, parentIndex } = reference;
    const { snapshot } = transaction;
    const out = new ByteWriter(64);
    reference.encodeKey(key, out);
    const bytes = out.copy();
    const own = transaction.writes.find(parentIndex.tree, bytes, 0, bytes.length)?.latest ?? null;
    if (own !== null) return own.bytes !== null;
    // An index that is younger than the snapshot says where the row is now; that it has not changed since the
    // snapshot is seen when it is locked.
    const isYoung =
      catalog.isYoungIndex(parent, parentIndex, snapshot) || catalog.hasMovedRows(parent, snapshot);
    const commit = isYoung ? newestCommit : snapshot;
    const cursor = this.#services.cursorAt(parentIndex.tree, commit, 'none');
    try {
      const found = cursor.seek(bytes, bytes.length, 'ge');
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      if (!found || Buffer.compare(keyBytes.subarray(keyStart, keyEnd), bytes) !== 0) {
        // A row that is there is going to be locked, and stays; that there is none has only been read.
        transaction.reads?.addKey(parentIndex.tree, bytes, 0, bytes.length);
        return false;
      }
      return parentIndex.clustered ? bytes : valueBytes.slice(valueStart, valueEnd);
    } finally {
      this.#services.closeCursor(cursor);
    }
  }

  /** No row of the child refers to a key that the parent, or its partition `table`, had. Where `mayBeReplaced`, another row of
   * the parent may have taken it over. */
  *parent(key: readonly Datum[], table: string, mayBeReplaced: boolean): ForeignKeyWork {
    if (mayBeReplaced && (yield* this.#lockParent(key))) return;
    if (!(yield* this.isReferenced(key))) return;
    const { catalog } = this.#services;
    const { functions } = this.#environment;
    throw stillReferenced(catalog, this.#reference, key, table, functions);
  }

  /** Whether a row of the child refers to the key, once those who change it have ended. */
  *isReferenced(key: readonly Datum[]): ForeignKeyWork<boolean> {
    const { changes } = this.#services;
    const { child } = this.#reference;
    const search = new ChildSearch(this.#services, this.#environment, this.#reference, key);
    for (;;) {
      const row = (yield* search.next(1))[0];
      if (row === undefined) return false;
      const { seenAt } = search;
      const lock = (place: Uint8Array) =>
        changes.lockRow(child, place, 0, place.length, 'keyShare', 'block', true, seenAt);
      let outcome = lock(row.key);
      while (outcome === 'wait') {
        yield 'wait';
        outcome = lock(row.key);
      }
      if (outcome === 'locked' || outcome === 'own') return true;
      if (outcome !== 'changed') continue;
      const { bytes, start } = changes.changedTuple;
      if (this.#reference.refersTo(bytes, start, key, this.#environment.functions)) return true;
    }
  }

  #schema(): string | undefined {
    return this.#services.catalog.schemaByOid(this.#reference.child.schema)?.name;
  }
}
