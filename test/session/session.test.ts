import { beforeAll, expect, test } from 'vitest';
import { Catalog } from '../../src/catalog/index.ts';
import type { RunHandle, StatementBackend } from '../../src/session/backend.ts';
import {
  ANSWERED_RUN,
  ClientSession,
  NotificationHub,
  type PlanRun,
  type RunListener,
  SessionEnvironment,
  STALE_PLAN_SQLSTATE,
  StatementCache,
} from '../../src/session/index.ts';
import type { BindValues, ResultSink } from '../../src/session/session-port.ts';
import { loadParser } from '../../src/sql/parse/index.ts';

beforeAll(() => loadParser());

/** A session whose statements are answered by hand. */
function openSession(notifications = new NotificationHub()) {
  const said: string[] = [];
  const runs: { run: PlanRun; listener: RunListener; calls: string[] }[] = [];
  const handle = (calls: string[]): RunHandle => ({
    fetch: (limit) => calls.push(`fetch ${limit}`),
    close: () => calls.push('close'),
    cancel: () => calls.push('cancel'),
    drained: () => calls.push('drained'),
    copyData: () => true,
    copyDone: () => calls.push('copyDone'),
    copyFail: () => calls.push('copyFail'),
  });
  let held = 0;
  const backend: StatementBackend = {
    catalog: new Catalog(() => undefined),
    serverStartTimestamp: 0,
    estimateRows: () => 1,
    isLocked: () => false,
    lockRead() {},
    unlockReads() {},
    pointRead: () => false,
    execute(run, listener) {
      const calls: string[] = [];
      runs.push({ run, listener, calls });
      return handle(calls);
    },
    utility: () => handle([]),
    transaction(_session, operation, _name, listener) {
      said.push(`[${operation}]`);
      listener.complete(0, null);
      return handle([]);
    },
    evaluate: () => [],
    holdSnapshot: () => ({ slot: ++held, lsn: 1 }),
    releaseSnapshot: ({ slot }) => said.push(`[release ${slot}]`),
    markChanges: () => 1,
    forgetChanges() {},
    endSession: () => said.push('[end]'),
  };
  const note =
    (name: string) =>
    (detail?: unknown): void => {
      said.push(typeof detail === 'string' ? detail : name);
    };
  const sink: ResultSink = {
    rowDescription: note('row'),
    parameterDescription: note('parameters'),
    noData: note('no data'),
    dataRows: () => true,
    commandComplete: note('complete'),
    emptyQuery: note('empty'),
    portalSuspended: note('suspended'),
    parseComplete: note('parsed'),
    bindComplete: note('bound'),
    closeComplete: note('closed'),
    error: ({ sqlstate }) => said.push(`error ${sqlstate}`),
    notice: ({ message }) => said.push(message),
    parameterStatus: note('status'),
    notification: (_pid, channel, payload) => {
      said.push(`notification ${channel} ${payload}`);
      return true;
    },
    copyIn: note('copy in'),
    copyOut: note('copy out'),
    copyData: () => true,
    copyDone: note('copy done'),
    readyForQuery: (status) => said.push(`ready ${status}`),
    pauseInput: note('pause'),
    resumeInput: note('resume'),
  };
  const environment = new SessionEnvironment({
    processId: 1,
    user: 'postgres',
    database: 'postgres',
    peer: null,
    defaults: new Map(),
    serverStartTimestamp: 0,
    onReported() {},
  });
  const session = new ClientSession({
    processId: 1,
    secretKey: 2,
    sink,
    backend,
    cache: new StatementCache(100),
    environment,
    peers: { signal: () => false, activity: () => [], notifications },
  });
  return { session, said, runs };
}

const NO_VALUES: BindValues = {
  bytes: new Uint8Array(0),
  count: 0,
  starts: new Int32Array(0),
  lengths: new Int32Array(0),
  formats: new Uint8Array(0),
  resultFormatCount: 0,
  resultFormats: new Uint8Array(0),
};

test('an Execute before a Sync is a transaction of its own, another one part of a block', () => {
  for (const syncFollows of [true, false]) {
    const { session, said, runs } = openSession();
    session.parse('', 'select 1', []);
    session.bind('', '', NO_VALUES);
    session.execute('', 0, syncFollows);
    expect(runs[0]?.run.inBlock).toBe(!syncFollows);
    runs[0]?.listener.complete(1, null);
    session.sync();
    expect(said).toEqual(['parsed', 'bound', 'pause', 'SELECT 1', 'resume', 'ready I']);
  }
});

test('a statement whose plan is out of date is run again, and described once', () => {
  const { session, said, runs } = openSession();
  session.simpleQuery('select 1');
  const stale = { severity: 'ERROR', sqlstate: STALE_PLAN_SQLSTATE, message: 'stale' } as const;
  runs[0]?.listener.error(stale);
  expect(runs).toHaveLength(2);
  runs[1]?.listener.complete(1, null);
  expect(said).toEqual(['row', 'pause', 'SELECT 1', 'ready I', 'resume']);
});

