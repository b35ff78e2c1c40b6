import { beginLimit, endLimit, TakesLong } from '../../base/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import { readDatum } from '../../chunk/index.ts';
import { notSupported, reportedErrorFields } from '../../errors/index.ts';
import type {
  HeldSnapshot,
  PlanRun,
  RunHandle,
  RunListener,
  SessionControl,
  StatementSettings,
} from '../../session/index.ts';
import { MAIN_THREAD, type SharedMemory } from '../../shm/index.ts';
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
import { factsOfSessions } from '../session-state.ts';
import { systemViewSource } from '../system-views.ts';
import { CursorPool } from '../worker/cursor-pool.ts';
import { RunningStatement, SLICE, type StatementHost } from '../worker/running-statement.ts';
import { nowMicros, StatementContext } from '../worker/statement-context.ts';

const SLICE_MS = 5;

/** The rest of the main thread. Statements go to the writer that it cannot finish: a page is not in memory, or a value
 * takes long to compute. */
export interface Elsewhere {
  executeInWriter(run: PlanRun, listener: RunListener): RunHandle;
  holdSnapshot(): HeldSnapshot;
  releaseSnapshot(snapshot: HeldSnapshot): void;
}

/** Runs on the main thread what needs the catalog: queries of pg_catalog and information_schema, in
 * slices between which the event loop goes round. */
export class MainRunner implements StatementHost {
  readonly reader: PageReader;
  readonly roots: TreeRoots;
  readonly elsewhere: Elsewhere;
  private readonly cursors: CursorPool;
  private sendTo: RunListener | null = null;
  /** Whether the client takes the rows of the slice as fast as they come. */
  isTaken = true;
  /** What long computations asked before the slice. */
  private checkBefore: ReturnType<typeof beginLimit> | null = null;

  constructor(memory: SharedMemory, elsewhere: Elsewhere) {
    this.reader = new PageReader(memory, MAIN_THREAD, null);
    this.roots = new TreeRoots(this.reader);
    this.cursors = new CursorPool(this.reader, this.roots);
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
    this.liftLimit();
    this.isTaken = this.sendTo?.rows(bytes, start, end, count) ?? true;
  }

  /** Runs one slice in the main thread's epoch. What takes long is thrown out of it as long as it can be begun anew
   * elsewhere: it has sent nothing. */
  slice(statement: RunningStatement, listener: RunListener, first: boolean): number {
    this.sendTo = listener;
    this.isTaken = true;
    this.reader.enter();
    const mayMove = statement.totalRows === 0 && statement.plan.needsSession !== true;
    if (mayMove) this.checkBefore = beginLimit();
    try {
      if (first) statement.compiled!.open(statement);
      return statement.runSlice(SLICE_MS);
    } finally {
      this.liftLimit();
      this.reader.leave();
      this.sendTo = null;
    }
  }

  private liftLimit(): void {
    if (this.checkBefore !== null) endLimit(this.checkBefore);
    this.checkBefore = null;
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
    statement.systemViews = systemViewSource(catalog, context, factsOfSessions(control));
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
  /** The snapshot that it reads at, when that is its own. */
  private snapshot: HeldSnapshot | null = null;
  /** It waits for the client to take rows. */
  private isStalled = false;

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
    if (run.snapshot === null) this.snapshot = this.runner.elsewhere.holdSnapshot();
    statement.snapshot = (run.snapshot ?? this.snapshot!).lsn;
    statement.compiled = compilePlan(statement.plan);
    this.step(true);
  }

  private readonly next = (): void => withTypes(this.run.catalog, () => this.step(false));

  private step(first: boolean): void {
    if (this.over || this.moved !== null) return;
    const { statement, listener } = this;
    try {
      const slice = this.runner.slice(statement, listener, first);
      if (slice === SLICE.paused || slice === SLICE.blocked) {
        // What the client has taken is not reckoned up: that it takes no more is all there is to know.
        statement.unacknowledged = 0;
        this.isStalled = !this.runner.isTaken;
        if (!this.isStalled) setImmediate(this.next);
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
      const isMoved =
        thrown instanceof TakesLong || (isPageMiss(thrown) && statement.totalRows === 0);
      this.finish();
      if (isMoved) {
        this.moved = this.runner.elsewhere.executeInWriter(this.run, listener);
      } else listener.error(reportedErrorFields(thrown));
    }
  }

  private finish(): void {
    this.over = true;
    this.statement.compiled?.close();
    this.statement.end();
    if (this.snapshot !== null) this.runner.elsewhere.releaseSnapshot(this.snapshot);
    this.snapshot = null;
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
    if (!this.isStalled) return;
    this.isStalled = false;
    setImmediate(this.next);
  }

  copyData(): boolean {
    return true;
  }
  copyDone(): void {}
  copyFail(): void {}
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
