import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, expect, describe as suite, test } from 'vitest';
import type { PgErrorFields } from '../../src/errors/index.ts';
import { pgError } from '../../src/errors/index.ts';
import { PgServer, type PgServerOptions } from '../../src/wire/index.ts';
import { column, FakeHost, type FakeScript, rows } from '../support/fake-session.ts';
import {
  bind,
  CANCEL_REQUEST,
  close,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  GSSENC_REQUEST,
  int16,
  int32,
  message,
  packet,
  parse,
  query,
  readFields,
  SSL_REQUEST,
  startupMessage,
  summarize,
  sync,
  terminate,
  WireClient,
} from '../support/wire-client.ts';

const N_COLUMNS = [column('n', 23)];
const SYNTAX_ERROR: PgErrorFields = {
  severity: 'ERROR',
  sqlstate: '42601',
  message: 'syntax error at or near "selec"',
  position: 1,
};

const script: FakeScript = (text, parameters) => {
  if (text === 'one') return rows(N_COLUMNS, [['1']]);
  if (text === 'echo') return rows(N_COLUMNS, [parameters]);
  if (text === 'later') {
    return { kind: 'later', delayMs: 5, answer: rows(N_COLUMNS, [['2']]) };
  }
  if (text === 'selec') return { kind: 'error', error: SYNTAX_ERROR };
  if (text === 'compute') {
    const end = performance.now() + 1;
    while (performance.now() < end);
    return { kind: 'tag', tag: 'COMPUTE' };
  }
  if (text === 'hang') return { kind: 'hang' };
  if (text === 'copy in') return { kind: 'copy-in', columnCount: 2 };
  if (text === 'copy out') {
    const line = message('d', Buffer.alloc(1000, 'x'));
    return { kind: 'copy-out', bytes: Buffer.concat(Array(40_000).fill(line)), tag: 'COPY' };
  }
  if (text === 'begin') return { kind: 'tag', tag: 'BEGIN', status: 'T' };
  if (text === 'bug') return { kind: 'throw', thrown: new TypeError('oops') };
  if (text === '') return { kind: 'empty' };
  return { kind: 'tag', tag: `DID ${text}` };
};

const servers: PgServer[] = [];
const clients: WireClient[] = [];

async function serve(options: Partial<PgServerOptions> = {}) {
  const host = new FakeHost(script);
  const internalErrors: unknown[] = [];
  const server = new PgServer(host, {
    connectionCountMax: 100,
    authenticationTimeoutMs: 5000,
    onInternalError: (error) => internalErrors.push(error),
    ...options,
  });
  servers.push(server);
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  return { host, server, port, internalErrors };
}

async function start(port: number, settings: Record<string, string> = {}): Promise<WireClient> {
  const client = await WireClient.start(port, settings);
  clients.push(client);
  return client;
}

async function open(port: number): Promise<WireClient> {
  const client = await WireClient.open(port);
  clients.push(client);
  return client;
}

