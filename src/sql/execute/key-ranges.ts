import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { IndexDescriptor } from '../../catalog/descriptors.ts';
import {
  type ArrayDatum,
  type Datum,
  encodeKeyPart,
  type SqlType,
  typeByOid,
} from '../../types/index.ts';
import type { KeyRange } from '../plan/plan.ts';
import { coerceKey } from './coerce-key.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { ConstantEvaluator, Evaluator } from './expression/evaluator.ts';
import type { Run } from './run.ts';

/** First bytes of key parts that hold values, and of what follows them (types/key.ts). */
const VALUE_MARKER = 1;
const AFTER_VALUES = 2;

interface CompiledBound {
  readonly value: KeyValue;
  readonly inclusive: boolean;
}

interface CompiledRange {
  readonly equal: readonly KeyValue[];
  readonly anyOf: {
    readonly array: KeyValue | null;
    readonly list: readonly KeyValue[] | null;
  } | null;
  readonly lower: CompiledBound | null;
  readonly upper: CompiledBound | null;
  readonly isNull: boolean;
}

interface KeyColumnOrder {
  readonly type: SqlType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** A value that is the same for all rows of a scan. */
class KeyValue {
  readonly evaluator: ConstantEvaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator as ConstantEvaluator;
  }

  get type(): SqlType {
    return this.evaluator.type;
  }
}

/** Whether at most one row can match: all columns of a unique index are given. */
export function isPoint(index: IndexDescriptor, ranges: readonly KeyRange[]): boolean {
  const [only] = ranges;
  return (
    index.unique &&
    ranges.length === 1 &&
    only !== undefined &&
    only.anyOf === null &&
    only.equal.length === index.columns.length
  );
}

/** The byte ranges that an index scan reads: computed anew in every run, sorted and disjoint.
 *
 * Range i is keys >= bytes[startFrom[i], startTo[i]) and, unless endTo[i] is -1, < bytes[endFrom[i],
 * endTo[i]). */
export class KeyRanges {
  readonly #columns: readonly KeyColumnOrder[];
  readonly #ranges: readonly CompiledRange[];
  readonly #run: Run;
  readonly #out = new ByteWriter(128);
  readonly startFrom: number[] = [];
  readonly startTo: number[] = [];
  readonly endFrom: number[] = [];
  readonly endTo: number[] = [];
  count = 0;
  readonly isPoint: boolean;

