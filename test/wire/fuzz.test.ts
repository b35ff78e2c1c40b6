import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PgServer } from '../../src/wire/index.ts';
import { column, FakeHost, rows } from '../support/fake-session.ts';
import {
  bind,
  close,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  parse,
  query,
  startupMessage,
  sync,
  terminate,
  WireClient,
} from '../support/wire-client.ts';

/** Whatever bytes arrive, in whatever pieces: no exception, no hang, no harm to others. */

const internalErrors: unknown[] = [];
const host = new FakeHost((text) => {
  if (text === 'copy') return { kind: 'copy-in', columnCount: 1 };
  if (text === 'later') return { kind: 'later', delayMs: 1, answer: { kind: 'empty' } };
  return rows([column('n')], [['1']]);
});
const server = new PgServer(host, {
  connectionCountMax: 100,
  authenticationTimeoutMs: 5000,
  onInternalError: (error) => internalErrors.push(error),
});
let port = 0;
let bystander: WireClient;

beforeAll(async () => {
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  bystander = await WireClient.start(port);
});

afterAll(async () => {
  await server.close();
});

/** Sends the bytes in pieces, then no more, and waits for the server to close. */
async function attack(bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const client = await WireClient.open(port);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const at = bytes.length === 0 ? 0 : cut % (bytes.length + 1);
    if (at <= from) continue;
    client.send(bytes.subarray(from, at));
    from = at;
    await new Promise(setImmediate);
  }
  client.send(bytes.subarray(from));
  client.socket.end();
  await client.untilClosed();
  client.destroy();
  expect(internalErrors).toEqual([]);
  expect((await bystander.query('one')).rows).toEqual([['1']]);
}

const cuts = fc.array(fc.nat(500), { maxLength: 4 });

const validMessage = fc.oneof(
  fc.constantFrom(query('one'), query('copy'), query('later'), sync(), flush(), terminate()),
  fc.constantFrom(copyData('abc\n'), copyDone(), copyFail('no')),
  fc.constantFrom(parse('', 'one'), parse('s', 'later', [23]), parse('', 'copy')),
  fc
    .tuple(
      fc.constantFrom('', 's'),
      fc.array(fc.option(fc.string({ maxLength: 5 })), { maxLength: 3 }),
    )
    .map(([name, values]) => bind('', name, values)),
  fc.constantFrom(describe('S', 's'), describe('P', ''), close('S', 's'), execute('', 1)),
);

test('random bytes instead of a start-up packet', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), cuts, (bytes, at) =>
      attack(Buffer.from(bytes), at),
    ),
    { numRuns: 150 },
  );
});

test('random bytes after start-up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), cuts, (bytes, at) =>
      attack(Buffer.concat([startupMessage({ user: 'postgres' }), bytes]), at),
    ),
    { numRuns: 150 },
  );
});

test('valid conversations with bytes changed, lost and doubled', async () => {
  const mutation = fc.record({
    at: fc.nat(400),
    kind: fc.constantFrom('change', 'lose', 'double'),
    value: fc.nat(255),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(validMessage, { maxLength: 8 }),
      fc.array(mutation, { maxLength: 3 }),
      cuts,
      async (messages, mutations, at) => {
        let bytes = Buffer.concat([startupMessage({ user: 'postgres' }), ...messages]);
        for (const { at: where, kind, value } of mutations) {
          const i = where % bytes.length;
          const [before, after] = [bytes.subarray(0, i), bytes.subarray(i + 1)];
          if (kind === 'change') bytes = Buffer.concat([before, Buffer.of(value), after]);
          else if (kind === 'lose') bytes = Buffer.concat([before, after]);
          else bytes = Buffer.concat([before, bytes.subarray(i)]);
        }
        await attack(bytes, at);
      },
    ),
    { numRuns: 300 },
  );
});

test('valid conversations get the same answers however they are cut', async () => {
  async function answers(bytes: Buffer, pieces: readonly number[]): Promise<string> {
    const client = await WireClient.start(port);
    let from = 0;
    for (const piece of pieces) {
      client.send(bytes.subarray(from, from + piece));
      from += piece;
      await new Promise(setImmediate);
    }
    client.send(bytes.subarray(from));
    client.socket.end();
    const messages = await client.until('never');
    return messages.map(({ type, body }) => type + body.toString('latin1')).join('|');
  }
  // Data of a COPY is passed on in as many pieces as it arrives in, which the fake session counts.
  const withoutCopy = validMessage.filter((bytes) => !bytes.includes('copy'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(withoutCopy, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }),
      async (messages, pieces) => {
        const bytes = Buffer.concat(messages);
        expect(await answers(bytes, pieces)).toBe(await answers(bytes, []));
      },
    ),
    { numRuns: 60 },
  );
});
