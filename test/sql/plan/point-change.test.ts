/** Which changes of a single row the main thread may make: those that leave alone the keys of the row and
 * what indexes compute of it. */
import { beforeAll, expect, test } from 'vitest';
import type { RelationDescriptor } from '../../../src/catalog/descriptors.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { planQuery, pointChange } from '../../../src/sql/plan/index.ts';
import { contextFor, makeCatalog, makeTable, withComputedIndex } from '../support/test-catalog.ts';

const PLAIN = makeTable({
  name: 'p',
  columns: ['id int4!', 'a int4', 'b int4', 'c text', 'd int4'],
  primaryKey: ['id'],
  indexes: [{ name: 'p_d', columns: ['d'] }],
});

beforeAll(loadParser);

test.each([
  ['update p set b = 1 where id = 5', true, true],
  ['update p set d = 1 where id = 5', true, true],
  ["update p set c = 'x' where id = 5", true, false],
  ['update p set a = 7 where id = 5', true, false],
  ['update p set b = 1, a = 7 where id = 5', true, false],
  ['update p set id = 6 where id = 5', false, false],
  ['delete from p where id = 5', true, false],
])('%s', (text, plain, computed) => {
  const isPoint = (table: RelationDescriptor): boolean => {
    const catalog = makeCatalog([table]);
    const { node } = parseStatements(text)[0]!;
    const { query, parameterTypes } = bindStatement(node, contextFor(text, { catalog }));
    return pointChange(planQuery(query, { catalog, parameterTypes })) !== null;
  };
  expect(isPoint(PLAIN)).toBe(plain);
  expect(isPoint(withComputedIndex(PLAIN, 'lower(c)', 'a > 5'))).toBe(computed);
});
