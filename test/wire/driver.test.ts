import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PgServer } from '../../src/wire/index.ts';
import { column, FakeHost, rows } from '../support/fake-session.ts';

/** The `pg` driver talks to the door as it does to PostgreSQL. */

const host = new FakeHost((text, parameters) => {
  if (text === 'fail') {
    return {
      kind: 'error',
      error: { severity: 'ERROR', sqlstate: '23505', message: 'duplicate', constraint: 't_pkey' },
    };
  }
  if (text === 'echo') return rows([column('a', 23), column('b')], [parameters]);
  return rows([column('n', 23)], [['1'], ['2']]);
});
const server = new PgServer(host, {
  connectionCountMax: 100,
  authenticationTimeoutMs: 5000,
  onInternalError: (error) => {
    throw error;
  },
});
let client: pg.Client;

beforeAll(async () => {
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await server.close();
});

test('simple query', async () => {
  const result = await client.query('numbers');
  expect(result.rows).toEqual([{ n: 1 }, { n: 2 }]);
  expect(result.command).toBe('SELECT');
  expect(result.rowCount).toBe(2);
});

test('parameters and named statements', async () => {
  expect((await client.query('echo', [7, 'x'])).rows).toEqual([{ a: 7, b: 'x' }]);
  for (const value of [1, 2, null]) {
    const result = await client.query({ name: 'e', text: 'echo', values: [value, 'y'] });
    expect(result.rows).toEqual([{ a: value, b: 'y' }]);
  }
});

test('errors carry their fields, and the connection goes on', async () => {
  await expect(client.query('fail')).rejects.toMatchObject({
    code: '23505',
    constraint: 't_pkey',
    severity: 'ERROR',
  });
  await expect(client.query('fail', [1])).rejects.toMatchObject({ code: '23505' });
  expect((await client.query('numbers')).rowCount).toBe(2);
});
