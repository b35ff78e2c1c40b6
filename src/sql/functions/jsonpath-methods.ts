/** Operators and methods of jsonpath that make one value of values, or say what is wrong. */

import { type Condition, PgError } from '../../errors/index.ts';
import {
  checkTemplate,
  type FiniteNumeric,
  type jsonpath,
  numeric,
  parseByTemplate,
  parseFloat8,
} from '../../types/index.ts';
import { PathMoment, parseMoment } from './jsonpath-datetime.ts';
import { isPathNumber, type PathValue } from './jsonpath-values.ts';

/** An error that a path may leave unsaid. */
export class PathFault {
  readonly condition: Condition;
  readonly message: string;
  readonly hint: string | undefined;

  constructor(condition: Condition, message: string, hint?: string) {
    this.condition = condition;
    this.message = message;
    this.hint = hint;
  }
}

const ARITHMETIC = {
  '+': numeric.add,
  '-': numeric.subtract,
  '*': numeric.multiply,
  '/': numeric.divide,
  '%': numeric.modulo,
} as const;

/** Fails as arithmetic does, with overflow and division by zero. */
export function calculate(
  operator: jsonpath.ArithmeticOperator,
  left: readonly PathValue[],
  right: readonly PathValue[],
): FiniteNumeric | PathFault {
  const [a] = left;
  const [b] = right;
  if (left.length !== 1 || !isPathNumber(a)) return notSingle('left', operator);
  if (right.length !== 1 || !isPathNumber(b)) return notSingle('right', operator);
  return ARITHMETIC[operator](a, b) as FiniteNumeric;
}

function notSingle(side: string, operator: string): PathFault {
  return new PathFault(
    'singleton_sql_json_item_required',
    `${side} operand of jsonpath operator ${operator} is not a single numeric value`,
  );
}

const ROUNDING = { abs: numeric.abs, floor: numeric.floor, ceiling: numeric.ceil } as const;

export function rounded(name: keyof typeof ROUNDING, value: PathValue): FiniteNumeric | PathFault {
  if (isPathNumber(value)) return ROUNDING[name](value) as FiniteNumeric;
  return nonNumeric(`jsonpath item method .${name}() can only be applied to a numeric value`);
}

function nonNumeric(message: string): PathFault {
  return new PathFault('non_numeric_sql_json_item', message);
}

/** .double(): a number stays as it is, if a double can hold it. */
export function toDouble(value: PathValue): FiniteNumeric | PathFault {
  if (isPathNumber(value)) {
    if (finiteDouble(numeric.formatNumeric(value)) !== null) return value;
    return nonNumeric(
      'numeric argument of jsonpath item method .double() is out of range for type double precision',
    );
  }
  if (typeof value !== 'string') {
    return nonNumeric(
      'jsonpath item method .double() can only be applied to a string or numeric value',
    );
  }
  const double = finiteDouble(value);
  if (double !== null) return numeric.fromFloat8(double) as FiniteNumeric;
  return nonNumeric(
    'string argument of jsonpath item method .double() is not a valid representation of a double precision number',
  );
}

/** A text as a finite double, or null. */
function finiteDouble(text: string): number | null {
  try {
    const value = parseFloat8(text);
    return Number.isFinite(value) ? value : null;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return null;
  }
}

/** .datetime(). A text that does not fit its template fails as to_timestamp does. */
export function toMoment(value: PathValue, template: string | null): PathMoment | PathFault {
  if (typeof value !== 'string') {
    return new PathFault(
      'invalid_argument_for_sql_json_datetime_function',
      'jsonpath item method .datetime() can only be applied to a string',
    );
  }
  if (template !== null) return new PathMoment(parseByTemplate(value, template));
  const moment = parseMoment(value);
  if (moment !== null) return moment;
  return new PathFault(
    'invalid_argument_for_sql_json_datetime_function',
    `datetime format is not recognized: "${value}"`,
    'Use a datetime template argument to specify the input data format.',
  );
}

/** A template that the standard does not allow is an error wherever it stands. */
export function checkDatetime(item: jsonpath.PathItem): void {
  if (item.kind === 'datetime' && item.template !== null) checkTemplate(item.template);
}
