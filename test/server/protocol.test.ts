/** The protocol end to end: raw messages, and the driver `pg`, to a server in its own process. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  bind,
  CANCEL_REQUEST,
  close,
  describe as describeMessage,
  execute,
  int32,
  packet,
  parse,
  query,
  summarize,
  sync,
} from '../support/wire-client.ts';
import { testServer } from './server.ts';

const server = testServer();

test('parameters, types and a prepared statement by name', async () => {
  const client = await server.driver();
  await client.query(
    'create table typed (i int, b bigint, t text, f float8, n numeric, d date, o bool)',
  );
  const values = [7, '9007199254740993', 'naïve', 0.1, '1.50', '2024-02-29', true];
  await client.query('insert into typed values ($1,$2,$3,$4,$5,$6,$7)', values);
  await client.query(
    'insert into typed values ($1,$2,$3,$4,$5,$6,$7)',
    values.map(() => null),
  );
  const statement = {
    name: 'by_i',
    text: 'select i, b, t, f, n, d::text, o from typed where i = $1',
  };
  for (let i = 0; i < 3; i++) {
    const { rows } = await client.query(statement, [7]);
    expect(rows).toEqual([
      { i: 7, b: '9007199254740993', t: 'naïve', f: 0.1, n: '1.50', d: '2024-02-29', o: true },
    ]);
  }
  const nulls = await client.query('select count(*)::int as n from typed where i is null');
  expect(nulls.rows).toEqual([{ n: 1 }]);
  await expect(client.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
  await client.end();
});

test('Describe tells types without running the statement', async () => {
  const client = await server.wire();
  await client.query('create table described (a int primary key, b text)');
  client.send(
    parse('s', 'insert into described values ($1, $2) returning a'),
    describeMessage('S', 's'),
    sync(),
  );
  const messages = await client.until('Z');
  expect(messages.map(({ type }) => type).join('')).toBe('1tTZ');
  const types = messages[1]?.body;
  expect([types?.readInt32BE(2), types?.readInt32BE(6)]).toEqual([23, 25]);
  expect((await client.query('select count(*) from described')).rows).toEqual([['0']]);
  await client.end();
});

test('portals with row limits, several open at once in a transaction', async () => {
  const client = await server.wire();
  await client.query('begin');
  client.send(
    parse('', 'select g from generate_series(1, 10) g'),
    bind('one', ''),
    bind('two', ''),
    execute('one', 4),
    execute('two', 3),
    execute('one', 4),
    execute('one', 4),
    execute('two', 0),
    sync(),
  );
  const result = summarize(await client.until('Z'));
  expect(result.trace).toBe(
    `122${'D'.repeat(4)}s${'D'.repeat(3)}s${'D'.repeat(4)}sDDC${'D'.repeat(7)}CZ`,
  );
  expect(result.rows.map(([value]) => Number(value))).toEqual([
    1, 2, 3, 4, 1, 2, 3, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8, 9, 10,
  ]);
  client.send(close('P', 'one'), execute('one'), sync());
  expect(summarize(await client.until('Z')).error).toMatchObject({ C: '34000' });
  await client.end();
});

test('a pipeline stops at an error and goes on after Sync', async () => {
  const client = await server.wire();
  await client.query('create table piped (a int primary key)');
  client.send(
    parse('', 'insert into piped values (1)'),
    bind('', ''),
    execute(''),
    parse('', 'insert into piped values (1)'),
    bind('', ''),
    execute(''),
    parse('', 'insert into piped values (2)'),
    bind('', ''),
    execute(''),
    sync(),
    parse('', 'insert into piped values (3)'),
    bind('', ''),
    execute(''),
    sync(),
  );
  const first = summarize(await client.until('Z'));
  expect(first.trace).toBe('12C12EZ');
  expect(first.error).toMatchObject({ C: '23505', n: 'piped_pkey' });
  expect(summarize(await client.until('Z')).trace).toBe('12CZ');
  // What ran before the error went back with it.
  expect((await client.query('select a from piped order by a')).rows).toEqual([['3']]);
  await client.end();
});

test('a thousand pipelined statements', async () => {
  const client = await server.wire();
  await client.query('create table many (a int primary key, b text)');
  for (let i = 0; i < 1000; i++) {
    client.send(
      parse('', 'insert into many values ($1, $2)'),
      bind('', '', [String(i), `b${i}`]),
      execute(''),
      sync(),
    );
  }
  const messages = await client.untilReady(1000, 20_000);
  expect(messages.filter(({ type }) => type === 'C')).toHaveLength(1000);
  expect((await client.query('select count(*), sum(a) from many')).rows).toEqual([
    ['1000', '499500'],
  ]);
  await client.end();
});

test('COPY in and out, text and CSV', async () => {
  const client = await server.wire();
  await client.query('create table copied (a int primary key, b text)');
  const rows = Array.from({ length: 5000 }, (_, i) => `${i}\tline ${i}\\twith tab\n`);
  expect((await client.copyIn('copy copied from stdin', rows)).tags).toEqual(['COPY 5000']);
  expect((await client.query('select b from copied where a = 4711')).rows).toEqual([
    ['line 4711\twith tab'],
  ]);
  const out = await client.copyOut(
    'copy (select * from copied order by a limit 2) to stdout (format csv, header)',
  );
  expect(out.data.toString()).toBe('a,b\n0,line 0\twith tab\n1,line 1\twith tab\n');
  const failed = await client.copyIn('copy copied from stdin', ['9000\tx\n', '12\tdouble\n']);
  expect(failed.error).toMatchObject({ C: '23505' });
  const wrong = await client.copyIn('copy copied from stdin', ['9001\tx\ty\n']);
  expect(wrong.error).toMatchObject({ C: '22P04', M: 'extra data after last expected column' });
  expect((await client.query('select count(*) from copied')).rows).toEqual([['5000']]);
  const whole = await client.copyOut('copy copied to stdout');
  expect(whole.data.toString('latin1').split('\n')).toHaveLength(5001);
  await client.end();
});

test('CancelRequest ends a long statement, and the session goes on', async () => {
  const client = await server.wire();
  client.send(query('select count(*) from generate_series(1, 1000000000) a'));
  await sleep(200);
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.end(packet(CANCEL_REQUEST, int32(client.processId), int32(client.secretKey)));
  const result = summarize(await client.until('Z', 10_000));
  expect(result.error).toMatchObject({ C: '57014', M: 'canceling statement due to user request' });
  expect((await client.query('select 1')).rows).toEqual([['1']]);
  await client.end();
});

test('statement_timeout, and a long statement does not stop short ones', async () => {
  const slow = await server.wire();
  const quick = await server.wire();
  await slow.query("set statement_timeout = '500ms'");
  slow.send(query('select count(*) from generate_series(1, 1000000000) a'));
  const answered: number[] = [];
  for (let i = 0; i < 20; i++) {
    const started = performance.now();
    expect((await quick.query('select 1')).rows).toEqual([['1']]);
    answered.push(performance.now() - started);
  }
  expect(Math.max(...answered)).toBeLessThan(400);
  const result = summarize(await slow.until('Z', 10_000));
  expect(result.error).toMatchObject({
    C: '57014',
    M: 'canceling statement due to statement timeout',
  });
  await slow.end();
  await quick.end();
});

test('a client that does not read does not stop the others, nor fill the memory', async () => {
  const lazy = await server.wire();
  lazy.socket.pause();
  const before = server.running.residentBytes();
  lazy.send(query("select repeat('x', 1000) from generate_series(1, 300000)"));
  await sleep(1000);
  const other = await server.wire();
  expect((await other.query('select count(*) from generate_series(1, 100000)')).rows).toEqual([
    ['100000'],
  ]);
  expect(server.running.residentBytes() - before).toBeLessThan(150e6);
  lazy.destroy();
  expect((await other.query('select 1')).rows).toEqual([['1']]);
  await other.end();
});

test('errors carry their fields and positions', async () => {
  const client = await server.wire();
  await client.query('create table fielded (a int primary key, b int not null check (b > 0))');
  expect((await client.query('insert into fielded values (1, 0)')).error).toMatchObject({
    S: 'ERROR',
    C: '23514',
    s: 'public',
    t: 'fielded',
    n: 'fielded_b_check',
    D: 'Failing row contains (1, 0).',
  });
  expect((await client.query('insert into fielded values (1, null)')).error).toMatchObject({
    C: '23502',
    c: 'b',
  });
  expect((await client.query('select nope from fielded')).error).toMatchObject({
    C: '42703',
    P: '8',
  });
  expect((await client.query('select 1 from')).error).toMatchObject({
    C: '42601',
    M: 'syntax error at end of input',
    P: '14',
  });
  expect((await client.query('select unsupported_function(1)')).error).toMatchObject({
    C: '42883',
  });
  expect((await client.query('do $$ begin end $$')).error).toMatchObject({ C: '0A000' });
  await client.end();
});
