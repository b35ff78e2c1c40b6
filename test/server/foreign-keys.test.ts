/** Foreign keys as a client meets them: fields of errors, COPY, commits that fail, and what a crash leaves. */
import { expect, test } from 'vitest';
import {
  bind,
  execute,
  message,
  parse,
  query,
  readFields,
  sync,
  WireClient,
} from '../support/wire-client.ts';
import { testServer } from './server.ts';

const server = testServer();

test('an error names the schema, the table and the constraint', async () => {
  const client = await server.driver();
  await client.query(`
    create schema s;
    create table s.parent (a int, b text, primary key (a, b));
    create table s.child (x text, y int, constraint fk foreign key (y, x) references s.parent);
    insert into s.parent values (1, 'one');
    insert into s.child values ('one', 1)`);
  const place = { code: '23503', schema: 's', table: 'child', constraint: 'fk' };
  await expect(client.query("insert into s.child values ('two', 1)")).rejects.toMatchObject({
    ...place,
    message: 'insert or update on table "child" violates foreign key constraint "fk"',
    detail: 'Key (y, x)=(1, two) is not present in table "parent".',
  });
  await expect(client.query('delete from s.parent')).rejects.toMatchObject({
    ...place,
    message:
      'update or delete on table "parent" violates foreign key constraint "fk" on table "child"',
    detail: 'Key (a, b)=(1, one) is still referenced from table "child".',
  });
  await client.end();
});

test('an action that fails says what it did', async () => {
  const client = await server.driver();
  await client.query(`
    create table owner (id int primary key);
    create table thing (owner int not null references owner on delete set null);
    insert into owner values (1); insert into thing values (1)`);
  await expect(client.query('delete from owner')).rejects.toMatchObject({
    code: '23502',
    where:
      'SQL statement "UPDATE ONLY "public"."thing" SET "owner" = NULL WHERE $1 OPERATOR(pg_catalog.=) "owner""',
  });
  await client.end();
});

test('COPY checks its rows when all are there', async () => {
  const client = await WireClient.start(server.port);
  const run = async (text: string) => {
    client.send(query(text));
    return client.until('Z', 10_000);
  };
  const copy = async (data: string) => {
    client.send(query('copy node from stdin'));
    await client.until('G', 10_000);
    client.send(message('d', Buffer.from(data)), message('c', Buffer.alloc(0)));
    const messages = await client.until('Z', 20_000);
    const failed = messages.find(({ type }) => type === 'E');
    const done = messages.find(({ type }) => type === 'C');
    return failed === undefined
      ? done?.body.toString('utf8', 0, done.body.length - 1)
      : readFields(failed.body).D;
  };
  await run('create table node (id int primary key, next int references node)');
  expect(await copy('1\t2\n2\t3\n3\t1\n')).toBe('COPY 3');
  expect(await copy('4\t1\n5\t6\n')).toBe('Key (next)=(6) is not present in table "node".');
  // Every row refers to one that comes later.
  const chain = Array.from({ length: 20_000 }, (_, i) => `${i + 10}\t${i + 11}\n`).join('');
  expect(await copy(chain)).toBe('Key (next)=(20010) is not present in table "node".');
  expect(await copy(`${chain}20010\t\\N\n`)).toBe('COPY 20001');
  client.destroy();
});

test.each(['simple', 'extended'])(
  'a commit that fails ends the block: %s protocol',
  async (how) => {
    const client = await server.driver();
    const run = (text: string) =>
      how === 'simple' ? client.query(text) : client.query({ name: text, text, values: [] });
    await client.query(`
    drop table if exists late, early;
    create table early (id int primary key);
    create table late (id int references early deferrable initially deferred)`);
    await run('begin');
    await run('insert into late values (1)');
    await expect(run('commit')).rejects.toMatchObject({
      code: '23503',
      detail: 'Key (id)=(1) is not present in table "early".',
    });
    // Not in a block any more: this commits by itself.
    await run('insert into early values (1)');
    await run('rollback');
    expect((await run('select count(*)::int as n from early')).rows).toEqual([{ n: 1 }]);
    expect((await run('select count(*)::int as n from late')).rows).toEqual([{ n: 0 }]);
    await client.end();
  },
);

