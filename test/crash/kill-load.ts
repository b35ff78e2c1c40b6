/** The load of the crash run: clients that know what they have been promised.
 *
 * Each client owns rows of its own in `item`, `trace` and `side_*` tables and shares the accounts with
 * all. It keeps the state that its last acknowledged commit left, and, while a commit is under way, the
 * state after that one too. Nothing else may be found after a crash:
 *
 * 1. The journal of a client is 1 .. n without a gap, n being the last acknowledged transaction, or
 *    the one that was under way.
 * 2. All its other rows are exactly those of the state after transaction n.
 * 3. A balance is what the account began with, and all transfers to it, less those from it.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { SeededRandom } from '../../src/base/index.ts';

export const ACCOUNT_COUNT = 50;
export const START_BALANCE = 1000;
const ITEM_COUNT_MAX = 150;
const SLOT_COUNT = 400;

export const SCHEMA = [
  'create table account (id int primary key, balance bigint not null)',
  'create table transfer (client int, seq int, source int not null, target int not null, ' +
    'amount int not null check (amount > 0), primary key (client, seq))',
  'create table journal (client int, seq int, checksum text not null, primary key (client, seq))',
  'create table item (id bigint primary key, owner int not null, slot int not null, ' +
    'payload text not null, unique (owner, slot))',
  // No key: rows of a table that is clustered on its hidden row id.
  'create table trace (client int not null, seq int not null, note text)',
  'create index trace_client on trace (client, seq)',
  `insert into account select g, ${START_BALANCE} from generate_series(1, ${ACCOUNT_COUNT}) g`,
];

interface Item {
  readonly id: number;
  readonly payload: string;
}

/** What one client's committed transactions amount to. Transactions build a new one. */
export interface ClientState {
  readonly seq: number;
  readonly items: ReadonlyMap<number, Item>;
  readonly traces: readonly string[];
  readonly journal: readonly string[];
  readonly transfers: ReadonlyMap<
    number,
    readonly [source: number, target: number, amount: number]
  >;
  /** Rows in the client's side table, or null when there is none. */
  readonly side: number | null;
}

const EMPTY: ClientState = {
  seq: 0,
  items: new Map(),
  traces: [],
  journal: [],
  transfers: new Map(),
  side: null,
};

interface Draft {
  readonly statements: string[];
  readonly state: {
    -readonly [K in keyof ClientState]: ClientState[K];
  } & { items: Map<number, Item> };
}

export class LoadClient {
  readonly id: number;
  acknowledged = EMPTY;
  /** The state after the commit that was sent and not answered yet. */
  underWay: ClientState | null = null;
  transactionCount = 0;
  rollbackCount = 0;
  private readonly random: SeededRandom;
  private nextItemId: number;

  constructor(id: number, random: SeededRandom) {
    this.id = id;
    this.random = random;
    this.nextItemId = id * 1e9;
  }