/** The last error a client gets before the server closes. */
async function lastWords(client: WireClient) {
  const messages = await client.until('never');
  await client.untilClosed();
  const error = messages.filter((found) => found.type === 'E').at(-1);
  return error === undefined ? null : readFields(error.body);
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

suite('start-up', () => {
  test('authenticates, reports parameters and the key, and is ready', async () => {
    const { host, port } = await serve();
    const client = await open(port);
    client.send(
      startupMessage({
        user: 'joe',
        database: 'shop',
        options: '-c geqo=off --work-mem=1\\ MB -cenable_seqscan=on',
        application_name: 'test',
      }),
    );
    const messages = await client.until('Z');
    expect(messages.map(({ type }) => type).join('')).toBe('RSSSSSSSKZ');
    expect(messages[0]?.body).toEqual(int32(0));
    expect(client.parameters.get('server_version')).toBe('15.18');
    expect(client.processId).toBe(1000);
    expect(host.sessions[0]?.request).toMatchObject({
      user: 'joe',
      database: 'shop',
      settings: [
        ['geqo', 'off'],
        ['work_mem', '1 MB'],
        ['enable_seqscan', 'on'],
        ['application_name', 'test'],
      ],
    });
    expect(host.sessions[0]?.request.peer?.address).toBe('127.0.0.1');
  });

  test('names the database after the user by default', async () => {
    const { host, port } = await serve();
    const client = await open(port);
    client.send(startupMessage({ user: 'joe' }));
    await client.until('Z');
    expect(host.sessions[0]?.request.database).toBe('joe');
  });

  test('refuses SSL and GSS encryption, each once, and goes on', async () => {
    const { port } = await serve();
    const client = await open(port);
    const answers: string[] = [];
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk) => answers.push(chunk.toString('latin1')));
    client.send(packet(SSL_REQUEST));
    await expect.poll(() => answers.join('')).toBe('N');
    client.send(packet(GSSENC_REQUEST));
    await expect.poll(() => answers.join('')).toBe('NN');
    client.send(startupMessage({ user: 'postgres' }));
    await expect.poll(() => answers.join('')).toContain('server_version');
  });

  test('refuses a second SSLRequest', async () => {
    const { port } = await serve();
    const client = await open(port);
    client.socket.removeAllListeners('data');
    let answer = '';
    client.socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    client.send(packet(SSL_REQUEST), packet(SSL_REQUEST));
    await expect
      .poll(() => answer)
      .toContain('unsupported frontend protocol 1234.5679: server supports 3.0 to 3.0');
  });

  test('negotiates newer minor versions and unknown protocol options down', async () => {
    const { port } = await serve();
    const client = await open(port);
    client.send(startupMessage({ user: 'postgres', '_pq_.shiny': 'yes' }, 196610));
    const [first] = await client.until('Z');
    expect(first?.type).toBe('v');
    expect(first?.body).toEqual(
      Buffer.concat([int32(196608), int32(1), Buffer.from('_pq_.shiny\0')]),
    );
  });

  test.each([
    ['another major version', packet(131072), '0A000', 'unsupported frontend protocol 2.0'],
    ['no user', startupMessage({ database: 'x' }), '28000', 'no PostgreSQL user name specified'],
    ['a length that is too small', Buffer.from([0, 0, 0, 4]), '08P01', 'invalid length of startup'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), '08P01', 'invalid length of startup packet'],
    ['no terminator', packet(196608, Buffer.from('user\0x\0')), '08P01', 'expected terminator'],
    [
      'bytes that are not UTF-8',
      packet(196608, Buffer.from('user\0\xff\0\0', 'latin1')),
      '22021',
      '0xff',
    ],
    ['a bad option', startupMessage({ user: 'x', options: '-z' }), '42601', 'invalid command-line'],
    ['replication', startupMessage({ user: 'x', replication: 'true' }), '0A000', 'replication'],
  ])('refuses %s', async (_what, bytes, sqlstate, words) => {
    const { port } = await serve();
    const client = await open(port);
    client.send(bytes);
    const error = await lastWords(client);
    expect(error).toMatchObject({ S: 'FATAL', V: 'FATAL', C: sqlstate });
    expect(error?.M).toContain(words);
  });

  test('closes without a word when TLS is spoken outright', async () => {
    const { port } = await serve();
    const client = await open(port);
    client.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]));
    expect(await lastWords(client)).toBeNull();
  });

  test('reads a start-up packet that comes byte by byte', async () => {
    const { port } = await serve();
    const client = await open(port);
    for (const byte of startupMessage({ user: 'postgres' })) {
      client.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect((await client.until('Z')).at(-1)?.type).toBe('Z');
  });

  test('tells why a session cannot be opened', async () => {
    const { host, port } = await serve();
    const refusal = pgError('invalid_catalog_name', 'database "x" does not exist');
    host.beforeOpen = () => {
      throw refusal;
    };
    const client = await open(port);
    client.send(startupMessage({ user: 'postgres', database: 'x' }));
    expect(await lastWords(client)).toMatchObject({ S: 'FATAL', C: '3D000' });
    host.beforeOpen = () => Promise.reject(refusal);
    const other = await open(port);
    other.send(startupMessage({ user: 'postgres', database: 'x' }));
    expect(await lastWords(other)).toMatchObject({ S: 'FATAL', C: '3D000' });
  });

  test('holds early messages back until the session is open', async () => {
    const { host, port } = await serve();
    host.beforeOpen = () => new Promise((resolve) => setTimeout(resolve, 10));
    const client = await open(port);
    client.send(startupMessage({ user: 'postgres' }), query('one'));
    const [, second] = [await client.until('Z'), await client.until('Z')];
    expect(summarize(second).rows).toEqual([['1']]);
  });

  test('ends a session that opens after its client has left', async () => {
    const { host, server, port } = await serve();
    let release = () => {};
    host.beforeOpen = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const client = await open(port);
    client.send(startupMessage({ user: 'postgres' }));
    await expect.poll(() => server.sessionCount).toBe(1);
    client.socket.resetAndDestroy();
    await expect.poll(() => server.connectionCount).toBe(0);
    release();
    await expect.poll(() => host.sessions[0]?.terminated).toBe(true);
    expect(server.sessionCount).toBe(0);
  });

  test('trusts only clients on this machine', async () => {
    const { port } = await serve({ trusts: () => false });
    const client = await open(port);
    client.send(startupMessage({ user: 'joe', database: 'shop' }));
    expect(await lastWords(client)).toMatchObject({
      S: 'FATAL',
      C: '28000',
      M: 'no pg_hba.conf entry for host "127.0.0.1", user "joe", database "shop", no encryption',
    });
  });

  test('refuses clients beyond the limit, and counts those that leave', async () => {
    const { server, port } = await serve({ connectionCountMax: 1 });
    const first = await start(port);
    await expect(WireClient.start(port)).rejects.toThrow('sorry, too many clients already');
    await first.end();
    await expect.poll(() => server.sessionCount).toBe(0);
    await start(port);
  });

  test('closes clients that do not start up in time', async () => {
    const { port } = await serve({ authenticationTimeoutMs: 20 });
    const client = await open(port);
    client.send(Buffer.of(0, 0));
    expect(await lastWords(client)).toBeNull();
  });

  test('passes cancel requests on and closes', async () => {
    const { host, port } = await serve();
    const victim = await start(port);
    victim.send(query('hang'));
    await expect.poll(() => host.sessions[0]?.calls).toContain('query hang');
    const wrong = await open(port);
    wrong.send(packet(CANCEL_REQUEST, int32(victim.processId), int32(victim.secretKey + 1)));
    expect(await lastWords(wrong)).toBeNull();
    expect(host.sessions[0]?.cancelCount).toBe(0);
    const right = await open(port);
    right.send(packet(CANCEL_REQUEST, int32(victim.processId), int32(victim.secretKey)));
    await right.untilClosed();
    expect(summarize(await victim.until('Z')).error?.C).toBe('57014');
  });

  test('listens on a Unix socket', async () => {
    const { server } = await serve();
    const path = `/tmp/heddle-test-${process.pid}.s.PGSQL.5433`;
    await server.listen({ path });
    const client = new WireClient(connect(path));
    clients.push(client);
    client.send(startupMessage({ user: 'postgres' }));
    expect((await client.until('Z')).at(-1)?.type).toBe('Z');
  });

  test('takes over the Unix socket of a server that was killed, not of one that runs', async () => {
    const path = `/tmp/heddle-test-${process.pid}.stale.s.PGSQL.5433`;
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    const { server } = await serve();
    await server.listen({ path });
    const second = await serve();
    await expect(second.server.listen({ path })).rejects.toThrow('EADDRINUSE');
  });

  test('leaves a file alone that is no socket', async () => {
    const path = `/tmp/heddle-test-${process.pid}.file`;
    writeFileSync(path, 'mine');
    const { server } = await serve();
    await expect(server.listen({ path })).rejects.toThrow('EADDRINUSE');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    unlinkSync(path);
  });

  test('fails to listen where somebody else does', async () => {
    const { server } = await serve();
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    await expect(server.listen({ host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
    other.close();
  });
});

suite('queries', () => {
  test('simple', async () => {
    const { port } = await serve();
    const client = await start(port);
    const result = await client.query('one');
    expect(result).toMatchObject({
      columns: ['n'],
      rows: [['1']],
      tags: ['SELECT 1'],
      status: 'I',
    });
    expect(result.trace).toBe('TDCZ');
    expect((await client.query('')).trace).toBe('IZ');
    expect((await client.query('begin')).status).toBe('T');
    expect((await client.query('selec')).error).toEqual({
      S: 'ERROR',
      V: 'ERROR',
      C: '42601',
      M: 'syntax error at or near "selec"',
      P: '1',
    });
  });

  test('extended, everything in one packet answered in one', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    let packets = 0;
    client.socket.on('data', () => packets++);
    client.send(
      parse('s', 'echo', [23, 25]),
      bind('p', 's', ['7', null, 'Größe', Buffer.from([1, 2])], [1]),
      describe('S', 's'),
      describe('P', 'p'),
      execute('p', 5),
      close('P', 'p'),
      close('S', 's'),
      sync(),
    );
    const messages = await client.until('Z');
    expect(messages.map(({ type }) => type).join('')).toBe('12tTTDC33Z');
    expect(summarize(messages).rows).toEqual([['7', null, 'Größe', '0102']]);
    expect(packets).toBe(1);
    expect(host.sessions[0]?.calls).toEqual([
      'parse s echo 23,25',
      'bind p s 7,null,Größe,0102',
      'describeStatement s',
      'describePortal p',
      'execute p 5',
      'closePortal p',
      'closeStatement s',
      'sync',
    ]);
  });

  test('answers stay in order when the session takes its time', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(query('later'), query('one'), query('later'), query('selec'), query('one'));
    const messages = await client.untilReady(5);
    expect(messages.map(({ type }) => type).join('')).toBe('TDCZTDCZTDCZEZTDCZ');
    expect(summarize(messages).rows).toEqual([['2'], ['1'], ['2'], ['1']]);
  });

  test('Flush sends what there is', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(parse('', 'one'), flush());
    expect((await client.next())?.type).toBe('1');
    client.send(bind('', ''), execute(''), flush());
    expect((await client.next())?.type).toBe('2');
    expect((await client.next())?.type).toBe('D');
    client.send(sync());
    await client.until('Z');
  });

  test('messages cut anywhere are put together', async () => {
    const { port } = await serve();
    const client = await start(port);
    const bytes = Buffer.concat([
      parse('', 'echo'),
      bind('', '', ['a'.repeat(100)]),
      execute(''),
      sync(),
    ]);
    for (let at = 1; at < bytes.length; at += 7) {
      client.send(bytes.subarray(0, at));
      await new Promise((resolve) => setTimeout(resolve, 1));
      client.send(bytes.subarray(at));
      expect(summarize(await client.until('Z')).rows).toEqual([['a'.repeat(100)]]);
    }
  });

  test('a message far larger than one packet', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    const value = 'x'.repeat(5_000_000);
    client.send(parse('', 'nothing'), bind('', '', [value]), execute(''), sync());
    expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('12CZ');
    expect(host.sessions[0]?.calls[1]?.length).toBe(value.length + 'bind   '.length);
  });

  test('a pipeline larger than what is held back', async () => {
    const { port } = await serve();
    const client = await start(port);
    const one = Buffer.concat([query('later'), query('one')]);
    client.send(...Array(200).fill(one), ...Array(20_000).fill(query('one')));
    const messages = await client.untilReady(20_400, 20_000);
    expect(messages.length).toBe(20_400 * 4);
  });

  test('a client that does not read is not answered without end', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    client.socket.pause();
    const count = 400_000;
    const one = query('selec');
    client.send(Buffer.alloc(count * one.length, one));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answered = host.sessions[0]!.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(host.sessions[0]!.calls.length).toBe(answered);
    expect(answered).toBeLessThan(count / 2);
    // Its session takes messages again, and the last one ends it, once it has read.
    client.send(terminate());
    client.socket.removeAllListeners('data');
    client.socket.on('data', () => {});
    client.socket.resume();
    await client.untilClosed(20_000);
    expect(host.sessions[0]!.calls.filter((call) => call.startsWith('query')).length).toBe(count);
    expect(host.sessions[0]!.terminated).toBe(true);
  }, 30_000);

  test('a client that sends much at once leaves others their turns', async () => {
    const { host, port } = await serve();
    const busy = await start(port);
    const other = await start(port);
    busy.send(...Array(400).fill(query('compute')));
    await busy.until('Z');
    await other.query('one');
    expect(host.sessions[0]!.calls.length).toBeLessThan(200);
    expect((await busy.untilReady(399)).length).toBe(2 * 399);
  });

  test('function calls are not supported', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(message('F', int32(1), int16(0), int16(0), int16(0)));
    const result = summarize(await client.until('Z'));
    expect(result.error).toMatchObject({ S: 'ERROR', C: '0A000' });
  });

  test('after an extended error everything up to Sync is skipped by the session', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(bind('', 'nope'), execute(''), query('one'), sync(), query('one'));
    expect((await client.untilReady(2)).map(({ type }) => type).join('')).toBe('EZTDCZ');
  });

  test('an exception of the session ends its connection alone', async () => {
    const { host, port, internalErrors } = await serve();
    const other = await start(port);
    const client = await start(port);
    client.send(query('bug'));
    expect(await lastWords(client)).toMatchObject({ S: 'FATAL', C: 'XX000' });
    expect(internalErrors).toHaveLength(1);
    expect(host.sessions[1]?.terminated).toBe(true);
    expect((await other.query('one')).rows).toEqual([['1']]);
  });

  test('reports every field of an error, in order', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    host.sessions[0]?.sink.notice({
      severity: 'NOTICE',
      sqlstate: '00000',
      message: 'm',
      detail: 'd',
      hint: 'h',
      position: 3,
      internalPosition: 4,
      internalQuery: 'iq',
      where: 'w',
      schema: 's',
      table: 't',
      column: 'c',
      dataType: 'dt',
      constraint: 'cn\0cut',
      routine: 'r',
    });
    const notice = await client.next();
    expect(notice?.type).toBe('N');
    expect(notice?.body.toString('latin1')).toBe(
      'SNOTICE\0VNOTICE\0C00000\0Mm\0Dd\0Hh\0P3\0p4\0qiq\0Ww\0ss\0tt\0cc\0ddt\0ncn\0Rr\0\0',
    );
  });

  test('notifications and parameter changes reach an idle client', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    host.sessions[0]?.sink.parameterStatus('TimeZone', 'Europe/Rome');
    host.sessions[0]?.sink.notification(77, 'news', 'ü');
    await client.next();
    expect(client.parameters.get('TimeZone')).toBe('Europe/Rome');
    const notification = await client.next();
    expect(notification?.body).toEqual(Buffer.concat([int32(77), Buffer.from('news\0ü\0')]));
  });
});

