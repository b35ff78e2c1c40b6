import { assert, assertNever } from '../../base/index.ts';
import { computedParts, type RelationDescriptor } from '../../catalog/descriptors.ts';
import { CHUNK_ROWS, type DataChunk } from '../../chunk/index.ts';
import { OID, type SqlType, typeByOid } from '../../types/index.ts';
import type { Expr, SequenceExpr, SortKey } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import type { LockedPartitions, PartitionInputs, Plan, PlanNode } from '../plan/plan.ts';
import { Aggregate } from './aggregate/aggregate.ts';
import { compileAggregate } from './aggregate/compile-aggregate.ts';
import { Append, type InputSource } from './append.ts';
import { ChangingCtes, readBySubplans } from './changing-ctes.ts';
import { CompletedRows } from './completed-rows.ts';
import { CteScan, CteStore } from './cte.ts';
import { Distinct } from './distinct.ts';
import type {
  ExecutionEnvironment,
  Instrumentation,
  NodeInstrumentation,
  PageCounts,
} from './environment.ts';
import { ExpressionCompiler } from './expression/compile.ts';
import { SubplanEvaluator } from './expression/subplan.ts';
import { FunctionScan } from './function-scan.ts';
import { HashJoin } from './hash-join.ts';
import { IndexedRow } from './indexed-row.ts';
import { InputPruning } from './input-pruning.ts';
import { Insert } from './insert.ts';
import { Instrumented, newCounters } from './instrumented.ts';
import { isPoint, KeyRanges } from './key-ranges.ts';
import { LiftedRowsScan } from './lifted-rows-scan.ts';
import { LockRows } from './lock-rows.ts';
import { Materialize } from './materialize.ts';
import { MergeAppend } from './merge-append.ts';
import { MergeJoin } from './merge-join.ts';
import { Modify } from './modify.ts';
import { ModifyCompiler } from './modify-compiler.ts';
import { NestedLoop } from './nested-loop.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status } from './operator.ts';
import { slotsOf, usesSlots } from './plan-slots.ts';
import { Project } from './project.ts';
import { ProjectSet } from './project-set.ts';
import { Recheck } from './recheck.ts';
import { RecursiveUnion, WorkTable, WorkTableScan } from './recursive-union.ts';
import { Returning } from './returning.ts';
import { RowByRow } from './row-by-row.ts';
import { Filter, Gate, Limit, Result, SystemViewScan, Values } from './row-sources.ts';
import { Run, type ScanBindings } from './run.ts';
import { SequenceDraws } from './sequence-draws.ts';
import { SetOperation } from './set-operation.ts';
import { Sort } from './sort.ts';
import { IndexScan, SeqScan } from './table-scan.ts';
import { compileWindow } from './window/compile-window.ts';

/** A plan made ready to run, many times, one run at a time. */
export class CompiledPlan {
  readonly plan: Plan;
  readonly #run: Run;
  readonly #root: Operator;
  readonly #shared: SharedParts;
  #isOpen = false;
  /** All rows are made and changed; what is to be done after that may go on. */
  #isComputed = false;
  /** Where rows wait until all are made; null: they are given as they come. */
  #completed: CompletedRows | null = null;

  constructor(plan: Plan, run: Run, root: Operator, shared: SharedParts) {
    this.plan = plan;
    this.#run = run;
    this.#root = root;
    this.#shared = shared;
  }

  /** Rows of the last `next` that gave CHUNK; good until the next call. */
  get chunk(): DataChunk {
    return this.#completed?.chunk ?? this.#root.chunk;
  }

  /** Rows that INSERT, UPDATE or DELETE has changed so far. */
  get affectedRows(): number {
    return this.#run.affectedRows;
  }

