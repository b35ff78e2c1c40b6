/** The executor over rows like those of pgbench_accounts, on the real pages of one thread: a sequential
 * sum, a filter, a grouping, and what a prepared point read and a prepared one-row UPDATE cost.
 *
 * Run `npm run build`, then `node dist/bench/micro/scan.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import {
  clusterKeyOf,
  encodeClusterKeyFromDatums,
  encodeTupleFromDatums,
  layoutOf,
} from '../../src/access/index.ts';
import { ByteWriter } from '../../src/base/index.ts';
import type { ColumnDescriptor, RelationDescriptor } from '../../src/catalog/descriptors.ts';
import { readDatum } from '../../src/chunk/index.ts';
import { openMemoryDirectory } from '../../src/io/index.ts';
import { SharedMemory } from '../../src/shm/index.ts';
import {
  CHUNK,
  type CompiledPlan,
  compilePlan,
  DONE,
  type ExecutionEnvironment,
  type RowOperations,
} from '../../src/sql/execute/index.ts';
import type { AggregateExpr, Expr } from '../../src/sql/expression.ts';
import { allFunctions, type FunctionContext } from '../../src/sql/functions/index.ts';
import type { KeyRange, Plan, PlanNode } from '../../src/sql/plan/plan.ts';
import {
  BTreeWriter,
  BulkLoader,
  formatDataFile,
  PageReader,
  PageTreeCursor,
  PageWriter,
  type TreeId,
  TreeRoots,
} from '../../src/storage/index.ts';
import { type Datum, OID, typeByOid } from '../../src/types/index.ts';

const ROWS = 1_000_000;
const RANGE_ROWS = 500_000;
const UPDATES = 1000;
const TREE = 1 as TreeId;
const INDEX_OID = 20;

const NAMES = ['aid', 'bid', 'abalance', 'filler'];
const TYPES = [OID.int4, OID.int4, OID.int4, OID.bpchar];

const ACCOUNTS: RelationDescriptor = {
  oid: 10,
  name: 'accounts',
  schema: 2200,
  kind: 'table',
  persistence: 'p',
  owner: 10,
  version: 1,
  columns: NAMES.map((name, i): ColumnDescriptor => {
    const type = TYPES[i] ?? OID.int4;
    const isKey = i === 0;
    return {
      ...{ name, type, typmod: -1, notNull: isKey, dropped: false, default: null },
      ...{ identity: '', sequence: 0, missing: null },
    };
  }),
  tree: TREE,
  clusterKey: [0],
  indexes: [
    {
      ...{ oid: INDEX_OID, name: 'accounts_pkey', tree: TREE, unique: true, primary: true },
      ...{ clustered: true, nullsNotDistinct: false, included: [], predicate: null, constraint: 0 },
      columns: [
        {
          ...{ column: 0, expression: null, type: OID.int4, descending: false },
          ...{ nullsFirst: false, operatorClass: 0 },
        },
      ],
    },
  ],
  ...{ constraints: [], sequence: null, definition: null, options: [], rowType: 0 },
  statistics: null,
  ...{ partitioning: null, partitionOf: null },
};

const input = (column: number): Expr => ({ kind: 'input', column, type: OID.int4, typmod: -1 });
const parameter = (index: number): Expr => ({ kind: 'param', index, type: OID.int4, typmod: -1 });

function functionOid(name: string, ...args: number[]): number {
  return allFunctions().find((f) => f.name === name && f.arguments.join() === args.join())!.oid;
}

function call(name: string, type: number, ...args: Expr[]): Expr {
  const oid = functionOid(name, ...args.map((argument) => argument.type));
  return { kind: 'call', function: oid, operator: 0, arguments: args, type, typmod: -1 };
}

function aggregate(name: string, args: readonly Expr[]): AggregateExpr {
  const oid = functionOid(name, ...args.map((argument) => argument.type));
  return {
    ...{ kind: 'aggregate', function: oid, arguments: args, star: args.length === 0 },
    ...{ distinct: false, filter: null, orderBy: [], level: 0, withinGroup: false },
    ...{ type: OID.int8, typmod: -1 },
  };
}

type Shape<Node> = Node extends unknown
  ? Omit<Node, 'output' | 'rows' | 'startupCost' | 'totalCost' | 'width'>
  : never;

function node(types: readonly number[], shape: Shape<PlanNode>): PlanNode {
  const output = types.map((type) => ({ type, typmod: -1, name: '' }));
  return { ...shape, output, rows: 1, startupCost: 0, totalCost: 0, width: 0 } as PlanNode;
}

function planOf(root: PlanNode): Plan {
  return {
    ...{
      root,
      subplans: [],
      ctes: [],
      changes: [],
      tables: [ACCOUNTS],
      slots: 0,
      parameterTypes: [],
    },
    output: root.output.map((column) => ({ ...column, sourceTable: 0, sourceColumn: 0 })),
    ...{ needsWriter: false, needsCatalog: false, rowByRow: false, catalogVersion: 1 },
  };
}

function scan(columns: readonly number[], filter: Expr | null): PlanNode {
  const shape = { table: 0, alias: 'a', columns, locator: false, scanId: 0, filter };
  const types: number[] = columns.map((column) => TYPES[column]!);
  return node(types, { kind: 'seqScan', backward: false, ...shape });
}

function pointScan(columns: readonly number[], locator: boolean, key: Expr): PlanNode {
  return indexScan(columns, locator, { ...WHOLE, equal: [key] });
}

const WHOLE: KeyRange = { equal: [], anyOf: null, lower: null, upper: null, isNull: false };

function indexScan(columns: readonly number[], locator: boolean, range: KeyRange): PlanNode {
  const types: number[] = columns.map((column) => TYPES[column]!);
  if (locator) types.push(OID.bytea);
  const shape = { table: 0, alias: 'a', columns, locator, scanId: 0, filter: null };
  return node(types, {
    kind: 'indexScan',
    index: INDEX_OID,
    ranges: [range],
    backward: false,
    entry: null,
    ...shape,
  });
}

/** Loads the table into pages and gives a cursor over them. */
function load(): PageTreeCursor {
  const memory = SharedMemory.create({ frameCount: 32768, threadCount: 4 });
  const directory = openMemoryDirectory();
  const data = directory.open('data', 'create');
  formatDataFile(data, 1);
  const pager = new PageWriter(memory, { data, spill: directory.open('spill', 'create') });
  pager.open(1);
  const trees = new BTreeWriter(pager);
  pager.beginGroup(2);
  trees.createTree(TREE);
  const loader = new BulkLoader(trees, TREE);
  const key = new ByteWriter();
  const value = new ByteWriter();
  const cluster = clusterKeyOf(ACCOUNTS);
  for (let aid = 1; aid <= ROWS; aid++) {
    const row: Datum[] = [aid, 1 + (aid % 10), (aid % 2001) - 1000, ' '.repeat(84)];
    encodeClusterKeyFromDatums(cluster, row, key.reset());
    encodeTupleFromDatums(layoutOf(ACCOUNTS), row, value.reset());
    loader.add(key.bytes, 0, key.position, value.bytes, 0, value.position, 2);
  }
  loader.finish();
  pager.publish();
  const reader = new PageReader(memory, 0, null);
  reader.enter();
  const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
  cursor.reset(TREE, 2);
  return cursor;
}

