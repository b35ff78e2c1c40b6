import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import {
  type ColumnVector,
  type DataChunk,
  type NumberVector,
  readDatum,
} from '../../chunk/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { type TypeContext, typeByOid } from '../../types/index.ts';
import { type PartitionCheck, passesCheck } from '../bind/partition-checks.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { Run } from './run.ts';

/** Longest text of one value in the DETAIL of a violation. */
const VALUE_TEXT_MAX = 64;

/** The place that a partition gives to rows: the key, computed over them, has to be one that it takes. */
export interface PartitionTest {
  readonly check: PartitionCheck;
  readonly keys: readonly Evaluator[];
}

/** A condition, and the name of what demands it. */
interface NamedTest {
  readonly name: string;
  readonly test: Evaluator;
}

/** NOT NULL and CHECK constraints of a table, and the bounds of a partition, tested on new rows. */
export class RowConstraints {
  readonly #run: Run;
  readonly #table: RelationDescriptor;
  readonly #notNull: readonly number[];
  readonly #checks: readonly NamedTest[];
  readonly #partition: readonly PartitionTest[];
  /** Of views, which let no row in that they would not show. */
  readonly #views: readonly NamedTest[];
  readonly #shown: readonly number[];
  readonly #results: NumberVector[] = [];
  #viewResults: readonly NumberVector[] = [];
  #keys: readonly (readonly ColumnVector[])[] = [];
  #columns: readonly ColumnVector[] = [];

  /** `shown`: positions of the columns that errors show, in that order. */
  constructor(
    run: Run,
    table: RelationDescriptor,
    checks: readonly NamedTest[],
    partition: readonly PartitionTest[] = [],
    shown: readonly number[] = [...table.columns.keys()],
    views: readonly NamedTest[] = [],
  ) {
    this.#run = run;
    this.#table = table;
    // In the order of their names, which decides what is told of a row that violates several.
    this.#checks = [...checks].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#partition = partition;
    this.#views = views;
    this.#shown = shown.filter((column) => table.columns[column]?.dropped === false);
    this.#notNull = table.columns.flatMap((column, i) =>
      column.notNull && !column.dropped ? [i] : [],
    );
  }

  /** Takes the rows to be tested; columns by position in the table. */
  prepare(rows: DataChunk): void {
    this.#columns = rows.columns;
    for (let i = 0; i < this.#checks.length; i++) {
      this.#results[i] = this.#checks[i]!.test.evaluate(rows) as NumberVector;
    }
    if (this.#views.length > 0) {
      this.#viewResults = this.#views.map(({ test }) => test.evaluate(rows) as NumberVector);
    }
    if (this.#partition.length > 0) {
      this.#keys = this.#partition.map(({ keys }) => keys.map((key) => key.evaluate(rows)));
    }
  }

  /** Throws 23502 or 23514 when a row violates a constraint. */
  verify(row: number): void {
    for (const position of this.#notNull) {
      if (this.#columns[position]!.isNull(row)) throw this.#nullViolation(position, row);
    }
    for (let i = 0; i < this.#checks.length; i++) {
      const result = this.#results[i]!;
      if (result.values[row] === 0 && !result.isNull(row)) {
        throw this.#checkViolation(this.#checks[i]!.name, row);
      }
    }
    for (let i = 0; i < this.#partition.length; i++) this.#verifyPartition(i, row);
  }

  /** Throws 44000 when a view would not show the row; to be asked once the row is in the table. */
  verifyShown(row: number): void {
    for (let i = 0; i < this.#views.length; i++) {
      const result = this.#viewResults[i]!;
      if (result.isNull(row) || result.values[row] === 0) throw this.#notShown(i, row);
    }
  }

  #notShown(view: number, row: number): Error {
    return pgError(
      'with_check_option_violation',
      `new row violates check option for view "${this.#views[view]!.name}"`,
      { detail: this.#failingRow(row) },
    );
  }

  #verifyPartition(test: number, row: number): void {
    const { check, keys } = this.#partition[test]!;
    const vectors = this.#keys[test]!;
    const values = keys.map((key, i) => readDatum(vectors[i]!, row, key.type));
    if (passesCheck(check, values)) return;
    throw partitionViolation(this.#table.name, this.#failingRow(row));
  }

  #nullViolation(position: number, row: number): Error {
    const column = this.#table.columns[position]!.name;
    return pgError(
      'not_null_violation',
      `null value in column "${column}" of relation "${this.#table.name}" violates not-null constraint`,
      { detail: this.#failingRow(row), table: this.#table.name, column },
    );
  }

  #checkViolation(constraint: string, row: number): Error {
    return pgError(
      'check_violation',
      `new row for relation "${this.#table.name}" violates check constraint "${constraint}"`,
      { detail: this.#failingRow(row), table: this.#table.name, constraint },
    );
  }

  #failingRow(row: number): string {
    const { functions } = this.#run.environment;
    return failingRow(this.#table.columns, this.#shown, this.#columns, row, functions);
  }
}

/** The DETAIL of a violation: the values of the row in the columns that are `shown`. */
export function failingRow(
  columns: RelationDescriptor['columns'],
  shown: readonly number[],
  vectors: readonly ColumnVector[],
  row: number,
  context: TypeContext,
): string {
  const texts = shown.map((i) => {
    const type = typeByOid(columns[i]!.type);
    const value = readDatum(vectors[i]!, row, type);
    const text = value === null ? 'null' : type.output(value, context);
    return text.length > VALUE_TEXT_MAX ? `${text.slice(0, VALUE_TEXT_MAX)}...` : text;
  });
  return `Failing row contains (${texts.join(', ')}).`;
}

/** A partition does not take a row. */
export function partitionViolation(partition: string, detail: string): PgError {
  const message = `new row for relation "${partition}" violates partition constraint`;
  return pgError('check_violation', message, { detail, table: partition });
}
