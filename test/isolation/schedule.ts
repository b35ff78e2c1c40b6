import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Mix, pick, type Random, schema } from './schedule-mixes.ts';

/** Random schedules of a few sessions on a few rows. A seed decides what each session does and who is next;
 * a session that waits is passed over, so a schedule takes the same way on two servers for as long as they
 * answer alike. */

/** What was asked (`a> text`) and what came of it (`a: answer`, `a: waits`), in order; in the end, what is in
 * the tables. */
export type Transcript = readonly string[];

const SESSIONS = ['a', 'b', 'c'];
const STEPS = 24;
/** How often a step is looked at that neither answers nor is seen to wait. */
const LOOKS_MAX = 2000;
const SESSION_SETTINGS = 'set deadlock_timeout = 60; set client_min_messages = error';

/** Runs the schedule of a seed. */
export async function runSchedule(
  connect: () => Promise<pg.Client>,
  mix: Mix,
  seed: number,
): Promise<Transcript> {
  const random = generator(seed);
  const control = await connect();
  await control.query(`${SESSION_SETTINGS}; ${schema(random)}`);
  const sessions: Session[] = [];
  for (const name of SESSIONS) sessions.push(await Session.open(name, await connect()));
  const schedule = new Schedule(control, sessions, mix.prepares === true);
  try {
    for (let i = 0; i < STEPS; i++) {
      const free = sessions.filter(({ isWaiting }) => !isWaiting);
      const session = pick(random, free);
      await schedule.step(session, nextText(random, mix, session));
    }
    // Everybody comes to an end.
    for (;;) {
      const open = sessions.find(({ isWaiting, block }) => !isWaiting && block !== 'none');
      if (open === undefined) break;
      await schedule.step(open, 'commit');
    }
    await schedule.showTables();
  } finally {
    for (const { client } of sessions) await client.end();
    await control.end();
  }
  return schedule.transcript;
}

