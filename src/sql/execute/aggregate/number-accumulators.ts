import {
  type ColumnVector,
  type DataChunk,
  type NumberVector,
  writeDatum,
} from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import { type Datum, INT8_MAX, INT8_MIN, int8, OID, type SqlType } from '../../../types/index.ts';
import { type FunctionContext, scalarImplementation } from '../../functions/index.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import { integerOutOfRange } from '../expression/number-kernels.ts';
import type { Run } from '../run.ts';
import type { Accumulator } from './accumulator.ts';

const SAFE = Number.MAX_SAFE_INTEGER;
const NUMERIC_DIV = 1727;

/** A Float64Array with room for `count` values, the old ones kept. */
function grown(values: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  if (count <= values.length) return values;
  const larger = new Float64Array(Math.max(count, values.length * 2));
  larger.set(values);
  return larger;
}

/** count(*) and count(x). */
export class CountAccumulator implements Accumulator {
  readonly #argument: Evaluator | null;
  #counts = new Float64Array(1);

  constructor(argument: Evaluator | null) {
    this.#argument = argument;
  }

  reset(): void {
    this.#counts.fill(0);
  }

  grow(count: number): void {
    this.#counts = grown(this.#counts, count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const vector = this.#argument?.evaluate(rows) ?? null;
    const { selection, count } = rows;
    const counts = this.#counts;
    if (vector === null || vector.allValid) {
      if (groups === null) counts[0]! += count;
      else if (selection === null) for (let i = 0; i < count; i++) counts[groups[i]!]! += 1;
      else for (let i = 0; i < count; i++) counts[groups[selection[i]!]!]! += 1;
      return;
    }
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (vector.valid[row] !== 0) counts[groups === null ? 0 : groups[row]!]! += 1;
    }
  }

  remove(rows: DataChunk): boolean {
    const vector = this.#argument?.evaluate(rows) ?? null;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (vector?.isNull(row) !== true) this.#counts[0]! -= 1;
    }
    return true;
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    (out as NumberVector).set(row, this.#counts[group]!);
  }

  memory(): number {
    return this.#counts.byteLength;
  }

  close(): void {}
}

/** sum and avg of integers. A sum is a double while it is safe; beyond, what it has gathered is moved
 * to a BigInt and the double starts over. */
export class IntegerSumAccumulator implements Accumulator {
  readonly #run: Run;
  readonly #argument: Evaluator;
  readonly #result: SqlType;
  readonly #average: boolean;
  #sums = new Float64Array(1);
  #counts = new Float64Array(1);
  readonly #carries = new Map<number, bigint>();

  constructor(run: Run, argument: Evaluator, result: SqlType, average: boolean) {
    this.#run = run;
    this.#argument = argument;
    this.#result = result;
    this.#average = average;
  }

  reset(): void {
    this.#sums.fill(0);
    this.#counts.fill(0);
    this.#carries.clear();
  }

  grow(count: number): void {
    this.#sums = grown(this.#sums, count);
    this.#counts = grown(this.#counts, count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const vector = this.#argument.evaluate(rows) as NumberVector;
    if (vector.big !== null) this.#updateExact(vector, rows, groups);
    else if (groups === null) this.#updateOne(vector, rows);
    else this.#updateGroups(vector, rows, groups);
  }

