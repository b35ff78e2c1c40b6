import { ByteWriter, countWork } from '../../../base/index.ts';
import {
  type ColumnVector,
  type DataChunk,
  type NumberVector,
  readDatum,
} from '../../../chunk/index.ts';
import type { ArrayDatum, Datum, SqlType } from '../../../types/index.ts';
import { type ConstantEvaluator, nullVector } from './evaluator.ts';

/** So few values are compared one by one, unless they are numbers. As in PostgreSQL. */
const VALUES_MIN = 9;
/** A Set holds no more than twice as many. */
const VALUES_MAX = 1 << 23;
/** What is done for a value, in units of work. */
const VALUE_WORK = 16;

/** `x = ANY (constants)` and `x <> ALL (constants)` by a set that is built once for each set of constants: of numbers,
 * or of the keys of other values. */
export class ConstantLookup {
  readonly #type: SqlType;
  readonly #values: () => readonly Datum[] | null;
  readonly #epochOf: () => number;
  /** What is found gives 1 for ANY, 0 for ALL. */
  readonly #found: 0 | 1;
  #epoch = -1;
  #numbers = new Set<number>();
  #keys = new Set<string>();
  #count = 0;
  #hasNull = false;
  #isNull = false;

  /** `type` is that of both sides, but that integers may be of any size. */
  constructor(
    kind: 'any' | 'all',
    type: SqlType,
    list: readonly ConstantEvaluator[] | null,
    array: ConstantEvaluator | null,
    epochOf: () => number,
  ) {
    this.#found = kind === 'any' ? 1 : 0;
    this.#type = type;
    this.#values = () =>
      list === null
        ? ((array!.value() as ArrayDatum | null)?.elements ?? null)
        : list.map((item) => item.value());
    this.#epochOf = epochOf;
  }

  /** Whether the values of a vector can be looked up. */
  knows(left: ColumnVector): boolean {
    if (left.lane === 'number' && left.big !== null) return false;
    if (this.#epoch !== this.#epochOf()) this.#build();
    if (this.#isNull) return true;
    return this.#count <= VALUES_MAX && (left.lane === 'number' || this.#count >= VALUES_MIN);
  }

  test(left: ColumnVector, rows: DataChunk, out: NumberVector): ColumnVector {
    if (this.#isNull) return nullVector(out);
    out.reset();
    const missed = 1 - this.#found;
    const isEmpty = this.#count === 0;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (isEmpty) out.values[row] = missed;
      else if (left.isNull(row)) out.setNull(row);
      else if (this.#has(left, row)) out.set(row, this.#found);
      else if (this.#hasNull) out.setNull(row);
      else out.set(row, missed);
    }
    return out;
  }

  #has(left: ColumnVector, row: number): boolean {
    if (left.lane === 'number') return this.#numbers.has(left.values[row]!);
    const type = this.#type;
    const out = scratch.reset();
    if (left.lane === 'bytes' && type.keyFromBytes !== undefined) {
      const start = left.start[row]!;
      type.keyFromBytes(left.buffer, start, start + left.length[row]!, out);
    } else type.encodeKey(readDatum(left, row, type)!, out);
    return this.#keys.has(keyText(out));
  }

  #build(): void {
    const values = this.#values();
    this.#numbers = new Set();
    this.#keys = new Set();
    this.#hasNull = false;
    this.#isNull = values === null;
    this.#count = values?.length ?? 0;
    if (values !== null && this.#count <= VALUES_MAX) this.#addAll(values);
    this.#epoch = this.#epochOf();
  }

  #addAll(values: readonly Datum[]): void {
    const isNumber = this.#type.lane === 'number';
    for (const value of values) {
      countWork(VALUE_WORK);
      if (value === null) this.#hasNull = true;
      else if (isNumber) {
        // A number is not equal to an integer that is no safe one.
        if (typeof value !== 'bigint') this.#numbers.add(Number(value));
      } else {
        this.#type.encodeKey(value, scratch.reset());
        this.#keys.add(keyText(scratch));
      }
    }
  }
}

const scratch = new ByteWriter(256);

/** The bytes as a string of as many characters. */
function keyText(out: ByteWriter): string {
  const { bytes, position } = out;
  if (position > LONG) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, position).toString('latin1');
  }
  let text = '';
  for (let i = 0; i < position; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Keys up to this length are read faster here than by the engine. */
const LONG = 24;
