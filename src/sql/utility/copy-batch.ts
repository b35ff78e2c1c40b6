import { ByteWriter, decodeUtf8 } from '../../base/index.ts';
import type { RelationDescriptor, StoredExpression } from '../../catalog/index.ts';
import { type ColumnVector, type DataChunk, setAllNull } from '../../chunk/index.ts';
import { inContext, PgError } from '../../errors/index.ts';
import { type ColumnValue, generate, generatedValues } from '../execute/column-values.ts';
import {
  type CopyFormat,
  copyLineContext,
  copyValueContext,
  type FieldReader,
  fieldReader,
} from '../execute/copy/index.ts';
import type { RowOperations } from '../execute/environment.ts';
import type { Evaluator } from '../execute/expression/evaluator.ts';
import type { ForeignKeyChecks } from '../execute/foreign-keys/index.ts';
import type { Run } from '../execute/run.ts';
import type { Expr } from '../expression.ts';
import type { Command } from './command.ts';
import { type CopyTarget, copyTarget } from './copy-target.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, columnVectors, executionEnvironment, storedExpressions } from './execution.ts';
import { nextvalExpression } from './sequence-relation.ts';

/** Rows that fit a batch, and from how many on it is inserted. */
const CAPACITY = 8192;
const FULL = 1024;
const ROWS_PER_LOOK = 256;

/** Rows of COPY FROM that have been read and are yet to be inserted. */
export class CopyBatch {
  rowCount = 0;
  private readonly command: Command;
  private readonly table: RelationDescriptor;
  private readonly format: CopyFormat;
  /** Columns of the data: positions, names for messages, readers. */
  private readonly positions: readonly number[];
  private readonly readers: readonly FieldReader[];
  private readonly vectors: readonly ColumnVector[];
  private readonly run: Run;
  /** Columns that are not in the data and have a default. */
  private readonly defaults: readonly { readonly position: number; readonly value: Evaluator }[];
  private readonly generated: readonly ColumnValue[];
  private readonly target: CopyTarget;
  private readonly filter: Evaluator | null;
  private readonly selected: Int32Array;
  private readonly rows: DataChunk;
  /** Of the table's foreign keys; null where it has none. */
  private readonly checks: ForeignKeyChecks | null;
  private readonly changes: RowOperations;
  private readonly lines = new Float64Array(CAPACITY);
  /** Fields that must not be null; and whether there are constraints that fields do not tell of. */
  private readonly required: readonly number[];
  private readonly keepsAll: boolean;
  private readonly isConstrained: boolean;
  /** The lines as they came, for the context of violated constraints; only of those that may. */
  private readonly contents = new ByteWriter(256);
  private readonly contentEnds = new Int32Array(CAPACITY);
  private count = 0;
  /** The row found to be unacceptable, and why; the rows before it are looked at first. */
  private failure: unknown = null;

  constructor(
    command: Command,
    table: RelationDescriptor,
    positions: readonly number[],
    format: CopyFormat,
    where: StoredExpression | null,
  ) {
    const { environment } = command;
    this.command = command;
    this.table = table;
    this.format = format;
    this.positions = positions;
    this.readers = positions.map((position) => {
      const { type, typmod } = table.columns[position]!;
      return fieldReader(type, typmod, format.kind === 'binary', environment.functions);
    });
    this.vectors = columnVectors(table.columns, CAPACITY);
    this.run = beginRun(environment);
    const compiler = storedExpressions(this.run, CAPACITY);
    const defaults: { position: number; value: Evaluator }[] = [];
    table.columns.forEach((column, position) => {
      if (positions.includes(position)) return;
      const expr = column.dropped ? null : defaultOf(command, table, position);
      if (expr === null) setAllNull(this.vectors[position]!);
      else defaults.push({ position, value: compiler.compile(expr) });
    });
    this.defaults = defaults;
    this.generated = generatedValues(table, null, compiler);
    const isPlaced = table.kind === 'partitioned' || table.partitionOf !== null;
    const isChecked = isPlaced || table.constraints.some(({ kind }) => kind === 'check');
    this.isConstrained = isChecked || table.columns.some((c) => c.notNull && !c.dropped);
    this.required = positions.flatMap((position, field) =>
      table.columns[position]!.notNull ? [field] : [],
    );
    this.keepsAll =
      isChecked || table.columns.some((c, i) => c.notNull && !c.dropped && !positions.includes(i));
    this.target = copyTarget(command, table, this.run, compiler);
    this.filter = where === null ? null : compiler.compile(where.expr as Expr);
    this.selected = new Int32Array(where === null ? 0 : CAPACITY);
    this.rows = { columns: [...this.vectors], count: 0, selection: null };
    this.checks = this.target.hasForeignKeys ? environment.foreignKeys : null;
    this.checks?.begin(executionEnvironment(environment), environment.inBlock);
    this.changes = this.checks?.rows ?? environment.rows;
  }

  /** Rows that still fit. */
  get room(): number {
    return CAPACITY - this.count - 1;
  }

  get isFull(): boolean {
    return this.count >= FULL || this.failure !== null;
  }

