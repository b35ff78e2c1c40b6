/** The calls of functions of bit and bit varying. `"bit"` is the type without a length. */

import { aggregates, calls, grid, type Sample } from './sample.ts';

const STRINGS = ['', '0', '1', '10', '01', '1011', '10000000', '100000000', '1010110011110001'];
const POSITIONS = ['-2147483648', '-1', '0', '1', '3', '9', '2147483647'];
const INTEGERS = ['0', '1', '-1', '5', '-44', '2147483647', '-2147483648'];
const LENGTHS = ['-1', '0', '1', '3', '8', '31', '32', '33', '64', '70'];

export const bit: readonly Sample[] = [
  ...['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp'].flatMap((name) => [
    grid(`bit${name}`, '"bit" "bit"', STRINGS, STRINGS),
    grid(`varbit${name}`, 'varbit varbit', STRINGS, STRINGS),
  ]),
  ...['bitand', 'bitor', 'bitxor', 'position'].map((name) =>
    grid(name, '"bit" "bit"', STRINGS, STRINGS),
  ),
  grid('bitcat', 'varbit varbit', STRINGS, STRINGS),
  ...['bitnot', 'length', 'octet_length', 'bit_length', 'bit_count', 'bit_send'].map((name) =>
    grid(name, '"bit"', STRINGS),
  ),
  grid('bitshiftleft', '"bit" int4', STRINGS, POSITIONS),
  grid('bitshiftright', '"bit" int4', STRINGS, POSITIONS),
  grid('substring', '"bit" int4', STRINGS, POSITIONS),
  grid('substring', '"bit" int4 int4', ['1011', '1010110011110001'], POSITIONS, POSITIONS),
  grid('overlay', '"bit" "bit" int4', ['1011', '10101100111'], ['', '0000'], POSITIONS),
  grid('overlay', '"bit" "bit" int4 int4', ['10101100111'], ['', '0000'], POSITIONS, POSITIONS),
  grid('get_bit', '"bit" int4', STRINGS, ['-1', '0', '3', '8']),
  grid('set_bit', '"bit" int4 int4', STRINGS, ['-1', '0', '3', '8'], ['0', '1', '2']),
  grid('bit', 'int4 int4', INTEGERS, LENGTHS),
  grid('bit', 'int8 int4', [...INTEGERS, '9223372036854775807', '-9223372036854775808'], LENGTHS),
  grid('int4', '"bit"', [...STRINGS, '1'.repeat(32), `1${'0'.repeat(31)}`, '1'.repeat(33)]),
  grid('int8', '"bit"', [...STRINGS, '1'.repeat(32), `1${'0'.repeat(63)}`, '1'.repeat(65)]),
  grid('bit', '"bit" int4 bool', STRINGS, LENGTHS, ['t', 'f']),
  grid('varbit', 'varbit int4 bool', STRINGS, LENGTHS, ['t', 'f']),
  calls('bit', '"bit" int4 bool', ['101', '0', 't'], ['101', '-3', 'f']),
  ...aggregates(
    'bit_and bit_or bit_xor',
    '"bit"',
    [['1100'], ['1010'], [null], ['1001']],
    [['1']],
    [],
    [[null]],
    [['1'], ['10']],
  ),
];
