/** Loops over the number lane, made from templates so that each is compiled for its operator and
 * sees one shape of operand. The templates are the constants of this file alone. */
import { pgError } from '../../../errors/index.ts';

/** Computes selected rows; `b` is a lane or one number. Returns -1, or the position in the selection
 * of the first row whose result is out of range, for the caller to look at. */
export type ArithmeticKernel = (
  a: Float64Array,
  b: Float64Array | number,
  out: Float64Array,
  selection: Int32Array | null,
  count: number,
  from: number,
) => number;

/** Writes 1 or 0 for each selected row. */
export type CompareKernel = (
  a: Float64Array,
  b: Float64Array | number,
  out: Float64Array,
  selection: Int32Array | null,
  count: number,
) => void;

/** Writes the selected rows for which the comparison is true; `valid` is null when all are. */
export type NarrowKernel = (
  a: Float64Array,
  b: Float64Array | number,
  valid: Uint8Array | null,
  selection: Int32Array | null,
  count: number,
  out: Int32Array,
) => number;

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** NaN equals itself and is above every number, as in PostgreSQL. */
const FLOAT_COMPARISON: Record<Comparison, string> = {
  '=': '(x === y || (x !== x && y !== y))',
  '<>': '!(x === y || (x !== x && y !== y))',
  '<': '(x < y || (y !== y && x === x))',
  '<=': '(x <= y || y !== y)',
  '>': '(x > y || (x !== x && y === y))',
  '>=': '(x >= y || x !== x)',
};

const EXACT_COMPARISON: Record<Comparison, string> = {
  '=': 'x === y',
  '<>': 'x !== y',
  '<': 'x < y',
  '<=': 'x <= y',
  '>': 'x > y',
  '>=': 'x >= y',
};

const cache = new Map<string, unknown>();

function generate<Kernel>(parameters: string, body: string): Kernel {
  const key = `${parameters}|${body}`;
  let kernel = cache.get(key);
  if (kernel === undefined) {
    kernel = new Function(...parameters.split(','), body);
    cache.set(key, kernel);
  }
  return kernel as Kernel;
}

/** A loop with and without a selection. `{row}` is the row. */
function loops(from: string, body: string): string {
  const plain = body.replaceAll('{row}', 'i');
  const selected = body.replaceAll('{row}', 'row');
  return `if (selection === null) {
    for (let i = ${from}; i < count; i++) { ${plain} }
  } else {
    for (let i = ${from}; i < count; i++) { const row = selection[i]; ${selected} }
  }`;
}

function operand(constant: boolean): string {
  return constant ? 'const y = b;' : 'const y = b[{row}];';
}

export function arithmeticKernel(
  operator: '+' | '-' | '*',
  minimum: number,
  maximum: number,
  constant: boolean,
): ArithmeticKernel {
  const body = `const x = a[{row}]; ${operand(constant)} const r = x ${operator} y;
    if (!(r >= ${minimum} && r <= ${maximum})) return i;
    out[{row}] = r + 0;`;
  return generate(
    'a,b,out,selection,count,from',
    `'use strict'; ${loops('from', body)} return -1;`,
  );
}

/** Division and remainder of integers of up to 4 bytes, toward zero. A zero divisor stops the loop. */
export function integerDivisionKernel(
  operator: '/' | '%',
  minimum: number,
  maximum: number,
  constant: boolean,
): ArithmeticKernel {
  const result = operator === '/' ? 'Math.trunc(x / y) + 0' : '(x % y) + 0';
  const body = `const x = a[{row}]; ${operand(constant)} const r = ${result};
    if (!(r >= ${minimum} && r <= ${maximum})) return i;
    out[{row}] = r;`;
  return generate(
    'a,b,out,selection,count,from',
    `'use strict'; ${loops('from', body)} return -1;`,
  );
}

/** float8: infinite or zero results stop the loop, to be looked at. */
export function floatKernel(operator: '+' | '-' | '*' | '/', constant: boolean): ArithmeticKernel {
  const zero = operator === '*' || operator === '/' ? '|| r === 0' : '';
  const body = `const x = a[{row}]; ${operand(constant)} const r = x ${operator} y;
    if (!(r - r === 0) ${zero}) return i;
    out[{row}] = r;`;
  return generate(
    'a,b,out,selection,count,from',
    `'use strict'; ${loops('from', body)} return -1;`,
  );
}

export function compareKernel(
  comparison: Comparison,
  float: boolean,
  constant: boolean,
): CompareKernel {
  const test = (float ? FLOAT_COMPARISON : EXACT_COMPARISON)[comparison];
  const body = `const x = a[{row}]; ${operand(constant)} out[{row}] = ${test} ? 1 : 0;`;
  return generate('a,b,out,selection,count', `'use strict'; ${loops('0', body)}`);
}

export function narrowKernel(
  comparison: Comparison,
  float: boolean,
  constant: boolean,
): NarrowKernel {
  const test = (float ? FLOAT_COMPARISON : EXACT_COMPARISON)[comparison];
  const head = `const x = a[{row}]; ${operand(constant)}`;
  const body = `'use strict'; let kept = 0;
    if (valid === null) { ${loops('0', `${head} if (${test}) out[kept++] = {row};`)} }
    else { ${loops('0', `${head} if (valid[{row}] !== 0 && (${test})) out[kept++] = {row};`)} }
    return kept;`;
  return generate('a,b,valid,selection,count,out', body);
}

export function integerOutOfRange(sqlName: string): Error {
  return pgError('numeric_value_out_of_range', `${sqlName} out of range`);
}

export function divisionByZero(): Error {
  return pgError('division_by_zero', 'division by zero');
}
