/** Functions of inet and cidr, by types/network. Both have one form, so that what is made for inet
 * serves cidr. */

import { type Datum, type Int8, network } from '../../types/index.ts';
import type { ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

type Address = Uint8Array;

/** A function of one address, or of two. */
const ofOne =
  <Result extends Datum>(compute: (a: Address) => Result): ScalarFunction =>
  (_c, a: Address) =>
    compute(a);
const ofTwo =
  <Result extends Datum>(compute: (a: Address, b: Address) => Result): ScalarFunction =>
  (_c, a: Address, b: Address) =>
    compute(a, b);

const comparisons = orderFunctions<Address, Address>(
  {
    prefix: 'network_',
    compare: 'network_cmp',
    larger: 'network_larger',
    smaller: 'network_smaller',
  },
  network.compareAddresses,
);

const relations: Scalars = {
  network_sub: ofTwo((a, b) => network.contains(b, a)),
  network_subeq: ofTwo((a, b) => network.containsOrEquals(b, a)),
  network_sup: ofTwo(network.contains),
  network_supeq: ofTwo(network.containsOrEquals),
  network_overlap: ofTwo(network.overlap),
  inet_same_family: ofTwo((a, b) => network.familyOf(a) === network.familyOf(b)),
};

const arithmetic: Scalars = {
  inetnot: ofOne(network.not),
  inetand: ofTwo(network.and),
  inetor: ofTwo(network.or),
  inetpl: (_c, a: Address, addend: Int8) => network.add(a, addend),
  // int8pl_inet
  '2631': (_c, addend: Int8, a: Address) => network.add(a, addend),
  inetmi_int8: (_c, a: Address, subtrahend: Int8) => network.subtract(a, subtrahend),
  inetmi: ofTwo(network.difference),
};

const parts: Scalars = {
  inet_abbrev: ofOne(network.formatInet),
  cidr_abbrev: ofOne(network.abbreviateCidr),
  network_host: ofOne(network.formatHost),
  network_show: ofOne(network.formatCidr),
  network_family: ofOne((a) => (network.familyOf(a) === network.IPV4 ? 4 : 6)),
  network_masklen: ofOne((a) => network.bitsOf(a)),
  network_netmask: ofOne(network.netmask),
  network_hostmask: ofOne(network.hostmask),
  network_broadcast: ofOne(network.broadcast),
  network_network: ofOne((a) => network.networkOf(a, network.bitsOf(a))),
  inet_to_cidr: ofOne((a) => network.networkOf(a, network.bitsOf(a))),
  inet_set_masklen: (_c, a: Address, bits: number) => network.withMask(a, bits),
  cidr_set_masklen: (_c, a: Address, bits: number) => network.withNetworkMask(a, bits),
  inet_merge: ofTwo(network.merge),
};

registerFunctions({ scalars: { ...comparisons, ...relations, ...arithmetic, ...parts } });
