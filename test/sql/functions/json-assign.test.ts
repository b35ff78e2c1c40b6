import { describe, expect, it } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { functionsByName, scalarImplementation } from '../../../src/sql/functions/index.ts';
import { arrayOf, type Datum, json, OID } from '../../../src/types/index.ts';
import { context } from './context.ts';

/** Assignment to subscripts of jsonb, with the answers of PostgreSQL 15 to `update t set j[…] = …`. */

const [handler] = functionsByName('jsonb_subscript_handler');
const assign = scalarImplementation(handler!.oid) as unknown as (
  ...args: readonly unknown[]
) => Uint8Array;

function assigned(target: string, path: readonly (string | null)[], value: string): string {
  const stored = (text: string): Datum => json.encodeJsonb(json.parseJsonb(text));
  try {
    const result = assign(context, stored(target), arrayOf(OID.text, path), stored(value));
    return json.formatJsonb(json.decodeJsonb(result));
  } catch (error) {
    if (error instanceof PgError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
}

describe('assignment to a subscripted jsonb', () => {
  it.each([
    ['{}', ['a', 'b', '2', 'x'], '5', '{"a": {"b": [null, null, {"x": 5}]}}'],
    ['{"a": 1}', ['b'], 'null', '{"a": 1, "b": null}'],
    ['{"a": {"b": 1}}', ['a', 'b'], '2', '{"a": {"b": 2}}'],
    ['[]', ['2'], '"x"', '[null, null, "x"]'],
    ['[1, 2]', ['-1'], '"y"', '[1, "y"]'],
    ['[{"q": 1}]', ['0', 'r'], '[]', '[{"q": 1, "r": []}]'],
    ['[1]', ['-3'], '1', '22023 path element at position 1 is out of range: -3'],
    ['[1]', ['a'], '1', '22P02 path element at position 1 is not an integer: "a"'],
    ['1', ['a'], '1', '22023 cannot replace existing key'],
    ['{"a": null}', ['a', 'b'], '1', '22023 cannot replace existing key'],
    ['{}', ['a', null], '1', '22004 jsonb subscript in assignment must not be null'],
  ] as const)('of %s at %j = %s', (target, path, value, expected) => {
    expect(assigned(target, path, value)).toBe(expected);
  });
});
