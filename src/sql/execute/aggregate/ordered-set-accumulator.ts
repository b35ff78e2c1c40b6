import { ByteWriter, compareByteRanges } from '../../../base/index.ts';
import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  NumberVector,
  readDatum,
  writeDatum,
} from '../../../chunk/index.ts';
import {
  type Datum,
  encodeKeyPart,
  type KeyColumn,
  OID,
  type SqlType,
  typeByOid,
} from '../../../types/index.ts';
import { ConstantEvaluator, type Evaluator } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import { Sorter } from '../sorter.ts';
import type { Accumulator } from './accumulator.ts';
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
  readonly #orders: readonly KeyColumn[];
  readonly #result: SqlType;
  readonly #isHypothetical: boolean;
  readonly #sorter: Sorter;
  readonly #group = new NumberVector();
  readonly #groupOut = new NumberVector(1);
  readonly #row: ColumnVector[];
  readonly #writer = new ByteWriter(64);
  #counts: number[] = [];
  #directs: (readonly Datum[] | undefined)[] = [];
  #results: Datum[] = [];
  #isSorted = false;
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
    const groupType = typeByOid(OID.int4);
    const types = [groupType, ...this.#keys.map((key) => key.type)];
    this.#orders = [
      { type: groupType, descending: false, nullsFirst: false },
      ...keys.map((key) => key.order),
    ];
    this.#sorter = new Sorter(run, types, this.#orders);
    this.#row = types.map((type) => createVector(type, 1));
  }

  reset(): void {
    this.#sorter.begin(Number.POSITIVE_INFINITY);
    this.#counts = [];
    this.#directs = [];
    this.#results = [];
    this.#isSorted = false;
    this.#current = NO_GROUP;
  }

  grow(count: number): void {
    while (this.#counts.length < count) this.#counts.push(0);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const keys = [this.#group, ...this.#keys.map((key) => key.evaluate(rows))];
    const direct = this.#direct.map((argument) => argument.evaluate(rows));
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const group = groups === null ? 0 : groups[row]!;
      this.#directs[group] ??= direct.map((vector, k) =>
        readDatum(vector, row, this.#direct[k]!.type),
      );
      if (!this.#isHypothetical && keys[1]!.isNull(row)) continue;
      this.#group.values[row] = group;
      this.#sorter.add(keys, keys, row);
      this.#counts[group]!++;
    }
  }

  complete(): boolean {
    if (!this.#isSorted) {
      this.#sorter.sort();
      this.#isSorted = true;
    }
    for (;;) {
      for (let i = 0; i < CHUNK_ROWS; i++) {
        if (!this.#sorter.nextRecord()) {
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
    this.#groupOut.reset();
    this.#sorter.readColumns([this.#groupOut], 0);
    const group = this.#groupOut.values[0]!;
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
    this.#fold.begin(this.#counts[group]!, direct, this.#encode(group, direct));
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

  /** The direct arguments of a hypothetical row as its key. */
  #encode(group: number, direct: readonly Datum[]): Uint8Array {
    this.#writer.reset();
    if (!this.#isHypothetical) return this.#writer.copy();
    [group, ...direct].forEach((value, i) => {
      const { type, descending, nullsFirst } = this.#orders[i]!;
      encodeKeyPart(type, value, descending, nullsFirst, this.#writer);
    });
    return this.#writer.copy();
  }

  value(): Datum {
    for (const vector of this.#row) vector.reset();
    this.#sorter.readColumns(this.#row, 0);
    return readDatum(this.#row[1]!, 0, this.#keys[0]!.type);
  }

  compareKey(key: Uint8Array): number {
    const { bytes, keyFrom, tupleFrom } = this.#sorter;
    return compareByteRanges(bytes, keyFrom, tupleFrom, key, 0, key.length);
  }

  copyKey(): Uint8Array {
    const { bytes, keyFrom, tupleFrom } = this.#sorter;
    return bytes.slice(keyFrom, tupleFrom);
  }

  finish(group: number, out: ColumnVector, row: number): void {
    writeDatum(out, row, this.#result, this.#results[group] ?? null);
  }

  memory(): number {
    return this.#counts.length * GROUP_BYTES;
  }

  close(): void {
    this.#sorter.close();
  }
}