  /** Runs the parser, which adds rows. What it throws comes to light after the rows before it have
   * been inserted. */
  collect(parse: () => void): void {
    try {
      parse();
    } catch (thrown) {
      this.failure = thrown;
    }
  }

  /** Takes over one row from the parser; `ascii` when it is known to be that. */
  add(
    bytes: Uint8Array,
    starts: Int32Array,
    lengths: Int32Array,
    line: number,
    ascii: boolean,
  ): void {
    const { positions, readers, vectors } = this;
    const row = this.count;
    let field = 0;
    try {
      for (; field < positions.length; field++) {
        const vector = vectors[positions[field]!]!;
        const length = lengths[field]!;
        if (length < 0) vector.setNull(row);
        else readers[field]!(vector, row, bytes, starts[field]!, length, ascii);
      }
    } catch (thrown) {
      throw this.inField(thrown, line, field, bytes, starts[field]!, lengths[field]!);
    }
    this.lines[row] = line;
    if (this.mayViolate(lengths)) this.keepContent(bytes, starts, lengths);
    this.contentEnds[row] = this.contents.position;
    this.count = row + 1;
  }

  private inField(
    thrown: unknown,
    line: number,
    field: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): unknown {
    if (!(thrown instanceof PgError)) return thrown;
    const column = this.table.columns[this.positions[field]!]!.name;
    if (this.format.kind === 'binary') {
      const where = copyLineContext(this.table.name, line, null);
      return inContext(thrown, `${where}, column ${column}`);
    }
    const value = decodeUtf8(bytes, start, start + length);
    return inContext(thrown, copyValueContext(this.table.name, line, column, value));
  }

  /** Whether the message of a violated constraint may need the line. */
  private mayViolate(lengths: Int32Array): boolean {
    if (!this.isConstrained) return false;
    if (this.keepsAll) return true;
    for (const field of this.required) if (lengths[field]! < 0) return true;
    return false;
  }

  private keepContent(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array): void {
    const { contents, format } = this;
    if (format.kind !== 'binary') {
      for (let field = 0; field < starts.length && field < this.positions.length; field++) {
        if (field > 0) contents.u8(format.delimiter);
        const length = lengths[field]!;
        if (length < 0) contents.raw(format.nullText);
        else contents.range(bytes, starts[field]!, starts[field]! + length);
      }
    }
  }

  /** Inserts the rows collected so far. */
  *insert(): Generator<UtilityPause, void, undefined> {
    const { environment } = this.command;
    const { rows, target } = this;
    this.complete();
    target.take(rows, this.changes);
    if (this.failure !== null) {
      // Nothing will be kept: it only matters which error came first.
      for (let i = 0; i < rows.count; i++) this.verify(rows.selection?.[i] ?? i);
      throw this.failure;
    }
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      this.verify(row);
      while (this.insertRow(row) === 'wait') yield 'wait';
      if (i % ROWS_PER_LOOK !== ROWS_PER_LOOK - 1) continue;
      environment.checkInterrupts();
      if (environment.shouldPause()) yield 'pause';
    }
    this.rowCount += rows.count;
    this.count = 0;
    this.contents.reset();
    for (const position of this.positions) this.vectors[position]!.reset();
  }

  /** Checks the foreign keys of all rows, once they are inserted. */
  *finish(): Generator<UtilityPause, void, undefined> {
    if (this.checks !== null) yield* this.checks.finish();
  }

  /** Fills in defaults, leaves out what WHERE does not want and computes generated columns. */
  private complete(): void {
    const { rows, filter } = this;
    rows.count = this.count;
    rows.selection = null;
    for (const { position, value } of this.defaults) rows.columns[position] = value.evaluate(rows);
    if (filter !== null) {
      rows.count = filter.narrow(rows, this.selected);
      rows.selection = this.selected;
    }
    generate(rows, this.generated);
  }

  private verify(row: number): void {
    try {
      this.target.verify(row);
    } catch (thrown) {
      throw this.inLine(thrown, row, this.contentOf(row));
    }
  }

  private insertRow(row: number): 'done' | 'conflict' | 'wait' {
    try {
      return this.target.insert(this.changes, row);
    } catch (thrown) {
      throw this.inLine(thrown, row, null);
    }
  }

  private inLine(thrown: unknown, row: number, content: string | null): unknown {
    if (!(thrown instanceof PgError)) return thrown;
    return thrown.with({ where: copyLineContext(this.table.name, this.lines[row]!, content) });
  }

  private contentOf(row: number): string | null {
    if (this.format.kind === 'binary') return null;
    const start = row === 0 ? 0 : this.contentEnds[row - 1]!;
    return decodeUtf8(this.contents.bytes, start, this.contentEnds[row]!);
  }

  close(): void {
    this.run.end();
  }
}

/** What a column gets that the data does not give; null for NULL. */
function defaultOf(command: Command, table: RelationDescriptor, position: number): Expr | null {
  const column = table.columns[position]!;
  if (column.generated === true) return null;
  if (column.identity === '') return (column.default?.expr as Expr | undefined) ?? null;
  return nextvalExpression(command, column.sequence, column.type);
}
