/** Megabytes a second of COPY's text and CSV formats, in chunks of 64 KiB, without tables. */
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

const inputs = {
  text: file('\t', (value) => value.toString()),
  'text with escapes': file('\t', (value) => value.toString().replace('   ', '\\t')),
  CSV: file(',', (value) => value.toString()),
  'CSV with quotes': file(',', (value) => `"${value}"`),
};

const bench = new Bench({ time: 400, warmupTime: 200 });
const sizes = new Map<string, number>();
for (const [name, bytes] of Object.entries(inputs)) {
  const format = name.startsWith('text') ? TEXT_FORMAT : CSV_FORMAT;
  sizes.set(`parse ${name}`, bytes.length);
  bench.add(`parse ${name}`, () => {
    parse(format, bytes);
  });
}
for (const format of [TEXT_FORMAT, CSV_FORMAT]) {
  sizes.set(`write ${format.kind}`, inputs.text.length);
  bench.add(`write ${format.kind}`, () => {
    write(format);
  });
}
await bench.run();
for (const task of bench.tasks) {
  const { result } = task;
  if (result.state !== 'completed') throw new Error(`${task.name} did not complete`);
  const seconds = result.latency.p50 / 1000;
  const megabytes = sizes.get(task.name)! / 1e6;
  console.log(`${task.name.padEnd(24)} ${(megabytes / seconds).toFixed(0).padStart(6)} MB/s`);
}
