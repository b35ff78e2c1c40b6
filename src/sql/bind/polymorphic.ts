/** What anyelement, anyarray and their kin stand for in a call: PostgreSQL's rules of consistency. */

import { pgError } from '../../errors/index.ts';
import { OID, range } from '../../types/index.ts';
import {
  arrayTypeOid,
  coercesImplicitly,
  commonOf,
  elementTypeOf,
  isEnumType,
  subscriptType,
  typeDisplay,
} from './type-facts.ts';

/** What the types of a call are; 0 where nothing tells. */
interface Slots {
  element: number;
  array: number;
  range: number;
  multirange: number;
}

type Slot = keyof Slots;

const SLOTS: Readonly<Record<number, Slot>> = {
  [OID.anyelement]: 'element',
  [OID.anynonarray]: 'element',
  [OID.anyenum]: 'element',
  [OID.anyarray]: 'array',
  [OID.anyrange]: 'range',
  [OID.anymultirange]: 'multirange',
};

/** Resolves the declared argument types of a polymorphic function against actual ones. Null when
 * they do not fit together; `report` makes it an error instead. */
export function resolvePolymorphic(
  declared: readonly number[],
  actual: readonly number[],
  result: number,
  report: boolean,
): { readonly declared: readonly number[]; readonly result: number } | null {
  const slots = collectSlots(declared, actual, report);
  if (slots === null || !settleSlots(slots, declared, report)) return null;
  const common = commonCompatible(declared, actual);
  if (common === null) return null;
  const resolve = (type: number): number => {
    const slot = SLOTS[type];
    if (slot !== undefined) return slots[slot] === 0 ? type : slots[slot];
    if (type === OID.anycompatible || type === OID.anycompatiblenonarray) return common;
    return type === OID.anycompatiblearray ? arrayTypeOid(common) : type;
  };
  return { declared: declared.map(resolve), result: resolve(result) };
}

/** Types that disagree: no match, or an error. */
function disagree(report: boolean, message: string, a: number, b: number): null {
  if (!report) return null;
  const detail = `${typeDisplay(a)} versus ${typeDisplay(b)}`;
  throw pgError('datatype_mismatch', message, { detail });
}

function undetermined(what: string): Error {
  return pgError(
    'datatype_mismatch',
    `could not determine polymorphic type ${what}because input has type unknown`,
  );
}

function collectSlots(
  declared: readonly number[],
  actual: readonly number[],
  report: boolean,
): Slots | null {
  const slots: Slots = { element: 0, array: 0, range: 0, multirange: 0 };
  for (const [i, type] of declared.entries()) {
    const slot = SLOTS[type];
    const given = actual[i] ?? OID.unknown;
    if (slot === undefined || given === OID.unknown) continue;
    if (!accepts(type, given)) return null;
    const known = slots[slot];
    if (known !== 0 && known !== given) {
      return disagree(report, `arguments declared "any${slot}" are not all alike`, known, given);
    }
    slots[slot] = given;
  }
  return slots;
}

function accepts(declared: number, given: number): boolean {
  switch (declared) {
    case OID.anyenum:
      return isEnumType(given);
    case OID.anynonarray:
      return elementTypeOf(given) === 0;
    case OID.anyarray:
      return given === OID.anyarray || subscriptType(given) !== 0;
    case OID.anyrange:
      return range.rangeKind(given) !== undefined;
    case OID.anymultirange:
      return range.multirangeKind(given) !== undefined;
    default:
      return true;
  }
}

/** What one type tells of another: the element of an array or range, the range of a multirange. */
const TELLS: readonly (readonly [from: Slot, to: Slot, told: (type: number) => number])[] = [
  ['array', 'element', subscriptType],
  ['multirange', 'range', (type) => range.multirangeKind(type)?.range.oid ?? 0],
  ['range', 'element', (type) => range.rangeKind(type)?.subtype.oid ?? 0],
];

/** Fills the slots from one another; false where they contradict each other. */
function settleSlots(slots: Slots, declared: readonly number[], report: boolean): boolean {
  if (!declared.some((type) => SLOTS[type] !== undefined)) return true;
  for (const [from, to, told] of TELLS) {
    const type = slots[from] === 0 ? 0 : told(slots[from]);
    if (type === 0) continue;
    if (slots[to] !== 0 && slots[to] !== type) {
      const message = `argument declared "any${from}" is not consistent with argument declared "any${to}"`;
      disagree(report, message, slots[from], slots[to]);
      return false;
    }
    slots[to] = type;
  }
  if (slots.multirange === 0) slots.multirange = range.multirangeKindOf(slots.range)?.oid ?? 0;
  if (slots.element === 0 && slots.array !== OID.anyarray) {
    if (report) throw undetermined('');
    slots.element = OID.anyelement;
  } else if (report && slots.range === 0) {
    if (declared.includes(OID.anyrange)) throw undetermined('anyrange ');
    if (declared.includes(OID.anymultirange)) throw undetermined('anymultirange ');
  }
  if (slots.array === 0) slots.array = arrayTypeOid(slots.element);
  return !declared.includes(OID.anyenum) || isEnumType(slots.element);
}

/** The type that all arguments of anycompatible and its kin become: 0 where there are none, null where
 * there is no such type. */
function commonCompatible(declared: readonly number[], actual: readonly number[]): number | null {
  const given: number[] = [];
  let isDeclared = false;
  for (const [i, declaredType] of declared.entries()) {
    const type = actual[i] ?? OID.unknown;
    switch (declaredType) {
      case OID.anycompatiblenonarray:
        if (elementTypeOf(type) !== 0) return null;
        isDeclared = true;
        given.push(type);
        break;
      case OID.anycompatible:
        isDeclared = true;
        given.push(type);
        break;
      case OID.anycompatiblearray:
        isDeclared = true;
        if (type === OID.unknown) break;
        if (elementTypeOf(type) === 0) return null;
        given.push(elementTypeOf(type));
        break;
      case OID.anycompatiblerange:
      case OID.anycompatiblemultirange:
        return null;
    }
  }
  if (!isDeclared) return 0;
  const common = commonOf(given);
  if (common === undefined) return null;
  const fits = (type: number) =>
    type === OID.unknown || type === common || coercesImplicitly(type, common);
  return given.every(fits) ? common : null;
}
