import { ByteWriter, countWork } from '../base/index.ts';
import type { Datum, SqlType } from '../types/index.ts';
import {
  BytesVector,
  CHUNK_ROWS,
  type ColumnVector,
  NumberVector,
  ObjectVector,
} from './column-vector.ts';

const BOOL = 16;
const scratch = new ByteWriter(64);
/** Values from here on are not copied if that can be avoided. */
const LONG = 1 << 20;

/** A vector for values of a type. */
export function createVector(type: SqlType, capacity: number = CHUNK_ROWS): ColumnVector {
  if (type.lane === 'number') return new NumberVector(capacity);
  if (type.lane === 'bytes')
    return new BytesVector(capacity, Math.max(16, Math.min(capacity * 8, 4096)));
  return new ObjectVector(capacity);
}

/** Number of rows that fit a vector. */
export function vectorCapacity(vector: ColumnVector): number {
  return vector.valid.length;
}

/** The value of a row as a Datum. */
export function readDatum(vector: ColumnVector, row: number, type: SqlType): Datum {
  if (!vector.allValid && vector.valid[row] === 0) return null;
  if (vector.lane === 'number') {
    return type.oid === BOOL ? vector.values[row] !== 0 : vector.get(row);
  }
  if (vector.lane === 'object') return vector.values[row]!;
  const start = vector.start[row]!;
  return type.fromBytes(vector.buffer, start, start + vector.length[row]!);
}

/** Whether two vectors of a type have the same value, or NULL, in a row each. */
export function sameDatum(
  type: SqlType,
  a: ColumnVector,
  aRow: number,
  b: ColumnVector,
  bRow: number,
): boolean {
  const isNull = a.isNull(aRow);
  if (isNull || b.isNull(bRow)) return isNull === b.isNull(bRow);
  return type.compare(readDatum(a, aRow, type)!, readDatum(b, bRow, type)!) === 0;
}

/** Sets a row to a Datum. */
export function writeDatum(vector: ColumnVector, row: number, type: SqlType, value: Datum): void {
  if (value === null) vector.setNull(row);
  else if (vector.lane === 'number') {
    vector.set(row, typeof value === 'boolean' ? (value ? 1 : 0) : (value as number | bigint));
  } else if (vector.lane === 'object') vector.set(row, value);
  else {
    scratch.reset();
    type.toBytes(value, scratch);
    const { position } = scratch;
    if (position < LONG) vector.setRange(row, scratch.bytes, 0, position);
    else {
      countWork(position);
      if (vector.used === 0) vector.adopt(row, scratch.take(), position);
      else vector.setRange(row, scratch.bytes, 0, position);
    }
  }
}

/** Copies a row between vectors of one lane. */
export function copyRow(
  from: ColumnVector,
  fromRow: number,
  to: ColumnVector,
  toRow: number,
): void {
  if (!from.allValid && from.valid[fromRow] === 0) {
    to.setNull(toRow);
    return;
  }
  if (from.lane === 'number') {
    const target = to as NumberVector;
    if (from.big === null && target.big === null) {
      target.values[toRow] = from.values[fromRow]!;
      if (!target.allValid) target.valid[toRow] = 1;
    } else target.set(toRow, from.get(fromRow));
  } else if (from.lane === 'bytes') {
    const start = from.start[fromRow]!;
    (to as BytesVector).setRange(toRow, from.buffer, start, start + from.length[fromRow]!);
  } else (to as ObjectVector).set(toRow, from.values[fromRow]!);
}

/** Copies rows selection[0 .. count-1] (rows 0 .. count-1 without one) to rows `at` and on. */
export function gatherRows(
  from: ColumnVector,
  selection: Int32Array | null,
  count: number,
  to: ColumnVector,
  at: number,
): void {
  if (from.lane === 'number' && from.big === null) {
    const target = to as NumberVector;
    if (target.big === null && from.allValid && target.allValid) {
      const source = from.values;
      const values = target.values;
      if (selection === null) {
        for (let i = 0; i < count; i++) values[at + i] = source[i]!;
      } else {
        for (let i = 0; i < count; i++) values[at + i] = source[selection[i]!]!;
      }
      return;
    }
  }
  for (let i = 0; i < count; i++) copyRow(from, selection === null ? i : selection[i]!, to, at + i);
}

/** Copies selected rows to the same row numbers of another vector. */
export function scatterRows(
  from: ColumnVector,
  selection: Int32Array | null,
  count: number,
  to: ColumnVector,
): void {
  for (let i = 0; i < count; i++) {
    const row = selection === null ? i : selection[i]!;
    copyRow(from, row, to, row);
  }
}

/** Makes every row of a vector NULL. */
export function setAllNull(vector: ColumnVector): void {
  vector.reset();
  vector.allValid = false;
  vector.valid.fill(0);
  if (vector.lane === 'bytes') {
    vector.start.fill(0);
    vector.length.fill(0);
  }
}

/** Makes rows 0 .. count-1 of a vector the same value. */
export function fillVector(vector: ColumnVector, count: number, type: SqlType, value: Datum): void {
  vector.reset();
  if (value === null) {
    setAllNull(vector);
    return;
  }
  if (vector.lane === 'number') {
    const plain = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number | bigint);
    if (typeof plain === 'number') vector.values.fill(plain, 0, count);
    else for (let i = 0; i < count; i++) vector.set(i, plain);
  } else if (vector.lane === 'bytes') {
    writeDatum(vector, 0, type, value);
    vector.start.fill(vector.start[0]!, 0, count);
    vector.length.fill(vector.length[0]!, 0, count);
  } else vector.values.fill(value, 0, count);
}
