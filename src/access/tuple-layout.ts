/** Tuple: one stored row, the value of an entry of a clustered tree. Integers are little-endian.
 *
 *   offset      size  field
 *        0         2  header    bits 0-14: number of columns n; bit 15: wide (end offsets of 4 bytes)
 *        2  ceil(n/8) nulls     bit i%8 of byte i/8 is set when column i is NULL
 *        …         f  fixed     the columns of fixed width, in column order, each at a fixed
 *                               offset whether it is NULL or not: bool 1 byte (0, 1), int2 2,
 *                               int4 and float4 4, int8 and float8 8
 *        …     w * v  ends      w is 2 or 4; end of each of the v variable columns, from the start
 *                               of `data`; a NULL ends where the column before it ends
 *        …         …  data      the stored forms of the variable columns, in column order
 *
 * A column's type and so its place never change, and columns are only ever added at the end, so
 * that a tuple is read with the layout of its table whenever it was written: columns from n on were
 * added later and have the `missing` value of their descriptor. Infinite dates and timestamps are
 * the limits of their integers. Valid if and only if n is at most the number of columns of the
 * table, the ends do not decrease, and the last end is the end of the tuple.
 * Versions: 1, first release. */

import { assert } from '../base/index.ts';
import type { RelationDescriptor } from '../catalog/descriptors.ts';
import { type Datum, OID, type SqlType, type StoredKind, typeByOid } from '../types/index.ts';

export const TUPLE_HEADER_SIZE = 2;
export const TUPLE_COLUMNS_MASK = 0x7fff;
export const TUPLE_WIDE = 0x8000;
/** Columns that a table may have, as in PostgreSQL. */
export const TUPLE_COLUMNS_MAX = 1664;

/** How a column lies in a tuple; small integers, so that hot loops can switch on them. */
export const STORED = {
  bool: 0,
  int2: 1,
  int4: 2,
  int8: 3,
  float4: 4,
  float8: 5,
  bytes: 6,
} as const satisfies Record<StoredKind, number>;

const STORED_SIZE = [1, 2, 4, 8, 4, 8, 0];

/** Where each column of a kind of tuple lies. */
export class TupleLayout {
  readonly count: number;
  readonly types: readonly SqlType[];
  /** Value of column i in a tuple that ends before it. */
  readonly missing: readonly Datum[];
  /** One of STORED for each column. */
  readonly stored: Uint8Array;
  /** 1 where the limits of the integer mean infinity. */
  readonly infinite: Uint8Array;
  /** Offset in the fixed section, or -1. */
  readonly fixedOffset: Int32Array;
  /** Number among the variable columns, or -1. */
  readonly variableIndex: Int32Array;
  /** Size of the fixed section of a tuple of n columns. */
  readonly fixedSize: Int32Array;
  /** Number of variable columns among the first n. */
  readonly variableCount: Int32Array;

  constructor(types: readonly SqlType[], missing: readonly Datum[]) {
    const count = types.length;
    assert(count <= TUPLE_COLUMNS_MASK, 'too many columns for a tuple');
    this.count = count;
    this.types = types;
    this.missing = missing;
    this.stored = new Uint8Array(count);
    this.infinite = new Uint8Array(count);
    this.fixedOffset = new Int32Array(count).fill(-1);
    this.variableIndex = new Int32Array(count).fill(-1);
    this.fixedSize = new Int32Array(count + 1);
    this.variableCount = new Int32Array(count + 1);
    let fixed = 0;
    let variable = 0;
    for (let i = 0; i < count; i++) {
      const type = types[i]!;
      const stored = STORED[type.stored];
      this.stored[i] = stored;
      if (isInfiniteType(type.oid)) this.infinite[i] = 1;
      if (stored === STORED.bytes) this.variableIndex[i] = variable++;
      else {
        this.fixedOffset[i] = fixed;
        fixed += STORED_SIZE[stored]!;
      }
      this.fixedSize[i + 1] = fixed;
      this.variableCount[i + 1] = variable;
    }
  }
}

function isInfiniteType(oid: number): boolean {
  return oid === OID.date || oid === OID.timestamp || oid === OID.timestamptz;
}

const layouts = new WeakMap<RelationDescriptor, TupleLayout>();

/** The layout of a table's rows. */
export function layoutOf(relation: RelationDescriptor): TupleLayout {
  let layout = layouts.get(relation);
  if (layout === undefined) {
    layout = new TupleLayout(
      relation.columns.map((column) => typeByOid(column.type)),
      relation.columns.map((column) => column.missing),
    );
    layouts.set(relation, layout);
  }
  return layout;
}

/** A layout for rows that are kept only while a statement runs. */
export function layoutOfTypes(types: readonly SqlType[]): TupleLayout {
  return new TupleLayout(types, new Array<Datum>(types.length).fill(null));
}