test('after an error nothing is done until Sync', () => {
  const { session, said } = openSession();
  session.bind('', 'missing', NO_VALUES);
  session.execute('', 0, true);
  session.parse('', 'select 1', []);
  session.sync();
  expect(said).toEqual(['error 26000', 'ready I']);
});

test('snapshots of a session that ends are kept until its statement has ended', () => {
  const { session, said, runs } = openSession();
  session.simpleQuery('begin; declare c cursor for select 1');
  session.simpleQuery('fetch 1 from c');
  said.length = 0;
  session.terminate();
  expect(said).toEqual(['[end]']);
  expect(runs[0]?.calls).toEqual(['cancel']);
  runs[0]?.listener.error({ severity: 'ERROR', sqlstate: '57014', message: 'canceled' });
  expect(said).toEqual(['[end]', '[release 1]']);
});

test('a cancel reaches what runs, and nothing else', () => {
  const { session, runs } = openSession();
  session.cancel();
  session.simpleQuery('select 1');
  session.cancel();
  expect(runs[0]?.calls).toEqual(['cancel']);
});

test('a notification reaches who listens, when its transaction commits and they wait for a command', () => {
  const hub = new NotificationHub();
  const listener = openSession(hub);
  const sender = openSession(hub);
  listener.session.simpleQuery('listen news');
  listener.said.length = 0;
  sender.session.simpleQuery('begin');
  sender.session.simpleQuery("notify news, 'first'");
  sender.session.simpleQuery("notify news, 'first'");
  sender.session.simpleQuery('savepoint s');
  sender.session.simpleQuery("notify news, 'undone'");
  sender.session.simpleQuery('rollback to s');
  sender.session.simpleQuery("notify other, 'unheard'");
  expect(listener.said).toEqual([]);
  sender.session.simpleQuery('commit');
  expect(listener.said).toEqual(['notification news first']);
  listener.session.simpleQuery('begin');
  sender.session.simpleQuery("notify news, 'second'");
  expect(listener.said.filter((line) => line.startsWith('notification'))).toHaveLength(1);
  listener.said.length = 0;
  listener.session.simpleQuery('commit');
  expect(listener.said).toEqual(['COMMIT', 'notification news second', 'ready I']);
});

test('what is rolled back is neither listened to nor sent', () => {
  const hub = new NotificationHub();
  const { session, said } = openSession(hub);
  session.simpleQuery('begin');
  session.simpleQuery('listen news');
  session.simpleQuery('rollback');
  session.simpleQuery('notify news');
  session.simpleQuery("begin; listen news; notify news, 'self'; commit");
  session.simpleQuery('begin');
  session.simpleQuery("notify news, 'undone'");
  session.simpleQuery('rollback');
  session.simpleQuery('unlisten *');
  session.simpleQuery("notify news, 'too late'");
  expect(said.filter((line) => line.startsWith('notification'))).toEqual([
    'notification news self',
  ]);
  expect(hub.usage).toBe(0);
});

test('a client that is behind gets its notifications when it has caught up', () => {
  const hub = new NotificationHub();
  const slow = openSession(hub);
  const sender = openSession(hub);
  slow.session.simpleQuery('listen news');
  const { sink } = slow.session;
  const send = sink.notification;
  sink.notification = (...args) => !send(...args);
  sender.session.simpleQuery("notify news, '1'");
  sender.session.simpleQuery("notify news, '2'");
  const heard = () => slow.said.filter((line) => line.startsWith('notification'));
  expect(heard()).toHaveLength(1);
  sink.notification = send;
  sender.session.simpleQuery("begin; notify news, '3'; notify news, '4'; commit");
  expect(heard()).toHaveLength(1);
  slow.session.drained();
  expect(heard()).toEqual([1, 2, 3, 4].map((n) => `notification news ${n}`));
  slow.session.terminate();
  sender.session.simpleQuery("notify news, '5'");
  expect(heard()).toHaveLength(4);
  expect(hub.usage).toBe(0);
});

test.each([
  ["notify ''", '42601'],
  [`notify news, '${'x'.repeat(8000)}'`, '22023'],
])('%.20s is refused', (statement, sqlstate) => {
  const { session, said } = openSession();
  session.simpleQuery(statement);
  expect(said[0]).toBe(`error ${sqlstate}`);
});

test('a statement that fails during the call that runs it is answered once', () => {
  const { session, said } = openSession();
  const { backend } = session;
  backend.execute = (_run, listener) => {
    listener.error({ severity: 'ERROR', sqlstate: '22023', message: 'no' });
    return ANSWERED_RUN;
  };
  session.simpleQuery('select 1; select 2');
  expect(said.filter((line) => /^(error|ready|complete)/.test(line))).toEqual([
    'error 22023',
    'ready I',
  ]);
});