  open(environment: ExecutionEnvironment): void {
    assert(!this.#isOpen, 'the plan is open already');
    this.#isOpen = true;
    this.#isComputed = false;
    this.#run.begin(environment);
    this.#completed =
      environment.completesFirst === true
        ? new CompletedRows(this.#run, typesOf(this.plan.root))
        : null;
    this.#root.open();
  }

  /** Goes on; what CHUNK, DONE and PAUSE mean is said in operator.ts. */
  next(): Status {
    this.#run.resumes++;
    if (!this.#isComputed) {
      const status = this.#compute();
      if (status !== DONE) return status;
      this.#isComputed = true;
    }
    const status = this.#run.environment.checks?.run() ?? DONE;
    if (status !== DONE) return status;
    return this.#completed?.read() === true ? CHUNK : DONE;
  }

  #compute(): Status {
    const completed = this.#completed;
    if (completed === null) return this.#root.next();
    for (;;) {
      const status = this.#root.next();
      if (status !== CHUNK) return status;
      completed.add(this.#root.chunk);
      if (this.#run.shouldPause()) return PAUSE;
    }
  }

  /** Gives back all resources; also after an error, and twice does no harm. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#root.close();
    this.#completed?.close();
    this.#shared.close();
    this.#run.end();
  }
}

/** Compiles a plan. With `figures` every node counts into them, for EXPLAIN ANALYZE. */
export function compilePlan(plan: Plan, figures: PlanFigures | null = null): CompiledPlan {
  const run = new Run(plan.slots);
  const shared = new SharedParts();
  const compiler = new PlanCompiler(plan, run, shared, figures, null);
  return new CompiledPlan(plan, run, compiler.root(), shared);
}

/** What EXPLAIN ANALYZE counts, and where the thread's reads of pages are counted. */
export interface PlanFigures {
  readonly nodes: Instrumentation;
  readonly pages: PageCounts;
}

/** Parts of a compiled plan that do not hang below its root. */
class SharedParts {
  readonly ctes = new Map<number, CteStore>();
  readonly workTables = new Map<number, WorkTable>();
  readonly subplans: SubplanEvaluator[] = [];

  close(): void {
    for (const cte of this.ctes.values()) cte.close();
    for (const subplan of this.subplans) subplan.close();
    for (const workTable of this.workTables.values()) workTable.close();
  }
}

interface Compiled {
  readonly operator: Operator;
  /** Rows of its chunks at the most. */
  readonly capacity: number;
}

class PlanCompiler {
  readonly #plan: Plan;
  readonly #run: Run;
  readonly #shared: SharedParts;
  readonly #figures: PlanFigures | null;
  readonly #bindings: ScanBindings | null;
  readonly #expressions: ExpressionCompiler;

  constructor(
    plan: Plan,
    run: Run,
    shared: SharedParts,
    figures: PlanFigures | null,
    bindings: ScanBindings | null,
  ) {
    this.#plan = plan;
    this.#run = run;
    this.#shared = shared;
    this.#figures = figures;
    this.#bindings = bindings;
    this.#expressions = new ExpressionCompiler(run, CHUNK_ROWS, (expr, capacity) => {
      const node = plan.subplans[expr.plan]!;
      const operator = this.compile(node).operator;
      const expressions = this.#expressions.withCapacity(capacity);
      const types = typesOf(node);
      const isConstant = expr.slots.length === 0 && !usesSlots(node, plan);
      const subplan = new SubplanEvaluator(expr, run, operator, types, isConstant, expressions);
      shared.subplans.push(subplan);
      return subplan;
    });
  }

  /** The operator of the whole statement. */
  root(): Operator {
    const plan = this.#plan;
    const root = this.compile(plan.root).operator;
    if (plan.changes.length === 0) return root;
    const stores = (ctes: readonly number[]) => ctes.map((cte) => this.#cte(cte));
    return new ChangingCtes(root, stores(readBySubplans(plan)), stores(plan.changes));
  }

  compile(node: PlanNode): Compiled {
    const counters = this.#countersOf(node);
    const compiled = this.#build(node, counters);
    const { capacity } = compiled;
    let { operator } = compiled;
    if (counters !== null) operator = new Instrumented(operator, counters, this.#figures!.pages);
    if (this.#plan.rowByRow && capacity > 1) operator = new RowByRow(operator);
    return { operator, capacity };
  }

  #countersOf(node: PlanNode): NodeInstrumentation | null {
    if (this.#figures === null) return null;
    const { nodes } = this.#figures;
    let counters = nodes.get(node);
    if (counters === undefined) {
      counters = newCounters();
      nodes.set(node, counters);
    }
    return counters;
  }

  #table(index: number): RelationDescriptor {
    const table = this.#plan.tables[index];
    assert(table !== undefined, `the plan has no table ${index}`);
    return table;
  }

  #build(node: PlanNode, counters: NodeInstrumentation | null): Compiled {
    const run = this.#run;
    switch (node.kind) {
      case 'result': {
        const one = this.#expressions.withCapacity(1);
        const filter = node.filter === null ? null : one.compile(node.filter);
        return { operator: new Result(one.all(node.exprs), filter), capacity: 1 };
      }
      case 'values': {
        const one = this.#expressions.withCapacity(1);
        const rows = node.valueRows.map((row) => one.all(row));
        // A row that fails, or that is not asked for, leaves what comes after it in the sequence.
        const draws = node.valueRows.some((row) => row.some(containsDraw));
        const capacity = draws ? 1 : Math.min(rows.length, CHUNK_ROWS);
        return { operator: new Values(run, typesOf(node), rows, capacity), capacity };
      }
      case 'liftedRows': {
        const kinds = node.rowKinds.map((kind) => ({
          ...kind,
          values: this.#expressions.all(kind.values),
        }));
        const rows = new LiftedRowsScan(run, node.parameter, kinds, CHUNK_ROWS);
        return { operator: rows, capacity: CHUNK_ROWS };
      }
      case 'seqScan': {
        const filter = node.filter === null ? null : this.#expressions.compile(node.filter);
        const table = this.#table(node.table);
        const scan = new SeqScan(run, table, node, filter, this.#bindings);
        scan.counters = counters;
        return { operator: scan, capacity: CHUNK_ROWS };
      }
      case 'indexScan':
        return this.#indexScan(node, counters);
      case 'systemViewScan': {
        const filter = node.filter === null ? null : this.#expressions.compile(node.filter);
        const { view, viewOid, columns } = node;
        const scan = new SystemViewScan(run, view, viewOid, columns, typesOf(node), filter);
        scan.counters = counters;
        return { operator: scan, capacity: CHUNK_ROWS };
      }
      case 'functionScan': {
        const filter = node.filter === null ? null : this.#expressions.compile(node.filter);
        const scan = new FunctionScan(
          run,
          node,
          typesOf(node),
          filter,
          this.#expressions.withCapacity(1),
        );
        scan.counters = counters;
        return { operator: scan, capacity: CHUNK_ROWS };
      }
      case 'cteScan': {
        const filter = node.filter === null ? null : this.#expressions.compile(node.filter);
        const scan = new CteScan(run, this.#cte(node.cte), typesOf(node), filter);
        scan.counters = counters;
        return { operator: scan, capacity: CHUNK_ROWS };
      }
      case 'recursiveUnion': {
        const workTable = this.#workTable(node.workTable, typesOf(node));
        const initial = this.compile(node.initial).operator;
        const step = this.compile(node.step).operator;
        const operator = new RecursiveUnion(run, initial, step, typesOf(node), node.all, workTable);
        operator.counters = counters;
        return { operator, capacity: CHUNK_ROWS };
      }
      case 'workTableScan': {
        const filter = node.filter === null ? null : this.#expressions.compile(node.filter);
        const workTable = this.#workTable(node.workTable, typesOf(node));
        const scan = new WorkTableScan(run, workTable, typesOf(node), filter);
        scan.counters = counters;
        return { operator: scan, capacity: CHUNK_ROWS };
      }
      case 'filter': {
        const { operator, capacity } = this.compile(node.input);
        const predicate = this.#expressions.withCapacity(capacity).compile(node.predicate);
        const filter = new Filter(operator, predicate, capacity);
        filter.counters = counters;
        return { operator: filter, capacity };
      }
      case 'gate': {
        const { operator, capacity } = this.compile(node.input);
        const condition = this.#expressions.withCapacity(1).compile(node.condition);
        return { operator: new Gate(operator, condition), capacity };
      }
      case 'project': {
        const { operator, capacity } = this.compile(node.input);
        const exprs = this.#expressions.withCapacity(capacity).all(node.exprs);
        return { operator: new Project(operator, exprs), capacity };
      }
      case 'projectSet': {
        const { operator, capacity } = this.compile(node.input);
        const expressions = this.#expressions.withCapacity(capacity);
        const set = new ProjectSet(run, operator, node.exprs, expressions);
        return { operator: set, capacity: CHUNK_ROWS };
      }
      case 'nestedLoop':
      case 'hashJoin':
      case 'mergeJoin':
        return this.#join(node, counters);
      case 'aggregate': {
        const { operator, capacity } = this.compile(node.input);
        const expressions = this.#expressions.withCapacity(capacity);
        const aggregate = new Aggregate(
          run,
          operator,
          typesOf(node.input),
          capacity,
          node.strategy,
          expressions.all(node.groupBy),
          node.aggregates.map((call) => compileAggregate(call, expressions)),
          typesOf(node),
          node.groupingSets,
        );
        aggregate.counters = counters;
        return { operator: aggregate, capacity: CHUNK_ROWS };
      }
      case 'windowAgg': {
        const { operator } = this.compile(node.input);
        const window = compileWindow(node, operator, typesOf(node.input), this.#expressions);
        return { operator: window, capacity: CHUNK_ROWS };
      }
      case 'sort': {
        const { operator, capacity } = this.compile(node.input);
        const expressions = this.#expressions.withCapacity(capacity);
        const limit = node.limit === null ? null : expressions.constant(node.limit);
        const keys = this.#sortKeys(node.keys, expressions);
        const sort = new Sort(run, operator, typesOf(node), keys, limit);
        sort.counters = counters;
        return { operator: sort, capacity: CHUNK_ROWS };
      }
      case 'distinct': {
        const { operator, capacity } = this.compile(node.input);
        const expressions = this.#expressions.withCapacity(capacity);
        const keys = expressions.all(node.keys);
        const types = typesOf(node);
        const distinct = new Distinct(run, operator, types, node.strategy, keys, capacity);
        distinct.counters = counters;
        return { operator: distinct, capacity: CHUNK_ROWS };
      }
      case 'limit': {
        const { operator, capacity } = this.compile(node.input);
        const expressions = this.#expressions.withCapacity(capacity);
        const limit = node.limit === null ? null : expressions.constant(node.limit);
        const offset = node.offset === null ? null : expressions.constant(node.offset);
        const ties = node.ties === null ? null : expressions.all(node.ties);
        return { operator: new Limit(operator, limit, offset, ties, capacity), capacity };
      }
      case 'append': {
        const { inputs, capacity } = this.#inputs(node.inputs, node.partitions);
        const append = new Append(inputs, this.#pruning(node.partitions));
        append.counters = counters;
        return { operator: append, capacity };
      }
      case 'mergeAppend': {
        const { inputs, capacity } = this.#inputs(node.inputs, node.partitions);
        const keys = () => this.#mergeKeys(node.keys, capacity);
        const merge = new MergeAppend(inputs, typesOf(node), keys, this.#pruning(node.partitions));
        merge.counters = counters;
        return { operator: merge, capacity: CHUNK_ROWS };
      }
      case 'setOperation': {
        const left = this.compile(node.left).operator;
        const right = this.compile(node.right).operator;
        const types = typesOf(node);
        const operator = new SetOperation(run, left, right, types, node.operation, node.all);
        operator.counters = counters;
        return { operator, capacity: CHUNK_ROWS };
      }
      case 'materialize': {
        const { operator } = this.compile(node.input);
        const keep = !usesSlots(node.input, this.#plan);
        const materialize = new Materialize(run, operator, typesOf(node), keep);
        materialize.counters = counters;
        return { operator: materialize, capacity: CHUNK_ROWS };
      }
      case 'lockRows': {
        const { operator } = this.compile(node.input);
        const locks = node.locks.map((lock) => ({
          ...lock,
          table: this.#table(lock.table),
          partitions: this.#lockedPartitions(lock.partitions),
        }));
        const recheck = this.#recheck(node.input);
        const lockRows = new LockRows(run, operator, typesOf(node.input), locks, recheck);
        return { operator: lockRows, capacity: 1 };
      }
      case 'insert':
        return this.#insert(node);
      case 'update':
      case 'delete':
        return this.#modify(node);
      default:
        return assertNever(node);
    }
  }

  #indexScan(
    node: Extract<PlanNode, { kind: 'indexScan' }>,
    counters: NodeInstrumentation | null,
  ): Compiled {
    const table = this.#table(node.table);
    const index = table.indexes.find((one) => one.oid === node.index);
    assert(index !== undefined, `table ${table.name} has no index ${node.index}`);
    const ranges = new KeyRanges(index, node.ranges, this.#run, this.#expressions.withCapacity(1));
    const capacity = ranges.isPoint ? 1 : CHUNK_ROWS;
    const expressions = this.#expressions.withCapacity(capacity);
    const filter = node.filter === null ? null : expressions.compile(node.filter);
    const isBound = this.#bindings !== null && computedParts(index).length > 0;
    const computed = isBound ? new IndexedRow(table, index, expressions.withCapacity(1)) : null;
    const scan = new IndexScan(
      this.#run,
      table,
      index,
      node,
      ranges,
      filter,
      computed,
      this.#bindings,
    );
    scan.counters = counters;
    return { operator: scan, capacity };
  }

  #join(
    node: Extract<PlanNode, { kind: 'nestedLoop' | 'hashJoin' | 'mergeJoin' }>,
    counters: NodeInstrumentation | null,
  ): Compiled {
    const run = this.#run;
    const left = this.compile(node.left);
    const right = this.compile(node.right);
    const leftTypes = typesOf(node.left);
    const rightTypes = typesOf(node.right);
    const on = node.on === null ? null : this.#expressions.compile(node.on);
    const leftExpressions = this.#expressions.withCapacity(left.capacity);
    const base = {
      run,
      join: node.join,
      left: left.operator,
      right: right.operator,
      leftTypes,
      rightTypes,
      on,
    };
    if (node.kind === 'nestedLoop') {
      const values = leftExpressions.all(node.values);
      const operator = new NestedLoop(base, node.slots, values);
      operator.counters = counters;
      return { operator, capacity: CHUNK_ROWS };
    }
    if (node.kind === 'mergeJoin') {
      const leftKeys = leftExpressions.all(node.leftKeys);
      const rightKeys = this.#expressions.withCapacity(right.capacity).all(node.rightKeys);
      const operator = new MergeJoin(base, leftKeys, rightKeys);
      operator.counters = counters;
      return { operator, capacity: CHUNK_ROWS };
    }
    const full = this.#expressions;
    const operator = new HashJoin(base, {
      leftKeys: full.all(node.leftKeys),
      rightKeys: full.all(node.rightKeys),
      keep: !usesSlots(node.right, this.#plan),
    });
    operator.counters = counters;
    return { operator, capacity: CHUNK_ROWS };
  }

  #sortKeys(keys: readonly SortKey[], expressions: ExpressionCompiler) {
    return keys.map((key) => {
      const value = expressions.compile(key.expr);
      const { descending, nullsFirst } = key;
      return { value, order: { type: value.type, descending, nullsFirst } };
    });
  }

  #cte(index: number): CteStore {
    let store = this.#shared.ctes.get(index);
    if (store === undefined) {
      const node = this.#plan.ctes[index];
      assert(node !== undefined, `the plan has no common table ${index}`);
      const slots = slotsOf(node, this.#plan);
      store = new CteStore(this.#run, this.compile(node).operator, typesOf(node), slots);
      this.#shared.ctes.set(index, store);
    }
    return store;
  }

  #workTable(index: number, types: readonly SqlType[]): WorkTable {
    let table = this.#shared.workTables.get(index);
    if (table === undefined) {
      table = new WorkTable(this.#run, types);
      this.#shared.workTables.set(index, table);
    }
    return table;
  }

  #recheck(input: PlanNode): Recheck {
    return new Recheck(typesOf(input), (bindings) => {
      const compiler = new PlanCompiler(this.#plan, this.#run, this.#shared, null, bindings);
      return compiler.compile(input).operator;
    });
  }

  /** Inputs that may be left out are compiled when they are first read. */
  #inputs(
    nodes: readonly PlanNode[],
    partitions: PartitionInputs | undefined,
  ): { readonly inputs: InputSource[]; readonly capacity: number } {
    if ((partitions?.pruning ?? null) === null) {
      const compiled = nodes.map((node) => this.compile(node));
      const capacity = Math.max(1, ...compiled.map((input) => input.capacity));
      return {
        inputs: compiled.map(
          ({ operator }) =>
            () =>
              operator,
        ),
        capacity,
      };
    }
    const inputs = nodes.map((node): InputSource => {
      let operator: Operator | null = null;
      return () => {
        operator ??= this.compile(node).operator;
        return operator;
      };
    });
    return { inputs, capacity: Math.max(1, ...nodes.map((node) => this.#capacity(node))) };
  }

  /** The capacity that a partition's scan will have once it is compiled. */
  #capacity(node: PlanNode): number {
    if (node.kind === 'project') return this.#capacity(node.input);
    if (node.kind !== 'indexScan') return CHUNK_ROWS;
    const index = this.#table(node.table).indexes.find((one) => one.oid === node.index);
    return index !== undefined && isPoint(index, node.ranges) ? 1 : CHUNK_ROWS;
  }

  #pruning(partitions: PartitionInputs | undefined): InputPruning | null {
    const pruning = partitions?.pruning ?? null;
    return pruning && new InputPruning(pruning, this.#run, this.#expressions.withCapacity(1));
  }

  #mergeKeys(keys: readonly SortKey[], capacity: number) {
    const expressions = this.#expressions.withCapacity(capacity);
    return keys.map(({ expr, descending, nullsFirst }) => ({
      value: expressions.compile(expr),
      descending,
      nullsFirst,
    }));
  }

  #lockedPartitions(partitions: LockedPartitions | undefined) {
    if (partitions === undefined) return null;
    const tables = partitions.relations.map(({ table, scanId }) => ({
      table: this.#table(table),
      scanId,
    }));
    const byOid = new Map(tables.map((locked) => [locked.table.oid, locked] as const));
    return { tableOid: partitions.tableOid, byOid };
  }

  #returning(
    node: Extract<PlanNode, { kind: 'insert' | 'update' | 'delete' }>,
    inputTypes: readonly SqlType[],
    capacity: number,
  ): Returning | null {
    if (node.returning === null) return null;
    const types = this.#table(node.table).columns.map((column) => typeByOid(column.type));
    if (node.partitions !== undefined) types.push(typeByOid(OID.oid));
    const exprs = this.#expressions.withCapacity(capacity).all(node.returning);
    return new Returning([...types, ...inputTypes], exprs, capacity);
  }

  #insert(node: Extract<PlanNode, { kind: 'insert' }>): Compiled {
    const { operator, capacity } = this.compile(node.input);
    const expressions = this.#expressions.withCapacity(capacity);
    const values = expressions.all(node.values);
    const modify = this.#modifyCompiler(capacity);
    const generated = modify.generatedOf(node);
    const place = modify.insertPlace(node);
    const returning = this.#returning(node, [], capacity);
    const drawsInput = drawsOncePerRow(node.input);
    const draws =
      drawsInput || node.values.some(containsDraw)
        ? new SequenceDraws(this.#run, drawsInput)
        : null;
    const insert = new Insert(this.#run, operator, values, generated, place, returning, draws);
    return { operator: insert, capacity };
  }

  #modify(node: Extract<PlanNode, { kind: 'update' | 'delete' }>): Compiled {
    const { operator, capacity } = this.compile(node.input);
    const tables = this.#modifyCompiler(capacity).changedTables(node);
    const recheck = this.#recheck(node.input);
    const returning = this.#returning(node, typesOf(node.input), capacity);
    const modify = new Modify(this.#run, tables, operator, node.locator, recheck, returning);
    return { operator: modify, capacity };
  }

  #modifyCompiler(capacity: number): ModifyCompiler {
    return new ModifyCompiler(this.#plan, this.#run, this.#expressions.withCapacity(capacity));
  }
}

function typesOf(node: PlanNode): SqlType[] {
  return node.output.map((column) => typeByOid(column.type));
}

function isDraw(expr: Expr): boolean {
  return expr.kind === 'sequence' && expr.operation === 'nextval';
}

function containsDraw(expr: Expr): boolean {
  return someExpr(expr, isDraw);
}

/** Whether a node computes its rows as they are asked for, and what sequences give with them, but nothing below it does. */
function drawsOncePerRow(node: PlanNode): boolean {
  return node.kind === 'project' && node.exprs.some(containsDraw) && !hasDraws(node.input);
}

/** Plans are plain data, whatever shape their nodes have. */
function hasDraws(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  const expr = part as Partial<SequenceExpr>;
  if (expr.kind === 'sequence' && expr.operation === 'nextval') return true;
  return Object.values(part).some(hasDraws);
}