test('a commit that waits can be cancelled', async () => {
  const [client, other] = [await server.driver(), await server.driver()];
  await client.query(`
    drop table if exists late, early;
    create table early (id int primary key);
    create table late (id int references early deferrable initially deferred);
    insert into early values (1)`);
  await other.query('begin; delete from early');
  const { rows } = await client.query('select pg_backend_pid() as pid');
  await client.query('begin; insert into late values (1)');
  const commit = client.query('commit').catch((thrown) => thrown.code);
  for (let waits = 0; waits === 0; ) {
    const blocking = await other.query('select cardinality(pg_blocking_pids($1)) as n', [
      rows[0].pid,
    ]);
    waits = blocking.rows[0].n;
  }
  await other.query('select pg_cancel_backend($1)', [rows[0].pid]);
  expect(await commit).toBe('57014');
  await other.query('rollback');
  expect((await client.query('select count(*)::int as n from late')).rows).toEqual([{ n: 0 }]);
  for (const one of [client, other]) await one.end();
});

test('what a suspended portal has changed is checked, whether or not the rest of it is read', async () => {
  const client = await WireClient.start(server.port);
  const run = async (...messages: readonly Buffer[]) => {
    client.send(...messages);
    const answers = await client.until('Z', 10_000);
    return answers.map(({ type, body }) => (type === 'E' ? `E ${readFields(body).C}` : type));
  };
  const insert = (values: string, rowCount: number) => [
    parse('', `insert into minor select ${values} returning id`),
    bind('x', ''),
    execute('x', rowCount),
  ];
  await run(query('create table major (id int primary key); insert into major values (1)'));
  await run(query('create table minor (id int references major)'));
  const failed = ['1', '2', 'E 23503', 'Z'];
  expect(await run(...insert('9 from generate_series(1, 3)', 1), sync())).toEqual(failed);
  await run(query('begin'));
  expect(await run(...insert('1 from generate_series(1, 3000)', 2), sync())).toEqual([
    '1',
    '2',
    'D',
    'D',
    's',
    'Z',
  ]);
  expect(await run(query('select count(*)::int / 3000 from minor'))).toEqual(['T', 'D', 'C', 'Z']);
  expect(await run(execute('x', 1), sync())).toEqual(['D', 's', 'Z']);
  await run(query('commit'));
  client.destroy();
  const driver = await server.driver();
  expect((await driver.query('select id, count(*)::int as n from minor group by id')).rows).toEqual(
    [{ id: 1, n: 3000 }],
  );
  await driver.end();
});

test('large cascades, and a cancelled one', async () => {
  const client = await server.driver();
  await client.query(`
    create table root (id int primary key);
    create table leaf (id int primary key, root int references root on delete cascade);
    insert into root select generate_series(1, 100);
    insert into leaf select i, i % 100 + 1 from generate_series(1, 20000) i`);
  // Without an index over the referring column each key reads the whole table: time for a cancel.
  await client.query("set statement_timeout = '100ms'");
  await expect(client.query('delete from root')).rejects.toMatchObject({ code: '57014' });
  await client.query('set statement_timeout = 0');
  expect((await client.query('select count(*)::int as n from leaf')).rows).toEqual([{ n: 20_000 }]);
  await client.query('create index on leaf (root)');
  expect((await client.query('delete from root where id <= 50')).rowCount).toBe(50);
  expect((await client.query('select count(*)::int as n from leaf')).rows).toEqual([{ n: 10_000 }]);
  await client.end();
});

test('foreign keys and what they did outlive SIGKILL', async () => {
  let client = await server.driver();
  await client.query(`
    create table kept (id int primary key);
    create table refers (id int primary key, k int references kept on delete cascade deferrable);
    insert into kept select generate_series(1, 50);
    insert into refers select i, (i + 1) / 2 from generate_series(1, 100) i;
    delete from kept where id > 40`);
  const other = await server.driver();
  await other.query('begin; delete from kept');
  await server.running.kill();
  await server.start();

  client = await server.driver();
  expect((await client.query('select count(*)::int as n from refers')).rows).toEqual([{ n: 80 }]);
  await expect(client.query('insert into refers values (500, 45)')).rejects.toMatchObject({
    code: '23503',
  });
  await client.query('delete from kept where id = 1');
  expect((await client.query('select count(*)::int as n from refers')).rows).toEqual([{ n: 78 }]);
  const { rows } = await client.query(
    "select pg_get_constraintdef(oid) as d from pg_constraint where conrelid = 'refers'::regclass and contype = 'f'",
  );
  expect(rows).toEqual([{ d: 'FOREIGN KEY (k) REFERENCES kept(id) ON DELETE CASCADE DEFERRABLE' }]);
  await client.end();
});
