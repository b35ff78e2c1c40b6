import {
  encodeKeyPartOfVector,
  encodeTuple,
  layoutOfTypes,
  readColumnOfTuple,
  type TupleLayout,
} from '../../access/index.ts';
import { ByteWriter, compareByteRanges, prefixNumber } from '../../base/index.ts';
import type { ColumnVector, NumberVector } from '../../chunk/index.ts';
import type { KeyColumn, SqlType } from '../../types/index.ts';
import type { SpillFile } from './environment.ts';
import { orderByPrefix, RADIX_MIN } from './prefix-order.ts';
import { quickSort } from './quick-sort.ts';
import type { Run } from './run.ts';

/** Runs merged at a time. */
const FAN_IN = 64;
const READ_BUFFER_BYTES = 32 * 1024;
/** Top-N keeps up to twice as many records, at least this many, before it drops the rest. */
const PRUNE_MIN = 2048;
/** Bytes of arrays that go with each record in memory. */
const RECORD_OVERHEAD = 24;
const INITIAL_RECORDS = 256;
const PLACES = 3;
const TUPLE_START = 1;
const END = 2;

/** Sorts rows by memcmp of their encoded keys: in memory, or in sorted runs of a spill file that are
 * merged at the end. Rows with equal keys come in the order that PostgreSQL's quicksort leaves them in;
 * where there are RADIX_MIN of them or more, they keep their order while in one run.
 *
 * A record is its key and its tuple, one after the other. */
export class Sorter {
  readonly #run: Run;
  readonly #layout: TupleLayout;
  readonly #keys: readonly KeyColumn[];
  readonly #memoryMin: number;
  #arena = new ByteWriter(1024);
  /** Of each record where in the arena its key starts, its tuple starts and it ends; side by side,
   * since records in order are all over memory. */
  #places = new Int32Array(INITIAL_RECORDS * PLACES);
  /** First six bytes of the key as a number, which decides most comparisons. */
  #prefix = new Float64Array(INITIAL_RECORDS);
  #count = 0;
  /** The records in memory came in order. */
  #ascending = true;
  #order: Int32Array = new Int32Array(0);
  #position = 0;
  #limit = Number.POSITIVE_INFINITY;
  #kept = 0;
  #boundary: Uint8Array | null = null;
  /** For top-N whose first key is a number: that of each record, NaN for NULL, and that of the record at
   * the boundary, which rules most rows out without encoding their keys. */
  #firsts: Float64Array | null = null;
  #boundaryFirst = Number.NaN;
  #runs: SpillRun[] = [];
  #file: SpillFile | null = null;
  #merge: Merge | null = null;
  spilledBytes = 0;
  peakBytes = 0;

  /** The record that `nextRecord` has moved to. */
  bytes: Uint8Array = this.#arena.bytes;
  keyFrom = 0;
  tupleFrom = 0;
  tupleEnd = 0;

  /** It takes `workMem`, or more if `memoryMin` is more. */
  constructor(run: Run, types: readonly SqlType[], keys: readonly KeyColumn[], memoryMin = 0) {
    this.#run = run;
    this.#memoryMin = memoryMin;
    this.#layout = layoutOfTypes(types);
    this.#keys = keys;
  }

  /** Forgets all rows. Only the first `limit` in order will be read. */
  begin(limit: number): void {
    this.close();
    this.#limit = limit;
    const isTopN = limit !== Number.POSITIVE_INFINITY && this.#keys[0]?.type.lane === 'number';
    this.#firsts = isTopN ? new Float64Array(this.#prefix.length) : null;
  }

