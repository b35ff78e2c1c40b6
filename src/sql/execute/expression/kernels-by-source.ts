import type { SqlType } from '../../../types/index.ts';
import { ArithmeticEvaluator, type ArithmeticOperator, NegateEvaluator } from './arithmetic.ts';
import { BytesComparison, NumberComparison } from './comparison.ts';
import type { Evaluator } from './evaluator.ts';
import { type Find, findByIndex, findByName, JsonbAccess } from './jsonb-access.ts';
import { CastInteger, LaneCopy } from './lane-casts.ts';
import { LikeEvaluator } from './like.ts';
import type { Comparison } from './number-kernels.ts';

type Maker = (type: SqlType, capacity: number, args: readonly Evaluator[]) => Evaluator;

/** Functions that have a loop of their own, by pg_proc's source name. */
const kernels = new Map<string, Maker>();

/** Whether to compute a function by a loop over lanes; undefined sends it to its scalar code. */
export function kernelFor(source: string): Maker | undefined {
  return kernels.get(source);
}

const ARITHMETIC: readonly [suffix: string, operator: ArithmeticOperator][] = [
  ['pl', '+'],
  ['mi', '-'],
  ['mul', '*'],
  ['div', '/'],
  ['mod', '%'],
];

const COMPARISONS: readonly [suffix: string, comparison: Comparison][] = [
  ['eq', '='],
  ['ne', '<>'],
  ['lt', '<'],
  ['le', '<='],
  ['gt', '>'],
  ['ge', '>='],
];

function arithmetic(prefix: string, size: 2 | 4 | 8 | 'float'): void {
  for (const [suffix, operator] of ARITHMETIC) {
    if (operator === '%' && size === 'float') continue;
    kernels.set(
      prefix + suffix,
      (type, capacity, [left, right]) =>
        new ArithmeticEvaluator(type, capacity, operator, size, left!, right!),
    );
  }
}

/** Cross-type arithmetic has no remainder. */
arithmetic('int2', 2);
arithmetic('int4', 4);
arithmetic('int24', 4);
arithmetic('int42', 4);
for (const prefix of ['int8', 'int84', 'int48', 'int82', 'int28']) arithmetic(prefix, 8);
arithmetic('float8', 'float');
arithmetic('float48', 'float');
arithmetic('float84', 'float');

function numberComparisons(prefix: string, float: boolean): void {
  for (const [suffix, comparison] of COMPARISONS) {
    kernels.set(
      prefix + suffix,
      (type, capacity, [left, right]) =>
        new NumberComparison(type, capacity, comparison, float, left!, right!),
    );
  }
}

const EXACT_PREFIXES = [
  ...['int2', 'int4', 'int8', 'int24', 'int42', 'int28', 'int82', 'int48', 'int84'],
  ...['bool', 'oid', 'enum_', 'date_', 'time_', 'timestamp_', 'timestamptz_', 'cash_'],
];
for (const prefix of EXACT_PREFIXES) numberComparisons(prefix, false);
for (const prefix of ['float4', 'float8', 'float48', 'float84']) numberComparisons(prefix, true);

function bytesComparisons(prefix: string, equalityPrefix: string, padded: boolean): void {
  for (const [suffix, comparison] of COMPARISONS) {
    const equality = comparison === '=' || comparison === '<>';
    kernels.set(
      (equality ? equalityPrefix : prefix) + suffix,
      (type, capacity, [left, right]) =>
        new BytesComparison(type, capacity, comparison, padded, left!, right!),
    );
  }
}

bytesComparisons('text_', 'text', false);
bytesComparisons('bpchar', 'bpchar', true);
bytesComparisons('name', 'name', false);
bytesComparisons('bytea', 'bytea', false);
bytesComparisons('uuid_', 'uuid_', false);
bytesComparisons('macaddr_', 'macaddr_', false);
bytesComparisons('macaddr8_', 'macaddr8_', false);

/** Types whose bytes tell whether values are equal, and not how they are ordered. */
for (const prefix of ['network_', 'bit']) {
  for (const [suffix, comparison] of [
    ['eq', '='],
    ['ne', '<>'],
  ] as const) {
    kernels.set(
      prefix + suffix,
      (type, capacity, [left, right]) =>
        new BytesComparison(type, capacity, comparison, false, left!, right!),
    );
  }
}

kernels.set(
  'int2um',
  (type, capacity, [argument]) => new NegateEvaluator(type, capacity, argument!, -0x8000),
);
kernels.set(
  'int4um',
  (type, capacity, [argument]) => new NegateEvaluator(type, capacity, argument!, -0x8000_0000),
);
kernels.set(
  'int8um',
  (type, capacity, [argument]) => new NegateEvaluator(type, capacity, argument!, Number.NaN),
);
kernels.set(
  'float8um',
  (type, capacity, [argument]) =>
    new NegateEvaluator(type, capacity, argument!, Number.NEGATIVE_INFINITY),
);

/** Widening casts change nothing in the lane. */
for (const source of ['i2toi4', 'int28', 'int48', 'i4tod', 'i2tod', 'ftod']) {
  kernels.set(source, (type, _capacity, [argument]) => new LaneCopy(type, argument!));
}
kernels.set('int84', (type, capacity, [argument]) => new CastInteger(type, capacity, argument!));
kernels.set('int82', (type, capacity, [argument]) => new CastInteger(type, capacity, argument!));
kernels.set('i4toi2', (type, capacity, [argument]) => new CastInteger(type, capacity, argument!));

for (const [source, negated] of [
  ['textlike', false],
  ['textnlike', true],
] as const) {
  kernels.set(
    source,
    (type, capacity, [left, right]) => new LikeEvaluator(type, capacity, left!, right!, negated),
  );
}

function jsonbAccess(source: string, find: Find, asText: boolean): void {
  kernels.set(
    source,
    (type, capacity, [container, key]) =>
      new JsonbAccess(type, capacity, container!, key!, find, asText),
  );
}

jsonbAccess('jsonb_object_field', findByName, false);
jsonbAccess('jsonb_object_field_text', findByName, true);
jsonbAccess('jsonb_array_element', findByIndex, false);
jsonbAccess('jsonb_array_element_text', findByIndex, true);
