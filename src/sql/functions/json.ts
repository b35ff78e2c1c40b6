/** json read as the text that it is: fields and elements, paths, kinds. */

import { pgError } from '../../errors/index.ts';
import { type ArrayDatum, type Datum, json } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { pathIndex } from './jsonb.ts';
import type { Scalars } from './order.ts';

/** A value inside of a JSON text. */
interface Found {
  readonly text: string;
  readonly span: json.JsonSpan;
}

function root(text: string): Found {
  return { text, span: json.outlineJson(text, true).value };
}

/** The field of a name, the last one where there are several. */
function fieldOf(text: string, name: string): Found | null {
  const { fields } = json.outlineJson(text, true);
  const span = fields?.findLast(([field]) => field === name)?.[1];
  return span === undefined ? null : { text, span };
}

/** The element at an index, which counts from the end when it is negative. */
function elementOf(text: string, index: number): Found | null {
  const span = json.outlineJson(text, true).elements?.at(index);
  return span === undefined ? null : { text, span };
}

function foundAt(text: string, path: ArrayDatum): Found | null {
  return path.elements.includes(null) ? null : foundBelow(root(text), path.elements, 0);
}

/** What a path leads to from its step at `level` on. Where an object has several fields of a name,
 * the last of those counts from which the rest of the path leads on. */
function foundBelow(from: Found, path: readonly Datum[], level: number): Found | null {
  const step = path[level] as string | undefined;
  if (step === undefined) return from;
  const text = sourceOf(from);
  const { fields, elements } = json.outlineJson(text, true);
  if (fields === undefined) {
    const index = pathIndex(step);
    const span = index === null ? undefined : elements?.at(index);
    return span === undefined ? null : foundBelow({ text, span }, path, level + 1);
  }
  for (let i = fields.length - 1; i >= 0; i--) {
    const [name, span] = fields[i]!;
    const found = name === step ? foundBelow({ text, span }, path, level + 1) : null;
    if (found !== null) return found;
  }
  return null;
}

function sourceOf({ text, span }: Found): string {
  return text.slice(span.start, span.end);
}

function asJson(found: Found | null): string | null {
  return found && sourceOf(found);
}

/** A value as SQL text: strings without quotes, null as NULL. */
export function spanText(text: string, span: json.JsonSpan): string | null {
  if (span.token === json.TOKEN.null) return null;
  return span.string ?? text.slice(span.start, span.end);
}

function asText(found: Found | null): string | null {
  return found && spanText(found.text, found.span);
}

function arrayLength(text: string): number {
  const { fields, elements } = json.outlineJson(text, false);
  if (elements !== undefined) return elements.length;
  const what = fields === undefined ? 'scalar' : 'non-array';
  throw pgError('invalid_parameter_value', `cannot get array length of a ${what}`);
}

const scalars: Scalars = {
  json_object_field: (_c, text: string, name: string) => asJson(fieldOf(text, name)),
  json_object_field_text: (_c, text: string, name: string) => asText(fieldOf(text, name)),
  json_array_element: (_c, text: string, index: number) => asJson(elementOf(text, index)),
  json_array_element_text: (_c, text: string, index: number) => asText(elementOf(text, index)),
  json_extract_path: (_c, text: string, path: ArrayDatum) => asJson(foundAt(text, path)),
  json_extract_path_text: (_c, text: string, path: ArrayDatum) => asText(foundAt(text, path)),
  json_typeof: (_c, text: string) => json.kindOfJson(text),
  json_array_length: (_c, text: string) => arrayLength(text),
  json_strip_nulls: (_c, text: string) => json.stripNulls(text),
};

registerFunctions({ scalars });
