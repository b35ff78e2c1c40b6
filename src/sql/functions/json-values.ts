/** SQL values as JSON: texts for json, trees for jsonb. */

import {
  type ArrayDatum,
  type Datum,
  type FiniteNumeric,
  type Int8,
  json,
  numeric,
  OID,
  type RecordDatum,
  type SqlType,
  sessionZone,
  type TypeContext,
  typeByOid,
  xsdDate,
  xsdTimestamp,
  xsdTimestamptzIn,
} from '../../types/index.ts';

/** A value that is not NULL as a JSON text. */
type JsonText = (context: TypeContext, value: Datum) => string;

/** A value that is not NULL as a jsonb tree. */
type JsonTree = (context: TypeContext, value: Datum) => json.JsonbValue;

/** How values of a type become JSON; all that is not named here becomes a string. */
type Category =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'moment'
  | 'json'
  | 'jsonb'
  | 'array'
  | 'record'
  | 'string';

const CATEGORIES: ReadonlyMap<number, Category> = new Map([
  [OID.bool, 'boolean'],
  [OID.int2, 'integer'],
  [OID.int4, 'integer'],
  [OID.int8, 'integer'],
  [OID.float4, 'number'],
  [OID.float8, 'number'],
  [OID.numeric, 'number'],
  [OID.date, 'moment'],
  [OID.timestamp, 'moment'],
  [OID.timestamptz, 'moment'],
  [OID.json, 'json'],
  [OID.jsonb, 'jsonb'],
  [OID.record, 'record'],
]);

function categoryOf(type: SqlType): Category {
  return type.elementOid !== 0 ? 'array' : (CATEGORIES.get(type.oid) ?? 'string');
}

/** Whether values of the type become arrays or objects, which cannot name a field. */
export function isStructured(type: number): boolean {
  return ['json', 'jsonb', 'array', 'record'].includes(categoryOf(typeByOid(type)));
}

/** Whether json_agg puts values of the type on lines of their own. */
export function isOnOwnLine(type: number): boolean {
  return ['array', 'record'].includes(categoryOf(typeByOid(type)));
}

const texts = new WeakMap<SqlType, JsonText>();
const trees = new WeakMap<SqlType, JsonTree>();

/** How values of a type become JSON texts. */
export function jsonTextOf(oid: number): JsonText {
  const type = typeByOid(oid);
  let text = texts.get(type);
  if (text === undefined) {
    text = makeText(type);
    texts.set(type, text);
  }
  return text;
}

/** How values of a type become jsonb. */
export function jsonTreeOf(oid: number): JsonTree {
  const type = typeByOid(oid);
  let tree = trees.get(type);
  if (tree === undefined) {
    tree = makeTree(type);
    trees.set(type, tree);
  }
  return tree;
}

/** What JSON takes as a number; NaN and the infinities are not. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function makeText(type: SqlType): JsonText {
  switch (categoryOf(type)) {
    case 'boolean':
      return (_context, value) => (value === true ? 'true' : 'false');
    case 'integer':
      return (_context, value) => String(value);
    case 'number':
      return (context, value) => {
        const text = type.output(value, context);
        return NUMBER.test(text) ? text : json.quoteJson(text);
      };
    case 'moment':
      return (context, value) => json.quoteJson(momentText(type, context, value));
    case 'json':
    case 'jsonb':
      return (context, value) => type.output(value, context);
    case 'array':
      return (context, value) => arrayText(context, value as ArrayDatum, ',');
    case 'record':
      return (context, value) => recordText(context, value as RecordDatum, ',');
    default:
      return (context, value) => json.quoteJson(type.output(value, context));
  }
}

function makeTree(type: SqlType): JsonTree {
  switch (categoryOf(type)) {
    case 'boolean':
      return (_context, value) => value as boolean;
    case 'integer':
      return (_context, value) => numeric.fromInteger(value as Int8) as FiniteNumeric;
    case 'number':
      return (context, value) => {
        const text = type.output(value, context);
        return NUMBER.test(text) ? (numeric.parseNumeric(text) as FiniteNumeric) : text;
      };
    case 'moment':
      return (context, value) => momentText(type, context, value);
    case 'json':
      return (_context, value) => json.parseJsonb(value as string);
    case 'jsonb':
      return (_context, value) => json.decodeJsonb(value as Uint8Array);
    case 'array':
      return (context, value) => arrayTree(context, value as ArrayDatum);
    case 'record':
      return (context, value) => recordTree(context, value as RecordDatum);
    default:
      return (context, value) => type.output(value, context);
  }
}

/** A value that may be NULL as a JSON text. */
export function nullableText(type: number): JsonText {
  const text = jsonTextOf(type);
  return (context, value) => (value === null ? 'null' : text(context, value));
}

