import { pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../datum.ts';
import {
  type Address,
  bitsMax,
  bitsOf,
  commonBits,
  familyOf,
  familySize,
  mapAddress,
  maskByte,
  networkOf,
  octet,
} from './address.ts';

/** What is computed of addresses. */

function sameFamily(a: Address, b: Address): boolean {
  return familyOf(a) === familyOf(b);
}

function wrongSizes(verb: string): Error {
  return pgError('invalid_parameter_value', `cannot ${verb} inet values of different sizes`);
}

function outOfRange(): Error {
  return pgError('numeric_value_out_of_range', 'result is out of range');
}

/** Whether the network of `whole` has that of `part` in it. */
export function containsOrEquals(whole: Address, part: Address): boolean {
  const bits = bitsOf(whole);
  return sameFamily(whole, part) && bitsOf(part) >= bits && commonBits(whole, part, bits) === bits;
}

export function contains(whole: Address, part: Address): boolean {
  return bitsOf(part) > bitsOf(whole) && containsOrEquals(whole, part);
}

export function overlap(a: Address, b: Address): boolean {
  return containsOrEquals(a, b) || containsOrEquals(b, a);
}

/** The netmask's length checked; -1 is the longest. */
function checkedBits(address: Address, bits: number): number {
  const limit = bitsMax(address);
  if (bits === -1) return limit;
  if (bits < 0 || bits > limit) {
    throw pgError('invalid_parameter_value', `invalid mask length: ${bits}`);
  }
  return bits;
}

export function withMask(address: Address, bits: number): Address {
  return mapAddress(address, checkedBits(address, bits), (byte) => byte);
}

export function withNetworkMask(address: Address, bits: number): Address {
  return networkOf(address, checkedBits(address, bits));
}

export function broadcast(address: Address): Address {
  const bits = bitsOf(address);
  return mapAddress(address, bits, (byte, i) => byte | (maskByte(bits, i) ^ 0xff));
}

export function netmask(address: Address): Address {
  return mapAddress(address, bitsMax(address), (_, i) => maskByte(bitsOf(address), i));
}

export function hostmask(address: Address): Address {
  return mapAddress(address, bitsMax(address), (_, i) => maskByte(bitsOf(address), i) ^ 0xff);
}

/** The smallest network with both in it. */
export function merge(a: Address, b: Address): Address {
  if (!sameFamily(a, b)) {
    throw pgError('invalid_parameter_value', 'cannot merge addresses from different families');
  }
  return networkOf(a, commonBits(a, b, Math.min(bitsOf(a), bitsOf(b))));
}

export function not(address: Address): Address {
  return mapAddress(address, bitsOf(address), (byte) => byte ^ 0xff);
}

export function and(a: Address, b: Address): Address {
  if (!sameFamily(a, b)) throw wrongSizes('AND');
  return mapAddress(a, Math.max(bitsOf(a), bitsOf(b)), (byte, i) => byte & octet(b, i));
}

export function or(a: Address, b: Address): Address {
  if (!sameFamily(a, b)) throw wrongSizes('OR');
  return mapAddress(a, Math.max(bitsOf(a), bitsOf(b)), (byte, i) => byte | octet(b, i));
}

/** The address as one number. */
function numberOf(address: Address): bigint {
  let value = 0n;
  const size = familySize(familyOf(address));
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(octet(address, i));
  return value;
}

export function add(address: Address, addend: Int8): Address {
  const sum = numberOf(address) + BigInt(addend);
  const width = bitsMax(address);
  if (sum < 0n || sum >> BigInt(width) !== 0n) throw outOfRange();
  return mapAddress(address, bitsOf(address), (_, i) =>
    Number((sum >> BigInt(width - 8 - i * 8)) & 0xffn),
  );
}

/** PostgreSQL negates in 64 bits: the least integer stays what it is. */
export function subtract(address: Address, subtrahend: Int8): Address {
  return add(address, int8(BigInt.asIntN(64, -BigInt(subtrahend))));
}

/** The distance of two addresses. That of IPv6 addresses is taken modulo 2^128. */
export function difference(a: Address, b: Address): Int8 {
  if (!sameFamily(a, b)) throw wrongSizes('subtract');
  const distance = BigInt.asIntN(128, numberOf(a) - numberOf(b));
  if (BigInt.asIntN(64, distance) !== distance) throw outOfRange();
  return int8(distance);
}