suite('COPY', () => {
  test('in', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    const result = await client.copyIn('copy in', ['1\ta\n', '2\tb\n']);
    expect(result.trace).toBe('GCZ');
    expect(result.tags).toEqual(['COPY 2']);
    expect(Buffer.concat(host.sessions[0]?.copied ?? []).toString()).toBe('1\ta\n2\tb\n');
  });

  test('data is passed on as it comes, however messages are cut', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    const data = Buffer.alloc(1_000_000, 'abcdefghij\n');
    client.send(query('copy in'));
    await client.until('G');
    client.send(copyData(data.subarray(0, 600_000)), copyData(data.subarray(600_000)), copyDone());
    await client.until('Z');
    expect(Buffer.concat(host.sessions[0]?.copied ?? []).equals(data)).toBe(true);
  });

  test('Flush and Sync are ignored meanwhile', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(parse('', 'copy in'), bind('', ''), execute(''), sync(), flush());
    client.send(copyData('x\n'), sync(), copyDone(), sync());
    const messages = await client.until('Z');
    expect(messages.map(({ type }) => type).join('')).toBe('12GCZ');
    expect((await client.query('one')).trace).toBe('TDCZ');
  });

  test('CopyFail', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(query('copy in'), copyData('x\n'), copyFail('no more'));
    const result = summarize(await client.until('Z'));
    expect(result.error).toMatchObject({ C: '57014', M: 'COPY from stdin failed: no more' });
  });

  test('what a client sends on after an error is dropped', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(query('copy in'), copyData('bad row\n'), copyData('more\n'), copyDone());
    client.send(query('one'));
    const messages = await client.untilReady(2);
    expect(messages.map(({ type }) => type).join('')).toBe('GEZTDCZ');
  });

  test('any other message breaks the protocol', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(query('copy in'), copyData('x\n'), query('one'));
    const messages = await client.until('never');
    const errors = messages.filter(({ type }) => type === 'E').map(({ body }) => readFields(body));
    expect(errors).toMatchObject([
      { S: 'ERROR', C: '08P01', M: 'unexpected message type 0x51 during COPY from stdin' },
      { S: 'FATAL', C: '08P01' },
    ]);
  });

  test('out, at the speed of the client', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    client.socket.pause();
    client.send(query('copy out'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const session = host.sessions[0];
    expect(session?.drainedCount).toBe(0);
    client.socket.resume();
    const messages = await client.until('Z');
    expect(session?.drainedCount).toBeGreaterThan(0);
    expect(messages.filter(({ type }) => type === 'd').length).toBe(40_000);
    expect(summarize(messages).trace.replace(/d+/, 'd')).toBe('HdcCZ');
  });
});