/** Locks and changes cost nothing here: what is left is the executor's share. */
const NO_STORE: RowOperations = {
  lockRow: () => 'locked',
  lockConflicting: () => 'locked',
  changedKey: { bytes: new Uint8Array(0), start: 0, end: 0 },
  changedTuple: { bytes: new Uint8Array(0), start: 0, end: 0 },
  conflictKey: { bytes: new Uint8Array(0), start: 0, end: 0 },
  expectInserts: () => {},
  expectChanges: () => 'ready',
  claimRow: () => true,
  claimLock: () => true,
  insert: () => 'done',
  update: () => 'done',
  moveOut: () => 'done',
  delete: () => 'done',
};

function environmentOf(cursor: PageTreeCursor, parameters: Datum[]): ExecutionEnvironment {
  return {
    functions: {} as FunctionContext,
    parameters,
    workMem: 64 << 20,
    openCursor: () => cursor,
    closeCursor: () => {},
    createSpillFile: () => {
      throw new Error('nothing spills here');
    },
    shouldPause: () => false,
    checkInterrupts: () => {},
    systemViews: null,
    sequences: null,
    rows: NO_STORE,
  };
}

function firstRow(compiled: CompiledPlan, environment: ExecutionEnvironment): Datum[] {
  compiled.open(environment);
  let row: Datum[] = [];
  while (compiled.next() === CHUNK) {
    const { columns, selection } = compiled.chunk;
    const at = selection === null ? 0 : selection[0]!;
    row = columns.map((column, i) =>
      readDatum(column, at, typeByOid(compiled.plan.output[i]?.type ?? OID.int4)),
    );
  }
  compiled.close();
  return row;
}

