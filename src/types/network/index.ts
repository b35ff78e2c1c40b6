export { bitsOf, compareAddresses, familyOf, IPV4, networkOf } from './address.ts';
export { ofSocket } from './input.ts';
export {
  add,
  and,
  broadcast,
  contains,
  containsOrEquals,
  difference,
  hostmask,
  merge,
  netmask,
  not,
  or,
  overlap,
  subtract,
  withMask,
  withNetworkMask,
} from './operations.ts';
export { abbreviateCidr, formatCidr, formatHost, formatInet } from './output.ts';
export { cidrType, inetType } from './types.ts';
