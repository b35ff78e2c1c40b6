/** How samples.ts and its like write calls down. */

import type { CaseGroup } from './case.ts';

export type Value = string | null;

export interface Sample {
  readonly kind: CaseGroup['kind'];
  readonly name: string;
  readonly types: readonly string[];
  readonly rows: readonly (readonly Value[])[] | readonly (readonly (readonly Value[])[])[];
}

/** Every combination of the values of each argument. */
export function grid(
  name: string,
  types: string,
  ...values: readonly (readonly Value[])[]
): Sample {
  let rows: Value[][] = [[]];
  for (const list of values) rows = rows.flatMap((row) => list.map((value) => [...row, value]));
  return { kind: 'scalar', name, types: split(types), rows };
}

/** Calls listed one by one. */
export function calls(name: string, types: string, ...rows: readonly (readonly Value[])[]): Sample {
  return { kind: 'scalar', name, types: split(types), rows };
}

export function set(name: string, types: string, ...rows: readonly (readonly Value[])[]): Sample {
  return { kind: 'set', name, types: split(types), rows };
}

/** Aggregates over each of the inputs, whose rows have one or several columns. */
export function aggregates(
  names: string,
  types: string,
  ...inputs: readonly (readonly (readonly Value[])[])[]
): Sample[] {
  return names
    .split(' ')
    .map((name) => ({ kind: 'aggregate', name, types: split(types), rows: inputs }));
}

const split = (types: string) => (types === '' ? [] : types.split(' '));
