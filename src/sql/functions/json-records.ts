/** Records out of JSON objects: json_populate_record, json_to_record, their sets and jsonb forms. */

import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  arrayOf,
  builtinTypes,
  type Datum,
  json,
  OID,
  type RecordDatum,
  type SqlType,
  type TypeContext,
  typeByOid,
} from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction, SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { type JsonPart, TextPart, TreePart } from './json-parts.ts';

/** A column of the records that a call gives. */
interface Column {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
}

type PartOf = (value: Datum) => JsonPart;

const jsonPart: PartOf = (value) => new TextPart(value as string);
const jsonbPart: PartOf = (value) => new TreePart(json.decodeJsonb(value as Uint8Array));

/** The columns of the result: those of the record that is given, else those that the query names. */
function columnsOf(name: string, call: CallTypes, base: RecordDatum | null): readonly Column[] {
  if (base === null) {
    if (call.columns !== undefined) return call.columns;
    throw pgError('feature_not_supported', `could not determine row type for result of ${name}`, {
      hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.',
    });
  }
  const columns = base.fieldTypes.map((type, i) => ({
    name: base.fieldNames?.[i] ?? `f${i + 1}`,
    type,
    typmod: -1,
  }));
  if (call.columns !== undefined) checkColumns(columns, call.columns);
  return columns;
}

function checkColumns(returned: readonly Column[], expected: readonly Column[]): void {
  const refuse = (detail: string): Error =>
    pgError(
      'datatype_mismatch',
      'function return row and query-specified return row do not match',
      { detail },
    );
  if (returned.length !== expected.length) {
    const attributes = returned.length === 1 ? 'attribute' : 'attributes';
    throw refuse(
      `Returned row contains ${returned.length} ${attributes}, but query expects ${expected.length}.`,
    );
  }
  returned.forEach(({ type }, i) => {
    const wanted = expected[i]!.type;
    if (type === wanted) return;
    throw refuse(
      `Returned type ${typeByOid(type).sqlName} at ordinal position ${i + 1}, but query expects ${typeByOid(wanted).sqlName}.`,
    );
  });
}

/** Fills the columns from the fields of an object; what it lacks keeps the base's value. */
function populate(
  context: TypeContext,
  columns: readonly Column[],
  base: RecordDatum | null,
  object: JsonPart,
): Datum[] {
  const fields = object.fields();
  return columns.map((column, i) => {
    const part = fields.get(column.name);
    if (part === undefined) return base?.fields[i] ?? null;
    return readValue(context, typeByOid(column.type), column.typmod, part, column.name);
  });
}

function readValue(
  context: TypeContext,
  type: SqlType,
  typmod: number,
  part: JsonPart,
  key: string,
): Datum {
  if (part.kind === 'null') return null;
  if (type.elementOid !== 0 && part.kind !== 'string') {
    return new ArrayReader(context, typeByOid(type.elementOid), typmod, key).read(part);
  }
  if (type.oid === OID.jsonb) return part.stored();
  const text = type.oid === OID.json ? part.json() : part.text();
  const value = type.input(text, context, typmod);
  return typmod < 0 || type.applyTypmod === undefined
    ? value
    : type.applyTypmod(value, typmod, false);
}

/** Reads an SQL array. The first element that is no array tells how many dimensions there are. */
class ArrayReader {
  private readonly context: TypeContext;
  private readonly element: SqlType;
  private readonly typmod: number;
  private readonly key: string;
  private dimensions: number[] | null = null;
  private readonly values: Datum[] = [];

  constructor(context: TypeContext, element: SqlType, typmod: number, key: string) {
    this.context = context;
    this.element = element;
    this.typmod = typmod;
    this.key = key;
  }

  read(part: JsonPart): ArrayDatum {
    this.readLevel(part, []);
    const dimensions = this.dimensions ?? [];
    if (this.values.length === 0) return arrayOf(this.element.oid, []);
    const lowerBounds = dimensions.map(() => 1);
    return { elementType: this.element.oid, dimensions, lowerBounds, elements: this.values };
  }

  /** Reads an array that stands at the given subscripts of the outer ones. */
  private readLevel(part: JsonPart, subscripts: readonly number[]): void {
    if (part.kind !== 'array') throw this.expectedArray(subscripts);
    const parts = part.elements();
    const depth = subscripts.length;
    if (this.dimensions === null && parts[0]?.kind !== 'array') {
      this.dimensions = new Array<number>(depth + 1).fill(-1);
    }
    parts.forEach((inner, i) => {
      if (this.dimensions !== null && depth === this.dimensions.length - 1) {
        this.values.push(readValue(this.context, this.element, this.typmod, inner, this.key));
      } else this.readLevel(inner, [...subscripts, i]);
    });
    this.checkLength(depth, parts.length);
  }

