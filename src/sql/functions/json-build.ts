/** JSON out of SQL values: to_json, row_to_json, json_build_object, json_object and their likes. */

import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  type Datum,
  json,
  OID,
  type RecordDatum,
  type TypeContext,
} from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import {
  arrayText,
  isStructured,
  jsonTextOf,
  jsonTreeOf,
  nullableStored,
  nullableText,
  recordText,
} from './json-values.ts';
import type { Scalars } from './order.ts';

/** The arguments of a variadic call, and how each becomes JSON. */
interface Arguments<Convert> {
  readonly values: readonly Datum[];
  type(i: number): number;
  convert(i: number): Convert;
}

/** Reads the arguments of calls, whether they come one by one or as an array; null for an array that
 * is NULL. */
function argumentsOf<Convert>(
  call: CallTypes,
  make: (type: number) => Convert,
): (args: readonly Datum[]) => Arguments<Convert> | null {
  if (call.variadicArray !== true) {
    const converters = call.arguments.map(make);
    const type = (i: number): number => call.arguments[i]!;
    const convert = (i: number): Convert => converters[i]!;
    return (values) => ({ values, type, convert });
  }
  return ([array]) => {
    if (array === null) return null;
    const { elements, elementType } = array as ArrayDatum;
    const converter = make(elementType);
    return { values: elements, type: () => elementType, convert: () => converter };
  };
}

/** The text of a value that names a field. */
export function fieldNameOf(context: TypeContext, type: number, value: Datum): string {
  if (isStructured(type)) {
    throw pgError(
      'invalid_parameter_value',
      'key value must be scalar, not array, composite, or json',
    );
  }
  const tree = jsonTreeOf(type)(context, value);
  // A name is the text of a value, so a number is written as its type writes it.
  return typeof tree === 'string' ? tree : jsonTextOf(type)(context, value);
}

function checkPairs(count: number, name: string): void {
  if (count % 2 === 0) return;
  throw pgError('invalid_parameter_value', 'argument list must have even number of elements', {
    hint: `The arguments of ${name}() must consist of alternating keys and values.`,
  });
}

function buildObject(call: CallTypes): ScalarFunction {
  const read = argumentsOf(call, nullableText);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const given = read(args);
    if (given === null) return null;
    const { values } = given;
    checkPairs(values.length, 'json_build_object');
    const fields: string[] = [];
    for (let i = 0; i < values.length; i += 2) {
      const name = values[i] as Datum;
      if (name === null) {
        throw pgError('invalid_parameter_value', `argument ${i + 1} cannot be null`, {
          hint: 'Object keys should be text.',
        });
      }
      const value = given.convert(i + 1)(context, values[i + 1] as Datum);
      fields.push(`${json.quoteJson(fieldNameOf(context, given.type(i), name))} : ${value}`);
    }
    return `{${fields.join(', ')}}`;
  };
}

function buildBinaryObject(call: CallTypes): ScalarFunction {
  const read = argumentsOf(call, nullableStored);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const given = read(args);
    if (given === null) return null;
    const { values } = given;
    checkPairs(values.length, 'jsonb_build_object');
    const fields: [string, Uint8Array][] = [];
    for (let i = 0; i < values.length; i += 2) {
      const name = values[i] as Datum;
      if (name === null) {
        throw pgError('invalid_parameter_value', `argument ${i + 1}: key must not be null`);
      }
      const value = given.convert(i + 1)(context, values[i + 1] as Datum);
      fields.push([fieldNameOf(context, given.type(i), name), value]);
    }
    return json.encodeObject(json.jsonbObject(fields));
  };
}

function buildArray(call: CallTypes): ScalarFunction {
  const read = argumentsOf(call, nullableText);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const given = read(args);
    if (given === null) return null;
    const parts = given.values.map((value, i) => given.convert(i)(context, value));
    return `[${parts.join(', ')}]`;
  };
}

