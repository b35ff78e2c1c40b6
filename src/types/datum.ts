/** Datum: one SQL value in JavaScript. Plain data only, so that values cross threads as they are.
 *
 *   SQL type                     Datum
 *   any                          null for NULL
 *   bool                         boolean
 *   int2 int4 oid float4 float8  number (float4 already rounded to single precision)
 *   int8                         number when it is a safe integer, else bigint (canonical: Int8)
 *   money                        Int8, hundredths
 *   date                         number, days since 2000-01-01; Infinity and -Infinity
 *   time                         number, microseconds since midnight
 *   timetz                       Uint8Array of 12 bytes, its stored form (types/datetime/timetz.ts)
 *   timestamp timestamptz        Int8, microseconds since 2000-01-01 (UTC); Infinity and -Infinity
 *   text varchar char(n) name    string
 *   bytea                        Uint8Array
 *   uuid                         Uint8Array of 16 bytes
 *   inet cidr                    Uint8Array, their stored form (types/network/address.ts)
 *   macaddr macaddr8             Uint8Array of 6 and 8 bytes
 *   bit varbit                   Uint8Array, their stored form (types/bit/value.ts)
 *   json                         string
 *   jsonpath                     string, its canonical text
 *   jsonb                        Uint8Array, its stored form (types/json/stored.ts)
 *   numeric                      Numeric
 *   interval                     Interval
 *   arrays                       ArrayDatum
 *   records                      RecordDatum
 *   ranges, multiranges          RangeDatum, MultirangeDatum
 */

/** An integer of 64 bits: a number exactly when it is safe, so that equal values are `===`-like. */
export type Int8 = number | bigint;

/** Canonical form of a 64-bit integer. The caller has checked the range. */
export function int8(value: bigint): Int8 {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}

/** value = unscaled * 10^-scale, scale being the display scale (dscale) of 0 .. 16383. */
export interface FiniteNumeric {
  readonly kind: 'finite';
  readonly unscaled: bigint;
  readonly scale: number;
}

export interface SpecialNumeric {
  readonly kind: 'nan' | 'infinity' | '-infinity';
}

export type Numeric = FiniteNumeric | SpecialNumeric;

/** An interval; its three parts are kept apart as in PostgreSQL. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: Int8;
}

export interface ArrayDatum {
  readonly elementType: number;
  /** Length of each dimension; empty for the empty array. */
  readonly dimensions: readonly number[];
  readonly lowerBounds: readonly number[];
  /** Elements in row-major order. */
  readonly elements: readonly Datum[];
}

export interface RecordDatum {
  readonly fieldTypes: readonly number[];
  readonly fields: readonly Datum[];
  /** Absent of ROW(…), whose fields are f1, f2 and so on. */
  readonly fieldNames?: readonly string[] | undefined;
}

/** A range in its one form (types/range/value.ts). The empty one has no bounds. */
export interface RangeDatum {
  readonly rangeType: number;
  readonly empty: boolean;
  /** Null where the range is infinite on that side; no bound is NULL. */
  readonly lower: Datum;
  readonly upper: Datum;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
}

/** A multirange in its one form (types/range/multirange.ts). */
export interface MultirangeDatum {
  readonly multirangeType: number;
  readonly ranges: readonly RangeDatum[];
}

export type Datum =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Numeric
  | Interval
  | ArrayDatum
  | RecordDatum
  | RangeDatum
  | MultirangeDatum;
