/** Functions of bit and bit varying, by types/bit. Both have one form. */

import { bits, type Int8 } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

type BitString = bits.BitString;

const comparisons = orderFunctions<BitString, BitString>(
  { prefix: 'bit', compare: 'bitcmp' },
  bits.compareBits,
);

const operators: Scalars = {
  bit_and: (_c, a: BitString, b: BitString) => bits.and(a, b),
  bit_or: (_c, a: BitString, b: BitString) => bits.or(a, b),
  bitxor: (_c, a: BitString, b: BitString) => bits.xor(a, b),
  bitnot: (_c, a: BitString) => bits.not(a),
  bitshiftleft: (_c, a: BitString, count: number) => bits.shiftLeft(a, count),
  bitshiftright: (_c, a: BitString, count: number) => bits.shiftLeft(a, -count),
  bitcat: (_c, a: BitString, b: BitString) => bits.concatenate(a, b),
};

const parts: Scalars = {
  bitlength: (_c, a: BitString) => bits.bitLength(a),
  // bit_length
  '1812': (_c, a: BitString) => bits.bitLength(a),
  bitoctetlength: (_c, a: BitString) => bits.byteLength(a),
  bit_bit_count: (_c, a: BitString) => bits.countBits(a),
  bitsubstr: (_c, a: BitString, from: number, count: number) => bits.substring(a, from, count),
  bitsubstr_no_len: (_c, a: BitString, from: number) => bits.substring(a, from, null),
  bitoverlay: (_c, a: BitString, part: BitString, from: number, count: number) =>
    bits.overlay(a, part, from, count),
  bitoverlay_no_len: (_c, a: BitString, part: BitString, from: number) =>
    bits.overlay(a, part, from),
  bitposition: (_c, a: BitString, part: BitString) => bits.position(a, part),
  bitgetbit: (_c, a: BitString, i: number) => bits.getBit(a, i),
  bitsetbit: (_c, a: BitString, i: number, bit: number) => bits.setBit(a, i, bit),
};

const conversions: Scalars = {
  bitfromint4: (_c, value: number, typmod: number) => bits.fromInteger(value, typmod),
  bitfromint8: (_c, value: Int8, typmod: number) => bits.fromInteger(value, typmod),
  bittoint4: (_c, a: BitString) => bits.toInteger(a, 32),
  bittoint8: (_c, a: BitString) => bits.toInteger(a, 64),
};

registerFunctions({ scalars: { ...comparisons, ...operators, ...parts, ...conversions } });
