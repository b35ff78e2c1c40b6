import { registerFunctions } from './implementations.ts';
import type { Scalars } from './order.ts';
import { compareNative, orderFunctions } from './order.ts';

const scalars: Scalars = {
  ...orderFunctions({ prefix: 'bool', compare: 'btboolcmp' }, compareNative),
  bool_int4: (_c, a: boolean) => (a ? 1 : 0),
  int4_bool: (_c, a: number) => a !== 0,
  booltext: (_c, a: boolean) => (a ? 'true' : 'false'),
  booland_statefunc: (_c, a: boolean, b: boolean) => a && b,
  boolor_statefunc: (_c, a: boolean, b: boolean) => a || b,
};

registerFunctions({ scalars });
