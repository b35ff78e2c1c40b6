import type { Catalog } from '../../catalog/index.ts';
import { readDatum } from '../../chunk/index.ts';
import { notSupported, reportedErrorFields } from '../../errors/index.ts';
import type {
  PlanRun,
  RunHandle,
  RunListener,
  SessionControl,
  StatementSettings,
} from '../../session/index.ts';
import { MAIN_THREAD, type SharedMemory, Snapshots } from '../../shm/index.ts';
import { compilePlan, dataRowEncoder, type SpillFile } from '../../sql/execute/index.ts';
import type { Expr } from '../../sql/expression.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import {
  type Cursor,
  isPageMiss,
  PageReader,
  type TreeId,
  TreeRoots,
} from '../../storage/index.ts';
import { type Datum, typeByOid, withTypes } from '../../types/index.ts';
import { currentSetting } from '../current-setting.ts';
import { systemViewSource, type ThreadFacts } from '../system-views.ts';
import { CursorPool } from '../worker/cursor-pool.ts';
import { RunningStatement, SLICE, type StatementHost } from '../worker/running-statement.ts';
import { nowMicros, StatementContext } from '../worker/statement-context.ts';

const SLICE_MS = 5;

/** Where statements go that the main thread cannot finish: a page is not in memory. */
export interface Elsewhere {
  executeInWriter(run: PlanRun, listener: RunListener): RunHandle;
}

/** Runs on the main thread what needs the catalog: queries of pg_catalog and information_schema, in
 * slices between which the event loop goes round. */
export class MainRunner implements StatementHost {
  readonly reader: PageReader;
  readonly roots: TreeRoots;
  private readonly snapshots: Snapshots;
  private readonly elsewhere: Elsewhere;
  private readonly cursors: CursorPool;
  private sendTo: RunListener | null = null;

  constructor(memory: SharedMemory, elsewhere: Elsewhere) {
    this.reader = new PageReader(memory, MAIN_THREAD, null);
    this.roots = new TreeRoots(this.reader);
    this.cursors = new CursorPool(this.reader, this.roots);
    this.snapshots = new Snapshots(memory);
    this.elsewhere = elsewhere;
  }

  execute(run: PlanRun, listener: RunListener): RunHandle {
    const statement = this.makeStatement(run.settings, run.catalog, listener, run.control);
    const mine = new MainRun(this, statement, run, listener);
    mine.begin();
    return mine;
  }

  /** Values of expressions without columns. */
  evaluate(exprs: readonly Expr[], settings: StatementSettings, catalog: Catalog): Datum[] {
    const statement = this.makeStatement(settings, catalog, null, undefined);
    const now = nowMicros();
    statement.settings = settings;
    statement.context.use(settings, 0, now, now);
    const compiled = compilePlan(resultPlan(exprs, catalog.version));
    compiled.open(statement);
    try {
      compiled.next();
      const { columns, selection } = compiled.chunk;
      const row = selection === null ? 0 : selection[0]!;
      return columns.map((column, i) => readDatum(column, row, typeByOid(exprs[i]!.type)));
    } finally {
      compiled.close();
    }
  }

  openCursor(statement: RunningStatement, tree: TreeId): Cursor {
    return this.cursors.take(tree, statement.snapshot);
  }

  closeCursor(cursor: Cursor): void {
    this.cursors.give(cursor);
  }

  createSpillFile(): SpillFile {
    throw notSupported('spilling on the main thread');
  }

  rows(_request: number, count: number, bytes: Uint8Array, start: number, end: number): void {
    this.sendTo?.rows(bytes, start, end, count);
  }

  /** Runs one slice with the main thread's snapshot slot and epoch. */
  slice(statement: RunningStatement, listener: RunListener, first: boolean): number {
    this.sendTo = listener;
    this.reader.enter();
    try {
      if (first) statement.compiled!.open(statement);
      return statement.runSlice(SLICE_MS);
    } finally {
      this.reader.leave();
      this.sendTo = null;
    }
  }

  /** The statement needs a page that is not in memory: the writer runs it. */
  moveToWriter(run: PlanRun, listener: RunListener): RunHandle {
    return this.elsewhere.executeInWriter(run, listener);
  }

  acquireSnapshot(slot: number): number {
    return this.snapshots.acquire(slot);
  }

