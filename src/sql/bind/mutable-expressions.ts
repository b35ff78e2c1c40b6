import { OID, typeByOid } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { functionByOid } from '../functions/index.ts';

/** Whether the value of a stored expression may be another one later, for the same row. */
export function isMutable(expr: Expr): boolean {
  return someExpr(expr, isMutablePart);
}

function isMutablePart(part: Expr): boolean {
  switch (part.kind) {
    case 'sequence':
    case 'sqlValue':
      return true;
    case 'call':
      if (part.function === TEXT_ANY_CAT || part.function === ANY_TEXT_CAT) {
        return part.arguments.some(({ type }) => isMutableAsText(type));
      }
      return isMutableFunction(part.function);
    case 'any':
    case 'all':
    case 'distinct':
    case 'nullIf':
      return isMutableFunction(part.function);
    case 'rowCompare':
      return [...part.equality, ...part.less].some(isMutableFunction);
    case 'cast':
      if (part.method === 'io') {
        return isMutableAsText(part.argument.type) || isMutableFromText(part.type);
      }
      if (part.element !== undefined) return isMutable(part.element);
      return part.function !== 0 && isMutableFunction(part.function);
    default:
      return false;
  }
}

/** `text || anynonarray` and the reverse: as mutable as the cast in it, though PostgreSQL marks them STABLE. */
const TEXT_ANY_CAT = 2003;
const ANY_TEXT_CAT = 2004;

function isMutableFunction(oid: number): boolean {
  return oid !== 0 && functionByOid(oid)?.volatility !== 'i';
}

/** Types whose text forms follow settings, the clock or the catalog; besides those that refer to objects,
 * and those of other types. */
const MUTABLE_TYPES: ReadonlySet<number> = new Set<number>([
  OID.money,
  OID.date,
  OID.timestamp,
  OID.timestamptz,
  OID.interval,
  OID.record,
]);

/** Arrays, ranges, enums. */
const MUTABLE_CATEGORIES: ReadonlySet<string> = new Set(['A', 'R', 'E']);

/** Types that read words such as 'now' from texts. */
const READ_BY_THE_CLOCK: ReadonlySet<number> = new Set<number>([OID.time, OID.timetz]);

function isMutableAsText(oid: number): boolean {
  const { name, category } = typeByOid(oid);
  return MUTABLE_TYPES.has(oid) || MUTABLE_CATEGORIES.has(category) || name.startsWith('reg');
}

function isMutableFromText(oid: number): boolean {
  return isMutableAsText(oid) || READ_BY_THE_CLOCK.has(oid);
}
