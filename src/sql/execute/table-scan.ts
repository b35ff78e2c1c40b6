import {
  EntryReader,
  encodeIndexColumns,
  encodeIndexColumnsFromDatums,
  hasEntry,
  type IndexKey,
  indexKeyOf,
  layoutOf,
  readColumn,
  readColumnOfTuple,
  readTupleDatums,
  type TupleLayout,
  type TupleRun,
} from '../../access/index.ts';
import { assert, ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/descriptors.ts';
import { BytesVector, CHUNK_ROWS, type ColumnVector, createVector } from '../../chunk/index.ts';
import type { Cursor, LeafRun, PageCursor } from '../../storage/index.ts';
import { WatchedCursor } from '../../txn/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { EntryColumn, IndexScanNode, SeqScanNode } from '../plan/plan.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { IndexedRow } from './indexed-row.ts';
import { KeyBatch } from './key-batch.ts';
import type { KeyRanges } from './key-ranges.ts';
import { CHUNK, DONE, FIRST_CHUNK_ROWS, Operator, PAUSE, type Status } from './operator.ts';
import type { Run, ScanBinding, ScanBindings } from './run.ts';

/** What both kinds of table scan share: decoding, the filter, bound scans. */
abstract class TableScan extends Operator {
  protected readonly run: Run;
  protected readonly table: RelationDescriptor;
  protected readonly layout: TupleLayout;
  protected readonly capacity: number;
  protected rows = 0;
  protected finished = false;
  readonly #columns: Int32Array;
  readonly #vectors: ColumnVector[];
  readonly #locator: BytesVector | null;
  readonly #filter: Evaluator | null;
  readonly #selection: Int32Array | null;
  readonly #scanId: number;
  readonly #bindings: ScanBindings | null;
  #firstRows: number;
  #limit: number;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    table: RelationDescriptor,
    node: SeqScanNode | IndexScanNode,
    filter: Evaluator | null,
    capacity: number,
    bindings: ScanBindings | null,
  ) {
    super();
    this.run = run;
    this.table = table;
    this.layout = layoutOf(table);
    this.capacity = capacity;
    this.#firstRows = Math.min(FIRST_CHUNK_ROWS, capacity);
    this.#limit = this.#firstRows;
    this.#columns = Int32Array.from(node.columns);
    this.#vectors = node.columns.map((column) =>
      createVector(typeByOid(table.columns[column]!.type), capacity),
    );
    this.#locator = node.locator ? new BytesVector(capacity) : null;
    this.#filter = filter;
    this.#selection = filter === null ? null : new Int32Array(capacity);
    this.#scanId = node.scanId;
    this.#bindings = bindings;
    this.chunk.columns = [...this.#vectors];
    if (this.#locator !== null) this.chunk.columns.push(this.#locator);
  }

  override open(): void {
    this.finished = false;
    this.#limit = this.#firstRows;
  }

  override expectRows(count: number): void {
    this.#firstRows = Math.max(1, Math.min(FIRST_CHUNK_ROWS, this.capacity, count));
  }

  override next(): Status {
    const { environment } = this.run;
    const binding = this.#bindings?.get(this.#scanId);
    for (;;) {
      if (this.finished || binding === null) return DONE;
      environment.checkInterrupts();
      if (this.run.shouldPause()) return PAUSE;
      this.rows = 0;
      for (const vector of this.#vectors) vector.reset();
      this.#locator?.reset();
      if (binding !== undefined) this.#readBound(binding);
      else this.fill(this.#limit);
      if (this.#limit < this.capacity) this.#limit = Math.min(this.capacity, this.#limit * 2);
      if (this.rows > 0 && this.#emit()) return CHUNK;
    }
  }

  /** Reads up to `limit` rows; sets `finished` when there are no more. */
  protected abstract fill(limit: number): void;

  /** Whether the row of a binding is one that the scan would read. */
  protected abstract accepts(tuple: Uint8Array, start: number): boolean;

  #emit(): boolean {
    const chunk = this.chunk;
    chunk.count = this.rows;
    chunk.selection = null;
    if (this.#filter === null) return true;
    const selection = this.#selection!;
    const kept = this.#filter.narrow(chunk, selection);
    if (this.counters !== null) this.counters.rowsRemoved += this.rows - kept;
    if (kept === this.rows) return true;
    chunk.count = kept;
    chunk.selection = selection;
    return kept > 0;
  }

  /** Appends a row from the bytes of its tuple and its key. */
  protected appendRow(
    tuple: Uint8Array,
    start: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.putRow(this.rows++, tuple, start, key, keyStart, keyEnd);
  }

  /** The same for row number `row`, in whatever order they come. */
  protected putRow(
    row: number,
    tuple: Uint8Array,
    start: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    for (let i = 0; i < this.#vectors.length; i++) {
      readColumnOfTuple(this.layout, this.#columns[i]!, tuple, start, this.#vectors[i]!, row);
    }
    this.#locator?.setRange(row, key, keyStart, keyEnd);
  }

  /** Appends a row from an entry of a secondary index. */
  protected appendEntryRow(
    reader: EntryReader,
    key: Uint8Array,
    keyStart: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const row = this.rows++;
    reader.read(key, keyStart, value, valueStart, row);
    this.#locator?.setRange(row, value, valueStart, valueEnd);
  }

  /** A reader of the scan's columns from entries. */
  protected entryReader(index: IndexDescriptor, columns: readonly EntryColumn[]): EntryReader {
    return new EntryReader(this.table, index, columns, this.#vectors);
  }

  /** Appends the first `count` rows of a leaf. */
  protected appendRun(run: LeafRun, count: number): void {
    if (!run.inPlace) {
      this.#appendLongRun(run, count);
      return;
    }
    const row = this.rows;
    for (let i = 0; i < this.#vectors.length; i++) {
      readColumn(this.layout, this.#columns[i]!, run as TupleRun, 0, count, this.#vectors[i]!, row);
    }
    if (this.#locator !== null) {
      for (let i = 0; i < count; i++) {
        this.#locator.setRange(row + i, run.bytes, run.keyStart[i]!, run.keyEnd[i]!);
      }
    }
    this.rows = row + count;
  }

  /** Appends the rows of a run with long values one by one. */
  #appendLongRun(run: LeafRun, count: number): void {
    for (let i = 0; i < count; i++) {
      const tuple = run.bytesOf(i);
      this.appendRow(tuple, run.valueStart[i]!, run.bytes, run.keyStart[i]!, run.keyEnd[i]!);
    }
  }

  #readBound(binding: ScanBinding): void {
    this.finished = true;
    const { key, tuple } = binding;
    if (tuple !== null) {
      if (this.accepts(tuple, 0)) this.appendRow(tuple, 0, key, 0, key.length);
      return;
    }
    const { environment } = this.run;
    const cursor = environment.openCursor(this.table.tree);
    if (cursor.seek(key, key.length, 'ge')) {
      const { valueBytes, valueStart } = cursor;
      if (this.accepts(valueBytes, valueStart)) {
        this.appendRow(valueBytes, valueStart, key, 0, key.length);
      }
    }
    environment.closeCursor(cursor);
  }
}

/** A cursor that can hand out whole leaves, or null. */
function pageCursorOf(cursor: Cursor): PageCursor | null {
  return 'leafRun' in cursor ? (cursor as PageCursor) : null;
}

/** Reads all rows of a table in the order of its clustering key. */
export class SeqScan extends TableScan {
  readonly #backward: boolean;
  #cursor: Cursor | null = null;
  #pages: PageCursor | null = null;
  #started = false;
  #resumes = 0;

  constructor(
    run: Run,
    table: RelationDescriptor,
    node: SeqScanNode,
    filter: Evaluator | null,
    bindings: ScanBindings | null,
  ) {
    super(run, table, node, filter, CHUNK_ROWS, bindings);
    this.#backward = node.backward;
  }

  override open(): void {
    super.open();
    this.#cursor = this.run.environment.openCursor(this.table.tree);
    this.#pages = pageCursorOf(this.#cursor);
    this.#started = false;
  }

  override rescan(): void {
    super.open();
    this.#started = false;
  }

  override close(): void {
    if (this.#cursor === null) return;
    this.run.environment.closeCursor(this.#cursor);
    this.#cursor = null;
    this.#pages = null;
  }

  protected override accepts(): boolean {
    return true;
  }

  protected override fill(limit: number): void {
    const cursor = this.#cursor!;
    if (!this.#step(cursor)) {
      this.finished = true;
      return;
    }
    if (this.#pages !== null && !this.#backward) this.#fillFromLeaves(this.#pages, limit);
    else this.#fillRowByRow(cursor, limit);
  }

  /** Moves on to the first row that is not read yet. */
  #step(cursor: Cursor): boolean {
    if (!this.#started) {
      this.#started = true;
      this.#resumes = this.run.resumes;
      return this.#backward ? cursor.last() : cursor.first();
    }
    if (this.#resumes !== this.run.resumes) {
      this.#resumes = this.run.resumes;
      cursor.refresh();
    }
    return this.#backward ? cursor.prev() : cursor.next();
  }

  #fillFromLeaves(cursor: PageCursor, limit: number): void {
    for (;;) {
      const run = cursor.leafRun(limit - this.rows);
      assert(run !== null, 'the cursor stands on an entry');
      this.appendRun(run, run.count);
      if (this.rows >= limit) return;
      if (!cursor.next()) {
        this.finished = true;
        return;
      }
    }
  }

  #fillRowByRow(cursor: Cursor, limit: number): void {
    for (;;) {
      this.#appendCurrent(cursor);
      if (this.rows >= limit) return;
      if (!(this.#backward ? cursor.prev() : cursor.next())) {
        this.finished = true;
        return;
      }
    }
  }

  #appendCurrent(cursor: Cursor): void {
    const { valueBytes, valueStart, keyBytes, keyStart, keyEnd } = cursor;
    this.appendRow(valueBytes, valueStart, keyBytes, keyStart, keyEnd);
  }
}

/** Rows of a chunk that an index scan reads entry by entry: most lookups give few, and a leaf is taken as a
 * whole where there are more. */
const ROWS_BEFORE_RUNS = 8;

/** Reads the rows whose index keys lie in ranges, in index order. */
export class IndexScan extends TableScan {
  readonly #index: IndexDescriptor;
  readonly #indexKey: IndexKey;
  readonly #ranges: KeyRanges;
  readonly #backward: boolean;
  /** Computes what the index has of a row; null where it has but columns. */
  readonly #computed: IndexedRow | null;
  /** Reads rows from the entries themselves; null where they have to be looked up. */
  readonly #entry: EntryReader | null;
  readonly #key = new ByteWriter(64);
  #cursor: Cursor | null = null;
  /** The same, when whole leaves can be taken of it: its entries have all that is read. */
  #pages: PageCursor | null = null;
  /** The same, when it is to be told where the scan would end. */
  #watched: WatchedCursor | null = null;
  /** Reads the rows that entries of a secondary index lead to, after their keys have been gathered. */
  #lookup: Cursor | null = null;
  readonly #found: KeyBatch | null;
  #range = 0;
  #inRange = false;
  #resumes = 0;

  constructor(
    run: Run,
    table: RelationDescriptor,
    index: IndexDescriptor,
    node: IndexScanNode,
    ranges: KeyRanges,
    filter: Evaluator | null,
    computed: IndexedRow | null,
    bindings: ScanBindings | null,
  ) {
    super(run, table, node, filter, ranges.isPoint ? 1 : CHUNK_ROWS, bindings);
    this.#index = index;
    this.#indexKey = indexKeyOf(table, index);
    this.#ranges = ranges;
    this.#backward = node.backward;
    this.#computed = computed;
    this.#entry = node.entry === null ? null : this.entryReader(index, node.entry);
    this.#found = index.clustered || this.#entry !== null ? null : new KeyBatch(this.capacity);
  }

  override open(): void {
    const { environment } = this.run;
    this.#cursor = environment.openCursor(
      this.#index.clustered ? this.table.tree : this.#index.tree,
    );
    this.#watched = this.#cursor instanceof WatchedCursor ? this.#cursor : null;
    if (this.#found !== null) this.#lookup = environment.openCursor(this.table.tree);
    else if (!this.#backward && this.#watched === null) this.#pages = pageCursorOf(this.#cursor);
    this.rescan();
  }

  override rescan(): void {
    super.open();
    this.#ranges.compute();
    this.#range = this.#backward ? this.#ranges.count - 1 : 0;
    this.#inRange = false;
  }

  override close(): void {
    const { environment } = this.run;
    if (this.#cursor !== null) environment.closeCursor(this.#cursor);
    if (this.#lookup !== null) environment.closeCursor(this.#lookup);
    this.#cursor = null;
    this.#pages = null;
    this.#watched = null;
    this.#lookup = null;
  }

  /** The ranges are conditions too, and a changed row may have left them. */
  protected override accepts(tuple: Uint8Array, start: number): boolean {
    const key = this.#key.reset();
    if (this.#computed !== null) {
      const columns = this.#computed.read(tuple, start);
      if (!hasEntry(this.#indexKey, columns, 0)) return false;
      encodeIndexColumns(this.#indexKey, columns, 0, key);
    } else {
      encodeIndexColumnsFromDatums(this.#indexKey, readTupleDatums(this.layout, tuple, start), key);
    }
    return this.#ranges.contains(key.bytes, 0, key.position);
  }

  protected override fill(limit: number): void {
    this.#found?.reset();
    this.#readEntries(limit);
    if (this.#found !== null) this.#lookUp(this.#found, this.#lookup!);
  }

  /** Appends the rows of up to `limit` entries, or gathers the keys of the rows to look up. */
  #readEntries(limit: number): void {
    const cursor = this.#cursor!;
    if (this.#inRange && this.#resumes !== this.run.resumes) cursor.refresh();
    this.#resumes = this.run.resumes;
    const isPoint = this.#ranges.isPoint;
    while (this.rows < limit) {
      if (!this.#advance(cursor)) {
        this.finished = true;
        return;
      }
      if (this.rows >= ROWS_BEFORE_RUNS && this.#pages !== null) {
        this.#appendLeaf(this.#pages, limit);
        continue;
      }
      this.#appendEntry(cursor);
      if (isPoint) {
        this.finished = true;
        return;
      }
    }
  }

  /** Moves to the next entry in a range; false behind the last range. */
  #advance(cursor: Cursor): boolean {
    const ranges = this.#ranges;
    for (;;) {
      if (this.#range < 0 || this.#range >= ranges.count) return false;
      let found: boolean;
      if (this.#inRange) found = this.#backward ? cursor.prev() : cursor.next();
      else {
        found = this.#seekRange(cursor);
        if (this.#watched !== null) this.#limit(this.#watched);
      }
      this.#inRange = true;
      if (found && this.#isInside(cursor)) return true;
      this.#range += this.#backward ? -1 : 1;
      this.#inRange = false;
    }
  }

  /** Appends what the leaf, from the cursor's entry on, has of the range. */
  #appendLeaf(cursor: PageCursor, limit: number): void {
    const run = cursor.leafRun(limit - this.rows);
    assert(run !== null, 'the cursor stands on an entry');
    const count = this.#countInside(run);
    const entry = this.#entry;
    if (entry === null) this.appendRun(run, count);
    else {
      for (let i = 0; i < count; i++) {
        const value = run.inPlace ? run.bytes : run.bytesOf(i);
        const start = run.valueStart[i]!;
        this.appendEntryRow(entry, run.bytes, run.keyStart[i]!, value, start, run.valueEnd[i]!);
      }
    }
    if (count === run.count) return;
    this.#range++;
    this.#inRange = false;
  }

  /** How many entries of a run lie before the end of the range. */
  #countInside(run: LeafRun): number {
    const isInside = (i: number): boolean =>
      this.#ranges.isBeforeEnd(this.#range, run.bytes, run.keyStart[i]!, run.keyEnd[i]!);
    if (isInside(run.count - 1)) return run.count;
    let low = 0;
    let high = run.count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isInside(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #seekRange(cursor: Cursor): boolean {
    const ranges = this.#ranges;
    const bytes = ranges.bytes;
    const range = this.#range;
    if (!this.#backward)
      return this.#seek(cursor, bytes, ranges.startFrom[range]!, ranges.startTo[range]!, 'ge');
    if (ranges.endTo[range]! < 0) return cursor.last();
    return this.#seek(cursor, bytes, ranges.endFrom[range]!, ranges.endTo[range]!, 'lt');
  }

  #limit(watched: WatchedCursor): void {
    const { bytes, startFrom, startTo, endFrom, endTo } = this.#ranges;
    const range = this.#range;
    if (this.#backward) watched.limit(bytes, startFrom[range]!, startTo[range]!);
    else if (endTo[range]! >= 0) watched.limit(bytes, endFrom[range]!, endTo[range]!);
  }

  #seek(cursor: Cursor, bytes: Uint8Array, from: number, to: number, mode: 'ge' | 'lt'): boolean {
    if (from === 0) return cursor.seek(bytes, to, mode);
    const key = this.#key.reset();
    key.range(bytes, from, to);
    return cursor.seek(key.bytes, key.position, mode);
  }

  #isInside(cursor: Cursor): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    if (this.#backward) {
      return this.#ranges.compareStart(this.#range, keyBytes, keyStart, keyEnd) >= 0;
    }
    return this.#ranges.isBeforeEnd(this.#range, keyBytes, keyStart, keyEnd);
  }

  #isAt(cursor: Cursor, key: ByteWriter): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    return compareByteRanges(keyBytes, keyStart, keyEnd, key.bytes, 0, key.position) === 0;
  }

  #appendEntry(cursor: Cursor): void {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
    if (this.#entry !== null) {
      this.appendEntryRow(this.#entry, keyBytes, keyStart, valueBytes, valueStart, valueEnd);
      return;
    }
    if (this.#found === null) {
      this.appendRow(valueBytes, valueStart, keyBytes, keyStart, keyEnd);
      return;
    }
    this.#found.add(valueBytes, valueStart, valueEnd);
    this.rows++;
  }

  /** Reads the rows in the order of their keys, each to the place of its entry. */
  #lookUp(found: KeyBatch, lookup: Cursor): void {
    if (found.count > 1) found.sort();
    const key = this.#key;
    for (let i = 0; i < found.count; i++) {
      const row = found.count > 1 ? found.at(i) : 0;
      found.copy(row, key.reset());
      const isThere = lookup.seek(key.bytes, key.position, 'ge') && this.#isAt(lookup, key);
      assert(isThere, `index ${this.#index.name} has an entry without a row`);
      this.putRow(row, lookup.valueBytes, lookup.valueStart, key.bytes, 0, key.position);
    }
  }
}