function generator(seed: number): Random {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What a session does next, as far as its transaction lets it. */
function nextText(random: Random, mix: Mix, { block, savepoints }: Session): string {
  const savepoint = savepoints.at(-1);
  if (block === 'failed') {
    return savepoint !== undefined && random(4) > 0 ? `rollback to ${savepoint}` : 'rollback';
  }
  if (block === 'none' && random(4) > 0) {
    return `begin isolation level ${pick(random, mix.levels)}`;
  }
  if (block === 'open') {
    const choice = random(16);
    if (choice < 2) return 'commit';
    if (choice === 2) return 'rollback';
    if (choice === 3) return `savepoint s${savepoints.length + 1}`;
    if (choice === 4 && savepoint !== undefined) return `rollback to ${savepoint}`;
    if (choice === 5 && savepoint !== undefined) return `release ${savepoint}`;
  }
  let at = random(mix.statements.reduce((sum, [weight]) => sum + weight, 0));
  const [, make] = mix.statements.find(([weight]) => {
    at -= weight;
    return at < 0;
  })!;
  return make(random);
}

/** A session, and its transaction block as its answers tell of it. */
class Session {
  readonly name: string;
  readonly client: pg.Client;
  readonly pid: number;
  isWaiting = false;
  block: 'none' | 'open' | 'failed' = 'none';
  readonly savepoints: string[] = [];

  private constructor(name: string, client: pg.Client, pid: number) {
    this.name = name;
    this.client = client;
    this.pid = pid;
  }

  static async open(name: string, client: pg.Client): Promise<Session> {
    await client.query(SESSION_SETTINGS);
    const { rows } = await client.query('select pg_backend_pid() as pid');
    return new Session(name, client, rows[0].pid);
  }

  /** `prepares`: by the extended protocol, with values as parameters. */
  async ask(text: string, prepares: boolean): Promise<string> {
    this.isWaiting = true;
    const query = prepares ? prepared(text) : { text };
    let answer: string;
    let failed = false;
    try {
      const { command, rowCount, rows } = await this.client.query({ ...query, rowMode: 'array' });
      const values = rows.map((row: unknown[]) => row.join(',')).join(' ');
      answer = `${command} ${rowCount ?? ''} ${values}`.trim();
    } catch (thrown) {
      const { code, message } = thrown as { code?: string; message: string };
      answer = `${code} ${message}`;
      failed = true;
    }
    this.isWaiting = false;
    this.follow(text, failed);
    return answer;
  }

  private follow(text: string, failed: boolean): void {
    const [verb, , target] = text.split(' ');
    if (verb === 'commit' || (verb === 'rollback' && target === undefined)) {
      this.block = 'none';
      this.savepoints.length = 0;
    } else if (failed) {
      if (this.block === 'open') this.block = 'failed';
    } else if (verb === 'begin' || verb === 'rollback') this.block = 'open';
    else if (verb === 'savepoint') this.savepoints.push(`s${this.savepoints.length + 1}`);
    else if (verb === 'release') this.savepoints.pop();
  }
}

/** The same with parameters in the place of numbers. */
function prepared(text: string): { text: string; values: string[] } {
  const values: string[] = [];
  const shape = text.replace(/\b\d+\b/g, (value) => `$${values.push(value)}::int`);
  return { text: shape, values };
}

class Schedule {
  readonly transcript: string[] = [];
  private readonly prepares: boolean;
  private readonly control: pg.Client;
  private readonly sessions: readonly Session[];
  private readonly answers = new Map<Session, string>();

  constructor(control: pg.Client, sessions: readonly Session[], prepares: boolean) {
    this.prepares = prepares;
    this.control = control;
    this.sessions = sessions;
  }

  async step(session: Session, text: string): Promise<void> {
    const { transcript, answers, sessions } = this;
    transcript.push(`${session.name}> ${text}`);
    void session.ask(text, this.prepares).then((answer) => answers.set(session, answer));
    await this.settle();
    if (session.isWaiting) transcript.push(`${session.name}: waits`);
    // Of several that are set free at once, it is chance who answers first.
    const others = sessions.filter((other) => other !== session);
    for (const other of [session, ...others]) {
      const answer = answers.get(other);
      if (answer !== undefined) transcript.push(`${other.name}: ${answer}`);
    }
    answers.clear();
  }

  async showTables(): Promise<void> {
    for (const table of ['t', 'p', 'c']) {
      const text = `select * from ${table} order by 1`;
      const { rows } = await this.control.query({ text, rowMode: 'array' });
      this.transcript.push(`${table} ${rows.map((row: unknown[]) => row.join(',')).join(' ')}`);
    }
  }

  /** Until each session has answered or waits for another one; where they wait for one another, until the
   * deadlock is broken. */
  private async settle(): Promise<void> {
    let seen = '';
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const busy = this.sessions.filter(({ isWaiting }) => isWaiting);
      if (busy.length === 0) return;
      const { rows } = await this.control.query(
        'select pid, pg_blocking_pids(pid) as blockers from unnest($1::int[]) pid',
        [busy.map(({ pid }) => pid)],
      );
      const blockers = new Map<number, number[]>(
        rows.map((row: { pid: number; blockers: number[] }) => [row.pid, row.blockers]),
      );
      const state = JSON.stringify([...blockers]);
      const allWait = rows.every((row: { blockers: number[] }) => row.blockers.length > 0);
      // Seen twice, as one may just have been set free.
      if (allWait && state === seen && !hasCycle(blockers)) {
        if (busy.every(({ isWaiting }) => isWaiting)) return;
      }
      seen = state;
      await sleep(3);
    }
    throw new Error(`neither answers nor waits: ${seen}`);
  }
}

function hasCycle(blockers: ReadonlyMap<number, readonly number[]>): boolean {
  const leadsTo = (from: number, target: number, passed: Set<number>): boolean =>
    (blockers.get(from) ?? []).some((next) => {
      if (next === target) return true;
      if (passed.has(next)) return false;
      passed.add(next);
      return leadsTo(next, target, passed);
    });
  return [...blockers.keys()].some((pid) => leadsTo(pid, pid, new Set()));
}
