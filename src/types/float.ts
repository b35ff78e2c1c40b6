/** float4 and float8: text forms exactly as PostgreSQL prints and reads them.
 *
 * Output is the shortest decimal that reads back as the same value, in C's %g layout: an exponent
 * below -4 or from the precision (15 and 6 digits) on is printed as `1e+20`. JavaScript prints the
 * same digits with one exception: where the shortest decimal lies exactly halfway between two
 * floats, PostgreSQL does not rely on the reader to round to even and prints one digit more.
 *
 * Keys are the IEEE bits, big-endian, with the sign bit flipped for positive and all bits flipped
 * for negative values; -0 is written as 0 and every NaN as one NaN, which orders last.
 */
import type { ByteWriter } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';
import { COMMON, expectLength, invalidInput, isSpace, writeAscii } from './scalar.ts';
import type { SqlType } from './sql-type.ts';

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The text of a float8 under a setting of extra_float_digits. */
export function formatFloat8(value: number, extraFloatDigits = 1): string {
  if (extraFloatDigits > 0) {
    if (Number.isSafeInteger(value) && value < 1e15 && value > -1e15) {
      return value === 0 && Object.is(value, -0) ? '-0' : String(value);
    }
    return special(value) ?? layOut(shortestFloat8(value), 15);
  }
  const digits = Math.max(15 + extraFloatDigits, 1);
  return special(value) ?? layOut(roundedDigits(value, digits), digits);
}

/** The text of a float4, whose value is already rounded to single precision. */
export function formatFloat4(value: number, extraFloatDigits = 1): string {
  if (extraFloatDigits > 0) {
    if (Number.isSafeInteger(value) && value < 1e6 && value > -1e6) {
      return value === 0 && Object.is(value, -0) ? '-0' : String(value);
    }
    return special(value) ?? layOut(shortestFloat4(value), 6);
  }
  const digits = Math.max(6 + extraFloatDigits, 1);
  return special(value) ?? layOut(roundedDigits(value, digits), digits);
}

function special(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  if (value === Number.NEGATIVE_INFINITY) return '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return null;
}