  /** Runs transactions until the connection breaks or `stopped` says so. Any other failure than a
   * broken connection is thrown. */
  async run(port: number, stopped: () => boolean): Promise<void> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      database: 'postgres',
    });
    let broken = false;
    client.on('error', () => {
      broken = true;
    });
    try {
      await client.connect();
      while (!stopped()) await this.transaction(client);
    } catch (thrown) {
      if (!broken && !isBroken(thrown)) throw thrown;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** What was found is the truth from here on. */
  settle(found: ClientState): void {
    this.acknowledged = found;
    this.underWay = null;
  }

  private async transaction(client: pg.Client): Promise<void> {
    const implicit = this.random.chance(0.2);
    const draft = this.draft(implicit);
    try {
      if (implicit) {
        // One message, one implicit transaction: it may have committed from the moment it is sent.
        this.underWay = draft.state;
        await client.query(draft.statements.join('; '));
      } else {
        await client.query('begin');
        for (const statement of draft.statements) await client.query(statement);
        if (this.random.chance(0.08)) {
          await client.query('rollback');
          this.rollbackCount++;
          return;
        }
        this.underWay = draft.state;
        await client.query('commit');
      }
    } catch (thrown) {
      if (!isRetryable(thrown)) throw thrown;
      this.underWay = null;
      this.rollbackCount++;
      await client.query('rollback');
      return;
    }
    this.acknowledged = draft.state;
    this.underWay = null;
    this.transactionCount++;
  }

  /** The statements of the next transaction, and the state after it. */
  private draft(implicit: boolean): Draft {
    const { acknowledged, random } = this;
    const state = {
      ...acknowledged,
      items: new Map(acknowledged.items),
      seq: acknowledged.seq + 1,
    };
    const draft: Draft = { statements: [], state };
    for (let i = random.below(5); i >= 0; i--) this.draftChange(draft);
    if (!implicit && random.chance(0.3)) this.draftUndone(draft);
    if (random.chance(0.5)) this.draftTransfer(draft);
    if (random.chance(0.04)) this.draftSide(draft);
    const checksum = hash(JSON.stringify([this.id, state.seq, draft.statements]));
    draft.statements.push(`insert into journal values (${this.id}, ${state.seq}, '${checksum}')`);
    state.journal = [...state.journal, checksum];
    return draft;
  }

  private draftChange(draft: Draft): void {
    const { random } = this;
    const { items } = draft.state;
    const slot = random.below(SLOT_COUNT);
    const present = items.get(slot);
    if (present === undefined && items.size < ITEM_COUNT_MAX) {
      const item = { id: this.nextItemId++, payload: this.payload() };
      items.set(slot, item);
      draft.statements.push(this.insertItem(slot, item));
    } else if (present !== undefined && random.chance(0.5)) {
      const payload = this.payload();
      items.set(slot, { id: present.id, payload });
      draft.statements.push(`update item set payload = '${payload}' where id = ${present.id}`);
    } else if (items.size > ITEM_COUNT_MAX / 2) {
      const limit = random.below(SLOT_COUNT);
      const limits = [limit, limit + 20];
      for (const key of [...items.keys()]) if (key >= limit && key < limit + 20) items.delete(key);
      draft.statements.push(
        `delete from item where owner = ${this.id} and slot >= ${limits[0]} and slot < ${limits[1]}`,
      );
    } else {
      const note = this.payload();
      draft.state.traces = [...draft.state.traces, `${draft.state.seq} ${note}`];
      draft.statements.push(`insert into trace values (${this.id}, ${draft.state.seq}, '${note}')`);
    }
  }

  /** Changes that a savepoint takes back. */
  private draftUndone(draft: Draft): void {
    const { statements, state } = draft;
    statements.push(
      'savepoint undone',
      `update item set payload = 'undone' where owner = ${this.id}`,
      `insert into trace values (${this.id}, ${state.seq}, 'undone')`,
      `delete from journal where client = ${this.id}`,
      'rollback to savepoint undone',
    );
    if (this.random.chance(0.5)) statements.push('release savepoint undone');
  }

  private draftTransfer(draft: Draft): void {
    const { random } = this;
    const source = 1 + random.below(ACCOUNT_COUNT);
    const target = 1 + ((source + random.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT);
    const amount = 1 + random.below(100);
    const seq = draft.state.seq;
    draft.state.transfers = new Map(draft.state.transfers).set(seq, [source, target, amount]);
    draft.statements.push(
      `update account set balance = balance - ${amount} where id = ${source}`,
      `update account set balance = balance + ${amount} where id = ${target}`,
      `insert into transfer values (${this.id}, ${seq}, ${source}, ${target}, ${amount})`,
    );
  }

  private draftSide(draft: Draft): void {
    const table = `side_${this.id}`;
    if (draft.state.side !== null) {
      draft.state.side = null;
      draft.statements.push(`drop table ${table}`);
      return;
    }
    const count = this.random.below(200);
    draft.state.side = count;
    draft.statements.push(
      `create table ${table} (a int primary key, b text)`,
      `insert into ${table} select g, repeat('x', g) from generate_series(1, ${count}) g`,
      `create index on ${table} (b)`,
    );
  }

  private insertItem(slot: number, item: Item): string {
    return `insert into item values (${item.id}, ${this.id}, ${slot}, '${item.payload}')`;
  }

  /** Mostly short; now and then too long for a page. */
  private payload(): string {
    const text = hash(String(this.random.u32()));
    const repeats = this.random.chance(0.02) ? 500 : 1 + this.random.below(6);
    return text.repeat(repeats);
  }
}

/** Reads what the server holds and names each way in which it is not what was promised. */
export async function verify(client: pg.Client, clients: readonly LoadClient[]): Promise<string[]> {
  const faults: string[] = [];
  for (const one of clients) {
    const found = await readState(client, one.id);
    const promised = [one.acknowledged, ...(one.underWay === null ? [] : [one.underWay])];
    const match = promised.find((state) => state.seq === found.seq);
    if (match === undefined) {
      faults.push(
        `client ${one.id}: transaction ${one.acknowledged.seq} was acknowledged` +
          `${one.underWay === null ? '' : ', the next was under way'}; the journal ends at ${found.seq}`,
      );
    } else {
      faults.push(...differences(one.id, match, found));
      one.settle(match);
    }
  }
  faults.push(...(await verifyAccounts(client, clients)));
  return faults;
}

type FoundState = Omit<ClientState, 'transfers'> & {
  readonly transfers: ReadonlyMap<number, readonly number[]>;
  readonly faults: readonly string[];
};

async function readState(client: pg.Client, id: number): Promise<FoundState> {
  const faults: string[] = [];
  const read = async (text: string): Promise<string[][]> =>
    (await client.query<string[]>({ text, rowMode: 'array' })).rows;
  const journal = await read(`select seq, checksum from journal where client = ${id} order by seq`);
  journal.forEach(([seq], at) => {
    if (Number(seq) !== at + 1) faults.push(`journal entry ${at + 1} has number ${seq}`);
  });
  const items = new Map<number, Item>();
  for (const [itemId, slot, payload = ''] of await read(
    `select id, slot, payload from item where owner = ${id}`,
  )) {
    if (items.has(Number(slot))) faults.push(`slot ${slot} is there twice`);
    items.set(Number(slot), { id: Number(itemId), payload });
  }
  const traces = await read(`select seq, note from trace where client = ${id} order by seq`);
  const transfers = await read(
    `select seq, source, target, amount from transfer where client = ${id} order by seq`,
  );
  const tables = await read(`select relname from pg_class where relname = 'side_${id}'`);
  const side = tables.length === 0 ? null : await read(`select count(*), count(b) from side_${id}`);
  return {
    seq: journal.length,
    journal: journal.map(([, checksum = '']) => checksum),
    items,
    traces: traces.map(([seq, note]) => `${seq} ${note}`),
    transfers: new Map(transfers.map(([seq, ...rest]) => [Number(seq), rest.map(Number)])),
    side: side === null ? null : Number(side[0]?.[0]),
    faults,
  };
}

function differences(id: number, expected: ClientState, found: FoundState): string[] {
  const faults = found.faults.map((fault) => `client ${id}: ${fault}`);
  const compare = (what: string, a: unknown, b: unknown): void => {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    if (left === right) return;
    let at = 0;
    while (left[at] === right[at]) at++;
    const part = (text: string) => text.slice(Math.max(0, at - 30), at + 50);
    faults.push(`client ${id}: ${what}: expected …${part(left)}…, found …${part(right)}…`);
  };
  const sorted = (items: ReadonlyMap<number, Item>) => [...items].sort(([a], [b]) => a - b);
  compare('journal', expected.journal, found.journal);
  compare('items', sorted(expected.items), sorted(found.items));
  compare('traces', [...expected.traces].sort(), [...found.traces].sort());
  compare('transfers', [...expected.transfers], [...found.transfers]);
  compare('side table', expected.side, found.side);
  return faults;
}

async function verifyAccounts(
  client: pg.Client,
  clients: readonly LoadClient[],
): Promise<string[]> {
  const balances = new Array<number>(ACCOUNT_COUNT + 1).fill(START_BALANCE);
  for (const { acknowledged } of clients) {
    for (const [source, target, amount] of acknowledged.transfers.values()) {
      balances[source] = (balances[source] ?? 0) - amount;
      balances[target] = (balances[target] ?? 0) + amount;
    }
  }
  const { rows } = await client.query<{ id: number; balance: string }>(
    'select id, balance from account order by id',
  );
  const faults: string[] = [];
  if (rows.length !== ACCOUNT_COUNT) faults.push(`${rows.length} accounts of ${ACCOUNT_COUNT}`);
  for (const { id, balance } of rows) {
    if (Number(balance) !== balances[id]) {
      faults.push(`account ${id}: balance ${balance}, by the transfers ${balances[id]}`);
    }
  }
  const sum = await client.query<{ sum: string }>(
    'select sum(balance)::bigint as sum from account',
  );
  if (Number(sum.rows[0]?.sum) !== ACCOUNT_COUNT * START_BALANCE) {
    faults.push(`the balances add up to ${sum.rows[0]?.sum}`);
  }
  return faults;
}

/** Deadlocks and conflicts: part of a client's life. */
function isRetryable(thrown: unknown): boolean {
  const code = (thrown as { code?: string }).code;
  return code === '40P01' || code === '40001';
}

/** The connection ended: by the kill. A server that says so itself, because one of its threads died, has
 * failed. */
function isBroken(thrown: unknown): boolean {
  const { code, message } = thrown as { code?: string; message?: string };
  if (code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE') return true;
  return /Connection terminated|not queryable/.test(message ?? '');
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
