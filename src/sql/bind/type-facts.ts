/** What type resolution asks about types: PostgreSQL 15's pg_type rows, implemented or not. */

import typeRows from '../../../schemas/catalog/pg_type.json' with { type: 'json' };
import { enumDefinition, findType, formatType, OID } from '../../types/index.ts';

/** The same of types of users are theirs. */
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

function factsOf(oid: number): Pick<TypeFacts, 'category' | 'element' | 'array'> | undefined {
  const facts = BY_OID.get(oid);
  if (facts !== undefined) return facts;
  const type = findType(oid);
  return type && { category: type.category, element: type.elementOid, array: type.arrayOid };
}

export function typeCategory(oid: number): string {
  return factsOf(oid)?.category ?? 'C';
}

export function isPreferred(oid: number): boolean {
  return BY_OID.get(oid)?.preferred ?? false;
}

/** Element type of a true array type, else 0. */
export function elementTypeOf(oid: number): number {
  const facts = BY_OID.get(oid);
  if (facts === undefined) return factsOf(oid)?.element ?? 0;
  return facts.length === -1 && facts.name.startsWith('_') ? facts.element : 0;
}

/** Element type of whatever can be subscripted, int2vector too. */
export function subscriptType(oid: number): number {
  const facts = factsOf(oid);
  return facts?.category === 'A' ? facts.element : elementTypeOf(oid);
}

export function arrayTypeOid(oid: number): number {
  return factsOf(oid)?.array ?? 0;
}

/** A type's name as error messages show it. */
export function typeDisplay(oid: number): string {
  if (findType(oid) !== undefined) return formatType(oid);
  return BY_OID.get(oid)?.sqlName ?? 'record';
}

export function typeOidByName(name: string): number | undefined {
  return BY_NAME.get(name)?.oid;
}

/** Types with values of records: record itself and the row types of tables. */
export function isRecordType(oid: number): boolean {
  return oid === OID.record || factsOf(oid) === undefined;
}

export function isEnumType(oid: number): boolean {
  return enumDefinition(oid) !== undefined;
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

/** Whether a value of one type may stand where the other is wanted, without a cast. */
export function coercesImplicitly(from: number, to: number): boolean {
  return implicitly(from, to);
}

let implicitly: (from: number, to: number) => boolean = (from, to) => from === to;

/** Coercion rules build on these facts; they hand back the one rule that is needed here. */
export function setImplicitRule(rule: (from: number, to: number) => boolean): void {
  implicitly = rule;
}
