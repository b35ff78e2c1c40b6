/** count, and regr_count, which counts rows without nulls. */

import type { Int8 } from '../../types/index.ts';
import type { AggregateFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { addInt8 } from './int.ts';

interface Count {
  value: Int8;
}

function counter(strict: boolean): AggregateFunction<Count> {
  return {
    strict,
    initial: () => ({ value: 0 }),
    accumulate(_context, state) {
      state.value = addInt8(state.value, 1);
      return state;
    },
    combine(_context, state, other) {
      state.value = addInt8(state.value, other.value);
      return state;
    },
    finish: (_context, state) => state.value,
  };
}

registerFunctions({
  aggregates: {
    int8inc: counter(false),
    int8inc_any: counter(true),
    int8inc_float8_float8: counter(true),
  },
});
