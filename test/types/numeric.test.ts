import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PgError } from '../../src/errors/index.ts';
import {
  formatFloat4,
  formatFloat8,
  numeric,
  parseFloat4,
  parseFloat8,
} from '../../src/types/index.ts';
import { PINNED_NUMERIC } from './pinned-numeric.ts';

const parse = numeric.parseNumeric;
const format = numeric.formatNumeric;

type Evaluate = (operands: readonly string[]) => string;

const unary = (name: 'abs' | 'sign' | 'ceil' | 'floor' | 'negate' | 'trimScale') =>
  ((operands) => format(numeric[name](parse(operands[0]!)))) satisfies Evaluate;
const root = (name: 'sqrt' | 'exp' | 'ln') =>
  ((operands) => format(numeric[name](parse(operands[0]!)))) satisfies Evaluate;
const binary = (
  name:
    | 'add'
    | 'subtract'
    | 'multiply'
    | 'divide'
    | 'modulo'
    | 'divideTruncated'
    | 'gcd'
    | 'lcm'
    | 'power'
    | 'log',
) =>
  ((operands) =>
    format(numeric[name](parse(operands[0]!), parse(operands[1]!)))) satisfies Evaluate;
const toInteger = (name: 'toInt2' | 'toInt4' | 'toInt8') =>
  ((operands) => String(numeric[name](parse(operands[0]!)))) satisfies Evaluate;

const FUNCTIONS: Readonly<Record<string, Evaluate>> = {
  add: binary('add'),
  subtract: binary('subtract'),
  multiply: binary('multiply'),
  divide: binary('divide'),
  modulo: binary('modulo'),
  divideTruncated: binary('divideTruncated'),
  gcd: binary('gcd'),
  lcm: binary('lcm'),
  power: binary('power'),
  log: binary('log'),
  sqrt: root('sqrt'),
  exp: root('exp'),
  ln: root('ln'),
  abs: unary('abs'),
  sign: unary('sign'),
  ceil: unary('ceil'),
  floor: unary('floor'),
  negate: unary('negate'),
  trimScale: unary('trimScale'),
  round: (operands) => format(numeric.round(parse(operands[0]!), Number(operands[1]))),
  trunc: (operands) => format(numeric.trunc(parse(operands[0]!), Number(operands[1]))),
  toInt2: toInteger('toInt2'),
  toInt4: toInteger('toInt4'),
  toInt8: toInteger('toInt8'),
  toFloat8: (operands) => formatFloat8(numeric.toFloat8(parse(operands[0]!))),
  toFloat4: (operands) => formatFloat4(numeric.toFloat4(parse(operands[0]!))),
  fromFloat8: (operands) => format(numeric.fromFloat8(parseFloat8(operands[0]!))),
  fromFloat4: (operands) => format(numeric.fromFloat4(parseFloat4(operands[0]!))),
  widthBucket: ([operand, low, high, count]) =>
    String(numeric.widthBucket(parse(operand!), parse(low!), parse(high!), Number(count))),
  factorial: (operands) => format(numeric.factorial(Number(operands[0]))),
};

function evaluate(name: string, operands: readonly string[]): string {
  try {
    const result = FUNCTIONS[name]!(operands);
    if (result.length <= 400) return result;
    return `length ${result.length} md5 ${createHash('md5').update(result).digest('hex')}`;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return `${error.sqlstate} ${error.message}`;
  }
}

describe('numeric', () => {
  it.each(Object.keys(FUNCTIONS))('%s gives PostgreSQL’s digits', (name) => {
    const cases = PINNED_NUMERIC.filter(([of]) => of === name);
    expect(cases.length).toBeGreaterThan(0);
    for (const [, operands, expected] of cases) {
      expect([operands, evaluate(name, operands)]).toEqual([operands, expected]);
    }
  });

  it('reaches the limits of the format and no further', () => {
    expect(format(parse('1e131071'))).toHaveLength(131072);
    expect(() => parse('1e131072')).toThrow('value overflows numeric format');
    expect(format(parse('1e-16383'))).toHaveLength(16385);
    expect(() => numeric.multiply(parse('1e131071'), parse('10'))).toThrow('overflows');
  });

  it('counts scales', () => {
    expect(numeric.scale(parse('123.4500'))).toBe(4);
    expect(numeric.minScale(parse('123.4500'))).toBe(2);
    expect(numeric.minScale(parse('100'))).toBe(0);
    expect(numeric.minScale(parse('NaN'))).toBe(null);
  });

  it('keeps a = (a div b) * b + a mod b', () => {
    const value = fc
      .tuple(fc.bigInt(-(10n ** 40n), 10n ** 40n), fc.nat(30))
      .map(([unscaled, scale]) => numeric.finite(unscaled, scale));
    fc.assert(
      fc.property(value, value, (a, b) => {
        fc.pre(b.unscaled !== 0n);
        const whole = numeric.multiply(numeric.divideTruncated(a, b), b);
        const sum = numeric.add(whole, numeric.modulo(a, b));
        expect(numeric.compareNumeric(sum, a)).toBe(0);
      }),
    );
  });
});
