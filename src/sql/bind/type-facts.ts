/** What type resolution asks about types: PostgreSQL 15's pg_type rows, implemented or not. */

import typeRows from '../../../schemas/catalog/pg_type.json' with { type: 'json' };
import { pgError } from '../../errors/index.ts';
import { builtinTypes, formatType, OID, range as ranges } from '../../types/index.ts';

interface TypeFacts {
  readonly oid: number;
  readonly name: string;
  readonly sqlName: string;
  readonly category: string;
  readonly preferred: boolean;
  readonly element: number;
  readonly array: number;
  readonly length: number;
}

const BY_OID: ReadonlyMap<number, TypeFacts> = new Map(typeRows.map((row) => [row.oid, row]));
const BY_NAME: ReadonlyMap<string, TypeFacts> = new Map(typeRows.map((row) => [row.name, row]));

export function typeCategory(oid: number): string {
  return BY_OID.get(oid)?.category ?? 'C';
}

export function isPreferred(oid: number): boolean {
  return BY_OID.get(oid)?.preferred ?? false;
}

/** Element type of a true array type, else 0. */
export function elementTypeOf(oid: number): number {
  const facts = BY_OID.get(oid);
  return facts !== undefined && facts.length === -1 && facts.name.startsWith('_')
    ? facts.element
    : 0;
}

/** Element type of whatever can be subscripted, int2vector too. */
export function subscriptType(oid: number): number {
  const facts = BY_OID.get(oid);
  return facts?.category === 'A' ? facts.element : elementTypeOf(oid);
}

export function arrayTypeOid(oid: number): number {
  return BY_OID.get(oid)?.array ?? 0;
}

/** A type's name as error messages show it. */
export function typeDisplay(oid: number): string {
  if (builtinTypes.find(oid) !== undefined) return formatType(oid);
  return BY_OID.get(oid)?.sqlName ?? 'record';
}

export function typeOidByName(name: string): number | undefined {
  return BY_NAME.get(name)?.oid;
}

/** Types with values of records: record itself and the row types of tables. */
export function isRecordType(oid: number): boolean {
  return oid === OID.record || !BY_OID.has(oid);
}

export function isPolymorphic(oid: number): boolean {
  return POLYMORPHIC.has(oid);
}

const POLYMORPHIC: ReadonlySet<number> = new Set([
  OID.anyelement,
  OID.anyarray,
  OID.anynonarray,
  OID.anyenum,
  OID.anyrange,
  OID.anymultirange,
  OID.anycompatible,
  OID.anycompatiblearray,
  OID.anycompatiblenonarray,
  OID.anycompatiblerange,
  OID.anycompatiblemultirange,
]);

/** Types whose values read and print as names of catalog objects. */
export function isReferenceType(oid: number): boolean {
  return REFERENCES.has(oid);
}

const REFERENCES: ReadonlySet<number> = new Set([
  OID.regproc,
  OID.regprocedure,
  OID.regoper,
  OID.regoperator,
  OID.regclass,
  OID.regtype,
  OID.regnamespace,
  OID.regrole,
  OID.regcollation,
]);

/** Resolves the declared argument types of a polymorphic function against actual ones. Null when
 * they do not fit together; `report` makes it an error instead. */
