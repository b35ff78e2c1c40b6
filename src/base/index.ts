export { AssertionError, assert, assertNever } from './assert.ts';
export type { Brand } from './brand.ts';
export {
  ByteWriter,
  compareByteRanges,
  compareBytes,
  decodeUtf8,
  prefixNumber,
} from './bytes.ts';
export { crc32 } from './checksum.ts';
export {
  beginLimit,
  checkInterrupt,
  countWork,
  endLimit,
  TakesLong,
  useInterruptCheck,
  withinLimit,
} from './interrupt.ts';
export { once } from './once.ts';
export { hashBytes, hashString, OpenHashMap } from './open-hash-map.ts';
export { inPieces } from './pieces.ts';
export { closingParenthesis, keyExpression, quoteIdentifier, quoteLiteral } from './quote.ts';
export { SeededRandom } from './random.ts';
export { TextBuilder } from './text-builder.ts';
