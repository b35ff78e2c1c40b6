import {
  type ArrayDatum,
  type Datum,
  type Int8,
  type Interval,
  type Numeric,
  OID,
  typeByOid,
  unpad,
} from '../types/index.ts';
import type { PartitionKey } from './descriptors.ts';

/** The hash by which PostgreSQL spreads rows over hash partitions: the extended hash functions of its
 * default hash operator classes under one seed, so that a row goes to the partition of the same number
 * here as there. 64-bit values are two words, `high` and `low`; a function leaves its result there. */

/** PostgreSQL's HASH_PARTITION_SEED. */
const SEED_HIGH = 0x7a5b2236;
const SEED_LOW = 0x7996dcfd;

let high = 0;
let low = 0;

/** The hash of a whole key modulo `modulus`: the remainder of the partition that takes the key. */
export function hashRemainder(
  keys: readonly PartitionKey[],
  values: readonly Datum[],
  modulus: number,
): number {
  let rowHigh = 0;
  let rowLow = 0;
  for (let i = 0; i < keys.length; i++) {
    const value = values[i]!;
    if (value === null) continue;
    hashValue(keys[i]!.type, value);
    combine(rowHigh, rowLow);
    rowHigh = high;
    rowLow = low;
  }
  return remainder(rowHigh >>> 0, rowLow >>> 0, modulus);
}

/** Whether values of a type can be hashed. */
export function isHashable(type: number): boolean {
  return hashFunction(type) !== undefined;
}

const TWO_TO_32 = 0x1_0000_0000;
/** Below it, a remainder times 2^32 and a word more are a safe integer. */
const SMALL_MODULUS = 1 << 21;

function remainder(highWord: number, lowWord: number, modulus: number): number {
  if (modulus < SMALL_MODULUS) return ((highWord % modulus) * TWO_TO_32 + lowWord) % modulus;
  return Number(((BigInt(highWord) << 32n) | BigInt(lowWord)) % BigInt(modulus));
}

/** hash_combine64(row, value): the value is in `high` and `low`, and so is the result. */
function combine(rowHigh: number, rowLow: number): void {
  // value + 0x49a0f4dd15e5a8e3 + (row << 54) + (row >> 7), each word with its carry.
  const shiftedLow = ((rowLow >>> 7) | (rowHigh << 25)) >>> 0;
  const lowSum = (low >>> 0) + 0x15e5a8e3 + shiftedLow;
  const carry = Math.floor(lowSum / TWO_TO_32);
  const highSum = high + 0x49a0f4dd + (rowLow << 22) + (rowHigh >>> 7) + carry;
  high = (rowHigh ^ highSum) | 0;
  low = (rowLow ^ lowSum) | 0;
}

type HashFunction = (value: Datum) => void;

function hashValue(type: number, value: Datum): void {
  hashFunction(type)!(value);
}

function hashFunction(type: number): HashFunction | undefined {
  const found = HASH_FUNCTIONS.get(type);
  if (found !== undefined) return found;
  const { elementOid, length } = typeByOid(type);
  return elementOid !== 0 && length === -1 && hashFunction(elementOid) !== undefined
    ? hashArray
    : undefined;
}

const HASH_FUNCTIONS: ReadonlyMap<number, HashFunction> = new Map<number, HashFunction>([
  [OID.bool, (value) => hashWord(value === true ? 1 : 0)],
  [OID.int2, (value) => hashWord(value as number)],
  [OID.int4, (value) => hashWord(value as number)],
  [OID.int8, (value) => hashInt8(value as Int8)],
  [OID.oid, (value) => hashWord(value as number)],
  [OID.float4, (value) => hashFloat(value as number)],
  [OID.float8, (value) => hashFloat(value as number)],
  [OID.numeric, (value) => hashNumeric(value as Numeric)],
  [OID.text, (value) => hashText(value as string)],
  [OID.varchar, (value) => hashText(value as string)],
  [OID.name, (value) => hashText(value as string)],
  [OID.bpchar, (value) => hashText(unpad(value as string))],
  [OID.bytea, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.uuid, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.inet, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.cidr, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.macaddr, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.macaddr8, (value) => hashWholeBytes(value as Uint8Array)],
  [OID.date, (value) => hashWord(finiteDate(value as number))],
  [OID.time, (value) => hashInt8(value as Int8)],
  [OID.timetz, (value) => hashTimetz(value as Uint8Array)],
  [OID.timestamp, (value) => hashInt8(finiteMoment(value as Int8))],
  [OID.timestamptz, (value) => hashInt8(finiteMoment(value as Int8))],
  [OID.interval, (value) => hashInt8(intervalSpan(value as Interval))],
]);

/** PostgreSQL's infinities are the least and the greatest date. */
function finiteDate(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return 0x7fffffff;
  return value === Number.NEGATIVE_INFINITY ? -0x80000000 : value;
}

function finiteMoment(value: Int8): Int8 {
  if (value === Number.POSITIVE_INFINITY) return 0x7fffffffffffffffn;
  return value === Number.NEGATIVE_INFINITY ? -0x8000000000000000n : value;
}

