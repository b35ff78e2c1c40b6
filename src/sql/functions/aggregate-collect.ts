/** string_agg and array_agg, which keep what they are given. */

import { countWork } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  checkDimensionCount,
  type Datum,
  pushElement,
  pushElements,
} from '../../types/index.ts';
import type { AggregateFunction, CallTypes } from './function.ts';
import { registerFunctions } from './implementations.ts';

interface Text {
  /** Null before the first value. A rope, which is made one piece when it is read: windows read it at each row. */
  text: string | null;
  bytes: number;
}

/** A piece of a rope, besides its text. */
const PIECE_BYTES = 32;

/** Each value but the first is preceded by its own row's delimiter. */
const collectText: AggregateFunction<Text> = {
  strict: false,
  initial: () => ({ text: null, bytes: 64 }),
  accumulate(_context, state, value, delimiter) {
    if (value === null) return state;
    const { text } = state;
    const piece = text === null ? (value as string) : `${(delimiter as string) ?? ''}${value}`;
    state.text = text === null ? piece : text + piece;
    state.bytes += PIECE_BYTES + 2 * piece.length;
    return state;
  },
  finish: (_context, { text }) => text,
  sizeOf: ({ bytes }) => bytes,
};

interface Bytes {
  readonly parts: Uint8Array[];
  bytes: number;
}

const collectBytes: AggregateFunction<Bytes> = {
  strict: false,
  initial: () => ({ parts: [], bytes: 64 }),
  accumulate(_context, state, value, delimiter) {
    if (value === null) return state;
    if (state.parts.length > 0 && delimiter !== null) push(state, delimiter as Uint8Array);
    push(state, value as Uint8Array);
    return state;
  },
  finish: (_context, { parts }) =>
    parts.length === 0 ? null : Uint8Array.from(Buffer.concat(parts)),
  sizeOf: ({ bytes }) => bytes,
};

function push(state: Bytes, part: Uint8Array): void {
  state.parts.push(part);
  state.bytes += 16 + part.length;
}

const ELEMENT_BYTES = 48;

function collectElements({ arguments: [type = 0] }: CallTypes): AggregateFunction<Datum[]> {
  return {
    strict: false,
    initial: () => [],
    accumulate(_context, state, value) {
      pushElement(state, value ?? null);
      return state;
    },
    combine: (_context, state, other) => {
      pushElements(state, other);
      return state;
    },
    finish: (_context, state) =>
      state.length === 0
        ? null
        : {
            elementType: type,
            dimensions: [state.length],
            lowerBounds: [1],
            // Windows go on to add to the state.
            elements: copied(state),
          },
    sizeOf: (state) => 64 + state.length * ELEMENT_BYTES,
  };
}

function copied(state: readonly Datum[]): readonly Datum[] {
  countWork(state.length);
  return state.slice();
}

function flattened(arrays: readonly ArrayDatum[]): readonly Datum[] {
  const elements: Datum[] = [];
  for (const array of arrays) pushElements(elements, array.elements);
  return elements;
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
        elements: flattened(state),
      };
    },
    sizeOf: (state) => 64 + state.length * (state[0]?.elements.length ?? 0) * ELEMENT_BYTES,
  };
}

registerFunctions({
  aggregates: {
    'string_agg_transfn/string_agg_finalfn': collectText,
    'bytea_string_agg_transfn/bytea_string_agg_finalfn': collectBytes,
  },
  typedAggregates: {
    'array_agg_transfn/array_agg_finalfn': collectElements,
    'array_agg_array_transfn/array_agg_array_finalfn': collectArrays,
  },
});