export function resolvePolymorphic(
  declared: readonly number[],
  actual: readonly number[],
  result: number,
  report: boolean,
): { readonly declared: readonly number[]; readonly result: number } | null {
  let element = 0;
  let array = 0;
  let range = 0;
  let sawPolymorphic = false;
  const compatible: number[] = [];
  let compatibleSeen = false;
  for (let i = 0; i < declared.length; i++) {
    const type = actual[i] ?? OID.unknown;
    switch (declared[i]) {
      case OID.anyelement:
      case OID.anynonarray:
      case OID.anyenum:
        sawPolymorphic = true;
        if (type === OID.unknown) break;
        if (declared[i] === OID.anynonarray && elementTypeOf(type) !== 0) return null;
        if (declared[i] === OID.anyenum) return null;
        if (element !== 0 && element !== type) {
          if (!report) return null;
          throw pgError('datatype_mismatch', 'arguments declared "anyelement" are not all alike', {
            detail: `${typeDisplay(element)} versus ${typeDisplay(type)}`,
          });
        }
        element = type;
        break;
      case OID.anyarray:
        sawPolymorphic = true;
        if (type === OID.unknown) break;
        if (type !== OID.anyarray && subscriptType(type) === 0) return null;
        if (array !== 0 && array !== type) {
          if (!report) return null;
          throw pgError('datatype_mismatch', 'arguments declared "anyarray" are not all alike', {
            detail: `${typeDisplay(array)} versus ${typeDisplay(type)}`,
          });
        }
        array = type;
        break;
      case OID.anycompatible:
      case OID.anycompatiblenonarray:
        compatibleSeen = true;
        if (declared[i] === OID.anycompatiblenonarray && elementTypeOf(type) !== 0) return null;
        compatible.push(type);
        break;
      case OID.anycompatiblearray:
        compatibleSeen = true;
        if (type === OID.unknown) break;
        if (elementTypeOf(type) === 0) return null;
        compatible.push(elementTypeOf(type));
        break;
      case OID.anyrange:
        sawPolymorphic = true;
        if (type === OID.unknown) break;
        if (ranges.rangeKind(type) === undefined) return null;
        if (range !== 0 && range !== type) {
          if (!report) return null;
          throw pgError('datatype_mismatch', 'arguments declared "anyrange" are not all alike', {
            detail: `${typeDisplay(range)} versus ${typeDisplay(type)}`,
          });
        }
        range = type;
        break;
      case OID.anymultirange:
        // There are no values of such a type, but a literal or NULL may stand for one.
        if (type !== OID.unknown) return null;
        sawPolymorphic = true;
        break;
      case OID.anycompatiblerange:
      case OID.anycompatiblemultirange:
        return null;
    }
  }
  if (array !== 0 && array !== OID.anyarray) {
    const ofArray = subscriptType(array);
    if (element === 0) element = ofArray;
    else if (element !== ofArray) {
      if (!report) return null;
      throw pgError(
        'datatype_mismatch',
        'argument declared "anyarray" is not consistent with argument declared "anyelement"',
        { detail: `${typeDisplay(array)} versus ${typeDisplay(element)}` },
      );
    }
  }
  if (range === 0 && element !== 0 && report && declared.includes(OID.anyrange)) {
    throw pgError(
      'datatype_mismatch',
      'could not determine polymorphic type anyrange because input has type unknown',
    );
  }
  if (range !== 0) {
    const ofRange = ranges.rangeKind(range)?.subtype.oid ?? 0;
    if (element === 0) element = ofRange;
    else if (element !== ofRange) {
      if (!report) return null;
      throw pgError(
        'datatype_mismatch',
        'argument declared "anyrange" is not consistent with argument declared "anyelement"',
        { detail: `${typeDisplay(range)} versus ${typeDisplay(element)}` },
      );
    }
  }
  if (sawPolymorphic && element === 0 && array !== OID.anyarray) {
    if (report) {
      throw pgError(
        'datatype_mismatch',
        'could not determine polymorphic type because input has type unknown',
      );
    }
    element = OID.anyelement;
  }
  const common = compatibleSeen ? (commonOf(compatible) ?? 0) : 0;
  const fits = (type: number) =>
    type === OID.unknown || type === common || implicitly(type, common);
  if (compatibleSeen && (common === 0 || !compatible.every(fits))) return null;
  const elementArray = array !== 0 ? array : arrayTypeOid(element);
  const resolve = (type: number): number => {
    switch (type) {
      case OID.anyelement:
      case OID.anynonarray:
      case OID.anyenum:
        return element === 0 ? type : element;
      case OID.anyarray:
        return elementArray === 0 ? type : elementArray;
      case OID.anyrange:
        return range === 0 ? type : range;
      case OID.anycompatible:
      case OID.anycompatiblenonarray:
        return common;
      case OID.anycompatiblearray:
        return arrayTypeOid(common);
      default:
        return type;
    }
  };
  return { declared: declared.map(resolve), result: resolve(result) };
}

/** select_common_type without the expressions: the type that all can become, or undefined. */
export function commonOf(
  types: readonly number[],
  canCoerce: (from: number, to: number) => boolean = implicitly,
): number | undefined {
  let chosen = types[0] ?? OID.text;
  for (const type of types.slice(1)) {
    if (type === OID.unknown || type === chosen) continue;
    if (chosen === OID.unknown) chosen = type;
    else if (typeCategory(type) !== typeCategory(chosen)) return undefined;
    else if (!isPreferred(chosen) && canCoerce(chosen, type) && !canCoerce(type, chosen)) {
      chosen = type;
    }
  }
  return chosen === OID.unknown ? OID.text : chosen;
}

let implicitly: (from: number, to: number) => boolean = (from, to) => from === to;

/** Coercion rules build on these facts; they hand back the one rule that is needed here. */
export function setImplicitRule(rule: (from: number, to: number) => boolean): void {
  implicitly = rule;
}