  private makeStatement(
    settings: StatementSettings,
    catalog: Catalog,
    listener: RunListener | null,
    control: SessionControl | undefined,
  ): RunningStatement {
    const context = new StatementContext(currentSetting, (fields) => listener?.notice(fields));
    const statement = new RunningStatement(this, context);
    statement.settings = settings;
    context.control = control;
    statement.systemViews = systemViewSource(catalog, context, sessionFacts(control));
    return statement;
  }
}

/** A statement of the main thread between its slices. */
class MainRun implements RunHandle {
  private readonly runner: MainRunner;
  private readonly statement: RunningStatement;
  private readonly run: PlanRun;
  private readonly listener: RunListener;
  /** Where it went on, when it had to go to the writer. */
  private moved: RunHandle | null = null;
  private over = false;

  constructor(
    runner: MainRunner,
    statement: RunningStatement,
    run: PlanRun,
    listener: RunListener,
  ) {
    this.runner = runner;
    this.statement = statement;
    this.run = run;
    this.listener = listener;
  }

  begin(): void {
    const { statement, run } = this;
    statement.plan = run.plan.plan;
    statement.parameters.length = 0;
    statement.parameters.push(...run.parameters);
    statement.deadlineMs = run.deadlineMs;
    statement.rowLimit = run.rowLimit;
    statement.context.use(
      run.settings,
      run.session,
      run.statementTimestamp,
      run.transactionTimestamp,
    );
    const types = statement.plan.output.map((column) => column.type);
    statement.begin(dataRowEncoder(types, run.formats), run.formats, 0, run.formats.length);
    if (run.copy !== null) statement.beginCopy(run.copy);
    statement.snapshot = run.snapshot?.lsn ?? this.runner.acquireSnapshot(MAIN_THREAD);
    statement.compiled = compilePlan(statement.plan);
    this.step(true);
  }

  private readonly next = (): void => withTypes(this.run.catalog, () => this.step(false));

  private step(first: boolean): void {
    if (this.over || this.moved !== null) return;
    const { statement, listener } = this;
    try {
      const slice = this.runner.slice(statement, listener, first);
      // The client is not waited for: results of catalog queries are small.
      if (slice === SLICE.blocked) statement.unacknowledged = 0;
      if (slice === SLICE.paused || slice === SLICE.blocked) {
        setImmediate(this.next);
        return;
      }
      if (slice === SLICE.sleeping) {
        setTimeout(this.next, Math.max(1, statement.nextWake - performance.now()));
        return;
      }
      if (slice === SLICE.suspended) {
        listener.suspended();
        return;
      }
      const rows = statement.affectedRows();
      this.finish();
      listener.complete(rows, null);
    } catch (thrown) {
      this.finish();
      if (isPageMiss(thrown) && statement.totalRows === 0) {
        this.moved = this.runner.moveToWriter(this.run, listener);
      } else listener.error(reportedErrorFields(thrown));
    }
  }

  private finish(): void {
    this.over = true;
    this.statement.compiled?.close();
    this.statement.end();
  }

  fetch(rowLimit: number): void {
    if (this.moved !== null) {
      this.moved.fetch(rowLimit);
      return;
    }
    this.statement.resume(rowLimit);
    this.step(false);
  }

  close(): void {
    if (this.moved !== null) this.moved.close();
    else if (!this.over) this.finish();
  }

  cancel(reason: 'user' | 'timeout'): void {
    if (this.moved !== null) this.moved.cancel(reason);
    else {
      this.statement.cancelled = reason;
      setImmediate(this.next);
    }
  }

  drained(): void {
    this.moved?.drained();
  }

  copyData(): boolean {
    return true;
  }
  copyDone(): void {}
  copyFail(): void {}
}

function sessionFacts(control: SessionControl | undefined): ThreadFacts {
  if (control === undefined) return {};
  return {
    preparedStatements: () => control.preparedStatements(),
    cursors: () => control.cursors(),
    activity: () => control.activity(),
  };
}

function resultPlan(exprs: readonly Expr[], catalogVersion: number): Plan {
  const output = exprs.map(({ type, typmod }) => ({ name: '', type, typmod }));
  return {
    root: {
      kind: 'result',
      exprs,
      filter: null,
      output,
      rows: 1,
      startupCost: 0,
      totalCost: 0,
      width: 0,
    },
    subplans: [],
    ctes: [],
    changes: [],
    tables: [],
    slots: 0,
    output: output.map((column) => ({ ...column, sourceTable: 0, sourceColumn: 0 })),
    parameterTypes: [],
    needsWriter: false,
    needsCatalog: false,
    rowByRow: false,
    catalogVersion,
  };
}
