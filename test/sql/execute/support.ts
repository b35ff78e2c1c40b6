import {
  clusterKeyOf,
  encodeClusterKey,
  encodeClusterKeyFromDatums,
  encodeIndexColumnsFromDatums,
  encodeRowId,
  encodeTuple,
  encodeTupleFromDatums,
  indexKeyOf,
  isUniqueEntry,
  layoutOf,
  readTupleDatums,
} from '../../../src/access/index.ts';
import { ByteWriter, compareByteRanges, compareBytes } from '../../../src/base/index.ts';
import type {
  ColumnDescriptor,
  IndexDescriptor,
  RelationDescriptor,
} from '../../../src/catalog/descriptors.ts';
import { type ColumnVector, readDatum } from '../../../src/chunk/index.ts';
import { pgError } from '../../../src/errors/index.ts';
import {
  type ByteRange,
  CHUNK,
  type CompiledPlan,
  compilePlan,
  type ExecutionEnvironment,
  type Instrumentation,
  type RowOperations,
  type SpillFile,
} from '../../../src/sql/execute/index.ts';
import type { Expr } from '../../../src/sql/expression.ts';
import { allFunctions, type FunctionContext } from '../../../src/sql/functions/index.ts';
import type { NodeColumn, Plan, PlanNode } from '../../../src/sql/plan/plan.ts';
import type { Cursor, LeafRun, PageCursor, SeekMode, TreeId } from '../../../src/storage/index.ts';
import { type Datum, DEFAULT_TYPE_CONTEXT, OID, typeByOid } from '../../../src/types/index.ts';

/** A tree in memory: sorted entries. */
export class MemoryTree {
  entries: { key: Uint8Array; value: Uint8Array }[] = [];

  find(key: Uint8Array): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.entries[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(key: Uint8Array): boolean {
    const at = this.find(key);
    return at < this.entries.length && compareBytes(this.entries[at]!.key, key) === 0;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.has(key) ? this.entries[this.find(key)]!.value : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const at = this.find(key);
    this.entries.splice(at, this.has(key) ? 1 : 0, { key, value });
  }

  delete(key: Uint8Array): void {
    if (this.has(key)) this.entries.splice(this.find(key), 1);
  }
}

/** A cursor over a snapshot of a memory tree, entry by entry. */
export class MemoryCursor implements Cursor {
  entries: MemoryTree['entries'];
  at = -1;
  rowLsn = 1;
  constructor(tree: MemoryTree) {
    this.entries = [...tree.entries];
  }
  get keyBytes() {
    return this.entries[this.at]!.key;
  }
  get keyStart() {
    return 0;
  }
  get keyEnd() {
    return this.entries[this.at]!.key.length;
  }
  get valueBytes() {
    return this.entries[this.at]!.value;
  }
  get valueStart() {
    return 0;
  }
  get valueEnd() {
    return this.entries[this.at]!.value.length;
  }
  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    const compare = (i: number) => {
      const k = this.entries[i]!.key;
      return compareByteRanges(k, 0, k.length, key, 0, keyEnd);
    };
    let low = 0;
    let high = this.entries.length;
    const orEqual = mode === 'gt' || mode === 'le';
    while (low < high) {
      const middle = (low + high) >> 1;
      const c = compare(middle);
      if (c < 0 || (orEqual && c === 0)) low = middle + 1;
      else high = middle;
    }
    this.at = mode === 'ge' || mode === 'gt' ? low : low - 1;
    return this.at >= 0 && this.at < this.entries.length;
  }
  first() {
    this.at = 0;
    return this.entries.length > 0;
  }
  last() {
    this.at = this.entries.length - 1;
    return this.at >= 0;
  }
  next() {
    this.at++;
    return this.at < this.entries.length;
  }
  prev() {
    this.at--;
    return this.at >= 0;
  }
  refresh() {}
  reset() {
    this.at = -1;
  }
}

/** The same in leaves of `leafRows` entries that lie in one byte array. */
export class MemoryPageCursor extends MemoryCursor implements PageCursor {
  leafRows = 60;
  leafRun(max: number): LeafRun | null {
    if (this.at < 0 || this.at >= this.entries.length) return null;
    const leafEnd = (Math.floor(this.at / this.leafRows) + 1) * this.leafRows;
    const rows = this.entries.slice(this.at, Math.min(leafEnd, this.at + max, this.entries.length));
    const out = new ByteWriter(1024);
    const starts = rows.map((row) => {
      const keyStart = out.position;
      out.raw(row.key);
      const valueStart = out.position;
      out.raw(row.value);
      return [keyStart, valueStart, out.position] as const;
    });
    this.at += rows.length - 1;
    return {
      bytes: out.bytes,
      view: out.view,
      count: rows.length,
      keyStart: Int32Array.from(starts, (s) => s[0]),
      keyEnd: Int32Array.from(starts, (s) => s[1]),
      valueStart: Int32Array.from(starts, (s) => s[1]),
      valueEnd: Int32Array.from(starts, (s) => s[2]),
      inPlace: true,
      bytesOf: () => out.bytes,
    } as unknown as LeafRun;
  }
}