/** An interval's length in microseconds, a month having 30 days. */
function intervalSpan({ months, days, micros }: Interval): Int8 {
  return BigInt.asIntN(
    64,
    BigInt(micros) + (BigInt(months) * 30n + BigInt(days)) * 86_400_000_000n,
  );
}

/** hashint8extended: values that fit 32 bits hash as int4 does. */
function hashInt8(value: Int8): void {
  const lowWord = Number(BigInt.asUintN(32, BigInt(value)));
  const highWord = Number(BigInt.asUintN(32, BigInt(value) >> 32n));
  hashWord(lowWord ^ (value >= 0 ? highWord : ~highWord));
}

/** The hash of the time and that of the zone, which follow one another in the stored form. */
function hashTimetz(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  hashWord(view.getInt32(8, true));
  const zoneHigh = high;
  const zoneLow = low;
  hashInt8(Number(view.getBigInt64(0, true)));
  high ^= zoneHigh;
  low ^= zoneLow;
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

function hashFloat(value: number): void {
  if (value === 0) {
    setSeed();
    return;
  }
  floatView.setFloat64(0, value, true);
  hashBytes(floatBytes, 8);
}

function setSeed(): void {
  high = SEED_HIGH;
  low = SEED_LOW;
}

function hashText(text: string): void {
  hashWholeBytes(Buffer.from(text, 'utf8'));
}

function hashWholeBytes(bytes: Uint8Array): void {
  hashBytes(bytes, bytes.length);
}

/** The digits of a numeric to base 10000 without zeros around them, and the weight of the first. */
function hashNumeric(value: Numeric): void {
  setSeed();
  if (value.kind !== 'finite') return;
  const { unscaled, scale } = value;
  if (unscaled === 0n) {
    low -= 1;
    return;
  }
  const fraction = (4 - (scale % 4)) % 4;
  let text = String(unscaled < 0n ? -unscaled : unscaled) + '0'.repeat(fraction);
  text = '0'.repeat((4 - (text.length % 4)) % 4) + text;
  const weight = text.length / 4 - 1 - (scale + fraction) / 4;
  const digits: number[] = [];
  for (let i = 0; i < text.length; i += 4) digits.push(Number(text.slice(i, i + 4)));
  const first = digits.findIndex((digit) => digit !== 0);
  const last = digits.findLastIndex((digit) => digit !== 0);
  hashWholeBytes(int16Bytes(digits.slice(first, last + 1)));
  const firstWeight = weight - first;
  low ^= firstWeight;
  // The weight is extended with its sign.
  if (firstWeight < 0) high = ~high;
}

function int16Bytes(digits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(digits.length * 2);
  const view = new DataView(bytes.buffer);
  digits.forEach((digit, i) => {
    view.setInt16(i * 2, digit, true);
  });
  return bytes;
}

/** hash_array_extended: 31 times the hash so far and the element's. */
function hashArray(value: Datum): void {
  const { elementType, elements } = value as ArrayDatum;
  let hash = 1n;
  for (const element of elements) {
    let elementHash = 0n;
    if (element !== null) {
      hashValue(elementType, element);
      elementHash = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    }
    hash = BigInt.asUintN(64, hash * 31n + elementHash);
  }
  high = Number(hash >> 32n) | 0;
  low = Number(hash & 0xffffffffn) | 0;
}

/** Bob Jenkins' lookup3 with PostgreSQL's ways of starting it; a, b and c are its state. */
let a = 0;
let b = 0;
let c = 0;

const GOLDEN_RATIO = 0x9e3779b9;

function start(length: number): void {
  a = b = c = (GOLDEN_RATIO + length + 3923095) | 0;
  a = (a + SEED_HIGH) | 0;
  b = (b + SEED_LOW) | 0;
  mix();
}

function hashWord(word: number): void {
  start(4);
  a = (a + word) | 0;
  finish();
}

function hashBytes(bytes: Uint8Array, length: number): void {
  start(length);
  let at = 0;
  for (; length - at >= 12; at += 12) {
    a = (a + wordAt(bytes, at, length)) | 0;
    b = (b + wordAt(bytes, at + 4, length)) | 0;
    c = (c + wordAt(bytes, at + 8, length)) | 0;
    mix();
  }
  a = (a + wordAt(bytes, at, length)) | 0;
  b = (b + wordAt(bytes, at + 4, length)) | 0;
  // The lowest byte of the last word is for the length.
  c = (c + (wordAt(bytes, at + 8, length) << 8)) | 0;
  finish();
}

/** Four bytes, little-endian; zeros after the end. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) word = (word << 8) | bytes[i]!;
  return word;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mix(): void {
  a = ((a - c) ^ rotate(c, 4)) | 0;
  c = (c + b) | 0;
  b = ((b - a) ^ rotate(a, 6)) | 0;
  a = (a + c) | 0;
  c = ((c - b) ^ rotate(b, 8)) | 0;
  b = (b + a) | 0;
  a = ((a - c) ^ rotate(c, 16)) | 0;
  c = (c + b) | 0;
  b = ((b - a) ^ rotate(a, 19)) | 0;
  a = (a + c) | 0;
  c = ((c - b) ^ rotate(b, 4)) | 0;
  b = (b + a) | 0;
}

function finish(): void {
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  high = b;
  low = c;
}
