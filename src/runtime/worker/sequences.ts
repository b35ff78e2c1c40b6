import type { Catalog } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Cursor } from '../../storage/index.ts';
import { type Int8, int8 } from '../../types/index.ts';

/** State of a sequence as it is stored: entry of SEQUENCE_TREE under the sequence's oid.
 *
 *   offset  size  field
 *        0     8  last value, int64 little-endian
 *        8     1  1 when it has been handed out (is_called)
 */
export const SEQUENCE_VALUE_SIZE = 9;

/** Values that a stored state is ahead of the one in memory, so that not each nextval is logged. A crash
 * skips the rest, as in PostgreSQL. */
const LOG_AHEAD = 32n;

/** A sequence in memory. */
export interface SequenceState {
  last: bigint;
  isCalled: boolean;
  /** Values that may still be handed out before the state is stored again. */
  ahead: bigint;
}

/** Values of all sequences. They change outside of transactions: what was handed out is gone. */
export class SequenceStore {
  private readonly states = new Map<number, SequenceState>();
  private readonly newest: () => Cursor;
  private readonly store: (relation: number, value: Uint8Array) => void;

  /** `store` puts a state into SEQUENCE_TREE. */
  constructor(newest: () => Cursor, store: (relation: number, value: Uint8Array) => void) {
    this.newest = newest;
    this.store = store;
  }

  nextval(catalog: Catalog, relation: number): Int8 {
    const { name, options } = requireSequence(catalog, relation);
    const state = this.state(relation, options.start);
    let next = state.last;
    if (state.isCalled) {
      next += options.increment;
      const ascending = options.increment > 0n;
      if (ascending ? next > options.maximum : next < options.minimum) {
        if (!options.cycle) {
          throw pgError(
            'sequence_generator_limit_exceeded',
            `nextval: reached ${ascending ? 'maximum' : 'minimum'} value of sequence "${name}" (${ascending ? options.maximum : options.minimum})`,
          );
        }
        next = ascending ? options.minimum : options.maximum;
        state.ahead = 0n;
      }
    }
    state.last = next;
    state.isCalled = true;
    if (state.ahead <= 0n) {
      const far = next + options.increment * LOG_AHEAD;
      const bounded = far > options.maximum || far < options.minimum ? next : far;
      state.ahead = bounded === next ? 0n : LOG_AHEAD;
      this.store(relation, encodeState(bounded, true));
    } else state.ahead--;
    return int8(next);
  }

  /** Makes `kept` the last value again, if nobody has drawn since `last`; says whether it is. */
  putBack(relation: number, last: bigint, kept: bigint): boolean {
    const state = this.states.get(relation);
    if (state?.last !== last || !state.isCalled) return false;
    // What is stored is ahead, and stays so.
    this.states.set(relation, { last: kept, isCalled: true, ahead: 0n });
    return true;
  }

  setval(catalog: Catalog, relation: number, value: bigint, isCalled: boolean): void {
    const { name, options } = requireSequence(catalog, relation);
    if (value < options.minimum || value > options.maximum) {
      throw pgError(
        'numeric_value_out_of_range',
        `setval: value ${value} is out of bounds for sequence "${name}" (${options.minimum}..${options.maximum})`,
      );
    }
    this.states.set(relation, { last: value, isCalled, ahead: 0n });
    this.store(relation, encodeState(value, isCalled));
  }

  /** last_value, is_called and log_cnt of the sequence as a relation. */
  peek(catalog: Catalog, relation: number): { last: bigint; isCalled: boolean; ahead: bigint } {
    return this.state(relation, requireSequence(catalog, relation).options.start);
  }

  /** The state in memory; null when it is still to be read. */
  known(relation: number): SequenceState | null {
    return this.states.get(relation) ?? null;
  }

  /** Takes a state into memory; with null it is to be read again. */
  set(relation: number, state: SequenceState | null): void {
    if (state === null) this.states.delete(relation);
    else this.states.set(relation, state);
  }

  private state(relation: number, start: bigint): SequenceState {
    let state = this.states.get(relation);
    if (state !== undefined) return state;
    state = { last: start, isCalled: false, ahead: 0n };
    const cursor = this.newest();
    const key = sequenceKey(relation);
    if (cursor.seek(key, key.length, 'ge') && sameKey(cursor, key)) {
      const { valueBytes, valueStart } = cursor;
      const view = new DataView(valueBytes.buffer, valueBytes.byteOffset + valueStart);
      state.last = view.getBigInt64(0, true);
      state.isCalled = view.getUint8(8) === 1;
    }
    this.states.set(relation, state);
    return state;
  }
}

export function sequenceKey(relation: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, relation);
  return key;
}

export function encodeState(last: bigint, isCalled: boolean): Uint8Array {
  const value = new Uint8Array(SEQUENCE_VALUE_SIZE);
  new DataView(value.buffer).setBigInt64(0, last, true);
  value[8] = isCalled ? 1 : 0;
  return value;
}

function sameKey(cursor: Cursor, key: Uint8Array): boolean {
  if (cursor.keyEnd - cursor.keyStart !== key.length) return false;
  return key.every((byte, i) => byte === cursor.keyBytes[cursor.keyStart + i]);
}

function requireSequence(catalog: Catalog, relation: number) {
  const descriptor = catalog.relationByOid(relation);
  if (descriptor === undefined) {
    throw pgError('undefined_table', `relation with OID ${relation} does not exist`);
  }
  if (descriptor.sequence === null) {
    throw pgError('wrong_object_type', `"${descriptor.name}" is not a sequence`);
  }
  return { name: descriptor.name, options: descriptor.sequence };
}
