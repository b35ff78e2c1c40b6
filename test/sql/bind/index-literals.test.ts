/** Which literals a plan depends on because they decide whether an index can be used. */
import { beforeAll, expect, test } from 'vitest';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { liftLiterals, loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { contextFor, makeCatalog, makeTable, withComputedIndex } from '../support/test-catalog.ts';

const TABLE = makeTable({
  name: 'i',
  columns: ['id int4!', 'a int4', 'b int4', 's text', 'j jsonb'],
  primaryKey: ['id'],
});

beforeAll(loadParser);

test.each([
  // The constants of an expression of an index, and not what it is compared with.
  ['select * from i where a % 10 = 3', [0]],
  ['select * from i where a % 11 = 3', [0]],
  ['select * from i where b % 10 = 3', []],
  ['select * from i order by a % 10', [0]],
  ['select * from (select a as x from i) t where x % 10 = 3', [0]],
  // What the subject of a predicate is compared with.
  ["select * from i where s = 'x' and b = 5", [0]],
  ["select * from i where s in ('x', 'y') and b = 5", [0, 1]],
  ['select * from i where id > 7', [0]],
  ['select * from i where id = 7 and b > 2', []],
  ["update i set b = 9 where s = 'x'", [1]],
  ["select * from t where b = 'x'", []],
])('%s', (text, fixed) => {
  const table = withComputedIndex(TABLE, 'a % 10', "s = 'x' and id > 100");
  const other = makeTable({ name: 't', columns: ['a int4', 'b text'] });
  const { literals } = liftLiterals(text)!;
  const catalog = makeCatalog([table, other]);
  const bound = bindStatement(
    parseStatements(text)[0]!.node,
    contextFor(text, { catalog, literals }),
  );
  expect(bound.fixedLiterals).toEqual(fixed);
});
