export { AssertionError, assert, assertNever } from './assert.ts';
export type { Brand } from './brand.ts';
export { ByteWriter, compareByteRanges, compareBytes, decodeUtf8 } from './bytes.ts';
export { SeededRandom } from './random.ts';
