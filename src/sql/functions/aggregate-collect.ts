/** string_agg and array_agg, which keep what they are given. */

import { pgError } from '../../errors/index.ts';
import { type ArrayDatum, checkDimensionCount, type Datum } from '../../types/index.ts';
import type { AggregateFunction, CallTypes } from './function.ts';
import { registerFunctions } from './implementations.ts';

interface Collected<Part> {
  readonly parts: Part[];
  bytes: number;
}

/** Each value but the first is preceded by its own row's delimiter. */
function delimited<Part extends string | Uint8Array>(
  join: (parts: readonly Part[]) => Datum,
): AggregateFunction<Collected<Part>> {
  return {
    strict: false,
    initial: () => ({ parts: [], bytes: 0 }),
    accumulate(_context, state, value, delimiter) {
      if (value === null) return state;
      if (state.parts.length > 0 && delimiter !== null) push(state, delimiter as Part);
      push(state, value as Part);
      return state;
    },
    finish: (_context, state) => (state.parts.length === 0 ? null : join(state.parts)),
    sizeOf: (state) => 64 + state.bytes,
  };
}

function push<Part extends string | Uint8Array>(state: Collected<Part>, part: Part): void {
  state.parts.push(part);
  state.bytes += 16 + part.length * (typeof part === 'string' ? 2 : 1);
}

const ELEMENT_BYTES = 48;

function collectElements({ arguments: [type = 0] }: CallTypes): AggregateFunction<Datum[]> {
  return {
    strict: false,
    initial: () => [],
    accumulate(_context, state, value) {
      state.push(value ?? null);
      return state;
    },
    combine: (_context, state, other) => state.concat(other),
    finish: (_context, state) =>
      state.length === 0
        ? null
        : {
            elementType: type,
            dimensions: [state.length],
            lowerBounds: [1],
            // Windows go on to add to the state.
            elements: state.slice(),
          },
    sizeOf: (state) => 64 + state.length * ELEMENT_BYTES,
  };
}

/** array_agg of arrays adds a dimension; all arrays must have the same. */
function collectArrays(): AggregateFunction<ArrayDatum[]> {
  return {
    strict: false,
    initial: () => [],
    accumulate(_context, state, value) {
      if (value === null || value === undefined) {
        throw pgError('null_value_not_allowed', 'cannot accumulate null arrays');
      }
      const array = value as ArrayDatum;
      if (array.dimensions.length === 0) {
        throw pgError('array_subscript_error', 'cannot accumulate empty arrays');
      }
      const first = state[0];
      if (first !== undefined && String(first.dimensions) !== String(array.dimensions)) {
        throw pgError(
          'array_subscript_error',
          'cannot accumulate arrays of different dimensionality',
        );
      }
      checkDimensionCount(array.dimensions.length + 1);
      state.push(array);
      return state;
    },
    finish: (_context, state) => {
      const first = state[0];
      if (first === undefined) return null;
      return {
        elementType: first.elementType,
        dimensions: [state.length, ...first.dimensions],
        lowerBounds: [1, ...first.lowerBounds],
        elements: state.flatMap((array) => array.elements),
      };
    },
    sizeOf: (state) => 64 + state.length * (state[0]?.elements.length ?? 0) * ELEMENT_BYTES,
  };
}

registerFunctions({
  aggregates: {
    'string_agg_transfn/string_agg_finalfn': delimited<string>((parts) => parts.join('')),
    'bytea_string_agg_transfn/bytea_string_agg_finalfn': delimited<Uint8Array>((parts) =>
      Uint8Array.from(Buffer.concat(parts)),
    ),
  },
  typedAggregates: {
    'array_agg_transfn/array_agg_finalfn': collectElements,
    'array_agg_array_transfn/array_agg_array_finalfn': collectArrays,
  },
});
