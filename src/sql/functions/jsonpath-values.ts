/** What jsonpath works on: JSON values, and the moments that .datetime() makes of strings. */

import { type FiniteNumeric, json } from '../../types/index.ts';
import { formatMoment, MOMENT_NAMES, PathMoment } from './jsonpath-datetime.ts';

export type PathValue = json.JsonbValue | PathMoment;

export function isMoment(value: PathValue): value is PathMoment {
  return value instanceof PathMoment;
}

export function isPathArray(value: PathValue): value is json.JsonbArray {
  return !isMoment(value) && json.isArray(value);
}

export function isPathObject(value: PathValue): value is json.JsonbObject {
  return !isMoment(value) && json.isObject(value);
}

export function isPathNumber(value: PathValue | undefined): value is FiniteNumeric {
  return value !== undefined && !isMoment(value) && json.isNumber(value);
}

/** What .type() answers. */
export function typeNameOf(value: PathValue): string {
  return isMoment(value) ? MOMENT_NAMES[value.type] : json.kindOf(value);
}

/** The value as a result has it: moments become strings. */
export function toJsonb(value: PathValue): json.JsonbValue {
  return isMoment(value) ? formatMoment(value) : value;
}

export function integer(value: number | bigint): FiniteNumeric {
  return { kind: 'finite', unscaled: BigInt(value), scale: 0 };
}
