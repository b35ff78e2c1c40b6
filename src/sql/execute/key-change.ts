import { encodeKeyPartOfVector } from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { ColumnVector } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';

/** Tells where the keys of sorted rows change. */
export class KeyChange {
  readonly #types: readonly SqlType[];
  #current = new ByteWriter(64);
  #previous = new ByteWriter(64);
  #hasPrevious = false;

  constructor(types: readonly SqlType[]) {
    this.#types = types;
  }

  reset(): void {
    this.#hasPrevious = false;
  }

  /** Whether a row's keys differ from those of the row before; so they do for the first row. */
  isNew(keys: readonly ColumnVector[], row: number): boolean {
    const current = this.#current;
    const previous = this.#previous;
    current.reset();
    for (let k = 0; k < this.#types.length; k++) {
      encodeKeyPartOfVector(this.#types[k]!, keys[k]!, row, false, false, current);
    }
    const end = current.position;
    const isSame =
      this.#hasPrevious &&
      compareByteRanges(current.bytes, 0, end, previous.bytes, 0, previous.position) === 0;
    this.#hasPrevious = true;
    this.#current = previous;
    this.#previous = current;
    return !isSame;
  }
}
