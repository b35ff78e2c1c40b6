export { compareStored } from './order.ts';
export { checkJson, type JsonOutline, type JsonSpan, outlineJson, parseJsonb } from './parse.ts';
export {
  countAt,
  decodeJsonb,
  encodeArray,
  encodeJsonb,
  encodeObject,
  findField,
  itemEnd,
  itemStart,
  loadItem,
  loadJsonb,
  loadName,
  TAG,
  tagAt,
} from './stored.ts';
export { formatJsonb, formatPretty, formatScalar, quoteJson } from './text.ts';
export { jsonbType, jsonType } from './types.ts';
export * from './value.ts';
