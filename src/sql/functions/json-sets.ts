/** json and jsonb as rows: their elements, fields and names. */

import { pgError } from '../../errors/index.ts';
import { type Datum, json } from '../../types/index.ts';
import type { SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { spanText } from './json.ts';
import { textOf } from './jsonb.ts';

const { TAG } = json;

function refuse(message: string): Error {
  return pgError('invalid_parameter_value', message);
}

type SpanValue = (text: string, span: json.JsonSpan) => Datum;

const spanJson: SpanValue = (text, span) => text.slice(span.start, span.end);

function elementsOfJson(name: string, text: string, read: SpanValue): Datum[] {
  const { fields, elements } = json.outlineJson(text, read === spanText);
  if (elements === undefined) {
    throw refuse(`cannot call ${name} on a ${fields === undefined ? 'scalar' : 'non-array'}`);
  }
  return elements.map((span) => read(text, span));
}

function fieldsOfJson(text: string, read: SpanValue): Datum[][] {
  const { fields, elements } = json.outlineJson(text, true);
  if (fields !== undefined) return fields.map(([name, span]) => [name, read(text, span)]);
  throw refuse(
    elements === undefined
      ? 'cannot deconstruct a scalar'
      : 'cannot deconstruct an array as an object',
  );
}

function namesOfJson(text: string): Datum[] {
  const { fields, elements } = json.outlineJson(text, true);
  if (fields !== undefined) return fields.map(([name]) => name);
  const what = elements === undefined ? 'a scalar' : 'an array';
  throw refuse(`cannot call json_object_keys on ${what}`);
}

type ItemValue = (bytes: Uint8Array, item: number) => Datum;

const itemJsonb: ItemValue = (bytes, item) =>
  bytes.slice(json.itemStart(bytes, 0, item), json.itemEnd(bytes, 0, item));

const itemText: ItemValue = (bytes, item) => textOf(json.loadItem(bytes, 0, item));

function elementsOfJsonb(bytes: Uint8Array, read: ItemValue): Iterable<Datum> {
  const tag = json.tagAt(bytes, 0);
  if (tag === TAG.array) return items(bytes, read);
  throw refuse(`cannot extract elements from ${tag === TAG.object ? 'an object' : 'a scalar'}`);
}

function* items(bytes: Uint8Array, read: ItemValue): Iterable<Datum> {
  const count = json.countAt(bytes, 0);
  for (let i = 0; i < count; i++) yield read(bytes, i);
}

function fieldsOfJsonb(name: string, bytes: Uint8Array, read: ItemValue): Iterable<Datum[]> {
  if (json.tagAt(bytes, 0) === TAG.object) return fields(bytes, read);
  throw refuse(`cannot call ${name} on a non-object`);
}

function* fields(bytes: Uint8Array, read: ItemValue): Iterable<Datum[]> {
  const count = json.countAt(bytes, 0);
  for (let i = 0; i < count; i++) yield [json.loadName(bytes, 0, i), read(bytes, count + i)];
}

function namesOfJsonb(bytes: Uint8Array): Iterable<Datum> {
  const tag = json.tagAt(bytes, 0);
  if (tag === TAG.object) return items(bytes, (_bytes, i) => json.loadName(bytes, 0, i));
  const what = tag === TAG.array ? 'an array' : 'a scalar';
  throw refuse(`cannot call jsonb_object_keys on ${what}`);
}

const sets: Record<string, SetFunction> = {
  json_array_elements: (_c, text: string) => elementsOfJson('json_array_elements', text, spanJson),
  json_array_elements_text: (_c, text: string) =>
    elementsOfJson('json_array_elements_text', text, spanText),
  json_each: (_c, text: string) => fieldsOfJson(text, spanJson),
  json_each_text: (_c, text: string) => fieldsOfJson(text, spanText),
  json_object_keys: (_c, text: string) => namesOfJson(text),
  jsonb_array_elements: (_c, bytes: Uint8Array) => elementsOfJsonb(bytes, itemJsonb),
  jsonb_array_elements_text: (_c, bytes: Uint8Array) => elementsOfJsonb(bytes, itemText),
  jsonb_each: (_c, bytes: Uint8Array) => fieldsOfJsonb('jsonb_each', bytes, itemJsonb),
  jsonb_each_text: (_c, bytes: Uint8Array) => fieldsOfJsonb('jsonb_each_text', bytes, itemText),
  jsonb_object_keys: (_c, bytes: Uint8Array) => namesOfJsonb(bytes),
};

registerFunctions({ sets });
