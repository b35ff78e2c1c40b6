import { type Address, bitsMax, bitsOf, familyOf, IPV4, maskByte, octet } from './address.ts';

/** Text forms of addresses, as PostgreSQL's inet_net_ntop and inet_cidr_ntop print them. */

/** `192.168.0.1/24`; the netmask of a single host is left out. */
export function formatInet(address: Address): string {
  const bits = bitsOf(address);
  const host = formatHost(address);
  return bits === bitsMax(address) ? host : `${host}/${bits}`;
}

/** `192.168.0.0/24`, always with its netmask. */
export function formatCidr(address: Address): string {
  return `${formatHost(address)}/${bitsOf(address)}`;
}

/** The address without a netmask. */
export function formatHost(address: Address): string {
  if (familyOf(address) === IPV4) return octets(address, 0);
  const words = wordsOf((i) => octet(address, i));
  const gap = longestGap(words);
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (gap !== null && i >= gap.start && i < gap.start + gap.length) {
      if (i === gap.start) text += ':';
      continue;
    }
    if (i > 0) text += ':';
    if (i === 6 && gap !== null && holdsIpv4(words, gap)) return text + octets(address, 12);
    text += words[i]!.toString(16);
  }
  return gap !== null && gap.start + gap.length === 8 ? `${text}:` : text;
}

function octets(address: Address, from: number): string {
  return [0, 1, 2, 3].map((i) => octet(address, from + i)).join('.');
}

function wordsOf(byteAt: (i: number) => number): number[] {
  return Array.from({ length: 8 }, (_, i) => (byteAt(i * 2) << 8) | byteAt(i * 2 + 1));
}

interface Gap {
  readonly start: number;
  readonly length: number;
}

/** The first of the longest runs of at least two zeros. */
function longestGap(words: readonly number[]): Gap | null {
  let best: Gap | null = null;
  for (let start = 0; start < words.length; start++) {
    let end = start;
    while (words[end] === 0) end++;
    const length = end - start;
    if (length > (best?.length ?? 1)) best = { start, length };
    if (length > 0) start = end;
  }
  return best;
}

/** Whether an address is an IPv4 address in the clothes of IPv6: `::1.2.3.4`, `::ffff:1.2.3.4`. */
function holdsIpv4(words: readonly number[], { start, length }: Gap): boolean {
  if (start !== 0) return false;
  if (length === 6) return true;
  return (length === 7 && words[7] !== 1) || (length === 5 && words[5] === 0xffff);
}

/** `10.1/16`: a network without the bytes that its netmask leaves out. */
export function abbreviateCidr(address: Address): string {
  const bits = bitsOf(address);
  const masked = (i: number) => octet(address, i) & maskByte(bits, i);
  const text = familyOf(address) === IPV4 ? shortIpv4(masked, bits) : shortIpv6(masked, bits);
  return `${text}/${bits}`;
}

function shortIpv4(byteAt: (i: number) => number, bits: number): string {
  if (bits === 0) return '0';
  return Array.from({ length: Math.ceil(bits / 8) }, (_, i) => byteAt(i)).join('.');
}

function shortIpv6(byteAt: (i: number) => number, bits: number): string {
  if (bits === 0) return '::';
  const count = Math.max(Math.ceil(bits / 16), 2);
  const words = wordsOf(byteAt);
  const gap = shortGap(words.slice(0, count));
  const ipv4 = gap.length !== count && gap.start === 0 && isShortIpv4(words, byteAt, gap.length);
  let text = '';
  for (let i = 0; i < count; i++) {
    if (i >= gap.start && i < gap.start + gap.length) {
      if (i === gap.start) text += ':';
      if (i === count - 1) text += ':';
    } else if (ipv4 && i > 5) {
      text += `${i === 6 ? ':' : '.'}${byteAt(i * 2)}`;
      // The last octet goes where the netmask leaves it out.
      if (i !== 7 || bits > 120) text += `.${byteAt(i * 2 + 1)}`;
    } else {
      text += `${text === '' ? '' : ':'}${words[i]!.toString(16)}`;
    }
  }
  return text;
}

/** The run of zeros that PostgreSQL leaves out here. It forgets to start anew after a run that is no
 * longer than the longest, so that the next zeros count as more of that one. */
function shortGap(words: readonly number[]): Gap {
  let best: Gap = { start: 0, length: 0 };
  let start = 0;
  let length = 0;
  for (const [i, word] of words.entries()) {
    if (word === 0) {
      if (length === 0) start = i;
      length++;
    } else if (length > best.length) {
      best = { start, length };
      length = 0;
    }
  }
  return length > best.length ? { start, length } : best;
}

function isShortIpv4(
  words: readonly number[],
  byteAt: (i: number) => number,
  zeros: number,
): boolean {
  if (zeros === 6) return true;
  if (zeros === 5) return words[5] === 0xffff;
  return zeros === 7 && byteAt(14) !== 0 && byteAt(15) !== 1;
}
