/** Text, binary, key and stored forms of single values, and numeric arithmetic.
 *
 * Run `npm run build`, then `node dist/bench/micro/types.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { ByteWriter } from '../../src/base/index.ts';
import {
  DEFAULT_TYPE_CONTEXT as CONTEXT,
  type Datum,
  numeric,
  OID,
  typeByOid,
} from '../../src/types/index.ts';

/** Operations in one run of a task, so that the clock is read rarely. */
const BATCH = 1000;
const SAMPLES: ReadonlyArray<readonly [oid: number, text: string]> = [
  [OID.int4, '-271828'],
  [OID.int8, '4503599627370497'],
  [OID.float8, '0.3'],
  [OID.float4, '2.5e-05'],
  [OID.text, 'hello, world'],
  [OID.bytea, '\\x00ff10203040'],
  [OID.uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  [OID.numeric, '12345.67'],
  [OID._int4, '{1,2,3,4,5}'],
];

export async function benchTypes(): Promise<Bench> {
  const bench = new Bench({ name: `types, ${BATCH} operations a run`, time: 100, warmupTime: 20 });
  for (const [oid, text] of SAMPLES) addForms(bench, oid, text);
  addArithmetic(bench);
  await bench.run();
  return bench;
}

function addForms(bench: Bench, oid: number, text: string): void {
  const type = typeByOid(oid);
  const value = type.input(text, CONTEXT, -1);
  if (type.output(value, CONTEXT) !== text) throw new Error(`${type.name} does not print ${text}`);
  const out = new ByteWriter(1024);
  let sink: Datum = null;
  const add = (name: string, run: () => void) => {
    bench.add(`${type.name} ${name}`, () => {
      for (let i = 0; i < BATCH; i++) {
        out.reset();
        run();
      }
    });
  };
  type.send(value, out);
  const binary = out.copy();
  out.reset();
  type.toBytes(value, out);
  const stored = out.copy();
  add('input', () => {
    sink = type.input(text, CONTEXT, -1);
  });
  add('writeText', () => type.writeText(value, out, CONTEXT));
  add('receive', () => {
    sink = type.receive(binary, 0, binary.length);
  });
  add('send', () => type.send(value, out));
  add('encodeKey', () => type.encodeKey(value, out));
  add('toBytes', () => type.toBytes(value, out));
  add('fromBytes', () => {
    sink = type.fromBytes(stored, 0, stored.length);
  });
  bench.addEventListener('complete', () => {
    if (sink === null) throw new Error('no value was read');
  });
}

function addArithmetic(bench: Bench): void {
  const a = numeric.parseNumeric('12345.67');
  const b = numeric.parseNumeric('98.765');
  const operations = { add: numeric.add, multiply: numeric.multiply, divide: numeric.divide };
  for (const [name, operate] of Object.entries(operations)) {
    let result = a;
    bench.add(`numeric ${name}`, () => {
      for (let i = 0; i < BATCH; i++) result = operate(a, b);
      if (result === a) throw new Error('nothing was computed');
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = await benchTypes();
  console.table(
    bench.tasks.map((task) => {
      const { result } = task;
      if (!('latency' in result)) return { task: task.name, 'ns/operation': String(result.state) };
      return {
        task: task.name,
        'ns/operation': Math.round((result.latency.p50 * 1e6) / BATCH),
        'p99 ns': Math.round((result.latency.p99 * 1e6) / BATCH),
      };
    }),
  );
}