suite('broken messages', () => {
  test.each([
    ['an unknown type', Buffer.from('!'), 'invalid frontend message type 33'],
    ['a length that is too small', Buffer.from('Q\0\0\0\x03'), 'invalid message length'],
    ['a negative length', Buffer.from('Q\xff\xff\xff\xff', 'latin1'), 'invalid message length'],
    ['a length that is too large', Buffer.from('S\0\0\x27\x11'), 'invalid message length'],
    ['a query without NUL', message('Q', Buffer.from('select')), 'invalid string in message'],
    ['bytes after a query', message('Q', 'one', Buffer.of(1)), 'invalid message format'],
    ['an empty query body', message('Q'), 'invalid string in message'],
    ['an Execute cut short', message('E', ''), 'insufficient data left in message'],
    ['a Parse cut short', message('P', '', 'x', int16(2), int32(1)), 'insufficient data left'],
    [
      'a value that is too long',
      message('B', '', '', int16(0), int16(1), int32(9)),
      'insufficient',
    ],
    ['a length below -1', message('B', '', '', int16(0), int16(1), int32(-2)), 'insufficient'],
    ['an empty Describe', message('D'), 'no data left in message'],
    ['a body in Sync', message('S', Buffer.of(0)), 'invalid message format'],
  ])('%s ends the connection with 08P01', async (_what, bytes, words) => {
    const { host, port } = await serve();
    const other = await start(port);
    const client = await start(port);
    client.send(bytes);
    const error = await lastWords(client);
    expect(error).toMatchObject({ S: 'FATAL', C: '08P01' });
    expect(error?.M).toContain(words);
    expect(host.sessions[1]?.terminated).toBe(true);
    expect((await other.query('one')).rows).toEqual([['1']]);
  });

  test.each([
    [
      'invalid UTF-8 in a query',
      message('Q', Buffer.from([0x61, 0xe9, 0x20, 0x62, 0])),
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xe9 0x20 0x62',
      'EZ',
    ],
    [
      'a truncated character',
      message('Q', Buffer.from([0x61, 0xe2, 0x82, 0])),
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xe2 0x82',
      'EZ',
    ],
    [
      'a surrogate in a value',
      Buffer.concat([bind('', '', ['ok']), sync()]).fill(Buffer.from([0xed, 0xa0]), 17, 19),
      '22021',
      '',
      'EZ',
    ],
    [
      'a format that does not exist',
      Buffer.concat([bind('', '', [], [2]), sync()]),
      '22023',
      'unsupported format code: 2',
      'EZ',
    ],
    [
      'too many formats',
      Buffer.concat([
        message('B', '', '', int16(2), int16(0), int16(0), int16(1), int32(-1), int16(0)),
        sync(),
      ]),
      '08P01',
      'bind message has 2 parameter formats but 1 parameters',
      'EZ',
    ],
    [
      'a Describe of nothing',
      Buffer.concat([message('D', Buffer.from('X'), ''), sync()]),
      '08P01',
      'invalid DESCRIBE message subtype 88',
      'EZ',
    ],
    [
      'a Close of nothing',
      Buffer.concat([message('C', Buffer.from('X'), ''), sync()]),
      '08P01',
      'invalid CLOSE message subtype 88',
      'EZ',
    ],
  ])('%s is an error of the statement', async (_what, bytes, sqlstate, words, trace) => {
    const { port } = await serve();
    const client = await start(port);
    client.send(bytes);
    const result = summarize(await client.until('Z'));
    expect(result.error).toMatchObject({ S: 'ERROR', C: sqlstate });
    expect(result.error?.M).toContain(words);
    expect(result.trace).toBe(trace);
    expect((await client.query('one')).rows).toEqual([['1']]);
  });

  test('a NUL within a text value is refused', async () => {
    const { port } = await serve();
    const client = await start(port);
    client.send(bind('', '', ['a\0b']), sync());
    const { error } = summarize(await client.until('Z'));
    expect(error).toMatchObject({
      C: '22021',
      M: 'invalid byte sequence for encoding "UTF8": 0x00',
    });
  });
});

