import { ByteWriter } from '../../../base/index.ts';
import {
  type BytesVector,
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import { json, type SqlType } from '../../../types/index.ts';
import { combineValidity, Evaluator } from './evaluator.ts';

/** `j -> 'name'`, `j ->> 'name'`, `j -> 1` and `j ->> 1` in place, without copying the whole of j. */

const { TAG } = json;

/** Finds the item that a subscript names in the container at `start`; -1 for none. */
export type Find = (bytes: Uint8Array, start: number, key: ColumnVector, row: number) => number;

export function findByName(
  bytes: Uint8Array,
  start: number,
  key: ColumnVector,
  row: number,
): number {
  if (json.tagAt(bytes, start) !== TAG.object) return -1;
  const { buffer, start: starts, length } = key as BytesVector;
  const from = starts[row]!;
  return json.findField(bytes, start, buffer, from, from + length[row]!);
}

export function findByIndex(
  bytes: Uint8Array,
  start: number,
  key: ColumnVector,
  row: number,
): number {
  if (json.tagAt(bytes, start) !== TAG.array) return -1;
  const index = (key as NumberVector).values[row]!;
  const count = json.countAt(bytes, start);
  const item = index < 0 ? count + index : index;
  return item >= 0 && item < count ? item : -1;
}

export class JsonbAccess extends Evaluator {
  readonly #container: Evaluator;
  readonly #key: Evaluator;
  readonly #find: Find;
  /** Whether the result is text: strings without their quotes, null as NULL. */
  readonly #asText: boolean;
  readonly #out: BytesVector;
  readonly #scratch = new ByteWriter();

  constructor(
    type: SqlType,
    capacity: number,
    container: Evaluator,
    key: Evaluator,
    find: Find,
    asText: boolean,
  ) {
    super(type);
    this.#container = container;
    this.#key = key;
    this.#find = find;
    this.#asText = asText;
    this.#out = createVector(type, capacity) as BytesVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const container = this.#container.evaluate(rows) as BytesVector;
    const key = this.#key.evaluate(rows);
    const out = this.#out;
    combineValidity(out, container, key, rows);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (out.isNull(row)) out.setNull(row);
      else this.#set(row, container, key);
    }
    return out;
  }

  #set(row: number, container: BytesVector, key: ColumnVector): void {
    const { buffer } = container;
    const start = container.start[row]!;
    const item = this.#find(buffer, start, key, row);
    if (item >= 0) {
      const from = json.itemStart(buffer, start, item);
      this.#give(row, buffer, from, json.itemEnd(buffer, start, item));
    } else if (this.#find === findByIndex && isScalar(buffer, start) && isFirst(key, row)) {
      // A scalar by itself counts as an array of it.
      this.#give(row, buffer, start, start + container.length[row]!);
    } else this.#out.setNull(row);
  }

  #give(row: number, bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    const tag = bytes[start]!;
    if (!this.#asText) out.setRange(row, bytes, start, end);
    else if (tag === TAG.string) out.setRange(row, bytes, start + 1, end);
    else if (tag === TAG.null) out.setNull(row);
    else {
      const scratch = this.#scratch.reset();
      json.writeStoredText(bytes, start, end, scratch);
      out.setRange(row, scratch.bytes, 0, scratch.position);
    }
  }
}

function isScalar(bytes: Uint8Array, start: number): boolean {
  return json.tagAt(bytes, start) < TAG.array;
}

function isFirst(key: ColumnVector, row: number): boolean {
  const index = (key as NumberVector).values[row]!;
  return index === 0 || index === -1;
}