/** Lays out `[-]d[.ddd]e[+-]x` as C's %g of the precision does. */
function layOut(exponential: string, precision: number): string {
  const e = exponential.indexOf('e');
  const exponent = Number(exponential.slice(e + 1));
  const negative = exponential.charCodeAt(0) === 45;
  const sign = negative ? '-' : '';
  const mantissa = exponential.slice(negative ? 1 : 0, e);
  if (exponent < -4 || exponent >= precision) {
    const size = Math.abs(exponent);
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`;
  }
  const digits = mantissa.length > 1 ? mantissa[0] + mantissa.slice(2) : mantissa;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = exponent + 1;
  if (digits.length <= whole) return sign + digits + '0'.repeat(whole - digits.length);
  return `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`;
}

function shortestFloat8(value: number): string {
  const shortest = value.toExponential();
  if (!mayBeHalfway(shortest, value) || !isHalfwayFloat8(shortest, value)) return shortest;
  for (let digits = significantDigits(shortest); digits < 17; digits++) {
    const candidate = stripZeros(value.toExponential(digits - 1));
    if (Number(candidate) === value && !isHalfwayFloat8(candidate, value)) return candidate;
  }
  return stripZeros(value.toExponential(16));
}

function significantDigits(exponential: string): number {
  const e = exponential.indexOf('e');
  let count = 0;
  for (let i = 0; i < e; i++) {
    const code = exponential.charCodeAt(i);
    if (code >= 48 && code <= 57) count++;
  }
  return count;
}

/** Cheap and true for every decimal that lies halfway between two doubles. Such a decimal is an odd
 * 54-bit number times a power of two; so either it is an integer above 2^53, or its digits make a
 * multiple of five of at least 16 digits. */
function mayBeHalfway(exponential: string, value: number): boolean {
  if (value >= 9007199254740992 || value <= -9007199254740992) return true;
  const e = exponential.indexOf('e');
  return e >= 17 && exponential.charCodeAt(e - 1) === 53;
}

function isHalfwayFloat8(exponential: string, value: number): boolean {
  scratch.setFloat64(0, Math.abs(value));
  const bits = scratch.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
  const exponent = Math.max(biased, 1) - 1075;
  if (isDyadic(exponential, 2n * mantissa + 1n, exponent - 1)) return true;
  // Below a power of two the neighbour is only half as far.
  if (fraction === 0n && biased > 1) return isDyadic(exponential, 4n * mantissa - 1n, exponent - 2);
  return isDyadic(exponential, 2n * mantissa - 1n, exponent - 1);
}

/** Whether the absolute value of a decimal is exactly numerator * 2^exponent. */
function isDyadic(exponential: string, numerator: bigint, exponent: number): boolean {
  return compareWithDyadic(exponential, numerator, exponent) === 0;
}

/** Orders the absolute value of a decimal in exponential form and numerator * 2^exponent, exactly. */
function compareWithDyadic(exponential: string, numerator: bigint, exponent: number): number {
  const e = exponential.indexOf('e');
  const mantissa = exponential.slice(0, e).replace('-', '');
  const point = mantissa.indexOf('.');
  let power = Number(exponential.slice(e + 1));
  if (point >= 0) power -= mantissa.length - point - 1;
  let left = BigInt(mantissa.replace('.', ''));
  let right = numerator;
  if (power >= 0) left *= 10n ** BigInt(power);
  else right *= 10n ** BigInt(-power);
  if (exponent >= 0) right <<= BigInt(exponent);
  else left <<= BigInt(-exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

function stripZeros(exponential: string): string {
  const e = exponential.indexOf('e');
  if (exponential.indexOf('.') < 0) return exponential;
  let end = e;
  while (exponential.charCodeAt(end - 1) === 48) end--;
  if (exponential.charCodeAt(end - 1) === 46) end--;
  return exponential.slice(0, end) + exponential.slice(e);
}

/** The smallest normal float4, 2^-126. */
const FLOAT4_NORMAL_MIN = 1.1754943508222875e-38;

/** Six digits tell any two decimals of six digits apart as normal float4s, nine tell all apart. */
function shortestFloat4(value: number): string {
  const magnitude = Math.abs(value);
  for (let digits = magnitude < FLOAT4_NORMAL_MIN ? 1 : 6; digits < 9; digits++) {
    const rounded = value.toExponential(digits - 1);
    const candidate = mayBeTie(rounded, value, digits)
      ? roundedDigits(value, digits)
      : stripZeros(rounded);
    if (readsBackAsFloat4(candidate, value)) return candidate;
    if (isPowerOfTwo(magnitude)) {
      // The float4 below is only half as far as the one above, so the next decimal may do.
      const above = nextDecimal(rounded);
      if (readsBackAsFloat4(above, value)) return above;
    }
  }
  return roundedDigits(value, 9);
}

/** False only when a float4 is surely not halfway between two decimals of so many digits. Behind the
 * point such a value has a last digit 5 and few others before it, so twelve places are enough, and up
 * to there its product with the power of ten is exact. */
function mayBeTie(exponential: string, value: number, digits: number): boolean {
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
  const places = digits - 1 - exponent;
  if (places < 0) return true;
  if (places > 12) return false;
  const scaled = Math.abs(value) * TIE_POWERS[places]!;
  return scaled - Math.floor(scaled) === 0.5;
}

const TIE_POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

function readsBackAsFloat4(exponential: string, value: number): boolean {
  const read = Number(exponential);
  return Math.fround(read) === value && !isHalfwayFloat4(read);
}

function isPowerOfTwo(value: number): boolean {
  scratch.setFloat64(0, value);
  return (scratch.getUint32(0) & 0xf_ffff) === 0 && scratch.getUint32(4) === 0;
}

/** The decimal one unit in the last digit further from zero. */
function nextDecimal(exponential: string): string {
  const e = exponential.indexOf('e');
  const mantissa = exponential.slice(0, e);
  const point = mantissa.indexOf('.');
  const behind = point < 0 ? 0 : mantissa.length - point - 1;
  const negative = mantissa.charCodeAt(0) === 45;
  const digits = Number(mantissa.replace(/[-.]/g, '')) + 1;
  return Number(
    `${negative ? '-' : ''}${digits}e${Number(exponential.slice(e + 1)) - behind}`,
  ).toExponential();
}

/** True for a double that lies exactly between two neighbouring float4s. */
function isHalfwayFloat4(value: number): boolean {
  if (value < FLOAT4_NORMAL_MIN && value > -FLOAT4_NORMAL_MIN) {
    const halves = value * 2 ** 150;
    return Number.isInteger(halves) && halves % 2 !== 0;
  }
  scratch.setFloat64(0, value);
  return (scratch.getUint32(4) & 0x1fff_ffff) === 0x1000_0000;
}

/** %.*g: correctly rounded, exact ties to even (where toPrecision would round them up). */
function roundedDigits(value: number, digits: number): string {
  const rounded = value.toExponential(digits - 1);
  if (Math.abs(value) < 1e-22) return stripZeros(rounded);
  const exact = value.toExponential(Math.min(100, digits + 60));
  const e = exact.indexOf('e');
  const negative = exact.charCodeAt(0) === 45 ? 1 : 0;
  const tail = digits === 1 ? negative + 2 : negative + digits + 1;
  if (exact.charCodeAt(tail) !== 53 || !/^0*$/.test(exact.slice(tail + 1, e))) {
    return stripZeros(rounded);
  }
  const last = exact.charCodeAt(digits === 1 ? negative : tail - 1) - 48;
  if (last % 2 === 1) return stripZeros(rounded);
  const kept = digits === 1 ? exact.slice(0, negative + 1) : exact.slice(0, tail);
  return stripZeros(kept + exact.slice(e));
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
const HEXADECIMAL = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)(?:[pP]([+-]?\d+))?/;
const SPECIAL = /^[+-]?(?:nan(?:\(\w*\))?|inf(?:inity)?)/i;

/** Reads the text of a float8: what C's strtod takes, with blanks around. */
export function parseFloat8(text: string): number {
  return parseFloating(text, 'double precision', (decimal) => Number(decimal));
}

/** Reads the text of a float4 with one rounding, as strtof does. */
export function parseFloat4(text: string): number {
  return parseFloating(text, 'real', decimalToFloat4);
}

function parseFloating(
  text: string,
  typeName: string,
  convert: (decimal: string) => number,
): number {
  let start = 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start++;
  const rest = start === 0 ? text : text.slice(start);
  const { token, value } = readFloat(rest, convert) ?? { token: '', value: 0 };
  if (token === '') throw invalidInput(typeName, text);
  for (let i = token.length; i < rest.length; i++) {
    if (!isSpace(rest.charCodeAt(i))) {
      // A range error wins over junk behind the number, as strtod reports it first.
      checkRange(token, value, typeName);
      throw invalidInput(typeName, text);
    }
  }
  checkRange(token, value, typeName);
  return value;
}

function readFloat(
  rest: string,
  convert: (decimal: string) => number,
): { token: string; value: number } | null {
  const hex = HEXADECIMAL.exec(rest);
  if (hex !== null && (hex[2] !== '' || hex[3] !== '')) {
    return { token: hex[0], value: convert(hexToDecimal(hex)) };
  }
  const decimal = DECIMAL.exec(rest);
  if (decimal !== null) return { token: decimal[0], value: convert(decimal[0]) };
  const named = SPECIAL.exec(rest);
  if (named === null) return null;
  const word = named[0].toLowerCase();
  if (word.includes('nan')) return { token: named[0], value: Number.NaN };
  return {
    token: named[0],
    value: word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
  };
}

/** The exact decimal form of a hexadecimal float, so that one rounding path serves both. */
function hexToDecimal(match: RegExpExecArray): string {
  const fraction = match[3]!;
  const exponent = Math.max(-5000, Math.min(5000, Number(match[4] ?? 0))) - 4 * fraction.length;
  const mantissa = BigInt(`0x0${match[2]}${fraction}`);
  if (exponent >= 0) return `${match[1]}${mantissa << BigInt(exponent)}`;
  return `${match[1]}${mantissa * 5n ** BigInt(-exponent)}e${exponent}`;
}

function checkRange(token: string, value: number, typeName: string): void {
  const overflow = !Number.isFinite(value) && /^[+-]?[\d.]/.test(token);
  const underflow = value === 0 && /[1-9a-fA-F]/.test(token.replace(/0[xX]|[eEpP][+-]?\d+$/g, ''));
  if (overflow || underflow) {
    throw pgError('numeric_value_out_of_range', `"${token}" is out of range for type ${typeName}`);
  }
}

/** Rounds a decimal to single precision once. Number() rounds to double first; only when that
 * result lies exactly between two float4s must the decimal itself decide. */
function decimalToFloat4(decimal: string): number {
  const double = Number(decimal);
  const single = Math.fround(double);
  if (single === double || !isHalfwayFloat4(double)) return single;
  const text = decimal.toLowerCase().replace(/^\+/, '');
  const exponential = text.includes('e') ? text : `${text}e0`;
  scratch.setFloat64(0, Math.abs(double));
  const bits = scratch.getBigUint64(0);
  const exponent = Number(bits >> 52n) - 1075;
  const order = compareWithDyadic(
    exponential,
    (bits & 0xf_ffff_ffff_ffffn) | 0x10_0000_0000_0000n,
    exponent,
  );
  if (order === 0) return single;
  const away = order > 0 ? 1n : -1n;
  scratch.setBigUint64(0, bits + away);
  const nudged = Math.fround(scratch.getFloat64(0));
  return double < 0 ? -nudged : nudged;
}

/** Orders floats as btree does: -0 = 0, NaN equal to itself and greater than all. */
function compareFloats(a: Datum, b: Datum): number {
  const left = a as number;
  const right = b as number;
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function readFloat64(bytes: Uint8Array, start: number, littleEndian: boolean): number {
  for (let i = 0; i < 8; i++) scratchBytes[i] = bytes[start + i]!;
  return scratch.getFloat64(0, littleEndian);
}

function readFloat32(bytes: Uint8Array, start: number, littleEndian: boolean): number {
  for (let i = 0; i < 4; i++) scratchBytes[i] = bytes[start + i]!;
  return scratch.getFloat32(0, littleEndian);
}

export const float8Type: SqlType = {
  ...COMMON,
  oid: 701,
  name: 'float8',
  sqlName: 'double precision',
  arrayOid: 1022,
  category: 'N',
  preferred: true,
  length: 8,
  byValue: true,
  align: 'd',
  storage: 'p',
  lane: 'number',
  stored: 'float8',
  input: parseFloat8,
  output: (value, context) => formatFloat8(value as number, context.extraFloatDigits),
  receive(bytes, start, end) {
    expectLength(start, end, 8);
    return readFloat64(bytes, start, false);
  },
  send(value, out) {
    out.f64be(value as number);
  },
  writeText(value, out, context) {
    writeAscii(formatFloat8(value as number, context.extraFloatDigits), out);
  },
  compare: compareFloats,
  encodeKey(value, out) {
    const float = value as number;
    out.f64be(Number.isNaN(float) ? Number.NaN : float + 0);
    flipFloatKey(out, 8);
  },
  toBytes(value, out) {
    out.f64le(value as number);
  },
  fromBytes: (bytes, start) => readFloat64(bytes, start, true),
};

export const float4Type: SqlType = {
  ...COMMON,
  oid: 700,
  name: 'float4',
  sqlName: 'real',
  arrayOid: 1021,
  category: 'N',
  length: 4,
  byValue: true,
  align: 'i',
  storage: 'p',
  lane: 'number',
  stored: 'float4',
  input: parseFloat4,
  output: (value, context) => formatFloat4(value as number, context.extraFloatDigits),
  receive(bytes, start, end) {
    expectLength(start, end, 4);
    return readFloat32(bytes, start, false);
  },
  send(value, out) {
    out.f32be(value as number);
  },
  writeText(value, out, context) {
    writeAscii(formatFloat4(value as number, context.extraFloatDigits), out);
  },
  compare: compareFloats,
  encodeKey(value, out) {
    const float = value as number;
    out.f32be(Number.isNaN(float) ? Number.NaN : float + 0);
    flipFloatKey(out, 4);
  },
  toBytes(value, out) {
    scratch.setFloat32(0, value as number, true);
    out.u32le(scratch.getUint32(0, true));
  },
  fromBytes: (bytes, start) => readFloat32(bytes, start, true),
};

/** Makes IEEE bits just written ordered as unsigned bytes. */
function flipFloatKey(out: ByteWriter, size: number): void {
  const bytes = out.bytes;
  const start = out.position - size;
  if (bytes[start]! < 0x80) bytes[start]! |= 0x80;
  else for (let i = start; i < out.position; i++) bytes[i]! ^= 0xff;
}
