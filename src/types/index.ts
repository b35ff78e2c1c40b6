export { arrayOf, arrayType } from './array.ts';
export {
  ELEMENT_WORK,
  findElement,
  mapElements,
  pushElement,
  pushElements,
} from './array-elements.ts';
export { checkArrayShape, checkDimensionCount, checkElementCount } from './array-text.ts';
/** Strings of bits: `bits.substring(a, 2, 3)`. */
export * as bits from './bit/index.ts';
export { parseBoolean } from './boolean.ts';
export { decodeHex } from './bytea.ts';
export * from './datetime/index.ts';
export * from './datum.ts';
export { type EnumDefinition, type EnumLabel, unsafeUse } from './enum.ts';
export { formatFloat4, formatFloat8, parseFloat4, parseFloat8 } from './float.ts';
export { formatType } from './format-type.ts';
export {
  INT2_MAX,
  INT2_MIN,
  INT4_MAX,
  INT4_MIN,
  INT8_MAX,
  INT8_MIN,
  parseInteger,
} from './integer.ts';
/** JSON values and their stored form: `json.decodeJsonb(bytes)`. */
export * as json from './json/index.ts';
/** Path expressions over JSON values: `jsonpath.parsedPath(text)`. */
export * as jsonpath from './jsonpath/index.ts';
export {
  compareKeys,
  encodeKey,
  encodeKeyPart,
  encodeStoredKeyPart,
  type KeyColumn,
} from './key.ts';
export { type KeyForm, keyFormOf } from './key-value.ts';
/** MAC addresses: `mac.trunc(a)`. */
export * as mac from './mac.ts';
/** Addresses of hosts and networks: `network.broadcast(a)`. */
export * as network from './network/index.ts';
/** Arithmetic on numerics: `numeric.add(a, b)`. */
export * as numeric from './numeric/index.ts';
export type { ObjectNames, ReferenceKind } from './object-reference.ts';
export { OID } from './oid.ts';
/** What is computed of ranges: `range.merge(kind, a, b)`. */
export * as range from './range/index.ts';
export { builtinTypes, findType, typeByName, typeByOid } from './registry.ts';
export * from './sql-type.ts';
export { truncateName, unpad } from './text.ts';
export { arrayTypeOf, parseTypeName, resolveTypeName, SERIAL_TYPES } from './type-name.ts';
export {
  CommittedTypes,
  enumDefinition,
  findUserType,
  isOwnType,
  lastingType,
  type PlacedDefinition,
  type TypeDefinition,
  type TypeSource,
  useTypes,
  withTypes,
} from './user-types.ts';
export {
  characterCount,
  characterOffset,
  compareText,
  utf8Length,
  verifyUtf8,
} from './utf8.ts';
