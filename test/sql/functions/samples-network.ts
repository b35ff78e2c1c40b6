/** The calls of functions of inet, cidr, macaddr and macaddr8. */

import { aggregates, calls, grid, type Sample } from './sample.ts';

const ADDRESSES = [
  '10.1.2.3',
  '10.1.2.0/24',
  '10.1.2.3/24',
  '10.0.0.0/8',
  '0.0.0.0/0',
  '192.168.255.255/17',
  '::',
  '::1',
  '::ffff:1.2.3.4',
  'fe80::1:2/64',
  '2001:db8:0:0:1:0:0:1/121',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/3',
];
const PAIRS = [
  '10.1.2.3',
  '10.1.2.0/24',
  '10.1.2.3/24',
  '10.0.0.0/8',
  '::1',
  'fe80::/10',
  'fe80::',
];
const NETWORKS = [
  '0/0',
  '10/8',
  '10.1/16',
  '10.1.2/23',
  '10.1.2.3/32',
  '224',
  '224.1',
  '192.168',
  '0x0a0b',
  '::/0',
  '::/15',
  '2001:db8::/32',
  '2001:db8:0:0:8000::/65',
  '1:0:0:2:0:0:0:3/128',
  '1:0:0:2:0:3::/96',
  '::ffff:1.2.0.0/112',
  '::1.2.3.4/128',
  '::1.2.3.0/120',
  '0:0:0:0:0:0:0:1/128',
];
const NUMBERS = ['0', '1', '-1', '256', '-70000', '9223372036854775807', '-9223372036854775808'];
const MASKS = ['-2', '-1', '0', '7', '32', '33', '128', '129'];
const MACS = ['08:00:2b:01:02:03', '08:00:2b:01:02:04', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'];
const MACS8 = ['08:00:2b:ff:fe:01:02:03', '08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff'];

const COMPARISONS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp'];

export const network: readonly Sample[] = [
  ...[...COMPARISONS, 'larger', 'smaller', 'sub', 'subeq', 'sup', 'supeq', 'overlap'].map((name) =>
    grid(`network_${name}`, 'inet inet', PAIRS, PAIRS),
  ),
  ...['inet_same_family', 'inet_merge', 'inetand', 'inetor', 'inetmi'].map((name) =>
    grid(name, 'inet inet', PAIRS, PAIRS),
  ),
  ...['abbrev', 'host', 'text', 'family', 'masklen', 'netmask', 'hostmask', 'broadcast'].map(
    (name) => grid(name, 'inet', ADDRESSES),
  ),
  ...['network', 'cidr', 'inetnot', 'inet_send'].map((name) => grid(name, 'inet', ADDRESSES)),
  grid('abbrev', 'cidr', NETWORKS),
  grid('cidr_send', 'cidr', NETWORKS),
  grid('set_masklen', 'inet int4', ['10.1.2.3/24', 'fe80::1'], MASKS),
  grid('set_masklen', 'cidr int4', ['10.1.2.0/24', 'fe80::1'], MASKS),
  grid('inetpl', 'inet int8', ['10.1.2.3/24', '::1', '255.255.255.255'], NUMBERS),
  grid('int8pl_inet', 'int8 inet', NUMBERS, ['10.1.2.3/24', 'ffff::/16']),
  grid('inetmi_int8', 'inet int8', ['10.1.2.3/24', '::1', '0.0.0.0'], NUMBERS),
  calls(
    'inetmi',
    'inet inet',
    ['::ffff:ffff:ffff:ffff', '::'],
    ['::7fff:ffff:ffff:ffff', '::'],
    ['::', '::8000:0:0:0'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '::'],
  ),
  ...COMPARISONS.flatMap((name) => [
    grid(`macaddr_${name}`, 'macaddr macaddr', MACS, MACS),
    grid(`macaddr8_${name}`, 'macaddr8 macaddr8', MACS8, MACS8),
  ]),
  ...['and', 'or'].flatMap((name) => [
    grid(`macaddr_${name}`, 'macaddr macaddr', MACS, MACS),
    grid(`macaddr8_${name}`, 'macaddr8 macaddr8', MACS8, MACS8),
  ]),
  ...['macaddr_not', 'trunc', 'macaddr8', 'macaddr_send'].map((name) =>
    grid(name, 'macaddr', MACS),
  ),
  ...['macaddr8_not', 'trunc', 'macaddr', 'macaddr8_send', 'macaddr8_set7bit'].map((name) =>
    grid(name, 'macaddr8', MACS8),
  ),
  ...aggregates(
    'min max count',
    'inet',
    ADDRESSES.map((address) => [address]),
    [],
    [[null]],
  ),
];