const context: FunctionContext = {
  ...DEFAULT_TYPE_CONTEXT,
  statementTimestamp: 0,
  clockTimestamp: () => 0,
  random: () => 0.5,
  setRandomSeed() {},
  session: {
    user: 'u',
    sessionUser: 'u',
    database: 'd',
    processId: 1,
    searchPath: ['public'],
    serverStartTimestamp: 0,
    setting: () => null,
  },
  notice() {},
};

/** A database in memory that implements what the executor asks for. */
export class MemoryDatabase {
  readonly trees = new Map<number, MemoryTree>();
  nextRowId = 1;
  lastKey: Uint8Array = new Uint8Array(0);
  /** Every so many calls of shouldPause answer true. */
  pauseEvery = 0;
  #polls = 0;
  workMem = 4 << 20;
  paged = true;
  openSpillFiles = 0;
  spilledBytes = 0;
  openCursors = 0;
  /** Called by lockRow before it looks at the row. */
  onLock: ((key: Uint8Array) => 'wait' | 'changed' | 'deleted' | undefined) | null = null;

  tree(id: number): MemoryTree {
    let tree = this.trees.get(id);
    if (tree === undefined) {
      tree = new MemoryTree();
      this.trees.set(id, tree);
    }
    return tree;
  }

  load(table: RelationDescriptor, rows: readonly (readonly Datum[])[]): void {
    for (const row of rows) this.store(table, row);
  }

  store(table: RelationDescriptor, row: readonly Datum[], rowId = this.nextRowId++): void {
    const key = new ByteWriter();
    const cluster = clusterKeyOf(table);
    if (cluster.columns === null) encodeRowId(rowId, key);
    else encodeClusterKeyFromDatums(cluster, row, key);
    const value = new ByteWriter();
    encodeTupleFromDatums(layoutOf(table), row, value);
    this.lastKey = key.copy();
    this.tree(table.tree).put(key.copy(), value.copy());
    for (const index of table.indexes) {
      if (!index.clustered)
        this.tree(index.tree).put(this.#entry(table, index, row, key.copy()), key.copy());
    }
  }

  #entry(
    table: RelationDescriptor,
    index: IndexDescriptor,
    row: readonly Datum[],
    key: Uint8Array,
  ): Uint8Array {
    const out = new ByteWriter();
    const indexKey = indexKeyOf(table, index);
    const hasNull = encodeIndexColumnsFromDatums(indexKey, row, out);
    if (!isUniqueEntry(indexKey, hasNull)) out.raw(key);
    return out.copy();
  }

  remove(table: RelationDescriptor, key: Uint8Array): void {
    const tuple = this.tree(table.tree).get(key)!;
    const row = readTupleDatums(layoutOf(table), tuple, 0);
    for (const index of table.indexes) {
      if (!index.clustered) this.tree(index.tree).delete(this.#entry(table, index, row, key));
    }
    this.tree(table.tree).delete(key);
  }

  rowsOf(table: RelationDescriptor): Datum[][] {
    return this.tree(table.tree).entries.map((entry) =>
      readTupleDatums(layoutOf(table), entry.value, 0),
    );
  }

  environment(parameters: readonly Datum[] = []): ExecutionEnvironment {
    return {
      functions: context,
      parameters,
      workMem: this.workMem,
      openCursor: (tree: TreeId) => {
        this.openCursors++;
        return this.paged
          ? new MemoryPageCursor(this.tree(tree))
          : new MemoryCursor(this.tree(tree));
      },
      closeCursor: () => {
        this.openCursors--;
      },
      createSpillFile: () => this.#spillFile(),
      shouldPause: () => this.pauseEvery > 0 && ++this.#polls % this.pauseEvery === 0,
      checkInterrupts: () => {},
      systemViews: null,
      sequences: null,
      rows: this.#operations(),
    };
  }

  #spillFile(): SpillFile {
    this.openSpillFiles++;
    const out = new ByteWriter(1024);
    return {
      write: (bytes, start, end) => {
        const position = out.position;
        out.raw(bytes.subarray(start, end));
        this.spilledBytes += end - start;
        return position;
      },
      read: (position, length, target, at) => {
        target.set(out.bytes.subarray(position, position + length), at);
      },
      close: () => {
        this.openSpillFiles--;
      },
    };
  }

