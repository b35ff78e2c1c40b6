import {
  CHUNK_ROWS,
  type ColumnVector,
  type DataChunk,
  NumberVector,
} from '../../../chunk/index.ts';
import { OID, type SqlType, typeByOid } from '../../../types/index.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import { KeyChange } from '../key-change.ts';
import { RowStore } from '../row-store.ts';
import type { Run } from '../run.ts';
import { PagedColumns } from './paged-columns.ts';

/** Where a batch may end: at the end of a partition, of a group of peers, or anywhere. */
export type BatchCut = 'partition' | 'group' | 'row';

/** The rows of one partition that lie in a batch. Positions count the rows of the batch, groups its
 * groups of peers. */
export interface Segment {
  readonly start: number;
  end: number;
  readonly firstGroup: number;
  groupEnd: number;
  /** What of the partition was in the batches before. */
  readonly rowsBefore: number;
  readonly groupsBefore: number;
}

/** Rows that are computed together: whole partitions, or parts of one where its calls look neither ahead
 * nor back. They are kept in a store, which spills. */
export class WindowBatch {
  readonly rows: RowStore;
  readonly segments: Segment[] = [];
  readonly #cut: BatchCut;
  readonly #tracksGroups: boolean;
  readonly #computed: readonly Evaluator[];
  readonly #partitionKeys: readonly Evaluator[];
  readonly #orderKeys: readonly Evaluator[];
  readonly #partitionChange: KeyChange;
  readonly #orderChange: KeyChange;
  readonly #groupStarts: RowStore;
  readonly #groups: PagedColumns;
  readonly #start: [NumberVector];
  #partitionVectors: ColumnVector[] = [];
  #orderVectors: ColumnVector[] = [];
  #columns: ColumnVector[] = [];
  #groupCount = 0;
  /** What the row that was compared last begins, and whether it waits for the next batch. */
  #isPartition = false;
  #isGroup = false;
  #isHeld = false;

  /** Its rows have the columns of the input, then those of `computed`. */
  constructor(
    run: Run,
    cut: BatchCut,
    tracksGroups: boolean,
    inputTypes: readonly SqlType[],
    computed: readonly Evaluator[],
    partitionKeys: readonly Evaluator[],
    orderKeys: readonly Evaluator[],
  ) {
    this.#cut = cut;
    this.#tracksGroups = tracksGroups;
    this.#computed = computed;
    this.#partitionKeys = partitionKeys;
    this.#orderKeys = orderKeys;
    this.#partitionChange = new KeyChange(partitionKeys.map((key) => key.type));
    this.#orderChange = new KeyChange(orderKeys.map((key) => key.type));
    this.rows = new RowStore(run, [...inputTypes, ...computed.map((value) => value.type)]);
    const position = typeByOid(OID.int8);
    this.#groupStarts = new RowStore(run, [position]);
    this.#groups = new PagedColumns(run, this.#groupStarts, [0], [position]);
    this.#start = [new NumberVector(1)];
  }

  /** Forgets all; the next row begins a partition. */
  reset(workMem: number): void {
    this.#partitionChange.reset();
    this.#orderChange.reset();
    this.#isHeld = false;
    this.segments.length = 0;
    this.#clear(workMem);
  }

  /** Begins a batch that goes on where the last one ended. */
  restart(workMem: number): void {
    const last = this.segments.at(-1);
    this.segments.length = 0;
    if (last !== undefined) {
      this.segments.push({
        start: 0,
        end: 0,
        firstGroup: 0,
        groupEnd: 0,
        rowsBefore: last.rowsBefore + last.end - last.start,
        groupsBefore: last.groupsBefore + last.groupEnd - last.firstGroup,
      });
    }
    this.#clear(workMem);
  }

  #clear(workMem: number): void {
    this.rows.begin(workMem);
    this.#groupStarts.begin(workMem);
    this.#groups.begin();
    this.#groupCount = 0;
  }

  /** Takes over a chunk, whose rows `add` adds. */
  begin(chunk: DataChunk): void {
    this.#partitionVectors = this.#partitionKeys.map((key) => key.evaluate(chunk));
    this.#orderVectors = this.#orderKeys.map((key) => key.evaluate(chunk));
    this.#columns = [...chunk.columns, ...this.#computed.map((value) => value.evaluate(chunk))];
  }

  /** Adds rows of the chunk from the one numbered `from` on. Gives the number of the first one that
   * belongs to the next batch; the chunk's count when there is none. */
  add(chunk: DataChunk, from: number): number {
    for (let i = from; i < chunk.count; i++) {
      const row = chunk.selection === null ? i : chunk.selection[i]!;
      if (this.#isHeld) this.#isHeld = false;
      else this.#compare(row);
      if (this.rows.count >= CHUNK_ROWS && this.#mayCut()) {
        this.#isHeld = true;
        return i;
      }
      this.#addRow(row);
    }
    return chunk.count;
  }

  /** Finds out what the row begins. */
  #compare(row: number): void {
    const isPartition = this.#partitionChange.isNew(this.#partitionVectors, row);
    const isGroup = this.#tracksGroups && this.#orderChange.isNew(this.#orderVectors, row);
    this.#isPartition = isPartition;
    this.#isGroup = isPartition || isGroup;
  }

  #mayCut(): boolean {
    if (this.#cut === 'row') return true;
    return this.#cut === 'group' ? this.#isGroup : this.#isPartition;
  }

  #addRow(row: number): void {
    const position = this.rows.count;
    const { segments } = this;
    if (this.#isPartition) {
      // Of a partition that ended with the batch before there are no rows here.
      if (segments.at(-1)?.end === 0) segments.pop();
      segments.push({
        start: position,
        end: position,
        firstGroup: this.#groupCount,
        groupEnd: this.#groupCount,
        rowsBefore: 0,
        groupsBefore: 0,
      });
    }
    const segment = segments.at(-1)!;
    if (this.#isGroup && this.#tracksGroups) {
      this.#start[0].values[0] = position;
      this.#groupStarts.appendRow(this.#start, 0);
      segment.groupEnd = ++this.#groupCount;
    }
    this.rows.appendRow(this.#columns, row);
    segment.end = position + 1;
  }

  /** The first row of a group; that of the one behind the last is the end of the partition's rows. */
  groupStart(group: number, segment: Segment): number {
    if (group >= segment.groupEnd) return segment.end;
    const row = this.#groups.seek(group);
    return (this.#groups.vectors[0] as NumberVector).values[row]!;
  }

  close(): void {
    this.rows.close();
    this.#groupStarts.close();
  }
}
