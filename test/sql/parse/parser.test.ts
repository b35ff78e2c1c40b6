import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { PgError } from '../../../src/errors/index.ts';
import { liftLiterals, loadParser, parseStatements } from '../../../src/sql/parse/index.ts';

beforeAll(loadParser);

describe('parseStatements', () => {
  test('splits a text into statements with their own texts', () => {
    const statements = parseStatements("select 'é;'; update t set a = 1 ;");
    expect(statements.map(({ kind, text }) => [kind, text.trim()])).toEqual([
      ['select', "select 'é;'"],
      ['update', 'update t set a = 1'],
    ]);
  });

  test('short statements go on with the grammar that is there', async () => {
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    for (let i = 0; i < 10; i++) {
      parseStatements('begin');
      await new Promise(setImmediate);
    }
    expect(instantiate).not.toHaveBeenCalled();
    instantiate.mockRestore();
  });

  test('an empty text has no statements', () => {
    expect(parseStatements('')).toEqual([]);
    expect(parseStatements(' -- nothing\n ;')).toEqual([]);
  });

  test.each([
    ['selec 1', 'syntax error at or near "selec"', 1],
    ["select 'é'; selec 1", 'syntax error at or near "selec"', 13],
    ['select 1 +', 'syntax error at end of input', 11],
    ["select 'abc", 'unterminated quoted string at or near "\'abc"', 8],
  ])('%s', (text, message, position) => {
    try {
      parseStatements(text);
      expect.unreachable();
    } catch (error) {
      expect((error as PgError).fields).toMatchObject({ sqlstate: '42601', message, position });
    }
  });

  test('SELECT INTO is a CREATE TABLE AS', () => {
    expect(parseStatements('select 1 into t')[0]?.kind).toBe('createTableAs');
  });
});

describe('lifted rows', () => {
  const lift = (text: string) => liftLiterals(text, true);

  test('texts that differ in the number and order of rows share a shape', () => {
    const first = lift("insert into t values (1, 'a'), (-2, null), (3, 'c')");
    const second = lift("insert into t values (7, 'x'), (-8, 'y')");
    expect(first?.shape).toBe(second?.shape);
    expect(first?.rows?.text).toBe("insert into t values (1, 'a'),(-2, null)");
    expect(first?.rows?.kinds).toEqual([
      { start: 0, end: 2 },
      { start: 2, end: 4 },
    ]);
  });

  test('literals around the rows stay where they are', () => {
    const text = "insert into t values (1), (2) on conflict (a) do update set b = 'x' returning 5";
    const { literals, rows } = lift(text)!;
    expect(literals.map(({ text: value }) => value)).toEqual(['1', 'x', '5']);
    for (const { text: value, start, end } of literals) {
      expect(rows!.text.slice(start, end).replaceAll("'", '')).toBe(value);
    }
  });

  test.each([
    'insert into t values (1)',
    'insert into t select * from (values (1), (2)) v',
    'select * from (values (1), (2)) v',
    'insert into t values (1) (2)',
    'insert into t values (1), 5, (2)',
    'insert into t values (1) /* a */, (2)',
  ])('none in %s', (text) => {
    expect(lift(text)).toEqual({ ...liftLiterals(text)!, rows: null });
  });

  test('one row has the shape that it has without', () => {
    const text = 'insert into t (a, b) values (1, lower($$X$$)) returning (a)';
    expect(lift(text)).toEqual(liftLiterals(text));
  });
});

describe('liftLiterals', () => {
  const shapeOf = (text: string) => liftLiterals(text)?.shape;

  test('texts that differ in literals alone share a shape', () => {
    const first = liftLiterals('UPDATE t SET a = a + 123 WHERE id = 456');
    const second = liftLiterals('UPDATE t SET a = a + 7 WHERE id = 8');
    expect(first?.shape).toBe(second?.shape);
    expect(first?.literals.map(({ kind, text }) => [kind, text])).toEqual([
      ['int4', '123'],
      ['int4', '456'],
    ]);
  });

  test('the class of a literal is part of the shape', () => {
    const shapes = ['1', '5000000000', '1.5', "'x'"].map((literal) => shapeOf(`select ${literal}`));
    expect(new Set(shapes).size).toBe(4);
  });

  test.each([
    ["select 'it''s'", [['string', "it's"]]],
    ["select E'a\\nb'", [['string', 'a\nb']]],
    ['select $x$a$$b$x$', [['string', 'a$$b']]],
    ['select "a1", b2, c$3 from t -- 5\n where /* 6 /* 7 */ */ x = 8', [['int4', '8']]],
    ['select $1 + 2', [['int4', '2']]],
    [
      'select 1e5, .5, 2147483648',
      [
        ['numeric', '1e5'],
        ['numeric', '.5'],
        ['int8', '2147483648'],
      ],
    ],
    ['select a -5', [['int4', '5']]],
  ])('%s', (text, literals) => {
    expect(liftLiterals(text)?.literals.map(({ kind, text: value }) => [kind, value])).toEqual(
      literals,
    );
  });

  test.each([
    "select 'abc",
    'select 1; select 2',
    "select U&'x'",
    "select x'1f'",
    'select 1abc',
    'select /* 1',
  ])('gives up on %s', (text) => {
    expect(liftLiterals(text)).toBeNull();
  });

  test('leaves the number after LIMIT, by which plans differ', () => {
    const lifted = liftLiterals('select 1 from t where a = 2 Limit  10 offset 30');
    expect(lifted?.literals.map(({ text }) => text)).toEqual(['1', '2', '30']);
    expect(shapeOf('select 1 limit 5')).not.toBe(shapeOf('select 1 limit 6'));
    expect(shapeOf('select limits, 5')).toBe(shapeOf('select limits, 6'));
    expect(shapeOf('select 1 limit a + 5')).toBe(shapeOf('select 1 limit a + 6'));
  });

  test('knows the highest parameter', () => {
    expect(liftLiterals('select $2, $1')?.parameterCount).toBe(2);
  });
});

test('many statements in one text are found in time that grows with their number', () => {
  const statements = parseStatements("select 'é';".repeat(20_000));
  expect(statements).toHaveLength(20_000);
  expect(new Set(statements.map(({ text }) => text))).toEqual(new Set(["select 'é'"]));
}, 10_000);