export function benchScan(): Bench {
  const cursor = load();
  const parameters: Datum[] = [0, 0];
  const environment = environmentOf(cursor, parameters);
  const sumOf = (filter: Expr | null, column: number, columns: readonly number[]) =>
    compilePlan(
      planOf(
        node([OID.int8, OID.int8], {
          kind: 'aggregate',
          strategy: 'plain',
          input: scan(columns, filter),
          groupBy: [],
          aggregates: [aggregate('sum', [input(column)]), aggregate('count', [])],
          groupingSets: null,
        }),
      ),
    );
  const plain = sumOf(null, 0, [2]);
  const filtered = sumOf(call('int4lt', OID.bool, input(0), parameter(0)), 1, [0, 2]);
  const grouped = compilePlan(
    planOf(
      node([OID.int4, OID.int8], {
        kind: 'aggregate',
        strategy: 'hash',
        input: scan([1, 2], null),
        groupBy: [input(0)],
        aggregates: [aggregate('sum', [input(1)])],
        groupingSets: null,
      }),
    ),
  );
  const upper = { expr: parameter(0), inclusive: false };
  const range = compilePlan(planOf(indexScan([2], false, { ...WHOLE, upper })));
  const point = compilePlan(planOf(pointScan([2], false, parameter(0))));
  const update = compilePlan(
    planOf(
      node([], {
        kind: 'update',
        input: pointScan([0, 1, 2, 3], true, parameter(0)),
        table: 0,
        locator: 4,
        scanId: 0,
        oldColumns: [0, 1, 2, 3],
        assignments: [{ column: 2, expr: call('int4pl', OID.int4, input(2), parameter(1)) }],
        returning: null,
        checks: [],
      }),
    ),
  );
  let expected = 0;
  for (let aid = 1; aid <= ROWS; aid++) expected += (aid % 2001) - 1000;
  const [sum, count] = firstRow(plain, environment);
  if (sum !== expected || count !== ROWS) throw new Error(`wrong answer ${sum}, ${count}`);
  parameters[0] = 12345;
  if (firstRow(point, environment)[0] !== (12345 % 2001) - 1000) throw new Error('wrong answer');

  const bench = new Bench({ name: `executor, ${ROWS} rows`, time: 1000, warmupTime: 300 });
  const all = (compiled: CompiledPlan) => () => {
    parameters[0] = RANGE_ROWS;
    compiled.open(environment);
    while (compiled.next() !== DONE);
    compiled.close();
  };
  bench.add(`sum(abalance), count(*) (${ROWS} rows)`, all(plain));
  bench.add(`the same where aid < $1 (${ROWS} rows)`, all(filtered));
  bench.add(`sum by bid (${ROWS} rows)`, all(grouped));
  bench.add(`a range of keys (${RANGE_ROWS} rows)`, all(range));
  const repeated = (compiled: CompiledPlan) => () => {
    for (let i = 0; i < UPDATES; i++) {
      parameters[0] = 1 + ((i * 7919) % ROWS);
      parameters[1] = i;
      compiled.open(environment);
      while (compiled.next() !== DONE);
      compiled.close();
    }
  };
  bench.add(`prepared point read (${UPDATES} times)`, repeated(point));
  bench.add(`prepared one-row UPDATE (${UPDATES} times)`, repeated(update));
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = benchScan();
  await bench.run();
  for (const task of bench.tasks) {
    if (task.result.state !== 'completed') continue;
    const units = Number(/\((\d+)/.exec(task.name)?.[1] ?? 1);
    const ns = (task.result.latency.p50 * 1e6) / units;
    console.log(`${task.name.padEnd(48)} ${ns.toFixed(1).padStart(10)} ns each`);
  }
}
