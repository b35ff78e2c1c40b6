import { assert } from '../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../catalog/descriptors.ts';
import type { BytesVector, ColumnVector, NumberVector } from '../chunk/index.ts';
import { dateFromInt4, type KeyForm, keyFormOf } from '../types/index.ts';

/** One part of a key, and the vector that its value goes to, or null where it is only passed over. */
interface Part {
  readonly form: KeyForm;
  readonly target: ColumnVector | null;
}

/** Where a column's value stands: in the key of the entry, which has the index columns, or in its value,
 * which is the clustered key of the row; and which part it is there. */
export interface EntryColumn {
  readonly in: 'key' | 'value';
  readonly part: number;
}

/** Reads columns of rows from entries of a secondary index (keys.ts). */
export class EntryReader {
  readonly #keyParts: readonly Part[];
  readonly #valueParts: readonly Part[];

  /** `vectors`: where the values of `columns` go. */
  constructor(
    table: RelationDescriptor,
    index: IndexDescriptor,
    columns: readonly EntryColumn[],
    vectors: readonly ColumnVector[],
  ) {
    const partsOf = (place: 'key' | 'value', types: readonly number[]): Part[] => {
      const read = columns.filter((column) => column.in === place);
      const count = read.reduce((most, { part }) => Math.max(most, part + 1), 0);
      return types.slice(0, count).map((type, part) => {
        const form = keyFormOf(type);
        assert(form !== null, `keys of index ${index.name} cannot be read`);
        const target = columns.findIndex((column) => column.in === place && column.part === part);
        return { form, target: vectors[target] ?? null };
      });
    };
    const clustered = (table.clusterKey ?? []).map((column) => table.columns[column]!.type);
    this.#keyParts = partsOf(
      'key',
      index.columns.map(({ type }) => type),
    );
    this.#valueParts = partsOf('value', clustered);
  }

  /** Reads the row of an entry into a row of the vectors. */
  read(
    key: Uint8Array,
    keyStart: number,
    value: Uint8Array,
    valueStart: number,
    row: number,
  ): void {
    if (this.#keyParts.length > 0) readParts(this.#keyParts, key, keyStart, row);
    if (this.#valueParts.length > 0) readParts(this.#valueParts, value, valueStart, row);
  }
}

const VALUE_MARKER = 1;

function readParts(parts: readonly Part[], bytes: Uint8Array, start: number, row: number): void {
  let at = start;
  for (let i = 0; i < parts.length; i++) {
    const { form, target } = parts[i]!;
    if (bytes[at++] === VALUE_MARKER) at = readValue(form, target, bytes, at, row);
    else target?.setNull(row);
  }
}

/** Reads a value and returns where it ends. */
function readValue(
  form: KeyForm,
  target: ColumnVector | null,
  bytes: Uint8Array,
  at: number,
  row: number,
): number {
  if (form === 'text') {
    let end = at;
    while (bytes[end] !== 0) end++;
    (target as BytesVector | null)?.setRange(row, bytes, at, end);
    return end + 1;
  }
  const vector = target as NumberVector | null;
  switch (form) {
    case 'int4':
      vector?.set(row, uint32(bytes, at) ^ SIGN);
      return at + 4;
    case 'int8':
      vector?.set(row, int64(uint32(bytes, at) ^ SIGN, uint32(bytes, at + 4) >>> 0));
      return at + 8;
    case 'date':
      vector?.set(row, dateFromInt4(uint32(bytes, at) ^ SIGN));
      return at + 4;
    case 'oid':
      vector?.set(row, uint32(bytes, at) >>> 0);
      return at + 4;
    case 'int2':
      vector?.set(row, ((((bytes[at]! << 8) | bytes[at + 1]!) ^ 0x8000) << 16) >> 16);
      return at + 2;
    case 'bool':
      vector?.set(row, bytes[at]!);
      return at + 1;
  }
}

const SIGN = 0x8000_0000 | 0;

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function int64(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}
