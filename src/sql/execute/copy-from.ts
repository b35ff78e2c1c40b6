import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { CHUNK_ROWS } from '../../chunk/index.ts';
import { notSupported } from '../../errors/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { CopyRowSink } from './copy/index.ts';
import { CopySource } from './copy-source.ts';
import type { ExecutionEnvironment } from './environment.ts';
import { ExpressionCompiler } from './expression/compile.ts';
import { Insert } from './insert.ts';
import type { Status } from './operator.ts';
import { RowConstraints } from './row-constraints.ts';
import { Run } from './run.ts';

/** What COPY FROM does, bound. */
export interface CopyFromPlan {
  readonly table: RelationDescriptor;
  /** Positions of the columns that the file holds, in its order. */
  readonly columns: readonly number[];
  /** For each column of the table what to store: `input` n for field n, a default, a null constant. */
  readonly values: readonly Expr[];
  readonly checks: readonly { readonly name: string; readonly expr: Expr }[];
  /** Fields are in the binary forms of their types. */
  readonly binary: boolean;
}

/** COPY FROM on the writer.
 *
 *   open, then for each piece of input: parser.push (which calls `sink`), and `next` until PAUSE;
 *   at the end: parser.finish, `finish`, and `next` until DONE; then close
 *
 * PAUSE means that more input is wanted, the time slice is over, or a lock is waited for. */
export class CopyFrom {
  readonly sink: CopyRowSink;
  /** Number of the input line, for the context of errors; set it to the parser's. */
  lineNumber: () => number = () => 0;
  readonly #run = new Run(0);
  readonly #source: CopySource;
  readonly #insert: Insert;

  constructor(plan: CopyFromPlan) {
    const run = this.#run;
    const { table, binary } = plan;
    const columns = plan.columns.map((position) => {
      const { name, type, typmod } = table.columns[position]!;
      return { name, type: typeByOid(type), typmod };
    });
    this.#source = new CopySource(run, table.name, columns, binary);
    this.sink = this.#source.sink(() => this.lineNumber());
    const compiler = new ExpressionCompiler(run, CHUNK_ROWS, () => {
      throw notSupported('a subquery in COPY');
    });
    const checks = plan.checks.map(({ name, expr }) => ({ name, test: compiler.compile(expr) }));
    const constraints = new RowConstraints(run, table, checks);
    const values = compiler.all(plan.values);
    this.#insert = new Insert(run, this.#source, table, values, constraints, null, null, null);
  }

  get rows(): number {
    return this.#run.affectedRows;
  }

  open(environment: ExecutionEnvironment): void {
    this.#run.begin(environment);
    this.#insert.open();
  }

  next(): Status {
    this.#run.resumes++;
    return this.#insert.next();
  }

  finish(): void {
    this.#source.finish();
  }

  close(): void {
    this.#insert.close();
    this.#run.end();
  }
}
