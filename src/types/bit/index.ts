export {
  and,
  concatenate,
  countBits,
  fromInteger,
  getBit,
  not,
  or,
  overlay,
  position,
  setBit,
  shiftLeft,
  substring,
  toInteger,
  xor,
} from './operations.ts';
export { bitType, parseBits, varbitType } from './types.ts';
export { type BitString, bitLength, byteLength, compareBits } from './value.ts';
