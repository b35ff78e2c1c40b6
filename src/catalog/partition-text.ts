import { type Datum, OID, type TypeContext, typeByOid } from '../types/index.ts';
import type { PartitionKey, RangeDatum } from './descriptors.ts';

/** Values of bounds as they are printed. */

/** `(1, MAXVALUE)`. */
export function rangeBoundText(
  keys: readonly PartitionKey[],
  bound: readonly RangeDatum[],
  context: TypeContext,
): string {
  const texts = bound.map((datum, i) =>
    datum.kind === 'value'
      ? literalText(keys[i]!.type, datum.value, context)
      : datum.kind.toUpperCase(),
  );
  return `(${texts.join(', ')})`;
}

/** A constant that says nothing of its type: PostgreSQL's get_const_expr. */
export function literalText(type: number, value: Datum, context: TypeContext): string {
  if (value === null) return 'NULL';
  if (type === OID.bool) return value === true ? 'true' : 'false';
  const text = typeByOid(type).output(value, context);
  if (type === OID.int4 && !text.startsWith('-')) return text;
  if (type === OID.numeric && /^\d/.test(text) && /[eE.]/.test(text)) return text;
  // Backslashes are themselves, as standard_conforming_strings is on.
  return `'${text.replaceAll("'", "''")}'`;
}
