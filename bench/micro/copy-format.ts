/** Megabytes a second of COPY's text and CSV formats, in chunks of 64 KiB, without tables.
 *
 * Run `npm run build`, then `node dist/bench/micro/copy-format.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { ByteWriter } from '../../src/base/index.ts';
import {
  type CopyFormat,
  CSV_FORMAT,
  copyParser,
  copyWriter,
  TEXT_FORMAT,
} from '../../src/sql/execute/copy/index.ts';

const ROWS = 20_000;
const CHUNK = 64 * 1024;
const COLUMNS = ['aid', 'bid', 'abalance', 'filler'];
/** Rows as pgbench -i makes them. */
const FIELDS = Array.from({ length: ROWS }, (_, i) =>
  [String(i + 1), '1', '0', ' '.repeat(84)].map((value) => Buffer.from(value)),
);

function write(format: CopyFormat): Uint8Array {
  const out = new ByteWriter(4 * 1024 * 1024);
  const writer = copyWriter(format, COLUMNS.length, out, true);
  for (const row of FIELDS) {
    writer.beginRow();
    for (const value of row) writer.field(value, 0, value.length);
    writer.endRow();
  }
  return out.written();
}

function parse(format: CopyFormat, bytes: Uint8Array): number {
  let rows = 0;
  const parser = copyParser(format, { table: 't', columns: COLUMNS }, () => {
    rows++;
  });
  for (let at = 0; at < bytes.length; at += CHUNK) {
    parser.push(bytes, at, Math.min(bytes.length, at + CHUNK));
  }
  parser.finish();
  if (rows !== ROWS) throw new Error(`parsed ${rows} rows`);
  return rows;
}

function file(separator: string, edit: (value: Buffer) => string): Buffer {
  return Buffer.from(FIELDS.map((row) => `${row.map(edit).join(separator)}\n`).join(''));
}

const INPUTS = {
  text: file('\t', (value) => value.toString()),
  'text with escapes': file('\t', (value) => value.toString().replace('   ', '\\t')),
  CSV: file(',', (value) => value.toString()),
  'CSV with quotes': file(',', (value) => `"${value}"`),
};

export function benchCopyFormat(): Bench {
  const bench = new Bench({ name: 'COPY formats', time: 400, warmupTime: 200 });
  const megabytes = (bytes: Uint8Array) => `(${(bytes.length / 1e6).toFixed(2)} MB)`;
  for (const [name, bytes] of Object.entries(INPUTS)) {
    const format = name.startsWith('text') ? TEXT_FORMAT : CSV_FORMAT;
    bench.add(`parse ${name} ${megabytes(bytes)}`, () => {
      parse(format, bytes);
    });
  }
  for (const format of [TEXT_FORMAT, CSV_FORMAT]) {
    bench.add(`write ${format.kind} ${megabytes(INPUTS.text)}`, () => {
      write(format);
    });
  }
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = benchCopyFormat();
  await bench.run();
  for (const { name, result } of bench.tasks) {
    if (result.state !== 'completed') throw new Error(`${name} did not complete`);
    const megabytes = Number(/\(([\d.]+) MB\)/.exec(name)?.[1]);
    const perSecond = megabytes / (result.latency.p50 / 1000);
    console.log(`${name.padEnd(36)} ${perSecond.toFixed(0).padStart(6)} MB/s`);
  }
}
