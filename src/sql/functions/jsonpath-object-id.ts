/** The ids of .keyvalue(): where an object lies in the jsonb that it is a part of, in bytes of
 * PostgreSQL's own form, which is what users see of it.
 *
 * There a container is a header of 4 bytes, an entry of 4 bytes for each element, key and value, and
 * then their contents in that order, keys before values. Numbers and containers start at a multiple
 * of 4; null, true and false have no contents. */

import { type FiniteNumeric, json, utf8Length } from '../../types/index.ts';

const HEADER = 4;
const ENTRY = 4;

/** Offset of `part` from the start of `whole`, or -1 when it is not in it. */
export function offsetWithin(whole: json.JsonbValue, part: json.JsonbValue): number {
  if (whole === part) return 0;
  const walk = new Walk(part);
  walk.value(whole, 0);
  return walk.found;
}

/** Lays a value out from an offset on, and notes where the part is. */
class Walk {
  found = -1;
  private readonly part: json.JsonbValue;

  constructor(part: json.JsonbValue) {
    this.part = part;
  }

  /** Answers the offset after the value. */
  value(value: json.JsonbValue, at: number): number {
    if (typeof value === 'string') return at + utf8Length(value);
    if (json.isArray(value)) return this.container(value, [], value, aligned(at));
    if (json.isObject(value)) {
      return this.container(value, value.keys(), value.values(), aligned(at));
    }
    return json.isNumber(value) ? aligned(at) + numericSize(value) : at;
  }

  private container(
    container: json.JsonbArray | json.JsonbObject,
    names: Iterable<string>,
    values: Iterable<json.JsonbValue>,
    start: number,
  ): number {
    if (container === this.part) this.found = start;
    const entries = json.isObject(container) ? 2 * container.size : container.length;
    let at = start + HEADER + ENTRY * entries;
    for (const name of names) at += utf8Length(name);
    for (const value of values) at = this.value(value, at);
    return at;
  }
}

function aligned(at: number): number {
  return (at + 3) & ~3;
}

const LENGTH_WORD = 4;
const SHORT_HEADER = 2;
const LONG_HEADER = 4;
const SHORT_SCALE_MAX = 63;
const SHORT_WEIGHT_MIN = -64;
const SHORT_WEIGHT_MAX = 63;

/** Bytes of a stored numeric: base-10000 digits without zeros at either end. */
function numericSize({ unscaled, scale }: FiniteNumeric): number {
  let digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  if (digits === '0') return LENGTH_WORD + SHORT_HEADER;
  // Whole groups of four on both sides of the point.
  digits += '0'.repeat((4 - (scale % 4)) % 4);
  const fractionGroups = Math.ceil(scale / 4);
  digits = digits.padStart(Math.max(4 * fractionGroups, Math.ceil(digits.length / 4) * 4), '0');
  const groups = digits.match(/.{4}/g) ?? [];
  const first = groups.findIndex((group) => group !== '0000');
  const last = groups.findLastIndex((group) => group !== '0000');
  const weight = groups.length - fractionGroups - 1 - first;
  const isShort =
    scale <= SHORT_SCALE_MAX && weight >= SHORT_WEIGHT_MIN && weight <= SHORT_WEIGHT_MAX;
  return LENGTH_WORD + (isShort ? SHORT_HEADER : LONG_HEADER) + 2 * (last - first + 1);
}