  add(keys: readonly ColumnVector[], columns: readonly ColumnVector[], row: number): void {
    const arena = this.#arena;
    const start = arena.position;
    const first = this.#firsts === null ? Number.NaN : firstOf(keys[0] as NumberVector, row);
    if (this.#keys[0]?.descending ? first < this.#boundaryFirst : first > this.#boundaryFirst)
      return;
    for (let i = 0; i < this.#keys.length; i++) {
      const { type, descending, nullsFirst } = this.#keys[i]!;
      encodeKeyPartOfVector(type, keys[i]!, row, descending, nullsFirst, arena);
    }
    const keyEnd = arena.position;
    if (this.#boundary !== null && this.#isBeyond(start, keyEnd)) {
      arena.position = start;
      return;
    }
    encodeTuple(this.#layout, columns, row, arena);
    this.#added(start, keyEnd, first);
  }

  /** Adds a record whose key and tuple (or whatever is to come along with the key) exist already. */
  addEncoded(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tuple: Uint8Array,
    tupleStart: number,
    tupleEnd: number,
  ): void {
    const arena = this.#arena;
    const start = arena.position;
    arena.range(key, keyStart, keyEnd);
    const tupleAt = arena.position;
    arena.range(tuple, tupleStart, tupleEnd);
    this.#added(start, tupleAt, Number.NaN);
  }

  #added(start: number, keyEnd: number, first: number): void {
    const arena = this.#arena;
    const at = this.#count++;
    if (this.#ascending && at > 0) {
      const before = this.#places[(at - 1) * PLACES]!;
      const beforeEnd = this.#places[(at - 1) * PLACES + TUPLE_START]!;
      const { bytes } = arena;
      this.#ascending = compareByteRanges(bytes, before, beforeEnd, bytes, start, keyEnd) <= 0;
    }
    if (at >= this.#prefix.length) this.#growArrays();
    const place = at * PLACES;
    this.#places[place] = start;
    this.#places[place + TUPLE_START] = keyEnd;
    this.#places[place + END] = arena.position;
    this.#prefix[at] = prefixNumber(arena.bytes, start, keyEnd);
    if (this.#firsts !== null) this.#firsts[at] = first;
    if (this.#count >= this.#pruneAt()) this.#prune();
    const used = this.#memory();
    if (used > this.peakBytes) this.peakBytes = used;
    const { workMem } = this.#run.environment;
    if (used > Math.max(workMem, this.#memoryMin) && this.#count > 1) this.#writeRun();
  }

  #memory(): number {
    return this.#arena.position + this.#count * RECORD_OVERHEAD;
  }

  #pruneAt(): number {
    return Math.max(2 * this.#limit, PRUNE_MIN);
  }

  #isBeyond(start: number, end: number): boolean {
    const boundary = this.#boundary!;
    return compareByteRanges(this.#arena.bytes, start, end, boundary, 0, boundary.length) >= 0;
  }

  #growArrays(): void {
    const size = this.#prefix.length * 2;
    const places = new Int32Array(size * PLACES);
    places.set(this.#places);
    this.#places = places;
    this.#prefix = grown(this.#prefix, size);
    if (this.#firsts !== null) this.#firsts = grown(this.#firsts, size);
  }

  #sortMemory(): void {
    if (this.#ascending || this.#count < RADIX_MIN) {
      const order = new Int32Array(this.#count);
      for (let i = 0; i < order.length; i++) order[i] = i;
      this.#order = order;
      if (this.#ascending) return;
      // PostgreSQL keeps the first ones of more rows in a heap.
      if (this.#boundary !== null || this.#count >= 2 * this.#limit) {
        this.#sortRange(0, order.length, this.#prefix);
        return;
      }
      const prefix = this.#prefix;
      quickSort(
        order,
        0,
        order.length,
        (a, b) => prefix[a]! - prefix[b]! || this.#compareKeys(a, b),
      );
      return;
    }
    const prefix = this.#distinctivePrefixes();
    this.#order = orderByPrefix(prefix, this.#count);
    this.#sortEqualPrefixes(prefix);
  }

  /** First six bytes of the keys behind those that all keys have in common. */
  #distinctivePrefixes(): Float64Array {
    const shared = this.#sharedLength();
    if (shared === 0) return this.#prefix;
    const places = this.#places;
    const { bytes } = this.#arena;
    const prefix = new Float64Array(this.#count);
    for (let i = 0; i < prefix.length; i++) {
      const place = i * PLACES;
      prefix[i] = prefixNumber(bytes, places[place]! + shared, places[place + TUPLE_START]!);
    }
    return prefix;
  }

  /** How many bytes all keys begin with alike. */
  #sharedLength(): number {
    const places = this.#places;
    const { bytes } = this.#arena;
    const first = places[0]!;
    let shared = places[TUPLE_START]! - first;
    for (let i = 1; i < this.#count && shared > 0; i++) {
      const start = places[i * PLACES]!;
      const length = Math.min(shared, places[i * PLACES + TUPLE_START]! - start);
      let alike = 0;
      while (alike < length && bytes[start + alike] === bytes[first + alike]) alike++;
      shared = alike;
    }
    return shared;
  }

  /** Records of one prefix are in the order in which they came, which is often theirs. */
  #sortEqualPrefixes(prefix: Float64Array): void {
    const order = this.#order;
    for (let from = 0; from < order.length; ) {
      const shared = prefix[order[from]!]!;
      let isSorted = true;
      let to = from + 1;
      for (; to < order.length && prefix[order[to]!] === shared; to++) {
        isSorted &&= this.#compareKeys(order[to - 1]!, order[to]!) <= 0;
      }
      if (!isSorted) this.#sortRange(from, to, prefix);
      from = to;
    }
  }

  #compareKeys(a: number, b: number): number {
    const places = this.#places;
    const { bytes } = this.#arena;
    return compareByteRanges(
      bytes,
      places[a * PLACES]!,
      places[a * PLACES + TUPLE_START]!,
      bytes,
      places[b * PLACES]!,
      places[b * PLACES + TUPLE_START]!,
    );
  }

  #sortRange(from: number, to: number, prefix: Float64Array): void {
    this.#order
      .subarray(from, to)
      .sort((a, b) => prefix[a]! - prefix[b]! || this.#compareKeys(a, b) || a - b);
  }

  /** Keeps the first `limit` records only. */
  #prune(): void {
    this.#sortMemory();
    const order = this.#order;
    const old = this.#arena;
    const kept = Math.min(this.#limit, order.length);
    const arena = new ByteWriter(old.bytes.length);
    const size = this.#prefix.length;
    const places = new Int32Array(size * PLACES);
    const prefix = new Float64Array(size);
    const firsts = this.#firsts === null ? null : new Float64Array(size);
    for (let i = 0; i < kept; i++) {
      const from = order[i]!;
      const place = from * PLACES;
      const moved = arena.position - this.#places[place]!;
      arena.range(old.bytes, this.#places[place]!, this.#places[place + END]!);
      for (let k = 0; k < PLACES; k++) places[i * PLACES + k] = this.#places[place + k]! + moved;
      prefix[i] = this.#prefix[from]!;
      if (firsts !== null) firsts[i] = this.#firsts![from]!;
    }
    this.#arena = arena;
    this.#places = places;
    this.#prefix = prefix;
    this.#firsts = firsts;
    this.#count = kept;
    if (kept > 0) {
      this.#boundary = arena.bytes.slice(
        places[(kept - 1) * PLACES]!,
        places[(kept - 1) * PLACES + TUPLE_START]!,
      );
      if (firsts !== null) this.#boundaryFirst = firsts[kept - 1]!;
    }
  }

  #writeRun(): void {
    this.#sortMemory();
    const writer = new RunWriter(this.#spillFile());
    const count = Math.min(this.#count, this.#limit);
    for (let i = 0; i < count; i++) {
      const place = this.#order[i]! * PLACES;
      const places = this.#places;
      const tupleStart = places[place + TUPLE_START]!;
      writer.add(this.#arena.bytes, places[place]!, tupleStart, places[place + END]!);
    }
    this.#runs.push(this.#finished(writer));
    this.#arena.reset();
    this.#count = 0;
    this.#ascending = true;
    if (this.#runs.length >= FAN_IN) this.#mergeRuns();
  }

  #finished(writer: RunWriter): SpillRun {
    const run = writer.finish();
    this.spilledBytes += run.length;
    return run;
  }

  /** Makes one run of all. */
  #mergeRuns(): void {
    const { environment } = this.#run;
    const merge = new Merge(this.#spillFile(), this.#runs);
    const writer = new RunWriter(this.#spillFile());
    for (let n = 0; n < this.#limit && merge.next(); n++) {
      if ((n & 0xfff) === 0) environment.checkInterrupts();
      const reader = merge.current;
      writer.add(reader.bytes, reader.keyStart, reader.tupleStart, reader.end);
    }
    this.#runs = [this.#finished(writer)];
  }

  #spillFile(): SpillFile {
    this.#file ??= this.#run.environment.createSpillFile();
    return this.#file;
  }

  /** Ends the input; rows can be read from the first. */
  sort(): void {
    if (this.#runs.length > 0 && this.#count > 0) this.#writeRun();
    if (this.#runs.length === 0) this.#sortMemory();
    this.rewind();
  }

  rewind(): void {
    this.#position = 0;
    this.#kept = 0;
    this.#merge = this.#runs.length === 0 ? null : new Merge(this.#spillFile(), this.#runs);
  }

  nextRecord(): boolean {
    if (this.#kept >= this.#limit) return false;
    if (this.#merge !== null) {
      if (!this.#merge.next()) return false;
      const reader = this.#merge.current;
      this.bytes = reader.bytes;
      this.keyFrom = reader.keyStart;
      this.tupleFrom = reader.tupleStart;
      this.tupleEnd = reader.end;
    } else {
      if (this.#position >= this.#order.length) return false;
      const place = this.#order[this.#position++]! * PLACES;
      this.bytes = this.#arena.bytes;
      this.keyFrom = this.#places[place]!;
      this.tupleFrom = this.#places[place + TUPLE_START]!;
      this.tupleEnd = this.#places[place + END]!;
    }
    this.#kept++;
    return true;
  }

  /** How the key of the present record compares with another. */
  compareKey({ bytes, position }: ByteWriter): number {
    return compareByteRanges(this.bytes, this.keyFrom, this.tupleFrom, bytes, 0, position);
  }

  /** Writes the key of the present record in the place of what there was. */
  copyKey(out: ByteWriter): void {
    out.reset().range(this.bytes, this.keyFrom, this.tupleFrom);
  }

  /** Reads the tuple of the present record into a row. */
  readColumns(vectors: readonly ColumnVector[], row: number): void {
    for (let i = 0; i < vectors.length; i++) {
      readColumnOfTuple(this.#layout, i, this.bytes, this.tupleFrom, vectors[i]!, row);
    }
  }

  /** Reads the next rows into rows 0 and on, at most `max`; returns how many. */
  read(vectors: readonly ColumnVector[], max: number): number {
    for (const vector of vectors) vector.reset();
    let count = 0;
    while (count < max && this.nextRecord()) this.readColumns(vectors, count++);
    return count;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#runs = [];
    this.#merge = null;
    this.#arena = this.#arena.bytes.length > 0x10_0000 ? new ByteWriter(1024) : this.#arena.reset();
    this.#count = 0;
    this.#ascending = true;
    this.#order = new Int32Array(0);
    this.#boundary = null;
    this.#boundaryFirst = Number.NaN;
    this.#position = 0;
    this.#kept = 0;
    this.spilledBytes = 0;
    this.peakBytes = 0;
  }
}

/** NaN for NULL. */
function firstOf(vector: NumberVector, row: number): number {
  return vector.isNull(row) ? Number.NaN : vector.values[row]!;
}

function grown(array: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(size);
  larger.set(array);
  return larger;
}

/** A sorted run: records of [key length u32][tuple length u32][key][tuple]. */
interface SpillRun {
  readonly position: number;
  readonly length: number;
}

class RunWriter {
  readonly #file: SpillFile;
  readonly #buffer = new ByteWriter(READ_BUFFER_BYTES);
  #position = -1;
  #length = 0;

  constructor(file: SpillFile) {
    this.#file = file;
  }

  add(bytes: Uint8Array, keyStart: number, tupleStart: number, end: number): void {
    this.#buffer.u32le(tupleStart - keyStart);
    this.#buffer.u32le(end - tupleStart);
    this.#buffer.range(bytes, keyStart, end);
    if (this.#buffer.position >= READ_BUFFER_BYTES) this.#flush();
  }

  #flush(): void {
    const buffer = this.#buffer;
    const position = this.#file.write(buffer.bytes, 0, buffer.position);
    if (this.#position < 0) this.#position = position;
    this.#length += buffer.position;
    buffer.reset();
  }

  finish(): SpillRun {
    if (this.#buffer.position > 0 || this.#position < 0) this.#flush();
    return { position: this.#position, length: this.#length };
  }
}

/** Reads a run through a buffer that grows for long records. */
class RunReader {
  readonly #file: SpillFile;
  #position: number;
  readonly #endPosition: number;
  bytes = new Uint8Array(READ_BUFFER_BYTES);
  #from = 0;
  #to = 0;
  keyStart = 0;
  tupleStart = 0;
  end = 0;
  prefix = 0;

  constructor(file: SpillFile, run: SpillRun) {
    this.#file = file;
    this.#position = run.position;
    this.#endPosition = run.position + run.length;
  }

  next(): boolean {
    if (!this.#ensure(8)) return false;
    const view = new DataView(this.bytes.buffer);
    const keyLength = view.getUint32(this.#from, true);
    const tupleLength = view.getUint32(this.#from + 4, true);
    this.#ensure(8 + keyLength + tupleLength);
    this.keyStart = this.#from + 8;
    this.tupleStart = this.keyStart + keyLength;
    this.end = this.tupleStart + tupleLength;
    this.prefix = prefixNumber(this.bytes, this.keyStart, this.tupleStart);
    this.#from = this.end;
    return true;
  }

  /** Makes `count` bytes available at `from`; false at the end of the run. */
  #ensure(count: number): boolean {
    if (this.#to - this.#from >= count) return true;
    const rest = this.#to - this.#from;
    if (rest + this.#endPosition - this.#position < count) return false;
    if (count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(count, this.bytes.length * 2));
      larger.set(this.bytes.subarray(this.#from, this.#to));
      this.bytes = larger;
    } else this.bytes.copyWithin(0, this.#from, this.#to);
    this.#from = 0;
    const length = Math.min(this.bytes.length - rest, this.#endPosition - this.#position);
    this.#file.read(this.#position, length, this.bytes, rest);
    this.#position += length;
    this.#to = rest + length;
    return true;
  }
}

/** Merges runs: a heap of readers, the one with the first record on top. */
class Merge {
  readonly #heap: RunReader[] = [];
  #started = false;

  constructor(file: SpillFile, runs: readonly SpillRun[]) {
    for (const run of runs) {
      const reader = new RunReader(file, run);
      if (reader.next()) this.#heap.push(reader);
    }
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get current(): RunReader {
    return this.#heap[0]!;
  }

  next(): boolean {
    const heap = this.#heap;
    if (this.#started && heap.length > 0) {
      if (!heap[0]!.next()) {
        const last = heap.pop()!;
        if (heap.length > 0) heap[0] = last;
      }
      if (heap.length > 1) this.#sink(0);
    }
    this.#started = true;
    return heap.length > 0;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const moved = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  }
}

function isBefore(a: RunReader, b: RunReader): boolean {
  if (a.prefix !== b.prefix) return a.prefix < b.prefix;
  return (
    compareByteRanges(a.bytes, a.keyStart, a.tupleStart, b.bytes, b.keyStart, b.tupleStart) < 0
  );
}
