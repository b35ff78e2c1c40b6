import { compareBytes } from '../../base/index.ts';

/** An inet or cidr value. Its Datum is its stored form:
 *
 *   offset  size     field
 *        0     1     family   2 for IPv4, 3 for IPv6, as PostgreSQL counts on the wire
 *        1     1     bits     of the netmask, 0 .. 32 or 0 .. 128
 *        2     4|16  address  by family, in network order
 *
 * Valid if and only if the length is that of the family and bits are within its limit; in a cidr all
 * bits of the address after the netmask are zero. Every value has one form. Versions: 1, first release.
 *
 * Addresses order by family, then by the bits that both netmasks cover, then by the netmask, the
 * shorter first, then by the whole address. */
export type Address = Uint8Array;

export const IPV4 = 2;
export const IPV6 = 3;

const HEADER = 2;

/** A zero address of the family. */
export function makeAddress(family: number, bits: number): Address {
  const address = new Uint8Array(HEADER + familySize(family));
  address[0] = family;
  address[1] = bits;
  return address;
}

/** Bytes of an address of the family. */
export function familySize(family: number): number {
  return family === IPV4 ? 4 : 16;
}

export function familyOf(address: Address, start = 0): number {
  return address[start]!;
}

export function bitsOf(address: Address, start = 0): number {
  return address[start + 1]!;
}

/** The limit of the netmask: 32 or 128. */
export function bitsMax(address: Address, start = 0): number {
  return familySize(familyOf(address, start)) * 8;
}

/** Byte i of the address proper. */
export function octet(address: Address, i: number, start = 0): number {
  return address[start + HEADER + i]!;
}

/** The part of byte i that the netmask of so many bits covers. */
export function maskByte(bits: number, i: number): number {
  const covered = Math.min(Math.max(bits - i * 8, 0), 8);
  return (0xff00 >> covered) & 0xff;
}

/** An address of the same family whose bytes are computed one by one. */
export function mapAddress(
  address: Address,
  bits: number,
  compute: (byte: number, i: number) => number,
): Address {
  const result = makeAddress(familyOf(address), bits);
  const size = result.length - HEADER;
  for (let i = 0; i < size; i++) result[HEADER + i] = compute(octet(address, i), i);
  return result;
}

/** The address with another netmask and zeros after it: what a cidr is. */
export function networkOf(address: Address, bits: number): Address {
  return mapAddress(address, bits, (byte, i) => byte & maskByte(bits, i));
}

/** Whether all bits after the netmask are zero. */
export function isNetwork(address: Address): boolean {
  const bits = bitsOf(address);
  const size = address.length - HEADER;
  for (let i = bits >> 3; i < size; i++) {
    if ((octet(address, i) & ~maskByte(bits, i)) !== 0) return false;
  }
  return true;
}

/** How many of the first `limit` bits two addresses have in common. */
export function commonBits(a: Address, b: Address, limit: number): number {
  for (let i = 0; i * 8 < limit; i++) {
    const difference = octet(a, i) ^ octet(b, i);
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}

/** Total order of btree, which equal addresses with the same netmask alone meet. */
export function compareAddresses(a: Address, b: Address): number {
  if (familyOf(a) !== familyOf(b)) return familyOf(a) - familyOf(b);
  const limit = Math.min(bitsOf(a), bitsOf(b));
  const common = commonBits(a, b, limit);
  if (common < limit) return octet(a, common >> 3) - octet(b, common >> 3);
  return bitsOf(a) - bitsOf(b) || compareBytes(a, b);
}
