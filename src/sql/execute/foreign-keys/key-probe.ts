import { ByteWriter } from '../../../base/index.ts';
import type { ColumnVector } from '../../../chunk/index.ts';
import { TABLE_LOCK } from '../../../txn/index.ts';
import type { Datum } from '../../../types/index.ts';
import type { FunctionContext } from '../../functions/index.ts';
import { hasNoEntry } from './find-children.ts';
import type { Reference } from './reference.ts';
import { partitionReference } from './referenced-partition.ts';
import type { ForeignKeyServices } from './services.ts';

/** Settles a foreign key for one row by one lookup, where that takes neither a wait nor a scan. */
export class KeyProbe {
  readonly #services: ForeignKeyServices;
  readonly #key = new ByteWriter(64);

  constructor(services: ForeignKeyServices) {
    this.#services = services;
  }

  /** True when the row of the parent is there and its key now locked. No referencing value is NULL. */
  sharesParent(
    reference: Reference,
    columns: readonly ColumnVector[],
    row: number,
    context: FunctionContext,
  ): boolean {
    if (reference.parent.partitioning !== null) {
      return this.#sharesInPartition(reference, columns, row, context);
    }
    const key = this.#key.reset();
    if (!reference.encodeParentKey(columns, row, context, key)) return false;
    const { parent, parentIndex } = reference;
    return this.#services.changes.shareKey(parent, parentIndex, key.bytes, 0, key.position);
  }

  #sharesInPartition(
    reference: Reference,
    columns: readonly ColumnVector[],
    row: number,
    context: FunctionContext,
  ): boolean {
    const { catalog } = this.#services;
    const key = reference.toParentKey(reference.referencing(columns, row), context);
    const part = key === null ? null : partitionReference(catalog, reference, key);
    if (part === null) return false;
    const isLocked = this.#services.lockTable(part.parent.oid, TABLE_LOCK.rowShare, false);
    return isLocked && this.sharesParent(part, columns, row, context);
  }

  /** True when an index says that no row of the child refers to the key. */
  isUnreferenced(reference: Reference, key: readonly Datum[], context: FunctionContext): boolean {
    const { childIndex } = reference;
    if (childIndex === null) return false;
    const cursor = this.#services.cursorAt(childIndex.tree, this.#services.newestCommit, 'all');
    try {
      return hasNoEntry(cursor, reference, key, context);
    } finally {
      this.#services.closeCursor(cursor);
    }
  }
}
