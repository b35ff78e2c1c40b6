import { ByteWriter } from '../../../base/index.ts';
import type { ColumnVector } from '../../../chunk/index.ts';
import type { Datum } from '../../../types/index.ts';
import type { FunctionContext } from '../../functions/index.ts';
import { hasNoEntry } from './find-children.ts';
import type { Reference } from './reference.ts';
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
    const key = this.#key.reset();
    if (!reference.encodeParentKey(columns, row, context, key)) return false;
    const { parent, parentIndex } = reference;
    return this.#services.changes.shareKey(parent, parentIndex, key.bytes, 0, key.position);
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
