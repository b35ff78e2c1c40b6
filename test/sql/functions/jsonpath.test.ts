import { describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { scalarImplementation } from '../../../src/sql/functions/index.ts';
import { type Datum, typeByName } from '../../../src/types/index.ts';
import { context } from './context.ts';
import answers from './jsonpath-answers.json' with { type: 'json' };

/** Calls of jsonb_path_query_array, jsonb_path_exists and jsonb_path_match with the same arguments,
 * and what PostgreSQL 15 answers to them. */
const CASES = answers as unknown as readonly (readonly [
  target: string,
  path: string,
  vars: string,
  silent: boolean,
  array: string,
  exists: string,
  match: string,
])[];

const FUNCTIONS = { array: 4007, exists: 4005, match: 4009 } as const;

const jsonb = typeByName('jsonb')!;
const bool = typeByName('bool')!;
const jsonpath = typeByName('jsonpath')!;

function call(name: keyof typeof FUNCTIONS, args: readonly Datum[]): string {
  const body = scalarImplementation(FUNCTIONS[name])!;
  try {
    const result = body(context, ...(args as never[]));
    if (result === null) return 'NULL';
    return (name === 'array' ? jsonb : bool).output(result, context);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    const { sqlstate, message, detail, hint } = error.fields;
    return [`${sqlstate} ${message}`, detail, hint].filter(Boolean).join(' / ');
  }
}

describe('jsonpath', () => {
  test.each(CASES)('%s @ %s, %s, silent %s', (target, path, vars, silent, array, exists, match) => {
    const args = [
      jsonb.input(target, context, -1),
      jsonpath.input(path, context, -1),
      jsonb.input(vars, context, -1),
      silent,
    ];
    expect(call('array', args)).toBe(array);
    expect(call('exists', args)).toBe(exists);
    expect(call('match', args)).toBe(match);
  });
});
