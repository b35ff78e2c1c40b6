/** Expression kernels over a chunk of 1024 rows.
 *
 * Run `npm run build`, then `node dist/bench/micro/expression.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { CHUNK_ROWS, createVector, type DataChunk, writeDatum } from '../../src/chunk/index.ts';
import { type ExecutionEnvironment, ExpressionCompiler } from '../../src/sql/execute/index.ts';
import { Run } from '../../src/sql/execute/run.ts';
import type { Expr } from '../../src/sql/expression.ts';
import { allFunctions, type FunctionContext } from '../../src/sql/functions/index.ts';
import { type Datum, OID, typeByOid } from '../../src/types/index.ts';

const TYPES = [OID.int4, OID.int8, OID.float8, OID.text];

const input = (column: number): Expr => ({
  kind: 'input',
  column,
  type: TYPES[column] ?? OID.int4,
  typmod: -1,
});
const constant = (value: Datum, type: number): Expr => ({ kind: 'const', value, type, typmod: -1 });

function call(name: string, type: number, ...args: Expr[]): Expr {
  const types = args.map((argument) => argument.type).join();
  const oid = allFunctions().find((f) => f.name === name && f.arguments.join() === types)!.oid;
  return { kind: 'call', function: oid, operator: 0, arguments: args, type, typmod: -1 };
}

function rowsOf(): DataChunk {
  const columns = TYPES.map((type) => createVector(typeByOid(type)));
  for (let row = 0; row < CHUNK_ROWS; row++) {
    const values: Datum[] = [row, row * 1_000_000, row / 3, `row number ${row}`];
    values.forEach((value, i) => {
      writeDatum(columns[i]!, row, typeByOid(TYPES[i]!), value);
    });
  }
  return { columns, count: CHUNK_ROWS, selection: null };
}

export function benchExpressions(): Bench {
  const run = new Run(0);
  run.begin({
    functions: {} as FunctionContext,
    parameters: [],
  } as unknown as ExecutionEnvironment);
  const compiler = new ExpressionCompiler(run, CHUNK_ROWS, () => {
    throw new Error('no subqueries here');
  });
  const rows = rowsOf();
  const out = new Int32Array(CHUNK_ROWS);
  const bench = new Bench({ name: 'expressions', time: 200, warmupTime: 100 });
  const value = (name: string, expr: Expr) => {
    const evaluator = compiler.compile(expr);
    bench.add(name, () => {
      evaluator.evaluate(rows);
    });
  };
  const filter = (name: string, expr: Expr, expected: number) => {
    const evaluator = compiler.compile(expr);
    if (evaluator.narrow(rows, out) !== expected) throw new Error(`${name}: wrong answer`);
    bench.add(name, () => {
      evaluator.narrow(rows, out);
    });
  };
  value('int4 + 1', call('int4pl', OID.int4, input(0), constant(1, OID.int4)));
  value('int4 * int4', call('int4mul', OID.int4, input(0), input(0)));
  value('int8 * 3', call('int8mul', OID.int8, input(1), constant(3, OID.int8)));
  value('float8 / 2', call('float8div', OID.float8, input(2), constant(2, OID.float8)));
  filter('where int4 < 100', call('int4lt', OID.bool, input(0), constant(100, OID.int4)), 100);
  filter('where int8 = int8', call('int8eq', OID.bool, input(1), input(1)), CHUNK_ROWS);
  const text = constant('row number 7', OID.text);
  filter('where text = constant', call('texteq', OID.bool, input(3), text), 1);
  const pattern = constant('row number 1%', OID.text);
  filter("where text like 'row number 1%'", call('textlike', OID.bool, input(3), pattern), 135);
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = benchExpressions();
  await bench.run();
  for (const task of bench.tasks) {
    if (task.result.state !== 'completed') continue;
    const ns = (task.result.latency.p50 * 1e6) / CHUNK_ROWS;
    console.log(`${task.name.padEnd(36)} ${ns.toFixed(2).padStart(8)} ns a row`);
  }
}
