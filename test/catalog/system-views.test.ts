import { describe, expect, it } from 'vitest';
import {
  SYSTEM_RELATIONS,
  systemRelation,
  systemViewProducers,
  systemViewRows,
} from '../../src/catalog/system/index.ts';
import { DEFAULT_TYPE_CONTEXT as CONTEXT, typeByOid } from '../../src/types/index.ts';
import { exampleState } from './fixture.ts';

/** Rows of a view as text, by column names. */
function rowsOf(view: string, state = exampleState()): Record<string, string | null>[] {
  const [schema = '', name = ''] = view.split('.');
  const shape = systemRelation(schema, name)!;
  return [...systemViewRows(state, view)].map((row) =>
    Object.fromEntries(
      shape.columns.map((column, i) => {
        const value = row[i] ?? null;
        return [column.name, value === null ? null : typeByOid(column.type).output(value, CONTEXT)];
      }),
    ),
  );
}

describe('system views', () => {
  const state = exampleState();

  it('has a producer for every shape', () => {
    const shapes = SYSTEM_RELATIONS.map(({ schema, name }) => `${schema}.${name}`);
    expect([...systemViewProducers().keys()].sort()).toEqual(shapes.sort());
  });

  it.each([...systemViewProducers().keys()])('%s fills its columns', (view) => {
    const [schema = '', name = ''] = view.split('.');
    const shape = systemRelation(schema, name);
    expect(shape, 'has a shape').toBeDefined();
    const names = new Set(shape!.columns.map((column) => column.name));
    const required = shape!.columns.filter((column) => column.notNull);
    const wrong = new Set<string>();
    for (const row of systemViewProducers().get(view)!(state)) {
      for (const key of Object.keys(row)) if (!names.has(key)) wrong.add(`unknown ${key}`);
      for (const { name } of required) if ((row[name] ?? null) === null) wrong.add(`null ${name}`);
    }
    expect([...wrong]).toEqual([]);
    rowsOf(view, state);
  });
});
