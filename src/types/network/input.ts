import { type Address, IPV4, IPV6, makeAddress } from './address.ts';

/** Text forms of addresses, as PostgreSQL's inet_net_pton, inet_cidr_pton and their kin read them. They
 * give undefined for what is no address. */

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const SLASH = 47;
const COLON = 58;

const IPV4_SIZE = 4;
const IPV6_SIZE = 16;

export function parseInet(text: string): Address | undefined {
  return text.includes(':') ? parseIpv6(text) : parseInetIpv4(text);
}

/** A cidr whose bits after the netmask are not checked. */
export function parseCidr(text: string): Address | undefined {
  return text.includes(':') ? parseIpv6(text) : parseCidrIpv4(text);
}

/** The address that a socket names; null where it names none. An IPv4 address in the clothes of IPv6 is
 * one of IPv4, and the zone of a local address is no part of it. */
export function ofSocket(name: string | undefined): Address | null {
  if (name === undefined) return null;
  return parseInet(name.replace(/^::ffff:(?=[0-9.]+$)/, '').replace(/%.*$/, '')) ?? null;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function addressOf(family: number, bits: number, bytes: readonly number[]): Address {
  const address = makeAddress(family, bits);
  address.set(bytes, 2);
  return address;
}

/** Four octets, or fewer with a netmask. */
function parseInetIpv4(text: string): Address | undefined {
  const octets: number[] = [];
  let at = 0;
  while (isDigit(text.charCodeAt(at))) {
    const end = octetEnd(text, at);
    if (end < 0 || octets.length === IPV4_SIZE) return undefined;
    octets.push(Number(text.slice(at, end)));
    at = end;
    if (text.charCodeAt(at) !== DOT) break;
    at++;
  }
  const bits = maskIpv4(text, at, octets.length);
  if (bits === undefined) return undefined;
  if (bits < 0) return octets.length === IPV4_SIZE ? addressOf(IPV4, 32, octets) : undefined;
  return bits >> 3 > octets.length ? undefined : addressOf(IPV4, bits, octets);
}

/** Up to four octets or hexadecimal digits; the class of the network is the netmask when none is given. */
function parseCidrIpv4(text: string): Address | undefined {
  const isHex = /^0[xX][0-9a-fA-F]/.test(text);
  const found = isHex ? hexOctets(text) : decimalOctets(text);
  if (found === undefined || found.octets.length > IPV4_SIZE) return undefined;
  const { octets, end } = found;
  const bits = maskIpv4(text, end, octets.length);
  if (bits === undefined) return undefined;
  const mask = bits < 0 ? classBits(octets) : bits;
  return addressOf(IPV4, mask, octets);
}

interface Octets {
  readonly octets: readonly number[];
  readonly end: number;
}

function hexOctets(text: string): Octets {
  let end = 2;
  while (/[0-9a-fA-F]/.test(text.charAt(end))) end++;
  const digits = text.slice(2, end);
  const octets = digits.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  if (digits.length % 2 === 1) octets.push(Number.parseInt(digits.slice(-1), 16) << 4);
  return { octets, end };
}

function decimalOctets(text: string): Octets | undefined {
  const octets: number[] = [];
  for (let at = 0; ; at++) {
    const end = octetEnd(text, at);
    if (end < 0) return undefined;
    octets.push(Number(text.slice(at, end)));
    if (text.charCodeAt(end) !== DOT) return { octets, end };
    at = end;
  }
}

/** End of the digits of an octet, or -1. */
function octetEnd(text: string, start: number): number {
  let at = start;
  let value = 0;
  for (; isDigit(text.charCodeAt(at)); at++) {
    value = value * 10 + text.charCodeAt(at) - ZERO;
    if (value > 255) return -1;
  }
  return at === start ? -1 : at;
}

/** The netmask after so many octets, up to the end of the text: -1 where there is none. */
function maskIpv4(text: string, at: number, octets: number): number | undefined {
  if (octets === 0) return undefined;
  if (at === text.length) return -1;
  if (text.charCodeAt(at) !== SLASH) return undefined;
  const digits = text.slice(at + 1);
  if (!/^[0-9]+$/.test(digits) || Number(digits) > 32) return undefined;
  return Number(digits);
}

/** The netmask of a network of class A to E, or that of the octets where it is longer. */
function classBits(octets: readonly number[]): number {
  const first = octets[0]!;
  const ofClass = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  const bits = Math.max(ofClass, octets.length * 8);
  return bits === 8 && first === 224 ? 4 : bits;
}

/** Words of up to four hexadecimal digits, `::` for zeros, an IPv4 address at the end. */
function parseIpv6(text: string): Address | undefined {
  const bytes: number[] = [];
  let gap = -1;
  let bits = 128;
  let at = 0;
  if (text.charCodeAt(0) === COLON && text.charCodeAt(++at) !== COLON) return undefined;
  while (at < text.length) {
    const start = at;
    while (/[0-9a-fA-F]/.test(text.charAt(at))) at++;
    const digits = text.slice(start, at);
    if (digits.length > 4) return undefined;
    const code = text.charCodeAt(at);
    if (code === DOT) {
      const tail = ipv4Tail(text, start);
      if (tail === undefined || bytes.length + IPV4_SIZE > IPV6_SIZE) return undefined;
      bytes.push(...tail.octets);
      bits = tail.bits;
      break;
    }
    if (digits !== '') {
      if (bytes.length + 2 > IPV6_SIZE) return undefined;
      const word = Number.parseInt(digits, 16);
      bytes.push(word >> 8, word & 0xff);
    }
    if (at === text.length) break;
    if (code === SLASH) {
      const mask = maskIpv6(text, at + 1);
      if (mask === undefined) return undefined;
      bits = mask;
      break;
    }
    if (code !== COLON) return undefined;
    at++;
    if (digits === '') {
      if (gap >= 0) return undefined;
      gap = bytes.length;
    } else if (at === text.length) return undefined;
  }
  return spread(bytes, gap, bits);
}

/** Fills the gap of `::` with zeros. */
function spread(bytes: readonly number[], gap: number, bits: number): Address | undefined {
  const missing = IPV6_SIZE - bytes.length;
  if (gap < 0) return missing === 0 ? addressOf(IPV6, bits, bytes) : undefined;
  if (missing === 0) return undefined;
  const zeros = new Array<number>(missing).fill(0);
  return addressOf(IPV6, bits, [...bytes.slice(0, gap), ...zeros, ...bytes.slice(gap)]);
}

/** The octets that end an IPv6 address, zeros for those that are missing, and its netmask. */
function ipv4Tail(
  text: string,
  start: number,
): { readonly octets: readonly number[]; readonly bits: number } | undefined {
  const slash = text.indexOf('/', start);
  const parts = text.slice(start, slash < 0 ? text.length : slash).split('.');
  if (parts.length > IPV4_SIZE) return undefined;
  const octets: number[] = [];
  for (const [i, part] of parts.entries()) {
    // An empty part counts as zero, but for the last one of the text.
    if (!/^(0|[1-9][0-9]{0,2})?$/.test(part) || Number(part) > 255) return undefined;
    if (part === '' && i === parts.length - 1 && slash < 0) return undefined;
    octets.push(Number(part));
  }
  while (octets.length < IPV4_SIZE) octets.push(0);
  const bits = slash < 0 ? 128 : maskIpv6(text, slash + 1);
  return bits === undefined ? undefined : { octets, bits };
}

/** A netmask without leading zeros, up to the end of the text. */
function maskIpv6(text: string, start: number): number | undefined {
  const digits = text.slice(start);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(digits) || Number(digits) > 128) return undefined;
  return Number(digits);
}
