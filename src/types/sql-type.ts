import type { ByteWriter } from '../base/index.ts';
import type { Datum } from './datum.ts';
import type { ObjectNames } from './object-reference.ts';

/** How a column of the type lies in memory (see chunk): doubles, byte strings or objects.
 *
 *   number  one Float64 a row; int8 and timestamps add a BigInt64Array when a value is not safe
 *   bytes   the stored bytes of the value in one shared buffer
 *   object  Datums
 */
export type Lane = 'number' | 'bytes' | 'object';

/** How a value lies in a tuple. The fixed kinds are little-endian at a fixed offset; `bytes` is the
 * type's own stored form (`toBytes`), of any length. */
export type StoredKind = 'bool' | 'int2' | 'int4' | 'int8' | 'float4' | 'float8' | 'bytes';

/** Settings and clock that the text forms of a type depend on. */
export interface TypeContext {
  /** IANA name, or a fixed offset such as `+05:30`. */
  readonly timeZone: string;
  readonly dateStyle: 'ISO' | 'SQL' | 'Postgres' | 'German';
  readonly dateOrder: 'YMD' | 'DMY' | 'MDY';
  readonly intervalStyle: 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601';
  readonly extraFloatDigits: number;
  readonly byteaOutput: 'hex' | 'escape';
  /** Start of the transaction, Int8 microseconds since 2000-01-01 UTC: 'now', 'today' in literals. */
  readonly transactionTimestamp: number;
  /** Names of catalog objects, for regclass and the like; absent where no catalog is at hand. */
  readonly objectNames?: ObjectNames | undefined;
}

/** PostgreSQL's defaults: for values whose text no setting changes, and for what must read the same in
 * every session. */
export const DEFAULT_TYPE_CONTEXT: TypeContext = {
  timeZone: 'UTC',
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 0,
};

export type TypeCategory =
  | 'A'
  | 'B'
  | 'C'
  | 'D'
  | 'E'
  | 'G'
  | 'I'
  | 'N'
  | 'P'
  | 'R'
  | 'S'
  | 'T'
  | 'U'
  | 'V'
  | 'X'
  | 'Z';

/** One SQL base type: a row of the registry, and of pg_type. NULL never reaches these functions. */
export interface SqlType {
  readonly oid: number;
  /** Name in pg_type: int4, bpchar, timestamptz, _int4. */
  readonly name: string;
  /** Name as format_type prints it without a typmod: integer, character, timestamp with time zone. */
  readonly sqlName: string;
  readonly arrayOid: number;
  /** Element type of an array type, else 0. */
  readonly elementOid: number;
  readonly category: TypeCategory;
  readonly preferred: boolean;
  /** pg_type's typlen, typbyval, typalign, typstorage, typcollation, typdelim. */
  readonly length: number;
  readonly byValue: boolean;
  readonly align: 'c' | 's' | 'i' | 'd';
  readonly storage: 'p' | 'e' | 'm' | 'x';
  readonly collation: number;
  readonly lane: Lane;
  readonly stored: StoredKind;

  /** Parses the text form; 22P02 and the like with PostgreSQL's wording. Applies no typmod. */
  input(text: string, context: TypeContext, typmod: number): Datum;
  output(value: Datum, context: TypeContext): string;
  /** Parses the binary form of exactly bytes[start, end); 22P03 where it is malformed. */
  receive(bytes: Uint8Array, start: number, end: number): Datum;
  /** Appends the binary form, without a length. */
  send(value: Datum, out: ByteWriter): void;
  /** Appends the text form, without a length; like `output` but without making a string where possible. */
  writeText(value: Datum, out: ByteWriter, context: TypeContext): void;

  /** Total order of btree, equal exactly when `=` is true. */
  compare(a: Datum, b: Datum): number;
  /** Appends a key that memcmp orders as `compare` does; self-delimiting, so that keys concatenate. */
  encodeKey(value: Datum, out: ByteWriter): void;

  /** Stored form for lanes `bytes` and `object` (and tuples of kind `bytes`). */
  toBytes(value: Datum, out: ByteWriter): void;
  fromBytes(bytes: Uint8Array, start: number, end: number): Datum;
  /** Lane `bytes` only: wire forms straight from stored bytes, without a Datum. */
  textFromBytes?(
    bytes: Uint8Array,
    start: number,
    end: number,
    out: ByteWriter,
    context: TypeContext,
  ): void;
  binaryFromBytes?(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void;
  /** Lane `bytes` only: the same as `encodeKey`, straight from stored bytes. */
  keyFromBytes?(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void;

  /** Encodes `(10,2)` of a declaration; absent where the type takes no modifier. */
  typmodIn?(modifiers: readonly number[]): number;
  /** The modifier as format_type shows it, `(10,2)`. */
  typmodOut?(typmod: number): string;
  /** Fits a value to a typmod: rounds, pads, truncates or fails (22001, 22003) as PostgreSQL's
   * length coercion does; `explicit` is true for a cast written by the user. */
  applyTypmod?(value: Datum, typmod: number, explicit: boolean): Datum;
}
