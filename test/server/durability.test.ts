/** What outlives the process, and what memory bounds. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { testServer } from './server.ts';

const MB = 1 << 20;
const server = testServer({ shared_buffers: '8MB' });

test('committed rows outlive a clean stop and SIGKILL; others do not', async () => {
  let client = await server.driver();
  await client.query('create table kept (a int primary key, b text)');
  await client.query('create index on kept (b)');
  await client.query("insert into kept select g, 'b' || g from generate_series(1, 1000) g");
  await client.end();
  expect(await server.running.stop()).toBe(0);
  await server.start();

  client = await server.driver();
  await client.query("update kept set b = 'changed' where a <= 10");
  await client.query('delete from kept where a > 900');
  const other = await server.driver();
  await other.query("begin; insert into kept values (5000, 'never committed')");
  await server.running.kill();
  await server.start();

  client = await server.driver();
  const { rows } = await client.query({
    text: "select count(*), count(*) filter (where b = 'changed'), max(a) from kept",
    rowMode: 'array',
  });
  expect(rows).toEqual([['900', '10', 900]]);
  const byIndex = await client.query("select a from kept where b = 'b500'");
  expect(byIndex.rows).toEqual([{ a: 500 }]);
  await client.query("insert into kept values (5000, 'again')");
  await client.end();
});

test('a second server on the same directory is refused, and the first goes on', async () => {
  const second = ServerProcess.start({ data: join(server.folder, 'data') });
  await expect(second).rejects.toThrow(/lock|in use|pid/i);
  const client = await server.driver();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
});

test('a table five times the pool works at the pool’s memory', async () => {
  const client = await server.driver();
  await client.query('create table large (id int primary key, filler text)');
  const before = server.running.residentBytes();
  for (let i = 0; i < 10; i++) {
    await client.query(
      `insert into large select g, repeat(md5(g::text), 16) from generate_series(${i * 8000 + 1}, ${i * 8000 + 8000}) g`,
    );
  }
  const { rows } = await client.query(
    'select count(*)::int as n, sum(length(filler))::int as bytes from large',
  );
  expect(rows).toEqual([{ n: 80_000, bytes: 80_000 * 512 }]);
  for (const id of [1, 40_001, 80_000]) {
    const one = await client.query(
      'select filler = repeat(md5(id::text), 16) as same from large where id = $1',
      [id],
    );
    expect(one.rows).toEqual([{ same: true }]);
  }
  // 40 MB of rows in a pool of 8 MB: what grows is the heaps of the threads, not the pool.
  expect(server.running.residentBytes() - before).toBeLessThan(300 * MB);
  await client.query('drop table large');
  await client.end();
});

test('an address that is not loopback, a wrong setting and an unusable directory are refused in one line', async () => {
  const data = join(server.folder, 'other');
  await expect(
    ServerProcess.start({ data, settings: { shared_buffers: 'plenty' } }),
  ).rejects.toThrow(/invalid value for parameter "shared_buffers"/);
  await expect(ServerProcess.start({ data: '/dev/null' })).rejects.toThrow(
    /heddle: .*"\/dev\/null"/,
  );
});