suite('the end', () => {
  test('Terminate', async () => {
    const { host, server, port } = await serve();
    const client = await start(port);
    client.send(query('one'), terminate(), query('one'));
    const messages = await client.until('never');
    expect(summarize(messages).trace).toBe('TDCZ');
    expect(host.sessions[0]?.terminated).toBe(true);
    await expect.poll(() => server.connectionCount).toBe(0);
  });

  test('a client that only stops sending gets its answers', async () => {
    const { host, port } = await serve();
    const client = await start(port);
    client.send(query('later'), query('one'));
    client.socket.end();
    expect(summarize(await client.until('never')).trace).toBe('TDCZTDCZ');
    expect(host.sessions[0]?.terminated).toBe(true);
  });

  test('a client that vanishes takes its session along', async () => {
    const { host, server, port } = await serve();
    const client = await start(port);
    client.send(query('hang'));
    await expect.poll(() => host.sessions[0]?.calls).toContain('query hang');
    client.socket.resetAndDestroy();
    await expect.poll(() => host.sessions[0]?.terminated).toBe(true);
    await expect.poll(() => server.connectionCount).toBe(0);
    host.sessions[0]?.cancel();
  });

  test('a client that vanishes in the middle of a COPY or a message', async () => {
    const { host, server, port } = await serve();
    const copying = await start(port);
    copying.send(query('copy in'), copyData('x\n'));
    await copying.until('G');
    copying.socket.end();
    expect(summarize(await copying.until('never'))).toMatchObject({
      trace: 'E',
      error: {
        S: 'FATAL',
        C: '08006',
        M: 'unexpected EOF on client connection with an open transaction',
      },
    });
    const cut = await start(port);
    cut.send(query('one').subarray(0, 6));
    cut.socket.end();
    await expect
      .poll(() => host.sessions.map((session) => session.terminated))
      .toEqual([true, true]);
    await expect.poll(() => server.connectionCount).toBe(0);
  });

  test('shutdown tells every client', async () => {
    const { server, port } = await serve();
    const idle = await start(port);
    const busy = await start(port);
    busy.send(query('hang'));
    const closed = server.close();
    for (const client of [idle, busy]) {
      expect(await lastWords(client)).toMatchObject({
        S: 'FATAL',
        C: '57P01',
        M: 'terminating connection due to administrator command',
      });
    }
    await closed;
    expect(server.connectionCount).toBe(0);
    await expect(WireClient.start(port)).rejects.toThrow();
  });
});
