import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/index.ts';
import {
  CHUNK,
  CopyFrom,
  CopyRowEncoder,
  compilePlan,
  copyParser,
  copyWriter,
  DONE,
  PAUSE,
  TEXT_FORMAT,
} from '../../../src/sql/execute/index.ts';
import { OID } from '../../../src/types/index.ts';
import { constant, input, MemoryDatabase, makeTable, planOf, scan } from './support.ts';

const table = makeTable(
  500,
  't',
  [
    { name: 'id', type: OID.int4, notNull: true },
    { name: 'v', type: OID.int8 },
    { name: 't', type: OID.text },
    { name: 'n', type: OID.numeric },
    { name: 'k', type: OID.int4 },
  ],
  [0],
);

function copyIn(database: MemoryDatabase, text: string): number {
  const copy = new CopyFrom({
    table,
    columns: [0, 1, 2, 3],
    values: [input(0), input(1, OID.int8), input(2, OID.text), input(3, OID.numeric), constant(7)],
    checks: [],
    binary: false,
  });
  const parser = copyParser(TEXT_FORMAT, { table: 't', columns: ['id', 'v', 't', 'n'] }, copy.sink);
  copy.lineNumber = () => parser.lineNumber;
  copy.open(database.environment());
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 5000) {
      parser.push(bytes, at, Math.min(bytes.length, at + 5000));
      while (copy.next() !== PAUSE);
    }
    parser.finish();
    copy.finish();
    while (copy.next() !== DONE);
    return copy.rows;
  } finally {
    copy.close();
  }
}

test('COPY FROM inserts, COPY TO gives back the same text', () => {
  const database = new MemoryDatabase();
  let text = '';
  for (let i = 0; i < 2500; i++) {
    text += `${i}\t${i % 3 === 0 ? '\\N' : `-${i}000000000000000`.slice(0, 17)}\trow ü\\t${i}\t${i}.50\n`;
  }
  expect(copyIn(database, text)).toBe(2500);
  expect(database.rowsOf(table)[1]).toEqual([
    1,
    -1000000000000000,
    'row ü\t1',
    { kind: 'finite', unscaled: 150n, scale: 2 },
    7,
  ]);
  const plan = planOf(scan(table, 0, { columns: [0, 1, 2, 3] }), [table]);
  const compiled = compilePlan(plan);
  const environment = database.environment();
  const out = new ByteWriter();
  const writer = copyWriter(TEXT_FORMAT, 4, out, false);
  const encoder = new CopyRowEncoder(
    plan.output.map((column) => column.type),
    false,
  );
  compiled.open(environment);
  for (let status = compiled.next(); status === CHUNK; status = compiled.next()) {
    encoder.encode(compiled.chunk, 0, compiled.chunk.count, writer, environment.functions);
  }
  compiled.close();
  expect(Buffer.from(out.copy()).toString()).toBe(text);
});

test('an error names line and column', () => {
  expect(() => copyIn(new MemoryDatabase(), '1\t2\tx\t1\n2\tabc\ty\t1\n')).toThrow(
    expect.objectContaining({
      sqlstate: '22P02',
      message: 'invalid input syntax for type bigint: "abc"',
      fields: expect.objectContaining({ where: 'COPY t, line 2, column v: "abc"' }),
    }),
  );
});
