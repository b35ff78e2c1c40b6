import {
  type BytesVector,
  type ColumnVector,
  type NumberVector,
  type ObjectVector,
  writeDatum,
} from '../chunk/index.ts';
import { type Datum, OID } from '../types/index.ts';
import {
  STORED,
  TUPLE_COLUMNS_MASK,
  TUPLE_HEADER_SIZE,
  TUPLE_WIDE,
  type TupleLayout,
} from './tuple-layout.ts';

const INT4_MAX = 0x7fff_ffff;
const INT4_MIN = -0x8000_0000;
const TWO_32 = 0x1_0000_0000;
/** The high half of a safe integer lies between these. */
const SAFE_HIGH_MIN = -0x20_0000;
const SAFE_HIGH_MAX = 0x1f_ffff;

/** Tuples that lie in one byte array: a LeafRun, or rows that an operator keeps. */
export interface TupleRun {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly valueStart: Int32Array;
}

/** Reads column `column` of the tuples from .. from+count-1 of a run into rows outRow and on. */
export function readColumn(
  layout: TupleLayout,
  column: number,
  run: TupleRun,
  from: number,
  count: number,
  vector: ColumnVector,
  outRow: number,
): void {
  if (layout.stored[column] === STORED.bytes) {
    if (vector.lane === 'bytes' && count >= TOGETHER_MIN) {
      readBytesColumn(layout, column, run, from, count, vector, outRow);
      return;
    }
    for (let i = 0; i < count; i++) {
      readVariable(layout, column, run.bytes, run.valueStart[from + i]!, vector, outRow + i);
    }
  } else if (layout.stored[column] === STORED.int4 && layout.infinite[column] === 0) {
    readInt4Column(layout, column, run, from, count, vector as NumberVector, outRow);
  } else {
    const { bytes, view, valueStart } = run;
    for (let i = 0; i < count; i++) {
      const start = valueStart[from + i]!;
      readFixed(layout, column, bytes, view, start, vector as NumberVector, outRow + i);
    }
  }
}

/** Reads one column of one tuple into a row. */
export function readColumnOfTuple(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  start: number,
  vector: ColumnVector,
  row: number,
): void {
  if (layout.stored[column] === STORED.bytes) {
    readVariable(layout, column, bytes, start, vector, row);
  } else readFixed(layout, column, bytes, null, start, vector as NumberVector, row);
}

/** Values that lie close together are copied together, what lies between them with them: a call for each
 * costs more than some hundred bytes. */
const TOGETHER_MIN = 4;
const GAP_MEAN_MAX = 256;

/** Finds where the values lie, then copies them all at once if they lie in one leaf, as those of a scan
 * do. A leaf has its rows in one block of some thousand bytes (bench/micro/scan.ts). */
function readBytesColumn(
  layout: TupleLayout,
  column: number,
  run: TupleRun,
  from: number,
  count: number,
  vector: BytesVector,
  outRow: number,
): void {
  const { bytes, valueStart } = run;
  const { start: starts, length: lengths } = vector;
  const nullByte = TUPLE_HEADER_SIZE + (column >> 3);
  const nullBit = 1 << (column & 7);
  let low = 0x7fff_ffff;
  let high = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const tuple = valueStart[from + i]!;
    const header = bytes[tuple]! | (bytes[tuple + 1]! << 8);
    if (column >= (header & TUPLE_COLUMNS_MASK) || (bytes[tuple + nullByte]! & nullBit) !== 0) {
      // Told from a value by its place, which no value has.
      starts[outRow + i] = ABSENT;
      continue;
    }
    locateVariable(layout, column, bytes, tuple, header);
    const { start, end } = range;
    starts[outRow + i] = start;
    lengths[outRow + i] = end - start;
    total += end - start;
    if (start < low) low = start;
    if (end > high) high = end;
  }
  const isClose = high - low <= total + count * GAP_MEAN_MAX;
  let shift = 0;
  if (isClose && high > low) {
    vector.reserve(high - low);
    vector.buffer.set(bytes.subarray(low, high), vector.used);
    shift = vector.used - low;
    vector.used += high - low;
  }
  for (let i = 0; i < count; i++) {
    const row = outRow + i;
    const start = starts[row]!;
    if (start === ABSENT || !isClose) {
      readVariable(layout, column, bytes, valueStart[from + i]!, vector, row);
    } else {
      starts[row] = start + shift;
      if (!vector.allValid) vector.valid[row] = 1;
    }
  }
}

