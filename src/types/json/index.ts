export { TOKEN } from './lexer.ts';
export { compareStored, compareStoredAt } from './order.ts';
export {
  type JsonSpan,
  kindOfJson,
  kindOfToken,
  outlineJson,
  parseJsonb,
  stripNulls,
} from './parse.ts';
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
export { writeStoredText } from './write.ts';
