import type { ByteWriter } from '../base/index.ts';
import type { BytesVector, ColumnVector, NumberVector, ObjectVector } from '../chunk/index.ts';
import type { Datum } from '../types/index.ts';
import { STORED, TUPLE_HEADER_SIZE, TUPLE_WIDE, type TupleLayout } from './tuple-layout.ts';

const INT4_MAX = 0x7fff_ffff;
const INT4_MIN = -0x8000_0000;
const INT8_MAX = 0x7fff_ffff_ffff_ffffn;
const INT8_MIN = -0x8000_0000_0000_0000n;
/** The data of a tuple with ends of two bytes. */
const NARROW_DATA_MAX = 0xffff;

/** Appends the tuple of row `row` of `columns`, one vector for each column of the layout. */
export function encodeTuple(
  layout: TupleLayout,
  columns: readonly ColumnVector[],
  row: number,
  out: ByteWriter,
): void {
  const start = out.position;
  if (!encodeRow(layout, columns, row, out, false)) {
    out.position = start;
    encodeRow(layout, columns, row, out, true);
  }
}

/** Appends the tuple of Datums, one for each column of the layout. */
export function encodeTupleFromDatums(
  layout: TupleLayout,
  values: readonly Datum[],
  out: ByteWriter,
): void {
  const start = out.position;
  if (!encodeDatums(layout, values, out, false)) {
    out.position = start;
    encodeDatums(layout, values, out, true);
  }
}

function begin(layout: TupleLayout, wide: boolean, out: ByteWriter): number {
  const count = layout.count;
  const head =
    TUPLE_HEADER_SIZE +
    ((count + 7) >> 3) +
    layout.fixedSize[count]! +
    layout.variableCount[count]! * (wide ? 4 : 2);
  out.reserve(head);
  const start = out.position;
  out.bytes.fill(0, start, start + head);
  const header = count | (wide ? TUPLE_WIDE : 0);
  out.bytes[start] = header;
  out.bytes[start + 1] = header >> 8;
  out.position = start + head;
  return start;
}

/** False when the data does not fit ends of two bytes. */
function encodeRow(
  layout: TupleLayout,
  columns: readonly ColumnVector[],
  row: number,
  out: ByteWriter,
  wide: boolean,
): boolean {
  const start = begin(layout, wide, out);
  const count = layout.count;
  const fixed = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3);
  const data = out.position;
  let ends = fixed + layout.fixedSize[count]!;
  for (let i = 0; i < count; i++) {
    const column = columns[i]!;
    const isNull = !column.allValid && column.valid[row] === 0;
    if (isNull) out.bytes[start + TUPLE_HEADER_SIZE + (i >> 3)]! |= 1 << (i & 7);
    const stored = layout.stored[i]!;
    if (stored !== STORED.bytes) {
      if (!isNull) {
        writeFixedFromVector(layout, i, column as NumberVector, row, out, fixed);
      }
      continue;
    }
    if (!isNull) {
      if (column.lane === 'bytes') {
        const from = (column as BytesVector).start[row]!;
        out.range(
          (column as BytesVector).buffer,
          from,
          from + (column as BytesVector).length[row]!,
        );
      } else layout.types[i]!.toBytes((column as ObjectVector).values[row]!, out);
    }
    const end = out.position - data;
    if (!wide && end > NARROW_DATA_MAX) return false;
    ends = writeEnd(out.bytes, ends, end, wide);
  }
  return true;
}

function encodeDatums(
  layout: TupleLayout,
  values: readonly Datum[],
  out: ByteWriter,
  wide: boolean,
): boolean {
  const start = begin(layout, wide, out);
  const count = layout.count;
  const fixed = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3);
  const data = out.position;
  let ends = fixed + layout.fixedSize[count]!;
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? null;
    if (value === null) out.bytes[start + TUPLE_HEADER_SIZE + (i >> 3)]! |= 1 << (i & 7);
    if (layout.stored[i] !== STORED.bytes) {
      if (value !== null) {
        const number = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number | bigint);
        writeFixed(layout, i, number, out, fixed + layout.fixedOffset[i]!);
      }
      continue;
    }
    if (value !== null) layout.types[i]!.toBytes(value, out);
    const end = out.position - data;
    if (!wide && end > NARROW_DATA_MAX) return false;
    ends = writeEnd(out.bytes, ends, end, wide);
  }
  return true;
}

function writeEnd(bytes: Uint8Array, at: number, end: number, wide: boolean): number {
  bytes[at] = end;
  bytes[at + 1] = end >> 8;
  if (!wide) return at + 2;
  bytes[at + 2] = end >> 16;
  bytes[at + 3] = end >> 24;
  return at + 4;
}

function writeFixedFromVector(
  layout: TupleLayout,
  column: number,
  vector: NumberVector,
  row: number,
  out: ByteWriter,
  fixed: number,
): void {
  const at = fixed + layout.fixedOffset[column]!;
  const value = vector.values[row]!;
  if (layout.stored[column] === STORED.int4 && layout.infinite[column] === 0) {
    const bytes = out.bytes;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    return;
  }
  writeFixed(layout, column, vector.big === null ? value : vector.get(row), out, at);
}

function writeFixed(
  layout: TupleLayout,
  column: number,
  value: number | bigint,
  out: ByteWriter,
  at: number,
): void {
  switch (layout.stored[column]) {
    case STORED.bool:
      out.bytes[at] = value as number;
      break;
    case STORED.int2:
      out.view.setInt16(at, value as number, true);
      break;
    case STORED.int4:
      out.view.setInt32(at, finiteInt4(value as number), true);
      break;
    case STORED.int8:
      writeInt64(out.view, at, value, layout.infinite[column] === 1);
      break;
    case STORED.float4:
      out.view.setFloat32(at, value as number, true);
      break;
    default:
      out.view.setFloat64(at, value as number, true);
  }
}

function finiteInt4(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return INT4_MAX;
  return value === Number.NEGATIVE_INFINITY ? INT4_MIN : value;
}

function writeInt64(view: DataView, at: number, value: number | bigint, infinite: boolean): void {
  if (typeof value === 'bigint') view.setBigInt64(at, value, true);
  else if (infinite && !Number.isFinite(value)) {
    view.setBigInt64(at, value > 0 ? INT8_MAX : INT8_MIN, true);
  } else {
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }
}
