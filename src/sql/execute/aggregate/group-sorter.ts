import { type ColumnVector, NumberVector } from '../../../chunk/index.ts';
import { type KeyColumn, OID, type SqlType, typeByOid } from '../../../types/index.ts';
import type { Run } from '../run.ts';
import { Sorter } from '../sorter.ts';
import { RepeatedRows } from './repeated-rows.ts';

/** Rows of groups, sorted by group and then by keys, for aggregates that take theirs in an order. The sort
 * spills, so memory stays bounded.
 *
 *   begin, then startRows and add chunk by chunk, then sort and read
 *
 * Where equal rows count once, most of those that repeat are left out before the sort.
 */
export class GroupSorter {
  /** The types of its rows: the group comes first. */
  readonly types: readonly SqlType[];
  /** How it is sorted, likewise. */
  readonly keys: readonly KeyColumn[];
  readonly sorter: Sorter;
  readonly #group = new NumberVector();
  readonly #groupOut: [NumberVector] = [new NumberVector(1)];
  readonly #repeated: RepeatedRows | null;
  #keyVectors: readonly ColumnVector[] = [];
  #columns: readonly ColumnVector[] = [];
  #isSorted = false;

  constructor(run: Run, types: readonly SqlType[], keys: readonly KeyColumn[], distinct = false) {
    const group = typeByOid(OID.int4);
    this.types = [group, ...types];
    this.keys = [{ type: group, descending: false, nullsFirst: false }, ...keys];
    this.sorter = new Sorter(run, this.types, this.keys);
    const keyTypes = keys.map((key) => key.type);
    const skips = distinct && RepeatedRows.supports(keyTypes);
    this.#repeated = skips ? new RepeatedRows(run, keyTypes) : null;
  }

  begin(): void {
    this.sorter.begin(Number.POSITIVE_INFINITY);
    this.#repeated?.begin();
    this.#isSorted = false;
  }

  /** The rows that are added next lie in these vectors. */
  startRows(
    keys: readonly ColumnVector[],
    columns: readonly ColumnVector[],
    isGrouped: boolean,
  ): void {
    this.#repeated?.startRows(isGrouped ? this.#group : null, keys);
    this.#keyVectors = [this.#group, ...keys];
    this.#columns = [this.#group, ...columns];
  }

  add(group: number, row: number): void {
    this.#group.values[row] = group;
    if (this.#repeated?.has(row) === true) return;
    this.sorter.add(this.#keyVectors, this.#columns, row);
  }

  /** Ends the input; the second time it does nothing. */
  sort(): void {
    if (this.#isSorted) return;
    this.sorter.sort();
    this.#isSorted = true;
  }

  /** The group of the present record. */
  readGroup(): number {
    const [vector] = this.#groupOut;
    vector.reset();
    this.sorter.readColumns(this.#groupOut, 0);
    return vector.values[0]!;
  }

  close(): void {
    this.sorter.close();
  }
}
