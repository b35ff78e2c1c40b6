import type { Datum, SqlType } from '../../../types/index.ts';
import { btreeFamily, type FunctionContext } from '../../functions/index.ts';
import { castDatum, coerceKey } from '../coerce-key.ts';

/** How values of one column of a foreign key are compared with the column that it refers to: in the
 * type of the latter, to which DDL has made sure that there is an implicit cast. */
export interface KeyConversion {
  readonly child: SqlType;
  readonly parent: SqlType;
  /** The types order alike, so that an index of either side can be searched for values of the other. */
  readonly sameFamily: boolean;
}

export function keyConversion(child: SqlType, parent: SqlType): KeyConversion {
  const family = btreeFamily(child.oid);
  const sameFamily =
    child.oid === parent.oid || (family !== undefined && family === btreeFamily(parent.oid));
  return { child, parent, sameFamily };
}

/** A referencing value in the type referred to; undefined when no value there can equal it. */
export function toParentValue(
  conversion: KeyConversion,
  value: Datum,
  context: FunctionContext,
): Datum | undefined {
  const { child, parent, sameFamily } = conversion;
  if (child.oid === parent.oid) return value;
  return sameFamily
    ? exact(value, child, parent, context)
    : castDatum(value, child, parent, context);
}

/** A value referred to in the type of the referencing column of the same family. */
export function toChildValue(
  conversion: KeyConversion,
  value: Datum,
  context: FunctionContext,
): Datum | undefined {
  const { child, parent } = conversion;
  return child.oid === parent.oid ? value : exact(value, parent, child, context);
}

function exact(
  value: Datum,
  from: SqlType,
  to: SqlType,
  context: FunctionContext,
): Datum | undefined {
  const coerced = coerceKey(value, from, to, context);
  return coerced.value === null || coerced.rest !== 0 ? undefined : coerced.value;
}
