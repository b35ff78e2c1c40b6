import type { Datum } from '../types/index.ts';

/** Rows of a full chunk. */
export const CHUNK_ROWS = 1024;

/** Where values begin in a BytesVector is an integer of 32 bits. */
const BYTES_MAX = 0x7fff_ffff;
/** A buffer of which more was used is not kept for other rows. */
const KEPT_BYTES_MAX = 1 << 24;
const FIRST_BYTES = 4096;

/** A column of a chunk in memory. Which class a type uses is its lane (see types/sql-type.ts).
 *
 * `valid[i]` is 1 when row i is not NULL; what the value arrays hold for a NULL row is undefined.
 * `allValid` promises that no row is NULL, so that kernels can skip the test. It may be false
 * though no row is NULL. Vectors are reused: nothing may keep one across a call that refills it.
 */
export type ColumnVector = NumberVector | BytesVector | ObjectVector;

/** bool (0 or 1), int2, int4, oid, float4, float8, date, time; int8 and timestamps while safe. */
export class NumberVector {
  readonly lane = 'number';
  values: Float64Array;
  valid: Uint8Array;
  allValid = true;
  /** When not null, the exact value of every valid row, for int8 and timestamps with a row that is
   * not a safe integer; `values` is then the nearest double. Infinite timestamps are the int64
   * limits here and ±Infinity in `values`. */
  big: BigInt64Array | null = null;

  constructor(capacity: number = CHUNK_ROWS) {
    this.values = new Float64Array(capacity);
    this.valid = new Uint8Array(capacity);
  }

  /** Forgets all rows: every row valid, no big values. The caller writes rows after. */
  reset(): void {
    this.allValid = true;
    this.big = null;
  }

  setNull(row: number): void {
    if (this.allValid) {
      this.valid.fill(1);
      this.allValid = false;
    }
    this.valid[row] = 0;
  }

  /** Sets a valid value; a bigint turns the vector to exact mode. */
  set(row: number, value: number | bigint): void {
    if (typeof value === 'bigint') this.setBig(row, value);
    else {
      this.values[row] = value;
      if (this.big !== null) this.big[row] = toBig(value);
    }
    if (!this.allValid) this.valid[row] = 1;
  }

  isNull(row: number): boolean {
    return !this.allValid && this.valid[row] === 0;
  }

  /** The value as a canonical Int8 (a plain number while safe). */
  get(row: number): number | bigint {
    const value = this.values[row]!;
    if (this.big === null || Number.isSafeInteger(value) || !Number.isFinite(value)) return value;
    return this.big[row]!;
  }

  private setBig(row: number, value: bigint): void {
    if (this.big === null) {
      const big = new BigInt64Array(this.values.length);
      for (let i = 0; i < big.length; i++) big[i] = toBig(this.values[i]!);
      this.big = big;
    }
    this.big[row] = value;
    this.values[row] = Number(value);
  }
}

const INT64_MAX = 0x7fff_ffff_ffff_ffffn;

function toBig(value: number): bigint {
  if (Number.isInteger(value)) return BigInt.asIntN(64, BigInt(value));
  if (value === Number.POSITIVE_INFINITY) return INT64_MAX;
  return value === Number.NEGATIVE_INFINITY ? -INT64_MAX - 1n : 0n;
}

/** text, varchar, char(n), name, bytea, uuid: the stored bytes of row i are
 * buffer[start[i], start[i] + length[i]). */
export class BytesVector {
  readonly lane = 'bytes';
  buffer: Uint8Array;
  start: Int32Array;
  length: Int32Array;
  valid: Uint8Array;
  allValid = true;
  /** End of what is used of `buffer`, when the vector owns it. */
  used = 0;

  constructor(capacity: number = CHUNK_ROWS, bufferCapacity = FIRST_BYTES) {
    this.buffer = new Uint8Array(bufferCapacity);
    this.start = new Int32Array(capacity);
    this.length = new Int32Array(capacity);
    this.valid = new Uint8Array(capacity);
  }

  reset(): void {
    this.allValid = true;
    if (this.used > KEPT_BYTES_MAX) this.buffer = new Uint8Array(FIRST_BYTES);
    this.used = 0;
  }

  setNull(row: number): void {
    if (this.allValid) {
      this.valid.fill(1);
      this.allValid = false;
    }
    this.valid[row] = 0;
    this.length[row] = 0;
    this.start[row] = 0;
  }

  isNull(row: number): boolean {
    return !this.allValid && this.valid[row] === 0;
  }

  /** Makes room for `count` bytes at `used`, keeping what is there. */
  reserve(count: number): void {
    const needed = this.used + count;
    if (needed <= this.buffer.length) return;
    if (needed > BYTES_MAX) throw new RangeError(`Invalid typed array length: ${needed}`);
    const grown = new Uint8Array(Math.min(Math.max(needed, this.buffer.length * 2), BYTES_MAX));
    grown.set(this.buffer.subarray(0, this.used));
    this.buffer = grown;
  }

  /** Takes a buffer over that begins with the value of a row, where nothing else is yet. */
  adopt(row: number, buffer: Uint8Array, count: number): void {
    this.buffer = buffer;
    this.start[row] = 0;
    this.length[row] = count;
    this.used = count;
    if (!this.allValid) this.valid[row] = 1;
  }

  /** Copies bytes in as the value of a row. */
  setRange(row: number, bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const at = this.used;
    if (count < 32) {
      const target = this.buffer;
      for (let i = 0; i < count; i++) target[at + i] = bytes[start + i]!;
    } else {
      this.buffer.set(bytes.subarray(start, end), at);
    }
    this.start[row] = at;
    this.length[row] = count;
    this.used = at + count;
    if (!this.allValid) this.valid[row] = 1;
  }
}

/** numeric, interval, arrays, records: Datums. */
export class ObjectVector {
  readonly lane = 'object';
  values: Datum[];
  valid: Uint8Array;
  allValid = true;

  constructor(capacity: number = CHUNK_ROWS) {
    this.values = new Array<Datum>(capacity).fill(null);
    this.valid = new Uint8Array(capacity);
  }

  reset(): void {
    this.allValid = true;
  }

  setNull(row: number): void {
    if (this.allValid) {
      this.valid.fill(1);
      this.allValid = false;
    }
    this.valid[row] = 0;
    this.values[row] = null;
  }

  set(row: number, value: Datum): void {
    this.values[row] = value;
    if (!this.allValid) this.valid[row] = 1;
  }

  isNull(row: number): boolean {
    return !this.allValid && this.valid[row] === 0;
  }
}