const ABSENT = -1;

/** int4 is what scans read most. Byte loads are as fast as an aligned view and need no alignment
 * (bench/micro/scan.ts). */
function readInt4Column(
  layout: TupleLayout,
  column: number,
  run: TupleRun,
  from: number,
  count: number,
  vector: NumberVector,
  outRow: number,
): void {
  const bytes = run.bytes;
  const starts = run.valueStart;
  const values = vector.values;
  const full = layout.count;
  const nullByte = TUPLE_HEADER_SIZE + (column >> 3);
  const nullBit = 1 << (column & 7);
  const offset = TUPLE_HEADER_SIZE + ((full + 7) >> 3) + layout.fixedOffset[column]!;
  const setsValid = !vector.allValid;
  for (let i = 0; i < count; i++) {
    const start = starts[from + i]!;
    const header = bytes[start]! | (bytes[start + 1]! << 8);
    if ((header & TUPLE_COLUMNS_MASK) !== full || (bytes[start + nullByte]! & nullBit) !== 0) {
      readFixed(layout, column, bytes, run.view, start, vector, outRow + i);
      continue;
    }
    const at = start + offset;
    values[outRow + i] =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if (setsValid || !vector.allValid) vector.valid[outRow + i] = 1;
  }
}

function readFixed(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  view: DataView | null,
  start: number,
  vector: NumberVector,
  row: number,
): void {
  const count = (bytes[start]! | (bytes[start + 1]! << 8)) & TUPLE_COLUMNS_MASK;
  if (column >= count) {
    writeDatum(vector, row, layout.types[column]!, layout.missing[column]!);
    return;
  }
  if ((bytes[start + TUPLE_HEADER_SIZE + (column >> 3)]! & (1 << (column & 7))) !== 0) {
    vector.setNull(row);
    return;
  }
  const at = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3) + layout.fixedOffset[column]!;
  const stored = layout.stored[column]!;
  if (stored === STORED.int8) readInt64(bytes, at, layout.infinite[column] === 1, vector, row);
  else {
    const value = readSmall(stored, bytes, view, at);
    if (layout.infinite[column] === 1) vector.set(row, infiniteInt4(value));
    else if (vector.big === null) {
      vector.values[row] = value;
      if (!vector.allValid) vector.valid[row] = 1;
    } else vector.set(row, value);
  }
}

function readSmall(stored: number, bytes: Uint8Array, view: DataView | null, at: number): number {
  switch (stored) {
    case STORED.bool:
      return bytes[at]!;
    case STORED.int2:
      return ((bytes[at]! | (bytes[at + 1]! << 8) | 0) << 16) >> 16;
    case STORED.int4:
      return int32(bytes, at);
    case STORED.float4:
      return view === null ? float32(bytes, at) : view.getFloat32(at, true);
    default:
      return view === null ? float64(bytes, at) : view.getFloat64(at, true);
  }
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

function float32(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 4; i++) floatBytes[i] = bytes[at + i]!;
  return floatView.getFloat32(0, true);
}

function float64(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) floatBytes[i] = bytes[at + i]!;
  return floatView.getFloat64(0, true);
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function infiniteInt4(value: number): number {
  if (value === INT4_MAX) return Number.POSITIVE_INFINITY;
  return value === INT4_MIN ? Number.NEGATIVE_INFINITY : value;
}

function readInt64(
  bytes: Uint8Array,
  at: number,
  infinite: boolean,
  vector: NumberVector,
  row: number,
): void {
  const high = int32(bytes, at + 4);
  const low = int32(bytes, at) >>> 0;
  if (high >= SAFE_HIGH_MIN && high <= SAFE_HIGH_MAX && !(high === SAFE_HIGH_MIN && low === 0)) {
    if (vector.big === null) {
      vector.values[row] = high * TWO_32 + low;
      if (!vector.allValid) vector.valid[row] = 1;
    } else vector.set(row, high * TWO_32 + low);
    return;
  }
  vector.set(row, wideInt64(high, low, infinite));
}

