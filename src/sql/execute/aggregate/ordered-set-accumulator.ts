import { ByteWriter } from '../../../base/index.ts';
import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  readDatum,
  writeDatum,
} from '../../../chunk/index.ts';
import { type Datum, encodeKeyPart, type KeyColumn, type SqlType } from '../../../types/index.ts';
import { ConstantEvaluator, type Evaluator } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import type { Accumulator } from './accumulator.ts';
import { GroupSorter } from './group-sorter.ts';
import type { SetFold, SortedRow } from './set-folds.ts';

const GROUP_BYTES = 64;
const NO_GROUP = -1;

/** WITHIN GROUP: rows are sorted by group and keys, and folded in that order when all are there. The sort
 * spills, so memory stays bounded. The direct arguments have one value for each group. */
export class OrderedSetAccumulator implements Accumulator, SortedRow {
  readonly #run: Run;
  readonly #fold: SetFold;
  readonly #direct: readonly Evaluator[];
  readonly #keys: readonly Evaluator[];
  readonly #result: SqlType;
  readonly #isHypothetical: boolean;
  readonly #rows: GroupSorter;
  /** Its group and keys. */
  readonly #row: ColumnVector[];
  readonly #hypothetical = new ByteWriter(64);
  #counts: number[] = [];
  #directs: (readonly Datum[] | undefined)[] = [];
  #results: Datum[] = [];
  #current = NO_GROUP;
  #index = 0;

  /** `isHypothetical`: the direct arguments are a row as those that are sorted. Rows whose key is NULL count
   * only then. */
  constructor(
    run: Run,
    fold: SetFold,
    direct: readonly Evaluator[],
    keys: readonly { readonly value: Evaluator; readonly order: KeyColumn }[],
    result: SqlType,
    isHypothetical: boolean,
  ) {
    this.#run = run;
    this.#fold = fold;
    this.#direct = direct;
    this.#keys = keys.map((key) => key.value);
    this.#result = result;
    this.#isHypothetical = isHypothetical;
    this.#rows = new GroupSorter(
      run,
      this.#keys.map((key) => key.type),
      keys.map((key) => key.order),
    );
    this.#row = this.#rows.types.map((type) => createVector(type, 1));
  }

  reset(): void {
    this.#rows.begin();
    this.#counts = [];
    this.#directs = [];
    this.#results = [];
    this.#current = NO_GROUP;
  }

  grow(count: number): void {
    while (this.#counts.length < count) this.#counts.push(0);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const keys = this.#keys.map((key) => key.evaluate(rows));
    this.#rows.startRows(keys, keys, groups !== null);
    const direct = this.#direct.map((argument) => argument.evaluate(rows));
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const group = groups === null ? 0 : groups[row]!;
      this.#directs[group] ??= direct.map((vector, k) =>
        readDatum(vector, row, this.#direct[k]!.type),
      );
      if (!this.#isHypothetical && keys[0]!.isNull(row)) continue;
      this.#rows.add(group, row);
      this.#counts[group]!++;
    }
  }

  complete(): boolean {
    this.#rows.sort();
    for (;;) {
      for (let i = 0; i < CHUNK_ROWS; i++) {
        if (!this.#rows.sorter.nextRecord()) {
          this.#end();
          this.#foldEmptyGroups();
          return true;
        }
        this.#take();
      }
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return false;
    }
  }

  #take(): void {
    const group = this.#rows.readGroup();
    if (group !== this.#current) {
      this.#end();
      this.#begin(group);
    }
    this.#fold.row(this.#index++, this);
  }

  #begin(group: number): void {
    this.#current = group;
    this.#index = 0;
    const direct = this.#directs[group] ?? this.#constants();
    if (this.#isHypothetical) this.#encode(group, direct);
    this.#fold.begin(this.#counts[group]!, direct, this.#hypothetical);
  }

  #end(): void {
    if (this.#current !== NO_GROUP) this.#results[this.#current] = this.#fold.finish();
    this.#current = NO_GROUP;
  }

  #foldEmptyGroups(): void {
    for (let group = 0; group < this.#counts.length; group++) {
      if (this.#counts[group]! > 0) continue;
      this.#begin(group);
      this.#end();
    }
  }

  /** What is known of the direct arguments of a group without rows. */
  #constants(): Datum[] {
    return this.#direct.map((argument) =>
      argument instanceof ConstantEvaluator ? argument.value() : null,
    );
  }

  /** The direct arguments as the key of a row of the group. */
  #encode(group: number, direct: readonly Datum[]): void {
    const out = this.#hypothetical.reset();
    this.#rows.keys.forEach(({ type, descending, nullsFirst }, i) => {
      const value = i === 0 ? group : (direct[i - 1] ?? null);
      encodeKeyPart(type, value, descending, nullsFirst, out);
    });
  }

  value(): Datum {
    for (const vector of this.#row) vector.reset();
    this.#rows.sorter.readColumns(this.#row, 0);
    return readDatum(this.#row[1]!, 0, this.#keys[0]!.type);
  }

  compareKey(key: ByteWriter): number {
    return this.#rows.sorter.compareKey(key);
  }

  copyKey(out: ByteWriter): void {
    this.#rows.sorter.copyKey(out);
  }

  finish(group: number, out: ColumnVector, row: number): void {
    writeDatum(out, row, this.#result, this.#results[group] ?? null);
  }

  memory(): number {
    return this.#counts.length * GROUP_BYTES;
  }

  close(): void {
    this.#rows.close();
  }
}
