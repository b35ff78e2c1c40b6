import { expect, test } from 'vitest';
import { BytesVector } from '../../../src/chunk/index.ts';
import { BytesExtremeAccumulator } from '../../../src/sql/execute/aggregate/bytes-accumulators.ts';
import { type Evaluator, InputEvaluator } from '../../../src/sql/execute/expression/evaluator.ts';
import { likeMatches } from '../../../src/sql/execute/expression/like.ts';
import { OID, typeByOid } from '../../../src/types/index.ts';

const TEXT = typeByOid(OID.text);

function extremes(
  kind: 'min' | 'max',
  isPadded: boolean,
  values: readonly (string | null)[],
  groups: readonly number[],
): (string | null)[] {
  const vector = new BytesVector(values.length);
  values.forEach((value, row) => {
    const bytes = new TextEncoder().encode(value ?? '');
    if (value === null) vector.setNull(row);
    else vector.setRange(row, bytes, 0, bytes.length);
  });
  const argument: Evaluator = new InputEvaluator(TEXT, 0);
  const accumulator = new BytesExtremeAccumulator(argument, kind, isPadded);
  const count = Math.max(...groups) + 1;
  accumulator.grow(count);
  const rows = { columns: [vector], count: values.length, selection: null };
  accumulator.update(rows, Int32Array.from(groups));
  const out = new BytesVector(count);
  return Array.from({ length: count }, (_, group) => {
    accumulator.finish(group, out, group);
    if (out.isNull(group)) return null;
    const start = out.start[group]!;
    return new TextDecoder().decode(out.buffer.slice(start, start + out.length[group]!));
  });
}

test('max and min of text, by group', () => {
  const values = ['b', 'ä', '', null, 'bb', 'a', null, 'zzzzzzzzzzzzzzzzzzzz', 'z'];
  const groups = [0, 1, 0, 2, 0, 1, 0, 3, 3];
  expect(extremes('max', false, values, groups)).toEqual(['bb', 'ä', null, 'zzzzzzzzzzzzzzzzzzzz']);
  expect(extremes('min', false, values, groups)).toEqual(['', 'a', null, 'z']);
});

test('padding does not count, and what comes first stays', () => {
  // PostgreSQL: 'a' < E'a\t', though a space is above a tab.
  expect(extremes('max', true, ['a  ', 'a\t ', 'a'], [0, 0, 0])).toEqual(['a\t ']);
  expect(extremes('min', true, ['a ', 'a\t', 'a  '], [0, 0, 0])).toEqual(['a ']);
});

test.each([
  ['aaab', '%ab', true],
  ['aaab', '%aab%', true],
  ['abcabd', '%abd', true],
  ['abcabd', '%ab_%d', true],
  ['xaxbx', '%a%b%', true],
  ['xaxcx', '%a%b%', false],
  ['a%b', '%\\%b', true],
  ['aXb', '%\\%b', false],
  ['grüße', '%ü%e', true],
  ['grüße', '%_ße', true],
  ['', '%x', false],
  ['x', '%%x', true],
])('%s LIKE %s: %s', (text, pattern, expected) => {
  const a = new TextEncoder().encode(text);
  const b = new TextEncoder().encode(pattern);
  expect(likeMatches(a, 0, a.length, b, 0, b.length)).toBe(expected);
});
