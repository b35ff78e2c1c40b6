/** Random SERIALIZABLE transactions of many sessions on a few rows: what the committed ones were told must be what
 * they are told one after the other, writers in the order of their commits. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { testServer } from '../server/server.ts';

const server = testServer({ deadlock_timeout: '20ms' });
const SESSIONS = 8;
const TRANSACTIONS = 50;
const KEYS = 10;
const CLASSES = 3;

/** Errors that a transaction may end with; nothing of it is left. */
const REFUSED = new Set(['40001', '40P01', '23505']);

interface Row {
  class: number;
  value: number;
}
type Table = Map<number, Row>;

/** A statement, what it answered, and what it answers and does in the model. */
interface Step {
  readonly text: string;
  readonly run: (table: Table) => string;
  answer: string;
}

interface History {
  readonly name: string;
  readonly steps: Step[];
  /** Between these two moments it seems to have happened at once. */
  from: number;
  to: number;
}

type Random = (below: number) => number;

function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function select(
  condition: string,
  isMeant: (id: number, row: Row) => boolean,
): Omit<Step, 'answer'> {
  return {
    text: `select id, class, value from entry where ${condition} order by id`,
    run: (table) =>
      [...table]
        .filter(([id, row]) => isMeant(id, row))
        .sort(([a], [b]) => a - b)
        .map(([id, row]) => `${id},${row.class},${row.value}`)
        .join(' '),
  };
}

function change(
  text: string,
  isMeant: (id: number, row: Row) => boolean,
  to: (table: Table, id: number, row: Row) => void,
): Omit<Step, 'answer'> {
  return {
    text,
    run: (table) => {
      const meant = [...table].filter(([id, row]) => isMeant(id, row));
      for (const [id, row] of meant) to(table, id, row);
      return String(meant.length);
    },
  };
}

function readStep(random: Random): Omit<Step, 'answer'> {
  const id = random(KEYS);
  const end = id + 1 + random(4);
  const kind = random(CLASSES);
  switch (random(5)) {
    case 0:
      return select(`id between ${id} and ${end}`, (at) => at >= id && at <= end);
    case 1:
      return select(`class = ${kind}`, (_, row) => row.class === kind);
    case 2:
      return random(3) === 0 ? select('true', () => true) : select('value < 0', () => false);
    default:
      return select(`id = ${id}`, (at) => at === id);
  }
}

function writeStep(random: Random): Omit<Step, 'answer'> {
  const id = random(KEYS);
  const kind = random(CLASSES);
  const value = random(1000);
  switch (random(8)) {
    case 0:
      return change(
        `delete from entry where id = ${id}`,
        (at) => at === id,
        (table) => table.delete(id),
      );
    case 1:
    case 2:
      return {
        text: `insert into entry values (${id}, ${kind}, ${value}) on conflict do nothing`,
        run: (table) => {
          if (table.has(id)) return '0';
          table.set(id, { class: kind, value });
          return '1';
        },
      };
    case 3:
      return change(
        `update entry set value = value + 1 where class = ${kind}`,
        (_, row) => row.class === kind,
        (table, at, row) => table.set(at, { ...row, value: row.value + 1 }),
      );
    case 4:
      return change(
        `update entry set class = ${kind} where id = ${id}`,
        (at) => at === id,
        (table, at, row) => table.set(at, { ...row, class: kind }),
      );
    case 5:
      return {
        text: `insert into entry select max(id) + 1, ${kind}, sum(value) % 1000000 from entry having max(id) < ${KEYS + 5}`,
        run: (table) => {
          const last = Math.max(-1, ...table.keys());
          if (last < 0 || last >= KEYS + 5) return '0';
          const sum = [...table.values()].reduce((total, row) => total + row.value, 0);
          table.set(last + 1, { class: kind, value: sum % 1_000_000 });
          return '1';
        },
      };
    default:
      return change(
        `update entry set value = ${value} where id = ${id}`,
        (at) => at === id,
        (table, at, row) => table.set(at, { ...row, value }),
      );
  }
}

async function answerOf(client: pg.Client, text: string): Promise<string> {
  const { rows, rowCount, command } = await client.query({ text, rowMode: 'array' });
  if (command !== 'SELECT') return String(rowCount);
  return rows.map((row: unknown[]) => row.join(',')).join(' ');
}