/** A value that may be NULL as a stored jsonb. */
export function nullableStored(type: number): (context: TypeContext, value: Datum) => Uint8Array {
  if (type === OID.jsonb) return (_context, value) => (value as Uint8Array | null) ?? JSON_NULL;
  const tree = nullableTree(type);
  return (context, value) => json.encodeJsonb(tree(context, value));
}

/** null as a stored jsonb. */
export const JSON_NULL = json.encodeJsonb(null);

/** A value that may be NULL as a jsonb tree. */
function nullableTree(type: number): JsonTree {
  const tree = jsonTreeOf(type);
  return (context, value) => (value === null ? null : tree(context, value));
}

/** A date or timestamp as XML Schema writes it, whatever the session's style. */
function momentText(type: SqlType, context: TypeContext, value: Datum): string {
  if (type.oid === OID.date) return xsdDate(value as number);
  if (type.oid === OID.timestamp) return xsdTimestamp(value as Int8);
  return xsdTimestamptzIn(value as Int8, sessionZone(context.timeZone));
}

/** An array as a JSON text; the separator is that of the outermost dimension. */
export function arrayText(context: TypeContext, array: ArrayDatum, separator: string): string {
  const text = nullableText(array.elementType);
  return foldArray<string>(
    array,
    (element) => text(context, element),
    (parts, depth) => `[${parts.join(depth === 0 ? separator : ',')}]`,
  );
}

function arrayTree(context: TypeContext, array: ArrayDatum): json.JsonbValue {
  const tree = nullableTree(array.elementType);
  return foldArray<json.JsonbValue>(
    array,
    (element) => tree(context, element),
    (parts) => parts,
  );
}

/** Turns the elements of an array into results, and those of each dimension into one. */
function foldArray<Result>(
  { dimensions, elements }: ArrayDatum,
  each: (element: Datum) => Result,
  all: (parts: Result[], depth: number) => Result,
): Result {
  let next = 0;
  const fold = (depth: number): Result => {
    const length = dimensions[depth] ?? 0;
    const parts: Result[] = [];
    const isLast = depth === dimensions.length - 1;
    for (let i = 0; i < length; i++) {
      parts.push(isLast ? each(elements[next++] ?? null) : fold(depth + 1));
    }
    return all(parts, depth);
  };
  return fold(0);
}

/** A record as a JSON text. */
export function recordText(context: TypeContext, record: RecordDatum, separator: string): string {
  const fields = record.fields.map((field, i) => {
    const text = nullableText(record.fieldTypes[i]!)(context, field);
    return `${json.quoteJson(fieldName(record, i))}:${text}`;
  });
  return `{${fields.join(separator)}}`;
}

function recordTree(context: TypeContext, record: RecordDatum): json.JsonbValue {
  return json.jsonbObject(
    record.fields.map((field, i) => [
      fieldName(record, i),
      nullableTree(record.fieldTypes[i]!)(context, field),
    ]),
  );
}

function fieldName(record: RecordDatum, i: number): string {
  return record.fieldNames?.[i] ?? `f${i + 1}`;
}
