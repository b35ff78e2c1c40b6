/** Functions of macaddr and macaddr8, by types/mac. */

import { compareBytes } from '../../base/index.ts';
import { mac } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

type MacAddress = Uint8Array;

function functionsOf(type: 'macaddr' | 'macaddr8'): Scalars {
  const prefix = `${type}_`;
  return {
    ...orderFunctions<MacAddress, MacAddress>({ prefix, compare: `${type}_cmp` }, compareBytes),
    [`${type}_not`]: (_c, a: MacAddress) => mac.not(a),
    [`${type}_and`]: (_c, a: MacAddress, b: MacAddress) => mac.and(a, b),
    [`${type}_or`]: (_c, a: MacAddress, b: MacAddress) => mac.or(a, b),
    [`${type}_trunc`]: (_c, a: MacAddress) => mac.trunc(a),
  };
}

const conversions: Scalars = {
  macaddrtomacaddr8: (_c, a: MacAddress) => mac.macToMac8(a),
  macaddr8tomacaddr: (_c, a: MacAddress) => mac.mac8ToMac(a),
  macaddr8_set7bit: (_c, a: MacAddress) => mac.setSeventhBit(a),
};

registerFunctions({
  scalars: { ...functionsOf('macaddr'), ...functionsOf('macaddr8'), ...conversions },
});
