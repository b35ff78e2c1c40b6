/** Which conditions imply which predicates of partial indexes: PostgreSQL 15's answers, by whether it reads
 * such an index (enable_seqscan = off). */
import { beforeAll, expect, test } from 'vitest';
import { impliesPredicate } from '../../../src/sql/bind/predicate-proof.ts';
import { bindExpression } from '../../../src/sql/bind/stored.ts';
import type { Expr } from '../../../src/sql/expression.ts';
import { foldAll } from '../../../src/sql/optimize/index.ts';
import { loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { contextFor, makeTable } from '../support/test-catalog.ts';
import data from './predicate-proof-answers.json' with { type: 'json' };

const table = makeTable({
  name: 'pt',
  columns: ['a int4', 'b int4', 's text', 'f bool', 'n numeric', 'd date', 'w int8', 'v varchar'],
});

function bound(text: string): Expr {
  const [statement] = parseStatements(`SELECT ${text}`);
  const select = statement!.node as {
    SelectStmt: { targetList: { ResTarget: { val: Parameters<typeof bindExpression>[0] } }[] };
  };
  const node = select.SelectStmt.targetList[0]!.ResTarget.val;
  return foldAll(
    bindExpression(node, contextFor(text), 'index predicates', table, null).expr as Expr,
  );
}

beforeAll(loadParser);

test.each(data.answers)('$predicate', ({ predicate, implied }) => {
  const wanted = bound(predicate);
  const found = data.conditions.filter((text) => impliesPredicate([bound(text)], wanted));
  expect(found).toEqual(implied);
});