  #updateOne(vector: NumberVector, rows: DataChunk): void {
    const { selection, count } = rows;
    const values = vector.values;
    let sum = this.#sums[0]!;
    let seen = 0;
    if (vector.allValid && selection === null) {
      seen = count;
      for (let i = 0; i < count; i++) {
        const next = sum + values[i]!;
        if (next > SAFE || next < -SAFE) {
          this.#carry(0, BigInt(sum) + BigInt(values[i]!));
          sum = 0;
        } else sum = next;
      }
    } else {
      for (let i = 0; i < count; i++) {
        const row = selection === null ? i : selection[i]!;
        if (!vector.allValid && vector.valid[row] === 0) continue;
        seen++;
        const next = sum + values[row]!;
        if (next > SAFE || next < -SAFE) {
          this.#carry(0, BigInt(sum) + BigInt(values[row]!));
          sum = 0;
        } else sum = next;
      }
    }
    this.#sums[0] = sum;
    this.#counts[0]! += seen;
  }

  #updateGroups(vector: NumberVector, rows: DataChunk, groups: Int32Array): void {
    const { selection, count } = rows;
    const { values, valid, allValid } = vector;
    const sums = this.#sums;
    const counts = this.#counts;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!allValid && valid[row] === 0) continue;
      const group = groups[row]!;
      const next = sums[group]! + values[row]!;
      if (next > SAFE || next < -SAFE) {
        this.#carry(group, BigInt(sums[group]!) + BigInt(values[row]!));
        sums[group] = 0;
      } else sums[group] = next;
      counts[group]! += 1;
    }
  }

  #updateExact(vector: NumberVector, rows: DataChunk, groups: Int32Array | null): void {
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (vector.isNull(row)) continue;
      const group = groups === null ? 0 : groups[row]!;
      this.#carry(group, BigInt(vector.get(row)));
      this.#counts[group]! += 1;
    }
  }

  remove(rows: DataChunk): boolean {
    const vector = this.#argument.evaluate(rows) as NumberVector;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (vector.isNull(row)) continue;
      const value = vector.get(row);
      const rest = this.#sums[0]! - Number(value);
      if (typeof value === 'number' && Number.isSafeInteger(rest)) this.#sums[0] = rest;
      else this.#carry(0, -BigInt(value));
      this.#counts[0]! -= 1;
    }
    return true;
  }

  #carry(group: number, amount: bigint): void {
    this.#carries.set(group, (this.#carries.get(group) ?? 0n) + amount);
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    if (this.#counts[group] === 0) {
      out.setNull(row);
      return;
    }
    const carry = this.#carries.get(group);
    if (this.#result.oid === OID.int8 && carry === undefined) {
      (out as NumberVector).set(row, this.#sums[group]!);
      return;
    }
    const total = BigInt(this.#sums[group]!) + (carry ?? 0n);
    writeDatum(out, row, this.#result, this.#resultOf(total, this.#counts[group]!));
  }

  #resultOf(total: bigint, count: number): Datum {
    if (this.#result.oid === OID.int8) {
      if (total < INT8_MIN || total > INT8_MAX) throw integerOutOfRange('bigint');
      return int8(total);
    }
    const sum: Datum = { kind: 'finite', unscaled: total, scale: 0 };
    if (!this.#average) return sum;
    const divide = scalarImplementation(NUMERIC_DIV) as (
      context: FunctionContext,
      a: Datum,
      b: Datum,
    ) => Datum;
    const divisor: Datum = { kind: 'finite', unscaled: BigInt(count), scale: 0 };
    return divide(this.#run.environment.functions, sum, divisor);
  }

  memory(): number {
    return this.#sums.byteLength + this.#counts.byteLength + this.#carries.size * 64;
  }

  close(): void {}
}

/** min and max on the number lane. */
export class NumberExtremeAccumulator implements Accumulator {
  readonly #argument: Evaluator;
  readonly #sign: 1 | -1;
  #extremes = new Float64Array(1);
  #seen = new Uint8Array(1);
  /** Exact values of groups that have met one that is not a safe integer. */
  readonly #exact = new Map<number, number | bigint>();

  constructor(argument: Evaluator, kind: 'min' | 'max') {
    this.#argument = argument;
    this.#sign = kind === 'max' ? 1 : -1;
  }

  reset(): void {
    this.#seen.fill(0);
    this.#exact.clear();
  }

  grow(count: number): void {
    this.#extremes = grown(this.#extremes, count);
    if (count > this.#seen.length) {
      const seen = new Uint8Array(this.#extremes.length);
      seen.set(this.#seen);
      this.#seen = seen;
    }
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const vector = this.#argument.evaluate(rows) as NumberVector;
    const { selection, count } = rows;
    const { values, valid, allValid } = vector;
    const sign = this.#sign;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!allValid && valid[row] === 0) continue;
      const group = groups === null ? 0 : groups[row]!;
      if (vector.big !== null || this.#exact.size > 0) {
        this.#updateExact(group, vector.get(row));
        continue;
      }
      const value = values[row]!;
      const current = this.#extremes[group]!;
      if (this.#seen[group] === 0 || isBeyond(value, current, sign)) {
        this.#extremes[group] = value;
        this.#seen[group] = 1;
      }
    }
  }

  #updateExact(group: number, value: number | bigint): void {
    const current = this.#exact.get(group) ?? this.#extremes[group]!;
    const isBetter = this.#sign > 0 ? value > current : value < current;
    if (this.#seen[group] === 0 || isBetter) {
      this.#seen[group] = 1;
      this.#extremes[group] = Number(value);
      if (typeof value === 'bigint') this.#exact.set(group, value);
      else this.#exact.delete(group);
    }
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    if (this.#seen[group] === 0) out.setNull(row);
    else (out as NumberVector).set(row, this.#exact.get(group) ?? this.#extremes[group]!);
  }

  memory(): number {
    return this.#extremes.byteLength + this.#seen.byteLength;
  }

  close(): void {}
}

/** NaN is above every number. */
function isBeyond(value: number, current: number, sign: 1 | -1): boolean {
  if (sign > 0) return value > current || (Number.isNaN(value) && !Number.isNaN(current));
  return value < current || (Number.isNaN(current) && !Number.isNaN(value));
}

/** sum and avg of float8. */
export class FloatSumAccumulator implements Accumulator {
  readonly #argument: Evaluator;
  readonly #average: boolean;
  #sums = new Float64Array(1);
  #counts = new Float64Array(1);

  constructor(argument: Evaluator, average: boolean) {
    this.#argument = argument;
    this.#average = average;
  }

  reset(): void {
    this.#sums.fill(0);
    this.#counts.fill(0);
  }

  grow(count: number): void {
    this.#sums = grown(this.#sums, count);
    this.#counts = grown(this.#counts, count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const vector = this.#argument.evaluate(rows) as NumberVector;
    const { selection, count } = rows;
    const { values, valid, allValid } = vector;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!allValid && valid[row] === 0) continue;
      const group = groups === null ? 0 : groups[row]!;
      const before = this.#sums[group]!;
      const after = before + values[row]!;
      if (!Number.isFinite(after) && Number.isFinite(before) && Number.isFinite(values[row]!)) {
        throw floatOverflow();
      }
      this.#sums[group] = after;
      this.#counts[group]! += 1;
    }
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    const count = this.#counts[group]!;
    if (count === 0) out.setNull(row);
    else (out as NumberVector).set(row, this.#sums[group]! / (this.#average ? count : 1));
  }

  memory(): number {
    return this.#sums.byteLength * 2;
  }

  close(): void {}
}

function floatOverflow(): Error {
  return pgError('numeric_value_out_of_range', 'value out of range: overflow');
}
