import {
  type Datum,
  INT2_MAX,
  INT2_MIN,
  INT4_MAX,
  INT4_MIN,
  OID,
  type SqlType,
} from '../../types/index.ts';
import { castBetween, type FunctionContext, scalarImplementation } from '../functions/index.ts';

const DAY = 86_400_000_000;

/** A value brought to a column's type. `rest` is the sign of exact value minus `value`: 0 when nothing
 * was lost. `value` is null when the exact value is beyond all values of the type. */
export interface CoercedKey {
  readonly value: Datum;
  readonly rest: number;
}

const result: { value: Datum; rest: number } = { value: null, rest: 0 };

/** Brings a bound of another type of the operator family to the type of an index column. The object
 * is reused. */
export function coerceKey(
  value: Datum,
  from: SqlType,
  to: SqlType,
  context: FunctionContext,
): CoercedKey {
  result.value = value;
  result.rest = 0;
  if (from.oid === to.oid) return result;
  switch (to.oid) {
    case OID.int2:
      clamp(value as number | bigint, INT2_MIN, INT2_MAX);
      break;
    case OID.int4:
      clamp(value as number | bigint, INT4_MIN, INT4_MAX);
      break;
    case OID.float4: {
      const rounded = Math.fround(value as number);
      result.value = rounded;
      result.rest = Math.sign((value as number) - rounded) || 0;
      break;
    }
    case OID.date:
      toDate(value, from, context);
      break;
    case OID.timestamp:
    case OID.timestamptz:
      result.value = castDatum(value, from, to, context);
      break;
    default:
  }
  return result;
}

function clamp(value: number | bigint, minimum: number, maximum: number): void {
  if (value < minimum || value > maximum) {
    result.value = null;
    result.rest = value < minimum ? -1 : 1;
  }
}

function toDate(value: Datum, from: SqlType, context: FunctionContext): void {
  let local = value;
  if (from.oid === OID.timestamptz) {
    const cast = castBetween(OID.timestamptz, OID.timestamp);
    const code = cast && scalarImplementation(cast.function);
    if (code !== undefined) local = (code as CastFunction)(context, value);
  }
  const micros = Number(local);
  if (!Number.isFinite(micros)) {
    result.value = micros;
    return;
  }
  const day = Math.floor(micros / DAY);
  result.value = day;
  result.rest = micros > day * DAY ? 1 : 0;
}

type CastFunction = (context: FunctionContext, value: Datum) => Datum;

/** The value cast by the type's cast function, or as it is where there is none. */
export function castDatum(
  value: Datum,
  from: SqlType,
  to: SqlType,
  context: FunctionContext,
): Datum {
  const cast = castBetween(from.oid, to.oid);
  const code = cast && scalarImplementation(cast.function);
  return code === undefined ? value : (code as CastFunction)(context, value);
}
