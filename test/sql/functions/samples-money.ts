/** The calls of functions of money. */

import { aggregates, grid, type Sample } from './sample.ts';

const AMOUNTS = [
  '0',
  '0.01',
  '-0.01',
  '1',
  '$1,234,567.89',
  '-15.50',
  '2000000.00',
  '310.10',
  '92233720368547758.07',
  '-92233720368547758.08',
];
const INTEGERS = ['0', '1', '-1', '3', '7', '-100'];
const FLOATS = ['0', '1', '-1', '0.005', '2.5', '1e-3', 'Infinity', 'NaN'];
const NUMERICS = ['0', '12.345', '-12.345', '0.005', 'NaN', '92233720368547758.07', '1e17'];

export const money: readonly Sample[] = [
  ...['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp', 'pl', 'mi', 'div_cash'].map((name) =>
    grid(`cash_${name}`, 'money money', AMOUNTS, AMOUNTS),
  ),
  grid('cashlarger', 'money money', AMOUNTS, AMOUNTS),
  grid('cashsmaller', 'money money', AMOUNTS, AMOUNTS),
  ...['int2', 'int4', 'int8'].flatMap((size) => [
    grid(`cash_mul_${size}`, `money ${size}`, AMOUNTS, INTEGERS),
    grid(`${size}_mul_cash`, `${size} money`, INTEGERS, AMOUNTS),
    grid(`cash_div_${size}`, `money ${size}`, AMOUNTS, INTEGERS),
  ]),
  ...['4', '8'].flatMap((size) => [
    grid(`cash_mul_flt${size}`, `money float${size}`, AMOUNTS, FLOATS),
    grid(`flt${size}_mul_cash`, `float${size} money`, FLOATS, AMOUNTS),
    grid(`cash_div_flt${size}`, `money float${size}`, AMOUNTS, FLOATS),
  ]),
  grid('cash_words', 'money', [...AMOUNTS, '215', '120.20', '1010.11', '100000000.99', '19', '20']),
  grid('cash_send', 'money', AMOUNTS),
  grid('numeric', 'money', AMOUNTS),
  grid('money', 'numeric', NUMERICS),
  grid('money', 'int4', [...INTEGERS, '2147483647']),
  grid('money', 'int8', [...INTEGERS, '92233720368547758', '92233720368547759']),
  ...aggregates(
    'sum min max count',
    'money',
    [['1.50'], [null], ['-0.25']],
    [],
    [[null]],
    [['92233720368547758.07'], ['0.01']],
  ),
];
