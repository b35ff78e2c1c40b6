import { type ColumnVector, createVector, type DataChunk } from '../../chunk/index.ts';
import { PgError } from '../../errors/index.ts';
import { type TypeContext, typeByOid } from '../../types/index.ts';
import { NULL_LITERAL } from '../parse/index.ts';
import { type FieldReader, fieldReader } from './copy/index.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Run } from './run.ts';

interface LiftedRowKind {
  readonly literals: readonly { readonly type: number; readonly mayFail: boolean }[];
  /** The row, over a chunk of its literals. */
  readonly values: readonly Evaluator[];
  /** Those of the values that are constants in the text. */
  readonly constants: readonly number[];
}

/** Rows of VALUES that come in a parameter, in the form of sql/parse/literal-rows.ts. Rows of one kind that follow
 * each other are computed together.
 *
 * PostgreSQL reads all literals, and computes what is constant, before it runs the statement. So where that may fail
 * it is done once for all rows before the first one is given. */
export class LiftedRowsScan extends Operator {
  readonly #run: Run;
  readonly #parameter: number;
  readonly #kinds: readonly LiteralReader[];
  readonly #capacity: number;
  readonly #mayFail: boolean;
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);
  #at = 0;
  #isVerified = false;

  constructor(run: Run, parameter: number, kinds: readonly LiftedRowKind[], capacity: number) {
    super();
    this.#run = run;
    this.#parameter = parameter;
    this.#capacity = capacity;
    this.#kinds = kinds.map((kind) => new LiteralReader(kind, capacity));
    this.#mayFail = kinds.some(
      ({ literals, constants }) => constants.length > 0 || literals.some(({ mayFail }) => mayFail),
    );
  }

  override open(): void {
    const bytes = this.#run.environment.parameters[this.#parameter] as Uint8Array;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#isVerified = !this.#mayFail;
    for (const kind of this.#kinds) kind.open(this.#run.environment.functions);
  }

  override next(): Status {
    const { environment } = this.#run;
    for (;;) {
      environment.checkInterrupts();
      if (this.#run.shouldPause()) return PAUSE;
      if (this.#at < this.#bytes.length) {
        const kind = this.#kinds[this.#view.getUint16(this.#at, true)]!;
        const rows = this.#read(kind);
        if (!this.#isVerified) {
          kind.verify(rows);
          continue;
        }
        this.chunk.columns = kind.compute(rows);
        this.chunk.count = rows.count;
        return CHUNK;
      }
      if (this.#isVerified) return DONE;
      this.#isVerified = true;
      this.#at = 0;
    }
  }

  /** Reads rows up to the next one of another kind. */
  #read(kind: LiteralReader): DataChunk {
    const view = this.#view;
    const number = view.getUint16(this.#at, true);
    kind.reset();
    let row = 0;
    do {
      this.#at = kind.read(row++, this.#bytes, view, this.#at + 2);
    } while (
      row < this.#capacity &&
      this.#at < this.#bytes.length &&
      view.getUint16(this.#at, true) === number
    );
    return kind.rows(row);
  }

  override close(): void {
    this.#bytes = NOTHING;
  }
}

/** The literals of rows of one kind. */
class LiteralReader {
  readonly #types: readonly number[];
  readonly #vectors: readonly ColumnVector[];
  #readers: readonly FieldReader[] = [];
  readonly #values: readonly Evaluator[];
  readonly #constants: readonly number[];
  readonly #columns: ColumnVector[];
  readonly #rows: DataChunk;

  constructor({ literals, values, constants }: LiftedRowKind, capacity: number) {
    this.#types = literals.map(({ type }) => type);
    this.#vectors = this.#types.map((type) => createVector(typeByOid(type), capacity));
    this.#values = values;
    this.#constants = constants;
    this.#columns = new Array<ColumnVector>(values.length);
    this.#rows = { columns: [...this.#vectors], count: 0, selection: null };
  }

  open(context: TypeContext): void {
    this.#readers = this.#types.map((type) => fieldReader(type, -1, false, context));
  }

  reset(): void {
    for (const vector of this.#vectors) vector.reset();
  }

  /** Reads the literals that begin at `at`, and returns where they end. */
  read(row: number, bytes: Uint8Array, view: DataView, at: number): number {
    let next = at;
    for (let i = 0; i < this.#vectors.length; i++) {
      const vector = this.#vectors[i]!;
      const length = view.getUint32(next + 4, true);
      if (length === NULL_LITERAL) {
        vector.setNull(row);
        next += 8;
        continue;
      }
      try {
        this.#readers[i]!(vector, row, bytes, next + 8, length, false);
      } catch (error) {
        if (!(error instanceof PgError)) throw error;
        throw error.with({ position: view.getUint32(next, true) });
      }
      next += 8 + length;
    }
    return next;
  }

  rows(count: number): DataChunk {
    this.#rows.count = count;
    return this.#rows;
  }

  verify(rows: DataChunk): void {
    for (const i of this.#constants) this.#values[i]!.evaluate(rows);
  }

  compute(rows: DataChunk): ColumnVector[] {
    for (let i = 0; i < this.#values.length; i++) {
      this.#columns[i] = this.#values[i]!.evaluate(rows);
    }
    return this.#columns;
  }
}

const NOTHING = new Uint8Array(0);