  private checkLength(depth: number, length: number): void {
    const known = this.dimensions?.[depth] ?? -1;
    if (known < 0 && this.dimensions !== null) this.dimensions[depth] = length;
    else if (known !== length) {
      throw pgError('invalid_text_representation', 'malformed JSON array', {
        detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
      });
    }
  }

  private expectedArray(subscripts: readonly number[]): Error {
    const place =
      subscripts.length === 0
        ? 'value of'
        : `array element ${subscripts.map((i) => `[${i}]`).join('')} of`;
    return pgError('invalid_text_representation', 'expected JSON array', {
      hint: `See the ${place} key "${this.key}".`,
    });
  }
}

function record(columns: readonly Column[], fields: Datum[]): RecordDatum {
  return {
    fieldTypes: columns.map(({ type }) => type),
    fields,
    fieldNames: columns.map(({ name }) => name),
  };
}

function checkObject(part: JsonPart): void {
  if (part.kind === 'object') return;
  const what = part.kind === 'array' ? 'an array' : 'a scalar';
  throw pgError('invalid_parameter_value', `cannot call populate_composite on ${what}`);
}

function oneRecord(
  name: string,
  call: CallTypes,
  context: TypeContext,
  base: RecordDatum | null,
  part: JsonPart | null,
): Datum {
  if (part === null) return base;
  const columns = columnsOf(name, call, base);
  checkObject(part);
  return record(columns, populate(context, columns, base, part));
}

function* records(
  name: string,
  call: CallTypes,
  context: TypeContext,
  base: RecordDatum | null,
  part: JsonPart,
): Iterable<Datum | Datum[]> {
  const columns = columnsOf(name, call, base);
  if (part.kind !== 'array') throw notAnArray(name, part);
  for (const object of part.elements()) {
    if (object.kind !== 'object') {
      throw pgError('invalid_parameter_value', `argument of ${name} must be an array of objects`);
    }
    yield record(columns, populate(context, columns, base, object));
  }
}

function notAnArray(name: string, part: JsonPart): Error {
  const found = part.kind === 'object' ? 'an object' : 'a scalar';
  const what = part instanceof TextPart ? found : 'a non-array';
  return pgError('invalid_parameter_value', `cannot call ${name} on ${what}`);
}

function toRecord(name: string, partOf: PartOf) {
  return (call: CallTypes): ScalarFunction =>
    (context: FunctionContext, value: Datum) =>
      oneRecord(name, call, context, null, partOf(value));
}

/** What is populated has to be a record, of whatever type; its type is not said in the signature. */
function requireRecord(name: string, [base]: readonly number[]): void {
  if (base === undefined || base === OID.record || base === OID.unknown) return;
  if (builtinTypes.find(base) === undefined) return;
  throw pgError('datatype_mismatch', `first argument of ${name} must be a row type`);
}

function populateRecord(name: string, partOf: PartOf) {
  return (call: CallTypes): ScalarFunction =>
    (context: FunctionContext, base: RecordDatum | null, value: Datum) => {
      requireRecord(name, call.arguments);
      return oneRecord(name, call, context, base, value === null ? null : partOf(value));
    };
}

function toRecordSet(name: string, partOf: PartOf) {
  return (call: CallTypes): SetFunction =>
    (context: FunctionContext, value: Datum) =>
      value === null ? [] : records(name, call, context, null, partOf(value));
}

function populateRecordSet(name: string, partOf: PartOf) {
  return (call: CallTypes): SetFunction =>
    (context: FunctionContext, base: RecordDatum | null, value: Datum) => {
      requireRecord(name, call.arguments);
      return value === null ? [] : records(name, call, context, base, partOf(value));
    };
}

registerFunctions({
  typedScalars: {
    json_to_record: toRecord('json_to_record', jsonPart),
    jsonb_to_record: toRecord('jsonb_to_record', jsonbPart),
    json_populate_record: populateRecord('json_populate_record', jsonPart),
    jsonb_populate_record: populateRecord('jsonb_populate_record', jsonbPart),
  },
  typedSets: {
    json_to_recordset: toRecordSet('json_to_recordset', jsonPart),
    jsonb_to_recordset: toRecordSet('jsonb_to_recordset', jsonbPart),
    json_populate_recordset: populateRecordSet('json_populate_recordset', jsonPart),
    jsonb_populate_recordset: populateRecordSet('jsonb_populate_recordset', jsonbPart),
  },
});
