/** Comparison and STARTS WITH of jsonpath, with their third answer. */

import { compareText, json, type jsonpath, numeric } from '../../types/index.ts';
import type { FunctionContext } from './function.ts';
import { compareMoments } from './jsonpath-datetime.ts';
import { isMoment, type PathValue } from './jsonpath-values.ts';

/** True, false or unknown. */
export type Truth = boolean | null;

export function comparePathValues(
  operator: jsonpath.ComparisonOperator,
  a: PathValue,
  b: PathValue,
  zone: FunctionContext | null,
): Truth {
  // Null is unequal to all that is not null, and neither above nor below it.
  if ((a === null) !== (b === null)) return operator === '!=';
  const order = orderOf(a, b, zone);
  return order === null ? null : holds(operator, order);
}

/** Order of two values of one kind; null where there is none. */
function orderOf(a: PathValue, b: PathValue, zone: FunctionContext | null): number | null {
  if (a === null) return 0;
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : null;
  if (typeof a === 'string') return typeof b === 'string' ? compareText(a, b) : null;
  if (isMoment(a)) return isMoment(b) ? compareMoments(a, b, zone) : null;
  if (!json.isNumber(a) || b === null || isMoment(b) || !json.isNumber(b)) return null;
  return numeric.compareNumeric(a, b);
}

function holds(operator: jsonpath.ComparisonOperator, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

export function startsWith(whole: PathValue, initial: PathValue): Truth {
  if (typeof whole !== 'string' || typeof initial !== 'string') return null;
  return whole.startsWith(initial);
}
