/** npm run bench:idle -- [--connections N]
 *
 * Memory of idle connections: what the server's process grows by, a connection, when N clients have
 * connected, and again when each has run a statement. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WireClient } from '../../test/support/wire-client.ts';
import { withContenders } from '../compare/contenders.ts';

const BATCH = 100;
/** Files that the server needs besides sockets. */
const SPARE_FILES = 200;

const { values: options } = parseArgs({
  options: { connections: { type: 'string', default: '10000' } },
});
const count = Number(options.connections);

const limit = Number(
  /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
);
if (limit < count + SPARE_FILES) {
  throw new Error(
    `${count} connections need ${count + SPARE_FILES} open files; the limit is ${limit}`,
  );
}

await withContenders(
  { sharedBuffers: '128MB', alone: true, settings: { max_connections: String(count + 10) } },
  async ([heddle]) => {
    if (heddle === undefined) return;
    // What the first sessions compile and cache is not the others' cost.
    const clients = await connectMany(heddle.port, BATCH);
    await inBatches(clients, (client) => client.query('select 1'));
    await sleep(1000);
    const before = heddle.residentBytes();
    const started = performance.now();
    clients.push(...(await connectMany(heddle.port, count - BATCH)));
    const seconds = (performance.now() - started) / 1000;
    const report = async (what: string): Promise<void> => {
      await sleep(2000);
      const each = (heddle.residentBytes() - before) / (count - BATCH) / 1024;
      console.log(`${what}: ${each.toFixed(1)} KiB a connection`);
    };
    console.log(`${count} connections, ${(count / seconds).toFixed(0)} a second`);
    await report('connected');
    await inBatches(clients, (client) => client.query('select 1'));
    await report('each has run a statement');
    const [answer] = (await clients[count - 1]!.query('select 1')).rows;
    if (answer?.[0] !== '1') throw new Error('the last connection does not answer');
    for (const client of clients) client.destroy();
  },
);

async function connectMany(port: number, many: number): Promise<WireClient[]> {
  const clients: WireClient[] = [];
  while (clients.length < many) {
    const batch = Math.min(BATCH, many - clients.length);
    clients.push(
      ...(await Promise.all(Array.from({ length: batch }, () => WireClient.start(port)))),
    );
  }
  return clients;
}

async function inBatches(
  clients: readonly WireClient[],
  work: (client: WireClient) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < clients.length; at += BATCH) {
    await Promise.all(clients.slice(at, at + BATCH).map(work));
  }
}
