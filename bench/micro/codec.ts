/** Decoding what a client pipelines and encoding what it is answered, without sockets.
 *
 * Run `npm run build`, then `node dist/bench/micro/codec.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import type { ResultColumn } from '../../src/session/session-port.ts';
import { BindMessage, MessageReader } from '../../src/wire/pgwire/message-reader.ts';
import { Backend } from '../../src/wire/pgwire/message-types.ts';
import { OutputBuffer } from '../../src/wire/pgwire/output-buffer.ts';

const COLUMNS: readonly ResultColumn[] = [
  {
    name: 'abalance',
    tableOid: 16385,
    columnNumber: 3,
    typeOid: 23,
    typeLength: 4,
    typmod: -1,
    format: 0,
  },
];
const ROW = Uint8Array.of(0x44, 0, 0, 0, 11, 0, 1, 0, 0, 0, 1, 0x31);
/** Bodies of Bind('', 'P_0', ['51284']), Execute('', 0), and a Query. */
const BIND = Buffer.from('\0P_0\0\0\0\0\x01\0\0\0\x0551284\0\x01\0\0', 'latin1');
const EXECUTE = Buffer.from('\0\0\0\0\0', 'latin1');
const QUERY = Buffer.from('SELECT abalance FROM pgbench_accounts WHERE aid = 51284;\0');

export function benchCodec(): Bench {
  const reader = new MessageReader();
  const values = new BindMessage();
  const output = new OutputBuffer();
  let consumed = 0;
  const bench = new Bench({ name: 'codec', time: 500 });
  bench
    .add('decode Bind, Execute', () => {
      reader.open(BIND, 0, BIND.length);
      consumed += reader.name().length + reader.name().length;
      reader.bindValues(values);
      reader.open(EXECUTE, 0, EXECUTE.length);
      consumed += reader.name().length + reader.int32();
      reader.close();
    })
    .add('decode Query', () => {
      consumed += reader.open(QUERY, 0, QUERY.length).text().length;
    })
    .add('encode BindComplete … ReadyForQuery', () => {
      output.position = 0;
      output.bare(Backend.bindComplete);
      output.rowDescription(COLUMNS);
      output.messages(ROW, 0, ROW.length);
      output.commandComplete('SELECT 1');
      output.readyForQuery('I');
    });
  bench.addEventListener('complete', () => {
    if (consumed === 0 || output.position === 0) throw new Error('nothing was measured');
  });
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = benchCodec();
  await bench.run();
  console.table(bench.table());
}
