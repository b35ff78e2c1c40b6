import { serialize } from 'node:v8';
import { beforeAll, expect, test } from 'vitest';
import { PlanStore } from '../../src/runtime/worker/plan-store.ts';
import { bindStatement } from '../../src/sql/bind/index.ts';
import { loadParser, parseStatements } from '../../src/sql/parse/index.ts';
import { planQuery } from '../../src/sql/plan/index.ts';
import { sampleCatalog } from '../sql/support/sample-tables.ts';
import { contextFor } from '../sql/support/test-catalog.ts';

beforeAll(loadParser);

function planBytes(sql: string): Uint8Array {
  const [statement] = parseStatements(sql);
  if (statement === undefined) throw new Error('no statement');
  const bound = bindStatement(statement.node, contextFor(sql, { catalog: sampleCatalog }));
  const parameterTypes = bound.parameterTypes;
  return serialize(
    planQuery(bound.query, { catalog: sampleCatalog, parameterTypes, estimateRows: () => 1 }),
  );
}

test('instances of plans that have not run for long make room for others', () => {
  const bytes = planBytes('select 1');
  const store = new PlanStore(bytes.length * 4);
  const first = [1, 2, 3, 4, 5].map((id) => {
    store.add(id, bytes, 0, bytes.length);
    return store.take(id);
  });
  first.slice(0, 4).forEach((compiled, i) => {
    store.release(i + 1, compiled);
  });
  const again = store.take(1);
  expect(again).toBe(first[0]);
  store.release(1, again);
  store.release(5, first[4]!);
  const kept = [1, 2, 3, 4, 5].filter((id) => store.take(id) === first[id - 1]);
  expect(kept).toEqual([1, 4, 5]);
});

test('a plan that is forgotten leaves no instances behind', () => {
  const bytes = planBytes('select 1');
  const store = new PlanStore(bytes.length);
  for (let id = 1; id < 10; id++) {
    store.add(id, bytes, 0, bytes.length);
    store.release(id, store.take(id));
    store.forget(id);
  }
  store.add(10, bytes, 0, bytes.length);
  const compiled = store.take(10);
  store.release(10, compiled);
  expect(store.take(10)).toBe(compiled);
});