function buildBinaryArray(call: CallTypes): ScalarFunction {
  const read = argumentsOf(call, nullableStored);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const given = read(args);
    if (given === null) return null;
    return json.encodeArray(given.values.map((value, i) => given.convert(i)(context, value)));
  };
}

/** Names and values that stand by turns in an array, or in the rows of one of two columns. */
function pairsOf({ dimensions, elements }: ArrayDatum): [string, string | null][] {
  if (dimensions.length === 1 && elements.length % 2 === 1) {
    throw pgError('array_subscript_error', 'array must have even number of elements');
  }
  if (dimensions.length === 2 && dimensions[1] !== 2) {
    throw pgError('array_subscript_error', 'array must have two columns');
  }
  if (dimensions.length > 2) throw wrongSubscripts();
  const pairs: [string, string | null][] = [];
  for (let i = 0; i < elements.length; i += 2) {
    pairs.push([checkName(elements[i] as Datum), elements[i + 1] as string | null]);
  }
  return pairs;
}

function pairsOfTwo(names: ArrayDatum, values: ArrayDatum): [string, string | null][] {
  if (names.dimensions.length > 1 || names.dimensions.length !== values.dimensions.length) {
    throw wrongSubscripts();
  }
  if (names.elements.length !== values.elements.length) {
    throw pgError('array_subscript_error', 'mismatched array dimensions');
  }
  return names.elements.map((name, i) => [checkName(name), values.elements[i] as string | null]);
}

function wrongSubscripts(): Error {
  return pgError('array_subscript_error', 'wrong number of array subscripts');
}

function checkName(name: Datum): string {
  if (name === null) {
    throw pgError('null_value_not_allowed', 'null value not allowed for object key');
  }
  return name as string;
}

function objectText(pairs: readonly [string, string | null][]): string {
  const fields = pairs.map(([name, value]) => {
    const text = value === null ? 'null' : json.quoteJson(value);
    return `${json.quoteJson(name)} : ${text}`;
  });
  return `{${fields.join(', ')}}`;
}

const LINE = ',\n ';

const scalars: Scalars = {
  array_to_json: (c: FunctionContext, array: ArrayDatum) => arrayText(c, array, ','),
  array_to_json_pretty: (c: FunctionContext, array: ArrayDatum, pretty: boolean) =>
    arrayText(c, array, pretty ? LINE : ','),
  row_to_json: (c: FunctionContext, record: RecordDatum) => recordText(c, record, ','),
  row_to_json_pretty: (c: FunctionContext, record: RecordDatum, pretty: boolean) =>
    recordText(c, record, pretty ? LINE : ','),
  json_build_array_noargs: () => '[]',
  json_build_object_noargs: () => '{}',
  jsonb_build_array_noargs: () => json.encodeJsonb([]),
  jsonb_build_object_noargs: () => json.encodeJsonb(json.jsonbObject([])),
  json_object: (_c, pairs: ArrayDatum) => objectText(pairsOf(pairs)),
  json_object_two_arg: (_c, names: ArrayDatum, values: ArrayDatum) =>
    objectText(pairsOfTwo(names, values)),
  jsonb_object: (_c, pairs: ArrayDatum) => json.encodeJsonb(json.jsonbObject(pairsOf(pairs))),
  jsonb_object_two_arg: (_c, names: ArrayDatum, values: ArrayDatum) =>
    json.encodeJsonb(json.jsonbObject(pairsOfTwo(names, values))),
};

registerFunctions({
  scalars,
  typedScalars: {
    to_json: ({ arguments: [type = OID.text] }) => jsonTextOf(type),
    to_jsonb: ({ arguments: [type = OID.text] }) => {
      const tree = jsonTreeOf(type);
      return (context: FunctionContext, value: Datum) => json.encodeJsonb(tree(context, value));
    },
    json_build_object: buildObject,
    json_build_array: buildArray,
    jsonb_build_object: buildBinaryObject,
    jsonb_build_array: buildBinaryArray,
  },
});
