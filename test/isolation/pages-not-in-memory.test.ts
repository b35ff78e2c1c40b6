/** Transactions of the main thread on a table that is larger than the buffer pool: their statements wait
 * until a reader has brought the pages. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { testServer } from '../server/server.ts';
import { query } from '../support/wire-client.ts';

const server = testServer({ shared_buffers: '4MB' });

const ROWS = 20_000;
/** 5 of the pool's 4 MB; rows of every hundredth page go on in pages of their own. */
const SETUP = `
  create table big (id int primary key, v int default 0, pad text);
  insert into big select g, 0, repeat('x', case when g % 700 = 0 then 30000 else 1000 end)
    from generate_series(1, ${ROWS}) g`;

const SESSIONS = 6;
const TRANSACTIONS = 60;

async function work(client: pg.Client, random: SeededRandom): Promise<void> {
  const row = () =>
    random.below(20) === 0 ? 700 * (1 + random.below(28)) : 1 + random.below(ROWS);
  const change = (amount: number, id: number) =>
    client.query({
      name: 'change',
      text: 'update big set v = v + $1 where id = $2',
      values: [amount, id],
    });
  for (let i = 0; i < TRANSACTIONS; i++) {
    const [from, to] = [row(), row()];
    await client.query('begin');
    try {
      const results = [await change(-1, from), await change(1, to)];
      expect(results.map((result) => result.rowCount)).toEqual([1, 1]);
      const read = { name: 'read', text: 'select v from big where id = $1', values: [row()] };
      expect((await client.query(read)).rowCount).toBe(1);
      await client.query(random.below(6) === 0 ? 'rollback' : 'commit');
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== '40P01') throw thrown;
      await client.query('rollback');
    }
  }
}

test('random transactions keep the sum, and who leaves meanwhile leaves nothing', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const control = await server.driver();
  await control.query(SETUP);
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => server.driver()));
  const leaver = async (random: SeededRandom): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const wire = await server.wire();
      const id = 1 + random.below(ROWS);
      // The session ends while the statement may wait.
      await wire.query('begin');
      wire.send(query(`update big set v = 1000 where id = ${id}`));
      wire.destroy();
    }
  };
  await Promise.all([
    ...clients.map((client, i) => work(client, new SeededRandom(seed + i))),
    leaver(new SeededRandom(seed + SESSIONS)),
  ]);
  const { rows } = await control.query(
    'select sum(v)::int as sum, count(*)::int as count from big',
  );
  expect(rows, `seed ${seed}`).toEqual([{ sum: 0, count: ROWS }]);
  for (const client of [...clients, control]) await client.end();
}, 60_000);

test('a canceled statement is canceled, or has been done', async () => {
  const [client, other] = [await server.driver(), await server.driver()];
  const { rows } = await client.query('select pg_backend_pid() as pid');
  for (let i = 1; i <= 20; i++) {
    await client.query('begin');
    const change = client.query('update big set v = v where id = $1', [(i * 997) % ROWS]).then(
      () => 'done',
      (thrown: { code?: string }) => thrown.code,
    );
    await other.query('select pg_cancel_backend($1)', [rows[0]!.pid]);
    expect(['done', '57014']).toContain(await change);
    await client.query('rollback').catch(() => client.query('rollback'));
  }
  await client.end();
  await other.end();
});