  #operations(): RowOperations {
    const none: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
    const database = this;
    const rowOf = (
      table: RelationDescriptor,
      columns: readonly ColumnVector[],
      row: number,
    ): Datum[] =>
      table.columns.map((column, i) => readDatum(columns[i]!, row, typeByOid(column.type)));
    /** Rows that this run has changed. */
    const own = new Set<string>();
    const operations = {
      changedKey: none,
      changedTuple: none,
      conflictKey: none,
      lockRow(table: RelationDescriptor, bytes: Uint8Array, start: number, end: number) {
        const key = bytes.slice(start, end);
        const answer = database.onLock?.(key);
        if (answer === 'wait' || answer === 'deleted') return answer;
        if (own.has(String(key))) return 'own' as const;
        const value = database.tree(table.tree).get(key);
        if (value === undefined) return 'deleted' as const;
        operations.changedKey = { bytes: key, start: 0, end: key.length };
        operations.changedTuple = { bytes: value, start: 0, end: value.length };
        return answer ?? ('locked' as const);
      },
      lockConflicting(table: RelationDescriptor, bytes: Uint8Array, start: number, end: number) {
        return operations.lockRow(table, bytes, start, end);
      },
      expectInserts() {},
      expectChanges: () => 'unfit' as const,
      claimRow: () => false,
      claimLock: () => false,
      insert(
        table: RelationDescriptor,
        columns: readonly ColumnVector[],
        row: number,
        arbiters: readonly number[] | null,
      ) {
        const cluster = clusterKeyOf(table);
        if (cluster.columns !== null) {
          const out = new ByteWriter();
          encodeClusterKey(cluster, columns, row, out);
          const key = out.copy();
          if (database.tree(table.tree).has(key)) {
            if (arbiters === null)
              throw pgError('unique_violation', 'duplicate key value violates unique constraint');
            operations.conflictKey = { bytes: key, start: 0, end: key.length };
            return 'conflict' as const;
          }
        }
        const tuple = new ByteWriter();
        encodeTuple(layoutOf(table), columns, row, tuple);
        database.store(table, rowOf(table, columns, row));
        own.add(String(database.lastKey));
        return 'done' as const;
      },
      update(
        table: RelationDescriptor,
        bytes: Uint8Array,
        start: number,
        end: number,
        _old: readonly ColumnVector[],
        columns: readonly ColumnVector[],
        row: number,
      ) {
        const key = bytes.slice(start, end);
        database.remove(table, key);
        const rowId = Number(
          new DataView(key.buffer).byteLength >= 8 ? new DataView(key.buffer).getBigUint64(0) : 0n,
        );
        database.store(table, rowOf(table, columns, row), rowId);
        own.add(String(key)).add(String(database.lastKey));
        return 'done' as const;
      },
      moveOut(
        table: RelationDescriptor,
        _whole: RelationDescriptor,
        bytes: Uint8Array,
        start: number,
        end: number,
      ) {
        return this.delete(table, bytes, start, end);
      },
      delete(table: RelationDescriptor, bytes: Uint8Array, start: number, end: number) {
        database.remove(table, bytes.slice(start, end));
        own.add(String(bytes.slice(start, end)));
        return 'done' as const;
      },
    };
    return operations;
  }

  /** Runs a compiled plan to its end and returns its rows. */
  drain(compiled: CompiledPlan, plan: Plan, parameters: readonly Datum[] = []): Datum[][] {
    const rows: Datum[][] = [];
    compiled.open(this.environment(parameters));
    try {
      let idle = 0;
      for (;;) {
        const status = compiled.next();
        if (status === 0) break;
        if (status !== CHUNK) {
          if (++idle > 100_000) throw new Error('the plan pauses for ever');
          continue;
        }
        const { columns, selection, count } = compiled.chunk;
        for (let i = 0; i < count; i++) {
          const row = selection === null ? i : selection[i]!;
          rows.push(
            plan.output.map((column, c) => readDatum(columns[c]!, row, typeByOid(column.type))),
          );
        }
      }
    } finally {
      compiled.close();
    }
    return rows;
  }

  run(
    plan: Plan,
    parameters: readonly Datum[] = [],
    instrumentation: Instrumentation | null = null,
  ): Datum[][] {
    const pages = { requestCount: 0, loadCount: 0 };
    const figures = instrumentation === null ? null : { nodes: instrumentation, pages };
    return this.drain(compilePlan(plan, figures), plan, parameters);
  }
}

export interface ColumnSpec {
  name: string;
  type: number;
  notNull?: boolean;
  missing?: Datum;
}

