import { type ColumnVector, copyRow, readDatum, writeDatum } from '../../../chunk/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { ConstantEvaluator } from '../expression/evaluator.ts';
import type { PagedColumns } from './paged-columns.ts';

/** An argument of a call at any row of the batch. */
export interface WindowArgument {
  begin(): void;
  value(position: number): Datum;
  copy(position: number, out: ColumnVector, row: number): void;
}

export class StoredArgument implements WindowArgument {
  readonly #column: PagedColumns;
  readonly #type: SqlType;

  constructor(column: PagedColumns, type: SqlType) {
    this.#column = column;
    this.#type = type;
  }

  begin(): void {
    this.#column.begin();
  }

  value(position: number): Datum {
    const row = this.#column.seek(position);
    return readDatum(this.#column.vectors[0]!, row, this.#type);
  }

  copy(position: number, out: ColumnVector, row: number): void {
    const from = this.#column.seek(position);
    copyRow(this.#column.vectors[0]!, from, out, row);
  }
}

export class ConstantArgument implements WindowArgument {
  readonly #constant: ConstantEvaluator;

  constructor(constant: ConstantEvaluator) {
    this.#constant = constant;
  }

  begin(): void {}

  value(): Datum {
    return this.#constant.value();
  }

  copy(_position: number, out: ColumnVector, row: number): void {
    writeDatum(out, row, this.#constant.type, this.#constant.value());
  }
}
