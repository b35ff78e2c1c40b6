/** The range types.
 *
 * Stored form, integers little-endian:
 *
 *   offset  size  field
 *        0     1  flags   01 empty; 02, 04 the lower, upper bound is inclusive; 08, 10 it is infinite
 *        1     4  length  of the lower bound, where both bounds are finite
 *        …     …  lower   the subtype's stored form, where it is finite
 *        …     …  upper   likewise, up to the end
 *
 * Valid if and only if (1) the flags are such as a range in its one form has (value.ts), (2) each bound
 * is valid in the subtype's form. Versions: 1, first release.
 *
 * The binary form has the same flags, and before each finite bound its length in 4 bytes, big-endian.
 *
 * Key: 00 for the empty range. Else 01 and the lower bound, then the upper one. A bound is 01, its
 * key, and 01 where it is inclusive, 00 where not, the other way round for a lower bound. An infinite
 * lower bound is 00, an infinite upper one 02.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { Datum, RangeDatum } from '../datum.ts';
import { COMMON, insufficientData, readInt32, readInt32le, surplusData } from '../scalar.ts';
import type { SqlType } from '../sql-type.ts';
import { formatRange, parseRange } from './text.ts';
import { compareRanges, emptyRange, makeRange, RANGE_KINDS, type RangeKind } from './value.ts';

const EMPTY = 0x01;
const LOWER_INCLUSIVE = 0x02;
const UPPER_INCLUSIVE = 0x04;
const LOWER_INFINITE = 0x08;
const UPPER_INFINITE = 0x10;

function rangeType(kind: RangeKind): SqlType {
  const { oid, name, arrayOid, subtype } = kind;
  return {
    ...COMMON,
    oid,
    name,
    sqlName: name,
    arrayOid,
    category: 'R',
    length: -1,
    byValue: false,
    align: subtype.align === 'd' ? 'd' : 'i',
    storage: 'x',
    lane: 'object',
    stored: 'bytes',
    input: (text, context) => parseRange(text, kind, context),
    output: (value, context) => formatRange(value as RangeDatum, kind, context),
    writeText: (value, out, context) => out.utf8(formatRange(value as RangeDatum, kind, context)),
    receive: (bytes, start, end) => receiveRange(kind, bytes, start, end),
    send: (value, out) => sendRange(subtype, value as RangeDatum, out),
    compare: (a, b) => compareRanges(subtype, a as RangeDatum, b as RangeDatum),
    encodeKey: (value, out) => encodeRangeKey(subtype, value as RangeDatum, out),
    toBytes: (value, out) => storeRange(subtype, value as RangeDatum, out),
    fromBytes: (bytes, start, end) => loadRange(kind, bytes, start, end),
  };
}

export const RANGE_TYPES: readonly SqlType[] = RANGE_KINDS.map(rangeType);

const TYPES = new Map(RANGE_TYPES.map((type) => [type.oid, type]));

export function rangeTypeOf(kind: RangeKind): SqlType {
  return TYPES.get(kind.oid)!;
}

function flagsOf(range: RangeDatum): number {
  if (range.empty) return EMPTY;
  return (
    (range.lowerInclusive ? LOWER_INCLUSIVE : 0) |
    (range.upperInclusive ? UPPER_INCLUSIVE : 0) |
    (range.lower === null ? LOWER_INFINITE : 0) |
    (range.upper === null ? UPPER_INFINITE : 0)
  );
}

function hasLower(flags: number): boolean {
  return (flags & (EMPTY | LOWER_INFINITE)) === 0;
}

function hasUpper(flags: number): boolean {
  return (flags & (EMPTY | UPPER_INFINITE)) === 0;
}

function sendRange(subtype: SqlType, range: RangeDatum, out: ByteWriter): void {
  out.u8(flagsOf(range));
  for (const bound of [range.lower, range.upper]) {
    if (bound === null) continue;
    out.u32be(0);
    const start = out.position;
    subtype.send(bound, out);
    out.view.setUint32(start - 4, out.position - start);
  }
}

function receiveRange(kind: RangeKind, bytes: Uint8Array, start: number, end: number): RangeDatum {
  if (start === end) throw insufficientData();
  const flags = bytes[start]!;
  let at = start + 1;
  const read = (): Datum => {
    if (at + 4 > end) throw insufficientData();
    const length = readInt32(bytes, at);
    const from = at + 4;
    if (length < 0 || length > end - from) throw insufficientData();
    at = from + length;
    return kind.subtype.receive(bytes, from, at);
  };
  const lower = hasLower(flags) ? read() : null;
  const upper = hasUpper(flags) ? read() : null;
  if (at !== end) throw surplusData();
  if ((flags & EMPTY) !== 0) return emptyRange(kind);
  return makeRange(
    kind,
    { value: lower, inclusive: (flags & LOWER_INCLUSIVE) !== 0, isLower: true },
    { value: upper, inclusive: (flags & UPPER_INCLUSIVE) !== 0, isLower: false },
  );
}

function storeRange(subtype: SqlType, range: RangeDatum, out: ByteWriter): void {
  const { lower, upper } = range;
  out.u8(flagsOf(range));
  if (lower !== null) {
    if (upper !== null) out.u32le(0);
    const start = out.position;
    subtype.toBytes(lower, out);
    if (upper !== null) out.view.setUint32(start - 4, out.position - start, true);
  }
  if (upper !== null) subtype.toBytes(upper, out);
}

function loadRange(kind: RangeKind, bytes: Uint8Array, start: number, end: number): RangeDatum {
  const { subtype } = kind;
  const flags = bytes[start]!;
  if ((flags & EMPTY) !== 0) return emptyRange(kind);
  const isBounded = hasLower(flags) && hasUpper(flags);
  const from = start + (isBounded ? 5 : 1);
  const middle = isBounded ? from + readInt32le(bytes, start + 1) : hasLower(flags) ? end : from;
  return {
    rangeType: kind.oid,
    empty: false,
    lower: hasLower(flags) ? subtype.fromBytes(bytes, from, middle) : null,
    upper: hasUpper(flags) ? subtype.fromBytes(bytes, middle, end) : null,
    lowerInclusive: (flags & LOWER_INCLUSIVE) !== 0,
    upperInclusive: (flags & UPPER_INCLUSIVE) !== 0,
  };
}

const KEY_BELOW = 0;
const KEY_VALUE = 1;
const KEY_ABOVE = 2;

function encodeRangeKey(subtype: SqlType, range: RangeDatum, out: ByteWriter): void {
  if (range.empty) {
    out.u8(KEY_BELOW);
    return;
  }
  out.u8(KEY_VALUE);
  if (range.lower === null) out.u8(KEY_BELOW);
  else encodeBoundKey(subtype, range.lower, !range.lowerInclusive, out);
  if (range.upper === null) out.u8(KEY_ABOVE);
  else encodeBoundKey(subtype, range.upper, range.upperInclusive, out);
}

function encodeBoundKey(subtype: SqlType, value: Datum, isBehind: boolean, out: ByteWriter): void {
  out.u8(KEY_VALUE);
  subtype.encodeKey(value, out);
  out.u8(Number(isBehind));
}
