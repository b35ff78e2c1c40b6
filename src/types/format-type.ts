import { OID } from './oid.ts';
import { findType } from './registry.ts';
import type { SqlType } from './sql-type.ts';

/** A type as PostgreSQL's format_type prints it: `numeric(10,2)`, `timestamp(3) with time zone[]`.
 * `typmod` is -1 (no modifier) or null (not asked for); a type's SQL name differs between the two
 * only for char(n) and bit(n), where no modifier means `bpchar` and `"bit"`. */
export function formatType(oid: number, typmod: number | null = null): string {
  if (oid === 0) return '-';
  const type = findType(oid);
  if (type === undefined) return '???';
  const element = isTrueArray(type) ? findType(type.elementOid) : undefined;
  if (element !== undefined) return `${formatScalar(element, typmod)}[]`;
  return formatScalar(type, typmod);
}

/** Types whose SQL name without a modifier means one of length 1, so that no modifier is told apart. */
const UNMODIFIED: ReadonlyMap<number, string> = new Map([
  [OID.bpchar, 'bpchar'],
  [OID.bit, '"bit"'],
]);

/** int2vector and oidvector have elements too, but names of their own. */
function isTrueArray(type: SqlType): boolean {
  return type.elementOid !== 0 && type.name.startsWith('_');
}

function formatScalar(type: SqlType, typmod: number | null): string {
  if (typmod === null) return type.sqlName;
  if (typmod < 0) return UNMODIFIED.get(type.oid) ?? type.sqlName;
  if (type.typmodOut === undefined) return type.sqlName;
  const modifier = type.typmodOut(typmod);
  // The modifier of time and timestamp stands before `with time zone`.
  const zone = type.sqlName.search(/ with(out)? time zone$/);
  if (zone < 0) return type.sqlName + modifier;
  return type.sqlName.slice(0, zone) + modifier + type.sqlName.slice(zone);
}
