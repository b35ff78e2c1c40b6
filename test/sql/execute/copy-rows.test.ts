import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/index.ts';
import {
  CHUNK,
  CopyRowEncoder,
  compilePlan,
  copyWriter,
  TEXT_FORMAT,
} from '../../../src/sql/execute/index.ts';
import { type Datum, OID } from '../../../src/types/index.ts';
import { MemoryDatabase, makeTable, planOf, scan } from './support.ts';

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

function numeric(unscaled: number, scale: number): Datum {
  return { kind: 'finite', unscaled: BigInt(unscaled), scale };
}

test('COPY TO writes rows as text', () => {
  const database = new MemoryDatabase();
  const rows: Datum[][] = [];
  let text = '';
  for (let i = 0; i < 2500; i++) {
    const v = i % 3 === 0 ? null : -i * 1e12;
    rows.push([i, v, `row ü\t${i}`, numeric(i * 100 + 50, 2), 7]);
    text += `${i}\t${v ?? '\\N'}\trow ü\\t${i}\t${i}.50\n`;
  }
  database.load(table, rows);
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
