/** macaddr and macaddr8. Values are 6 and 8 bytes, stored as they are, ordered as bytes. */
import { type ByteWriter, compareBytes } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { HEX_CODES, hexValue } from './bytea.ts';
import { BYTES, invalidInput, isSpace, noDataLeft, skipSpace, surplusData } from './scalar.ts';
import type { SqlType } from './sql-type.ts';

type MacAddress = Uint8Array;

const SHORT = 6;
const LONG = 8;

/** How the six bytes of a macaddr may be written: the digits that each has at most, and what follows
 * it. PostgreSQL tries these forms of scanf one after the other. */
const FORMS: readonly (readonly [digits: number, separators: readonly string[]])[] = [
  [Number.POSITIVE_INFINITY, [':', ':', ':', ':', ':']],
  [Number.POSITIVE_INFINITY, ['-', '-', '-', '-', '-']],
  [2, ['', '', ':', '', '']],
  [2, ['', '', '-', '', '']],
  [2, ['', '.', '', '.', '']],
  [2, ['', '-', '', '-', '']],
  [2, ['', '', '', '', '']],
];

function parseMac(text: string): MacAddress {
  for (const [digits, separators] of FORMS) {
    const octets = scanOctets(text, digits, separators);
    if (octets === null) continue;
    if (octets.some((octet) => octet < 0 || octet > 255)) {
      throw pgError(
        'numeric_value_out_of_range',
        `invalid octet value in "macaddr" value: "${text}"`,
      );
    }
    return Uint8Array.from(octets);
  }
  throw invalidInput('macaddr', text);
}

/** Six numbers with these separators between them and blanks alone after them, or null. */
function scanOctets(text: string, digits: number, separators: readonly string[]): number[] | null {
  const octets: number[] = [];
  let at = 0;
  for (let i = 0; i < SHORT; i++) {
    const separator = i === 0 ? '' : separators[i - 1]!;
    if (!text.startsWith(separator, at)) return null;
    const scanned = scanHex(text, at + separator.length, digits);
    if (scanned === null) return null;
    octets.push(scanned.value);
    at = scanned.end;
  }
  return skipSpace(text, at) === text.length ? octets : null;
}