export function makeTable(
  oid: number,
  name: string,
  columns: readonly ColumnSpec[],
  clusterKey: readonly number[] | null,
  indexes: readonly IndexDescriptor[] = [],
): RelationDescriptor {
  return {
    oid,
    name,
    schema: 2200,
    kind: 'table',
    persistence: 'p',
    owner: 10,
    version: 1,
    columns: columns.map(
      (column): ColumnDescriptor => ({
        name: column.name,
        type: column.type,
        typmod: -1,
        notNull: column.notNull ?? false,
        dropped: false,
        default: null,
        identity: '',
        sequence: 0,
        missing: column.missing ?? null,
      }),
    ),
    tree: oid as TreeId,
    clusterKey,
    indexes:
      clusterKey === null
        ? indexes
        : [makeIndex(oid + 1, clusterKey, columns, { clustered: true, unique: true }), ...indexes],
    constraints: [],
    sequence: null,
    definition: null,
    options: [],
    rowType: 0,
    statistics: null,
    partitioning: null,
    partitionOf: null,
  };
}

export function makeIndex(
  oid: number,
  positions: readonly number[],
  columns: readonly ColumnSpec[],
  options: {
    clustered?: boolean;
    unique?: boolean;
    descending?: boolean;
    nullsFirst?: boolean;
  } = {},
): IndexDescriptor {
  return {
    oid,
    name: `index${oid}`,
    tree: oid as TreeId,
    unique: options.unique ?? false,
    primary: options.clustered ?? false,
    clustered: options.clustered ?? false,
    nullsNotDistinct: false,
    columns: positions.map((column) => ({
      column,
      expression: null,
      type: columns[column]!.type,
      descending: options.descending ?? false,
      nullsFirst: options.nullsFirst ?? options.descending ?? false,
      operatorClass: 0,
    })),
    included: [],
    predicate: null,
    constraint: 0,
  };
}

/** Expressions and nodes, briefly. */
export const input = (column: number, type: number = OID.int4): Expr => ({
  kind: 'input',
  column,
  type,
  typmod: -1,
});
export const constant = (value: Datum, type: number = OID.int4): Expr => ({
  kind: 'const',
  value,
  type,
  typmod: -1,
});
export const parameter = (index: number, type: number = OID.int4): Expr => ({
  kind: 'param',
  index,
  type,
  typmod: -1,
});
export const outer = (slot: number, type: number = OID.int4): Expr => ({
  kind: 'outer',
  slot,
  type,
  typmod: -1,
});

export function functionOid(name: string, ...args: number[]): number {
  const found = allFunctions().find((f) => f.name === name && f.arguments.join() === args.join());
  if (found === undefined) throw new Error(`no function ${name}(${args.join()})`);
  return found.oid;
}

export function call(name: string, type: number, ...args: Expr[]): Expr {
  return {
    kind: 'call',
    function: functionOid(name, ...args.map((a) => a.type)),
    operator: 0,
    arguments: args,
    type,
    typmod: -1,
  };
}

export type Output = readonly number[];
const column = (type: number): NodeColumn => ({ type, typmod: -1, name: '?column?' });

type Shape<Node> = Node extends unknown
  ? Omit<Node, 'output' | 'rows' | 'startupCost' | 'totalCost' | 'width'>
  : never;

export function node(output: Output, shape: Shape<PlanNode>): PlanNode {
  return {
    ...shape,
    output: output.map(column),
    rows: 1,
    startupCost: 0,
    totalCost: 0,
    width: 0,
  } as PlanNode;
}

export function planOf(
  root: PlanNode,
  tables: readonly RelationDescriptor[] = [],
  extra: Partial<Plan> = {},
): Plan {
  return {
    root,
    subplans: [],
    ctes: [],
    changes: [],
    tables,
    slots: 8,
    output: root.output.map((c) => ({
      name: c.name,
      type: c.type,
      typmod: -1,
      sourceTable: 0,
      sourceColumn: 0,
    })),
    parameterTypes: [],
    needsWriter: false,
    needsCatalog: false,
    rowByRow: false,
    catalogVersion: 1,
    ...extra,
  };
}

export function scan(
  table: RelationDescriptor,
  tableIndex = 0,
  options: {
    columns?: readonly number[];
    locator?: boolean;
    filter?: Expr | null;
    scanId?: number;
    backward?: boolean;
  } = {},
): PlanNode {
  const columns = options.columns ?? table.columns.map((_, i) => i);
  const types = columns.map((c) => table.columns[c]!.type);
  return node(options.locator ? [...types, OID.bytea] : types, {
    kind: 'seqScan',
    table: tableIndex,
    alias: table.name,
    columns,
    locator: options.locator ?? false,
    scanId: options.scanId ?? 0,
    filter: options.filter ?? null,
    backward: options.backward ?? false,
  });
}

export function values(types: Output, rows: readonly (readonly Datum[])[]): PlanNode {
  return node(types, {
    kind: 'values',
    valueRows: rows.map((row) => row.map((value, i) => constant(value, types[i]!))),
  });
}
