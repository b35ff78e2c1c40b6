/** Subscripts of jsonb. `j['a'][2]` reads what `j #> '{a,2}'` does. `set j['a'][2] = …` makes what is
 * missing on the way to the place, and fills arrays up with nulls. */

import { pgError } from '../../errors/index.ts';
import { type ArrayDatum, type Datum, json } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { asJsonb, checkedPathIndex, partAt, pathIndex } from './jsonb.ts';

function assignAt(
  target: json.JsonbValue,
  path: readonly string[],
  level: number,
  value: json.JsonbValue,
): json.JsonbValue {
  const step = path[level];
  if (step === undefined) return value;
  if (json.isObject(target)) {
    const present = target.get(step);
    const changed =
      present === undefined
        ? made(path, level + 1, value)
        : assignAt(present, path, level + 1, value);
    return json.jsonbObject([...target, [step, changed]]);
  }
  if (json.isArray(target)) return assignElement(target, path, level, step, value);
  throw pgError('invalid_parameter_value', 'cannot replace existing key', {
    detail: 'The path assumes key is a composite object, but it is a scalar value.',
  });
}

function assignElement(
  elements: json.JsonbArray,
  path: readonly string[],
  level: number,
  step: string,
  value: json.JsonbValue,
): json.JsonbArray {
  const index = checkedPathIndex(step, level);
  const position = index < 0 ? elements.length + index : index;
  if (position < 0) {
    throw pgError(
      'invalid_parameter_value',
      `path element at position ${level + 1} is out of range: ${index}`,
    );
  }
  const present = elements[position];
  if (present !== undefined) {
    return elements.with(position, assignAt(present, path, level + 1, value));
  }
  const gap = new Array<null>(position - elements.length).fill(null);
  return [...elements, ...gap, made(path, level + 1, value)];
}

/** A value inside of new arrays and objects, as the rest of the path asks for them. */
function made(path: readonly string[], level: number, value: json.JsonbValue): json.JsonbValue {
  const step = path[level];
  if (step === undefined) return value;
  const inner = made(path, level + 1, value);
  const index = pathIndex(step);
  if (index === null) return json.jsonbObject([[step, inner]]);
  return [...new Array<null>(Math.max(0, index)).fill(null), inner];
}

function checkPath(path: readonly Datum[]): readonly string[] {
  if (path.includes(null)) {
    throw pgError('null_value_not_allowed', 'jsonb subscript in assignment must not be null');
  }
  return path as readonly string[];
}

/** jsonb_subscript_handler, which the binder calls with a container and its subscripts to read, and
 * with a new value to assign. */
export const JSONB_SUBSCRIPT = 6098;

registerFunctions({
  scalars: {
    jsonb_subscript_handler(_c, target: Uint8Array, path: ArrayDatum, value?: Uint8Array) {
      if (value === undefined) return asJsonb(partAt(target, path));
      const steps = checkPath(path.elements);
      return json.encodeJsonb(
        assignAt(json.decodeJsonb(target), steps, 0, json.decodeJsonb(value)),
      );
    },
  },
});
