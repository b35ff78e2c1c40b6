export {
  abs,
  add,
  ceil,
  divide,
  divideTruncated,
  factorial,
  floor,
  gcd,
  lcm,
  minScale,
  modulo,
  multiply,
  negate,
  round,
  scale,
  sign,
  subtract,
  trimScale,
  trunc,
  widthBucket,
} from './arithmetic.ts';
export {
  fromFloat4,
  fromFloat8,
  fromInteger,
  toFloat4,
  toFloat8,
  toInt2,
  toInt4,
  toInt8,
} from './conversion.ts';
export { numericType } from './numeric-type.ts';
export { formatNumeric, parseNumeric } from './text.ts';
export { exp, ln, log, power, sqrt } from './transcendental.ts';
export {
  compareNumeric,
  finite,
  INFINITY,
  NAN,
  NEGATIVE_INFINITY,
  ONE,
  pow10,
  signOf,
  ZERO,
} from './value.ts';