/** A number as scanf's %x reads it: blanks, a sign, 0x, digits; kept to 32 bits. */
function scanHex(
  text: string,
  start: number,
  width: number,
): { readonly value: number; readonly end: number } | null {
  const first = skipSpace(text, start);
  const limit = first + width;
  let at = first;
  const sign = text[at];
  if (sign === '+' || sign === '-') at++;
  const isPrefixed = at + 1 < limit && /^0[xX]/.test(text.slice(at, at + 2));
  if (isPrefixed) at += 2;
  const from = at;
  while (at < limit && hexValue(text.charCodeAt(at)) >= 0) at++;
  // `0x` alone is a zero.
  if (at === from && !isPrefixed) return null;
  const hex = text.slice(from, at).replace(/^0+/, '');
  const magnitude = hex.length > UINT64_DIGITS ? null : BigInt(`0x0${hex}`);
  const value = magnitude === null ? UINT64_MAX : sign === '-' ? -magnitude : magnitude;
  return { value: Number(BigInt.asIntN(32, value)), end: at };
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const UINT64_DIGITS = 16;

/** Pairs of digits with one kind of separator between any two of them: six or eight. */
function parseMac8(text: string): MacAddress {
  const fail = () => invalidInput('macaddr8', text);
  const octets: number[] = [];
  let separator = '';
  let at = skipSpace(text, 0);
  while (at + 1 < text.length) {
    if (octets.length === LONG) throw fail();
    const high = hexValue(text.charCodeAt(at));
    const low = hexValue(text.charCodeAt(at + 1));
    if (high < 0 || low < 0) throw fail();
    octets.push((high << 4) | low);
    at += 2;
    const next = text.charAt(at);
    if (next === ':' || next === '-' || next === '.') {
      if (separator !== '' && separator !== next) throw fail();
      separator = next;
      at++;
    }
    const mayEnd = octets.length === SHORT || octets.length === LONG;
    if (mayEnd && isSpace(text.charCodeAt(at))) {
      at = skipSpace(text, at);
      if (at < text.length) throw fail();
    }
  }
  if (octets.length === SHORT) return lengthen(octets);
  if (octets.length !== LONG) throw fail();
  return Uint8Array.from(octets);
}

/** The 8 bytes of a macaddr: ff and fe stand in its middle. */
function lengthen(octets: ArrayLike<number>): MacAddress {
  return Uint8Array.of(
    octets[0]!,
    octets[1]!,
    octets[2]!,
    0xff,
    0xfe,
    octets[3]!,
    octets[4]!,
    octets[5]!,
  );
}

export function macToMac8(mac: MacAddress): MacAddress {
  return lengthen(mac);
}

export function mac8ToMac(mac: MacAddress): MacAddress {
  if (mac[3] !== 0xff || mac[4] !== 0xfe) {
    throw pgError(
      'numeric_value_out_of_range',
      'macaddr8 data out of range to convert to macaddr',
      {
        hint: 'Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.',
      },
    );
  }
  return Uint8Array.of(mac[0]!, mac[1]!, mac[2]!, mac[5]!, mac[6]!, mac[7]!);
}

/** The manufacturer's part: the first three bytes. */
export function trunc(mac: MacAddress): MacAddress {
  return mac.map((byte, i) => (i < 3 ? byte : 0));
}

/** Marks the address as one that is not of a manufacturer, as IPv6 wants it. */
export function setSeventhBit(mac: MacAddress): MacAddress {
  return mac.map((byte, i) => (i === 0 ? byte | 2 : byte));
}

export function not(mac: MacAddress): MacAddress {
  return mac.map((byte) => ~byte);
}

export function and(a: MacAddress, b: MacAddress): MacAddress {
  return a.map((byte, i) => byte & b[i]!);
}

export function or(a: MacAddress, b: MacAddress): MacAddress {
  return a.map((byte, i) => byte | b[i]!);
}

function receiveOctets(bytes: Uint8Array, start: number, end: number, size: number): MacAddress {
  if (end - start < size) throw noDataLeft();
  if (end - start > size) throw surplusData();
  return bytes.slice(start, end);
}

function writeMac(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve((end - start) * 3);
  const target = out.bytes;
  let at = out.position;
  for (let i = start; i < end; i++) {
    if (i > start) target[at++] = 0x3a;
    target[at++] = HEX_CODES[bytes[i]! >> 4]!;
    target[at++] = HEX_CODES[bytes[i]! & 15]!;
  }
  out.position = at;
}

function formatMac(mac: MacAddress): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

const MAC = {
  ...BYTES,
  category: 'U',
  storage: 'p',
  output: (value) => formatMac(value as MacAddress),
  send: (value, out) => out.raw(value as MacAddress),
  writeText: (value, out) => writeMac(value as MacAddress, 0, (value as MacAddress).length, out),
  compare: (a, b) => compareBytes(a as MacAddress, b as MacAddress),
  encodeKey: (value, out) => out.raw(value as MacAddress),
  textFromBytes: writeMac,
  binaryFromBytes: (bytes, start, end, out) => out.range(bytes, start, end),
  keyFromBytes: (bytes, start, end, out) => out.range(bytes, start, end),
} as const satisfies Partial<SqlType>;

export const macaddrType: SqlType = {
  ...MAC,
  oid: 829,
  name: 'macaddr',
  sqlName: 'macaddr',
  arrayOid: 1040,
  length: SHORT,
  input: parseMac,
  receive: (bytes, start, end) => receiveOctets(bytes, start, end, SHORT),
};

export const macaddr8Type: SqlType = {
  ...MAC,
  oid: 774,
  name: 'macaddr8',
  sqlName: 'macaddr8',
  arrayOid: 775,
  length: LONG,
  input: parseMac8,
  receive(bytes, start, end) {
    if (end - start === SHORT) return lengthen(bytes.subarray(start, end));
    return receiveOctets(bytes, start, end, LONG);
  },
};
