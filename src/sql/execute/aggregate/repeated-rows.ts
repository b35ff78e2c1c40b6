import type { ColumnVector } from '../../../chunk/index.ts';
import { keyFormOf, OID, type SqlType, typeByOid } from '../../../types/index.ts';
import { KeyTable } from '../key-table.ts';
import type { Run } from '../run.ts';

/** Keys after which it is looked whether rows repeat at all, and how many of them have to by then. */
const TRIAL_KEYS = 4096;
const REPEATED_MIN = TRIAL_KEYS / 4;
/** Part of work_mem that the keys may take. */
const MEMORY_PART = 4;

/** Knows rows of a DISTINCT aggregate that have come before, as far as memory goes, so that they need not be
 * sorted. It may miss some, which the sort then finds. */
export class RepeatedRows {
  readonly #run: Run;
  readonly #types: readonly SqlType[];
  #table: KeyTable | null = null;
  #isGrouped = false;
  #columns: readonly ColumnVector[] = [];
  #repeated = 0;
  #isUseful = true;

  constructor(run: Run, types: readonly SqlType[]) {
    this.#run = run;
    this.#types = types;
  }

  /** Whether values that are equal are the same, so that it does not matter which one is kept. */
  static supports(types: readonly SqlType[]): boolean {
    return types.every((type) => keyFormOf(type.oid) !== null);
  }

  begin(): void {
    this.#table?.reset();
    this.#repeated = 0;
    this.#isUseful = true;
  }

  /** The rows that are asked about next lie in these vectors; `group` is null where there is but one. */
  startRows(group: ColumnVector | null, columns: readonly ColumnVector[]): void {
    const isGrouped = group !== null;
    if (this.#table === null || this.#isGrouped !== isGrouped) {
      const groupType = isGrouped ? [typeByOid(OID.int4)] : [];
      this.#table = new KeyTable([...groupType, ...this.#types]);
      this.#isGrouped = isGrouped;
    }
    this.#columns = isGrouped ? [group, ...columns] : columns;
  }

  /** True when an equal row has come before. */
  has(row: number): boolean {
    if (!this.#isUseful) return false;
    const table = this.#table!;
    const before = table.count;
    const isFull = table.memory > this.#run.environment.workMem / MEMORY_PART;
    const key = isFull ? table.find(this.#columns, row) : table.findOrInsert(this.#columns, row);
    if (key >= 0 && key < before) {
      this.#repeated++;
      return true;
    }
    if (before === TRIAL_KEYS && this.#repeated < REPEATED_MIN) {
      this.#isUseful = false;
      table.reset();
    }
    return false;
  }
}