function wideInt64(high: number, low: number, infinite: boolean): number | bigint {
  if (infinite && high === INT4_MAX && low === 0xffff_ffff) return Number.POSITIVE_INFINITY;
  if (infinite && high === INT4_MIN && low === 0) return Number.NEGATIVE_INFINITY;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Where a variable column of a tuple starts and ends; filled by locateVariable. */
const range = { start: 0, end: 0 };

/** Finds a variable column that the tuple has: absolute positions in `range`. */
function locateVariable(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  start: number,
  header: number,
): void {
  const count = header & TUPLE_COLUMNS_MASK;
  const ends = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3) + layout.fixedSize[count]!;
  const index = layout.variableIndex[column]!;
  if ((header & TUPLE_WIDE) === 0) {
    const data = ends + 2 * layout.variableCount[count]!;
    const at = ends + 2 * index;
    range.start = data + (index === 0 ? 0 : bytes[at - 2]! | (bytes[at - 1]! << 8));
    range.end = data + (bytes[at]! | (bytes[at + 1]! << 8));
    return;
  }
  const data = ends + 4 * layout.variableCount[count]!;
  const at = ends + 4 * index;
  range.start = data + (index === 0 ? 0 : int32(bytes, at - 4));
  range.end = data + int32(bytes, at);
}

function readVariable(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  start: number,
  vector: ColumnVector,
  row: number,
): void {
  const header = bytes[start]! | (bytes[start + 1]! << 8);
  if (column >= (header & TUPLE_COLUMNS_MASK)) {
    writeDatum(vector, row, layout.types[column]!, layout.missing[column]!);
    return;
  }
  if ((bytes[start + TUPLE_HEADER_SIZE + (column >> 3)]! & (1 << (column & 7))) !== 0) {
    vector.setNull(row);
    return;
  }
  locateVariable(layout, column, bytes, start, header);
  if (vector.lane === 'bytes') {
    (vector as BytesVector).setRange(row, bytes, range.start, range.end);
  } else {
    const value = layout.types[column]!.fromBytes(bytes, range.start, range.end);
    (vector as ObjectVector).set(row, value);
  }
}

/** One column of one tuple, as a Datum. */
export function readTupleDatum(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  start: number,
): Datum {
  const header = bytes[start]! | (bytes[start + 1]! << 8);
  const count = header & TUPLE_COLUMNS_MASK;
  if (column >= count) return layout.missing[column]!;
  if ((bytes[start + TUPLE_HEADER_SIZE + (column >> 3)]! & (1 << (column & 7))) !== 0) return null;
  const stored = layout.stored[column]!;
  const type = layout.types[column]!;
  if (stored === STORED.bytes) {
    locateVariable(layout, column, bytes, start, header);
    return type.fromBytes(bytes, range.start, range.end);
  }
  const at = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3) + layout.fixedOffset[column]!;
  const infinite = layout.infinite[column] === 1;
  if (stored === STORED.int8) {
    const high = int32(bytes, at + 4);
    const low = int32(bytes, at) >>> 0;
    const value = high * TWO_32 + low;
    return Number.isSafeInteger(value) ? value : wideInt64(high, low, infinite);
  }
  const value = readSmall(stored, bytes, null, at);
  if (type.oid === OID.bool) return value !== 0;
  return infinite ? infiniteInt4(value) : value;
}

/** All columns of a tuple, as Datums. */
export function readTupleDatums(layout: TupleLayout, bytes: Uint8Array, start: number): Datum[] {
  const values: Datum[] = [];
  for (let i = 0; i < layout.count; i++) values.push(readTupleDatum(layout, i, bytes, start));
  return values;
}

/** Place of a column's stored bytes for readers that take them in place; `null` is NULL or missing. */
export interface StoredRange {
  start: number;
  end: number;
}

/** The stored bytes of a variable column that is present and not NULL; the object is reused. */
export function variableRange(
  layout: TupleLayout,
  column: number,
  bytes: Uint8Array,
  start: number,
): StoredRange {
  locateVariable(layout, column, bytes, start, bytes[start]! | (bytes[start + 1]! << 8));
  return range;
}