  constructor(
    index: IndexDescriptor,
    ranges: readonly KeyRange[],
    run: Run,
    compiler: ExpressionCompiler,
  ) {
    this.#run = run;
    this.#columns = index.columns.map((column) => ({
      type: typeByOid(column.type),
      descending: column.descending,
      nullsFirst: column.nullsFirst,
    }));
    const value = (expr: Parameters<ExpressionCompiler['constant']>[0]): KeyValue =>
      new KeyValue(compiler.constant(expr));
    this.#ranges = ranges.map((range) => ({
      equal: range.equal.map(value),
      anyOf:
        range.anyOf === null
          ? null
          : {
              array: range.anyOf.array === null ? null : value(range.anyOf.array),
              list: range.anyOf.list?.map(value) ?? null,
            },
      lower:
        range.lower === null
          ? null
          : { value: value(range.lower.expr), inclusive: range.lower.inclusive },
      upper:
        range.upper === null
          ? null
          : { value: value(range.upper.expr), inclusive: range.upper.inclusive },
      isNull: range.isNull,
    }));
    this.isPoint = isPoint(index, ranges);
  }

  /** Bytes that the positions refer to. */
  get bytes(): Uint8Array {
    return this.#out.bytes;
  }

  compute(): void {
    this.#out.reset();
    this.count = 0;
    for (const range of this.#ranges) this.#add(range);
    if (this.count > 1) this.#disjoin();
  }

  /** Whether a key lies in one of the ranges. */
  contains(key: Uint8Array, start: number, end: number): boolean {
    for (let i = 0; i < this.count; i++) {
      if (this.compareStart(i, key, start, end) >= 0 && this.isBeforeEnd(i, key, start, end)) {
        return true;
      }
    }
    return false;
  }

  compareStart(range: number, key: Uint8Array, start: number, end: number): number {
    const bytes = this.#out.bytes;
    return compareByteRanges(key, start, end, bytes, this.startFrom[range]!, this.startTo[range]!);
  }

  isBeforeEnd(range: number, key: Uint8Array, start: number, end: number): boolean {
    const to = this.endTo[range]!;
    if (to < 0) return true;
    return compareByteRanges(key, start, end, this.#out.bytes, this.endFrom[range]!, to) < 0;
  }

  #add(range: CompiledRange): void {
    const out = this.#out;
    const prefixStart = out.position;
    let column = 0;
    for (const value of range.equal) {
      if (!this.#appendEqual(column, value.evaluator.value(), value.type)) return;
      column++;
    }
    if (range.anyOf === null) {
      this.#close(range, column, prefixStart, out.position);
      return;
    }
    const prefixEnd = out.position;
    const { array, list } = range.anyOf;
    if (list !== null) {
      for (const item of list) {
        this.#addElement(range, column, item.evaluator.value(), item.type, prefixStart, prefixEnd);
      }
      return;
    }
    const value = array!.evaluator.value() as ArrayDatum | null;
    const elementType = typeByOid(array!.type.elementOid);
    for (const element of value?.elements ?? []) {
      this.#addElement(range, column, element, elementType, prefixStart, prefixEnd);
    }
  }

  #addElement(
    range: CompiledRange,
    column: number,
    value: Datum,
    type: SqlType,
    prefixStart: number,
    prefixEnd: number,
  ): void {
    const out = this.#out;
    const start = out.position;
    out.reserve(prefixEnd - prefixStart);
    out.range(out.bytes, prefixStart, prefixEnd);
    if (!this.#appendEqual(column, value, type)) return;
    this.#close(range, column + 1, start, out.position);
  }

  /** False when no key can be equal. */
  #appendEqual(column: number, value: Datum, type: SqlType): boolean {
    if (value === null) return false;
    const order = this.#columns[column]!;
    const coerced = coerceKey(value, type, order.type, this.#run.environment.functions);
    if (coerced.rest !== 0) return false;
    encodeKeyPart(order.type, coerced.value, order.descending, order.nullsFirst, this.#out);
    return true;
  }

  /** Adds the range of keys that begin with a prefix and whose next column is as the bounds say. */
  #close(range: CompiledRange, column: number, prefixStart: number, prefixEnd: number): void {
    const out = this.#out;
    const order = this.#columns[column];
    if (order === undefined || (range.lower === null && range.upper === null && !range.isNull)) {
      this.#push(prefixStart, prefixEnd, out.position, this.#successor(prefixStart, prefixEnd));
      return;
    }
    if (range.isNull) {
      const marker = order.nullsFirst ? 0 : AFTER_VALUES;
      const start = this.#marked(prefixStart, prefixEnd, marker);
      const startTo = out.position;
      const end = this.#marked(prefixStart, prefixEnd, marker + 1);
      this.#push(start, startTo, end, out.position);
      return;
    }
    const first = order.descending ? range.upper : range.lower;
    const last = order.descending ? range.lower : range.upper;
    const start = this.#edge(first, order, prefixStart, prefixEnd, true);
    if (start < 0) return;
    const startTo = out.position;
    const end = this.#edge(last, order, prefixStart, prefixEnd, false);
    if (end < 0) return;
    this.#push(start, startTo, end, out.position);
  }

  /** Writes where the keys start, or where they end, and returns its position; -1 for NULL. */
  #edge(
    bound: CompiledBound | null,
    order: KeyColumnOrder,
    prefixStart: number,
    prefixEnd: number,
    isStart: boolean,
  ): number {
    const open = isStart ? VALUE_MARKER : AFTER_VALUES;
    if (bound === null) return this.#marked(prefixStart, prefixEnd, open);
    const value = bound.value.evaluator.value();
    if (value === null) return -1;
    const { functions } = this.#run.environment;
    const coerced = coerceKey(value, bound.value.type, order.type, functions);
    // In key order: is the exact bound before (-1), at, or after (1) the value that the column can hold?
    const rest = order.descending ? -coerced.rest : coerced.rest;
    if (coerced.value === null) {
      const beyond = rest < 0 ? VALUE_MARKER : AFTER_VALUES;
      return this.#marked(prefixStart, prefixEnd, beyond);
    }
    const out = this.#out;
    const at = out.position;
    out.reserve(prefixEnd - prefixStart);
    out.range(out.bytes, prefixStart, prefixEnd);
    encodeKeyPart(order.type, coerced.value, order.descending, order.nullsFirst, out);
    const includesValue = rest === 0 ? bound.inclusive : rest < 0 === isStart;
    // A start that leaves the value out, and an end that takes it in, lie behind all its keys.
    if (includesValue !== isStart) this.#increment(at);
    return at;
  }

  #marked(prefixStart: number, prefixEnd: number, marker: number): number {
    const out = this.#out;
    const at = out.position;
    out.reserve(prefixEnd - prefixStart + 1);
    out.range(out.bytes, prefixStart, prefixEnd);
    out.u8(marker);
    return at;
  }

  /** Appends the first byte string after all that begin with a prefix; -1 where there is none. */
  #successor(prefixStart: number, prefixEnd: number): number {
    if (prefixStart === prefixEnd) return -1;
    const out = this.#out;
    const at = out.position;
    out.reserve(prefixEnd - prefixStart);
    out.range(out.bytes, prefixStart, prefixEnd);
    this.#increment(at);
    return out.position;
  }

  /** Turns the last key written from `at` into the first that is after all it is a prefix of. A key
   * begins with a marker below 255, so there is one. */
  #increment(at: number): void {
    const out = this.#out;
    let last = out.position - 1;
    while (last > at && out.bytes[last] === 0xff) last--;
    out.bytes[last]!++;
    out.position = last + 1;
  }

  #push(startFrom: number, startTo: number, endFrom: number, endTo: number): void {
    const at = this.count++;
    this.startFrom[at] = startFrom;
    this.startTo[at] = startTo;
    this.endFrom[at] = endFrom;
    this.endTo[at] = endTo;
  }

  /** Sorts the ranges and joins those that touch. */
  #disjoin(): void {
    const order = Array.from({ length: this.count }, (_, i) => i);
    const bytes = this.#out.bytes;
    const { startFrom, startTo, endFrom, endTo } = this;
    order.sort((a, b) =>
      compareByteRanges(bytes, startFrom[a]!, startTo[a]!, bytes, startFrom[b]!, startTo[b]!),
    );
    const sorted = order.map((i) => [startFrom[i]!, startTo[i]!, endFrom[i]!, endTo[i]!] as const);
    this.count = 0;
    for (const [from, to, lastFrom, lastTo] of sorted) {
      const previous = this.count - 1;
      if (previous >= 0 && !this.#isBehind(previous, from, to)) {
        if (lastTo < 0 || this.#endsLater(previous, lastFrom, lastTo)) {
          this.endFrom[previous] = lastFrom;
          this.endTo[previous] = lastTo;
        }
      } else this.#push(from, to, lastFrom, lastTo);
    }
  }

  #isBehind(range: number, from: number, to: number): boolean {
    return !this.isBeforeEnd(range, this.#out.bytes, from, to);
  }

  #endsLater(range: number, from: number, to: number): boolean {
    const bytes = this.#out.bytes;
    const end = this.endTo[range]!;
    if (end < 0) return false;
    return compareByteRanges(bytes, from, to, bytes, this.endFrom[range]!, end) > 0;
  }
}
