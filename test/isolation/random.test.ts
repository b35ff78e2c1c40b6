/** Random concurrent transactions on a few rows, held against what must be true of them: sums are kept,
 * nothing uncommitted is read, and no update of a REPEATABLE READ transaction is lost. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { testServer } from '../server/server.ts';

const server = testServer({ deadlock_timeout: '20ms' });
const ACCOUNTS = 6;
const BALANCE = 1000;
const SESSIONS = 6;
const TRANSACTIONS = 60;

/** Errors that a transaction may end with; it is rolled back. */
const RETRIED = new Set(['40001', '40P01']);

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each(['read committed', 'repeatable read'])('transfers at %s', async (isolation) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const control = await server.driver();
  await control.query('drop table if exists account');
  await control.query('create table account (id int primary key, balance int, writes int)');
  await control.query(
    `insert into account select g, ${BALANCE}, 0 from generate_series(1, ${ACCOUNTS}) g`,
  );
  const committed = new Map<number, number>();
  const work = async (client: pg.Client, random: (below: number) => number): Promise<void> => {
    for (let i = 0; i < TRANSACTIONS; i++) {
      const from = 1 + random(ACCOUNTS);
      const to = 1 + ((from + random(ACCOUNTS - 1)) % ACCOUNTS);
      const amount = random(20);
      const rollsBack = random(6) === 0;
      await client.query(`begin isolation level ${isolation}`);
      try {
        const { rows } = await client.query(
          'select sum(balance)::int as sum, min(balance) as least from account',
        );
        expect(rows[0].sum, `seed ${seed}`).toBe(BALANCE * ACCOUNTS);
        expect(rows[0].least, `seed ${seed}`).toBeLessThan(100_000);
        // What is read and written back is lost unless REPEATABLE READ or a lock keeps it.
        const lock = isolation === 'read committed' ? 'for update' : '';
        const read = await client.query(
          `select balance, writes from account where id = $1 ${lock}`,
          [from],
        );
        const { balance, writes } = read.rows[0];
        // Seen by nobody else: it is taken back before the end.
        await client.query('update account set balance = balance + 1000000 where id = $1', [from]);
        await client.query('update account set balance = $2, writes = $3 where id = $1', [
          from,
          balance - amount,
          writes + 1,
        ]);
        await client.query(
          'update account set balance = balance + $2, writes = writes + 1 where id = $1',
          [to, amount],
        );
        await client.query(rollsBack ? 'rollback' : 'commit');
        if (rollsBack) continue;
        for (const id of [from, to]) committed.set(id, (committed.get(id) ?? 0) + 1);
      } catch (thrown) {
        await client.query('rollback');
        if (!RETRIED.has((thrown as { code?: string }).code ?? '')) throw thrown;
      }
    }
  };
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => server.driver()));
  await Promise.all(clients.map((client, i) => work(client, generator(seed + i))));
  const { rows } = await control.query('select id, writes from account order by id');
  const expected = rows.map(({ id }) => ({ id, writes: committed.get(id) ?? 0 }));
  expect(rows, `seed ${seed}`).toEqual(expected);
  const total = await control.query('select sum(balance)::int as sum from account');
  expect(total.rows, `seed ${seed}`).toEqual([{ sum: BALANCE * ACCOUNTS }]);
  for (const client of [...clients, control]) await client.end();
});
