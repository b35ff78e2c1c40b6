/** The calls of functions of ranges whose results generate.test.ts asks PostgreSQL for. */

import { aggregates, calls, grid, type Sample, set } from './sample.ts';

const INT4 = ['empty', '(,)', '(,5)', '[5,)', '[1,5)', '[1,6)', '[2,4)', '[5,9)', '(5,9]', '[7,8]'];
const NUMERIC = [
  'empty',
  '(,)',
  '(,5]',
  '(5,)',
  '[1,5)',
  '(1,5)',
  '(1,5]',
  '[1.0,5.00]',
  '[5,5]',
  '(5,NaN]',
];
const TSTZ = [
  '[2024-03-10 01:00,2024-03-10 04:00)',
  '(2024-03-10 04:00,infinity]',
  '(,2024-03-10 04:00]',
  '[-infinity,2024-01-01)',
];
const DATES = [
  '[2024-02-28,2024-03-01]',
  '(,2024-02-29)',
  '[infinity,infinity]',
  '(-infinity,2024-01-01]',
];
const RANGES: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['int4range', INT4],
  ['numrange', NUMERIC],
  ['tstzrange', TSTZ],
  ['daterange', DATES],
];
const ONE = [
  'lower',
  'upper',
  'isempty',
  'lower_inc',
  'upper_inc',
  'lower_inf',
  'upper_inf',
  'range_send',
];
const TWO = [
  ...['eq', 'ne', 'lt', 'le', 'ge', 'gt', 'cmp'],
  ...['contains', 'contained_by', 'overlaps', 'before', 'after', 'overleft', 'overright'],
  ...['adjacent', 'union', 'intersect', 'minus', 'merge'],
];

const MULTI = [
  '{}',
  '{(,)}',
  '{[1,5)}',
  '{[1,5),[7,9)}',
  '{(,3),[5,)}',
  '{[2,4),[8,12),[20,30)}',
  '{[5,7)}',
];
const MULTI_NUMERIC = ['{}', '{(1,5]}', '{[1,5),(5,9]}', '{[5,5],(7,)}', '{(,5)}', '{(5,7]}'];
const MULTIRANGES: readonly (readonly [type: string, of: string, values: readonly string[]])[] = [
  ['int4multirange', 'int4range', MULTI],
  ['nummultirange', 'numrange', MULTI_NUMERIC],
];
/** Operators whose functions have a name for each pair of a range and a multirange. */
const MIXED = [
  ...['contains', 'contained_by', 'overlaps', 'before', 'after', 'overleft', 'overright'],
  'adjacent',
];
const RANGE_VALUES: Readonly<Record<string, readonly string[]>> = {
  int4range: INT4,
  numrange: NUMERIC,
};

const multirange: readonly Sample[] = [
  ...MULTIRANGES.flatMap(([type, of, values]) => [
    ...ONE.filter((name) => name !== 'range_send').map((name) => grid(name, type, values)),
    grid('multirange_send', type, values),
    grid('range_merge', type, values),
    set('unnest', type, ...values.map((value) => [value])),
    grid(type, of, RANGE_VALUES[of]!),
    grid('multirange', of, RANGE_VALUES[of]!),
    ...['eq', 'ne', 'lt', 'le', 'ge', 'gt', 'cmp', 'union', 'intersect', 'minus'].map((name) =>
      grid(`multirange_${name}`, `${type} ${type}`, values, values),
    ),
    ...MIXED.flatMap((name) => [
      grid(`multirange_${name}_multirange`, `${type} ${type}`, values, values),
      grid(`multirange_${name}_range`, `${type} ${of}`, values, RANGE_VALUES[of]!),
      grid(`range_${name}_multirange`, `${of} ${type}`, RANGE_VALUES[of]!, values),
    ]),
    ...aggregates(
      'range_agg range_intersect_agg count',
      type,
      values.slice(1).map((value) => [value]),
      [[null], ['{}']],
      [],
      [[null]],
    ),
    ...aggregates(
      'range_agg',
      of,
      RANGE_VALUES[of]!.map((value) => [value]),
      [['empty'], [null]],
      [],
      [[null]],
    ),
  ]),
  grid('multirange_contains_elem', 'int4multirange int4', MULTI, ['1', '5', '8']),
  grid('elem_contained_by_multirange', 'numeric nummultirange', ['1', '5', '7.5'], MULTI_NUMERIC),
  calls('int4multirange', ''),
  grid('datemultirange', 'daterange', DATES),
];

export const range: readonly Sample[] = [
  ...multirange,
  ...RANGES.flatMap(([type, values]) => [
    ...ONE.map((name) => grid(name, type, values)),
    ...TWO.map((name) => grid(`range_${name}`, `${type} ${type}`, values, values)),
  ]),
  grid('range_contains_elem', 'int4range int4', INT4, ['1', '4', '5', '9']),
  grid('elem_contained_by_range', 'numeric numrange', ['1', '5.0', 'NaN', 'Infinity'], NUMERIC),
  grid('range_contains_elem', 'daterange date', DATES, ['2024-02-29', 'infinity', '-infinity']),
  grid(
    'int4range',
    'int4 int4 text',
    ['1', '2147483647', null],
    ['5', '1', null],
    ['[]', '()', '[)', '(]', '][', '', null],
  ),
  grid(
    'int8range',
    'int8 int8',
    ['-9223372036854775808', '9007199254740991', null],
    ['9007199254740993', null],
  ),
  calls('int8range', 'int8 int8 text', ['9007199254740990', '9007199254740991', '(]']),
  grid(
    'daterange',
    'date date text',
    ['2024-01-01', 'infinity'],
    ['5874897-12-31', null],
    ['[]', '(]', '[)'],
  ),
  grid('numrange', 'numeric numeric', ['1.50', 'NaN', null], ['2', 'NaN', '1.5']),
  grid('tsrange', 'timestamp timestamp', ['2024-01-01', '-infinity'], ['2024-01-01', 'infinity']),
  calls('int4range_subdiff', 'int4 int4', ['10', '3'], ['-2147483648', '2147483647']),
  calls('int8range_subdiff', 'int8 int8', ['10', '9007199254740993']),
  calls('numrange_subdiff', 'numeric numeric', ['10.25', '3']),
  calls('daterange_subdiff', 'date date', ['2024-03-01', '2024-02-01']),
  calls('tsrange_subdiff', 'timestamp timestamp', ['2024-01-01 00:00:01.5', '2024-01-01']),
  ...aggregates(
    'range_intersect_agg count',
    'int4range',
    [['[1,9)'], ['[3,12)'], [null], ['(,5]']],
    [],
    [[null]],
  ),
];