/** Runs one transaction; null when it was refused. */
async function runTransaction(
  client: pg.Client,
  random: Random,
  name: string,
): Promise<History | null> {
  const kind = random(10);
  const readsOnly = kind === 0;
  // One statement on one row: it happens at once at every level, on the main thread when it can.
  const isPlain = kind === 1;
  const planned = isPlain
    ? [plainStep(random)]
    : Array.from({ length: 2 + random(4) }, () =>
        readsOnly || random(2) === 0 ? readStep(random) : writeStep(random),
      );
  const history: History = { name, steps: [], from: performance.now(), to: 0 };
  let changes = false;
  try {
    const level = isPlain ? 'read committed' : 'serializable';
    await client.query(`begin isolation level ${level}${readsOnly ? ' read only' : ''}`);
    for (const { text, run } of planned) {
      const undone = !isPlain && !readsOnly && random(8) === 0;
      if (undone) await client.query('savepoint s');
      const answer = await answerOf(client, text);
      if (undone) await client.query('rollback to s');
      const isRead = text.startsWith('select');
      changes ||= !isRead && !undone && answer !== '0';
      const runUndone = (table: Table): string => run(new Map(table));
      history.steps.push({ text, run: undone ? runUndone : run, answer });
    }
    // What changes something happens at its commit.
    if (changes) history.from = performance.now();
    await client.query('commit');
    history.to = performance.now();
    return history;
  } catch (thrown) {
    await client.query('rollback');
    if (!REFUSED.has((thrown as { code?: string }).code ?? '')) throw thrown;
    return null;
  }
}

function plainStep(random: Random): Omit<Step, 'answer'> {
  const id = random(KEYS);
  const value = random(1000);
  return change(
    `update entry set value = ${value} where id = ${id}`,
    (at) => at === id,
    (table, at, row) => table.set(at, { ...row, value }),
  );
}

/** The table after a transaction, if it is told in this state what it was told; null if not. */
function replay(table: Table, { steps }: History): Table | null {
  const next: Table = new Map(table);
  for (const { run, answer } of steps) if (run(next) !== answer) return null;
  return next;
}

/** An order in which all of them are told what they were told, found by trying; null when there is none. */
function serialOrder(start: Table, histories: readonly History[]): readonly History[] | null {
  const left = [...histories].sort((a, b) => a.to - b.to);
  const order: History[] = [];
  const dead = new Set<string>();
  const search = (table: Table): boolean => {
    if (left.length === 0) return true;
    const state = `${left.map(({ name }) => name)}|${JSON.stringify([...table].sort())}`;
    if (dead.has(state)) return false;
    const firstEnd = left[0]!.to;
    const candidates = left.filter(({ from }) => from <= firstEnd);
    for (const candidate of candidates) {
      const next = replay(table, candidate);
      if (next === null) continue;
      const at = left.indexOf(candidate);
      left.splice(at, 1);
      order.push(candidate);
      if (search(next)) return true;
      order.pop();
      left.splice(at, 0, candidate);
    }
    dead.add(state);
    return false;
  };
  return search(start) ? order : null;
}

test('committed transactions have a serial order', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const control = await server.driver();
  await control.query('create table entry (id int primary key, class int, value int)');
  await control.query('create index on entry (class)');
  const start: Table = new Map();
  for (let id = 0; id < KEYS; id += 2) {
    start.set(id, { class: id % CLASSES, value: id });
    await control.query('insert into entry values ($1, $2, $3)', [id, id % CLASSES, id]);
  }
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => server.driver()));
  const histories: History[] = [];
  let refused = 0;
  await Promise.all(
    clients.map(async (client, i) => {
      const random = generator(seed + i);
      for (let n = 0; n < TRANSACTIONS; n++) {
        const history = await runTransaction(client, random, `${i}.${n}`);
        if (history === null) refused++;
        else histories.push(history);
      }
    }),
  );
  console.log(`${histories.length} committed, ${refused} refused`);
  const order = serialOrder(start, histories);
  expect(order, `seed ${seed}: no serial order`).not.toBeNull();
  let table: Table = start;
  for (const history of order!) table = replay(table, history)!;
  const everything = select('true', () => true);
  expect(await answerOf(control, everything.text), `seed ${seed}`).toBe(everything.run(table));
  for (const client of [...clients, control]) await client.end();
});
