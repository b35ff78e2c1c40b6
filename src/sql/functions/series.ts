/** generate_series over integers. */

import { pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../../types/index.ts';
import type { SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';

function checkStep(step: Int8): void {
  if (step === 0) throw pgError('invalid_parameter_value', 'step size cannot equal zero');
}

/** Ends, as PostgreSQL does, where the next value would not fit its type. */
function* numberSeries(start: number, stop: number, step: number): Generator<number> {
  checkStep(step);
  if (step > 0) for (let value = start; value <= stop; value += step) yield value;
  else for (let value = start; value >= stop; value += step) yield value;
}

function* bigSeries(start: Int8, stop: Int8, step: Int8): Generator<Int8> {
  checkStep(step);
  const last = BigInt(stop);
  const by = BigInt(step);
  for (let value = BigInt(start); by > 0n ? value <= last : value >= last; value += by) {
    yield int8(value);
  }
}

function int8Series(start: Int8, stop: Int8, step: Int8): Iterable<Int8> {
  if (typeof start === 'number' && typeof stop === 'number' && typeof step === 'number') {
    // A sum of two safe integers that is not safe is still beyond a safe stop.
    return numberSeries(start, stop, step);
  }
  return bigSeries(start, stop, step);
}

const sets: Record<string, SetFunction> = {
  generate_series_int4: (_c, start: number, stop: number) => numberSeries(start, stop, 1),
  generate_series_step_int4: (_c, start: number, stop: number, step: number) =>
    numberSeries(start, stop, step),
  generate_series_int8: (_c, start: Int8, stop: Int8) => int8Series(start, stop, 1),
  generate_series_step_int8: (_c, start: Int8, stop: Int8, step: Int8) =>
    int8Series(start, stop, step),
};

registerFunctions({ sets });
