/** json_agg, json_object_agg and their jsonb forms. */

import { pgError } from '../../errors/index.ts';
import { type Datum, json, OID } from '../../types/index.ts';
import type { AggregateFunction, CallTypes } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { fieldNameOf } from './json-build.ts';
import { isOnOwnLine, nullableStored, nullableText } from './json-values.ts';

interface Parts<Part> {
  readonly parts: Part[];
  bytes: number;
}

/** An aggregate that collects a part a row. */
function collecting<Part>(
  partOf: (...args: Parameters<AggregateFunction['accumulate']>) => Part,
  bytesOf: (part: Part) => number,
  finish: (parts: readonly Part[]) => Datum,
): AggregateFunction<Parts<Part>> {
  return {
    strict: false,
    initial: () => ({ parts: [], bytes: 0 }),
    accumulate(context, state, ...args) {
      const part = partOf(context, state, ...args);
      state.parts.push(part);
      state.bytes += bytesOf(part);
      return state;
    },
    finish: (_context, state) => (state.parts.length === 0 ? null : finish(state.parts)),
    sizeOf: (state) => 64 + state.bytes,
  };
}

function textBytes(text: string): number {
  return 16 + 2 * text.length;
}

function storedBytes(bytes: Uint8Array): number {
  return 64 + bytes.length;
}

function aggregateText({ arguments: [type = OID.text] }: CallTypes): AggregateFunction {
  const text = nullableText(type);
  const separator = isOnOwnLine(type) ? ', \n ' : ', ';
  return collecting<string>(
    (context, state, value = null) => {
      if ((state as Parts<string>).parts.length === 0) return text(context, value);
      return `${value === null ? ', ' : separator}${text(context, value)}`;
    },
    textBytes,
    (parts) => `[${parts.join('')}]`,
  ) as AggregateFunction;
}

function aggregateObjectText({ arguments: types }: CallTypes): AggregateFunction {
  const [nameType = OID.text, valueType = OID.text] = types;
  const text = nullableText(valueType);
  return collecting<string>(
    (context, _state, name = null, value = null) => {
      checkName(name);
      return `${json.quoteJson(fieldNameOf(context, nameType, name))} : ${text(context, value)}`;
    },
    textBytes,
    (parts) => `{ ${parts.join(', ')} }`,
  ) as AggregateFunction;
}

function aggregateBinary({ arguments: [type = OID.text] }: CallTypes): AggregateFunction {
  const stored = nullableStored(type);
  return collecting<Uint8Array>(
    (context, _state, value = null) => stored(context, value),
    storedBytes,
    json.encodeArray,
  ) as AggregateFunction;
}

function aggregateBinaryObject({ arguments: types }: CallTypes): AggregateFunction {
  const [nameType = OID.text, valueType = OID.text] = types;
  const stored = nullableStored(valueType);
  return collecting<readonly [string, Uint8Array]>(
    (context, _state, name = null, value = null) => {
      checkName(name);
      return [fieldNameOf(context, nameType, name), stored(context, value)];
    },
    ([name, value]) => textBytes(name) + storedBytes(value),
    (parts) => json.encodeObject(json.jsonbObject(parts)),
  ) as AggregateFunction;
}

function checkName(name: Datum): void {
  if (name === null) throw pgError('invalid_parameter_value', 'field name must not be null');
}

registerFunctions({
  typedAggregates: {
    'json_agg_transfn/json_agg_finalfn': aggregateText,
    'json_object_agg_transfn/json_object_agg_finalfn': aggregateObjectText,
    'jsonb_agg_transfn/jsonb_agg_finalfn': aggregateBinary,
    'jsonb_object_agg_transfn/jsonb_object_agg_finalfn': aggregateBinaryObject,
  },
});
