/** Btree operator families: which operators order a type, alone or against another type. They are
 * what ORDER BY, DISTINCT, merge joins and index conditions are built on. */

import familyMemberRows from '../../../schemas/catalog/pg_amop.json' with { type: 'json' };
import supportRows from '../../../schemas/catalog/pg_amproc.json' with { type: 'json' };
import classRows from '../../../schemas/catalog/pg_opclass.json' with { type: 'json' };
import typeRows from '../../../schemas/catalog/pg_type.json' with { type: 'json' };
import { once } from '../../base/index.ts';
import { findUserType, OID } from '../../types/index.ts';
import type { BtreeMember, BtreeStrategy, OperatorSignature } from './function.ts';
import { operatorByOid } from './signatures.ts';

const BTREE = 403;
const HASH = 405;

export const LESS: BtreeStrategy = 1;
export const EQUAL: BtreeStrategy = 3;
export const GREATER: BtreeStrategy = 5;

/** The operator of the default family of `left` that compares it with `right`. Types without an
 * operator class of their own are taken as what they are binary-coercible to: varchar as text,
 * cidr as inet, arrays as anyarray. */
export function btreeOperator(
  strategy: BtreeStrategy,
  left: number,
  right: number,
): OperatorSignature | undefined {
  const leftType = orderedType(left);
  const family = families().defaultByType.get(leftType);
  if (family === undefined) return undefined;
  const member = families().members.get(memberKey(family, leftType, orderedType(right), strategy));
  return member === undefined ? undefined : operatorByOid(member.operator);
}

/** The default btree family of a type. Two types of one family compare across types. */
export function btreeFamily(type: number): number | undefined {
  return families().defaultByType.get(orderedType(type));
}

/** The operator class of an index method that a type's values are in: the one of that name, or the
 * default one. `unknown`: the method has none of the name; `unfit`: it is for other types. */
export function operatorClass(
  method: 'btree' | 'hash',
  type: number,
  name: string | null,
): number | 'unknown' | 'unfit' {
  const rows = classRows.filter(
    (row) =>
      row.method === (method === 'btree' ? BTREE : HASH) &&
      (name === null ? row.default : row.name === name),
  );
  if (rows.length === 0) return 'unknown';
  const fitting = [type, orderedType(type)];
  for (const inputType of fitting) {
    const row = rows.find((candidate) => candidate.inputType === inputType);
    if (row !== undefined) return row.oid;
  }
  return 'unfit';
}

/** The type of the operator class that orders a type: of varchar it is text. */
export function orderedTypeOf(type: number): number {
  return orderedType(type);
}

/** Number of the support functions that say whether a value is within an offset of another. */
export const IN_RANGE = 3;

/** Support functions of a number in the default btree family of a type, by the type of their other
 * argument (pg_amproc). */
export function btreeSupport(
  type: number,
  number: number,
): readonly { readonly right: number; readonly function: number }[] {
  const family = btreeFamily(type);
  const left = orderedType(type);
  return supportRows.filter(
    (row) => row.family === family && row.left === left && row.number === number,
  );
}

/** Oid of the default btree operator class of a type; 0 where it has none. */
export function btreeClass(type: number): number {
  return families().classByType.get(orderedType(type)) ?? 0;
}

/** The places of an operator in btree families; empty when no index or sort knows it. */
export function btreeMembers(operator: number): readonly BtreeMember[] {
  return families().byOperator.get(operator) ?? [];
}

interface Families {
  readonly classByType: ReadonlyMap<number, number>;
  readonly defaultByType: ReadonlyMap<number, number>;
  readonly members: ReadonlyMap<string, BtreeMember>;
  readonly byOperator: ReadonlyMap<number, readonly BtreeMember[]>;
}

const families = once((): Families => {
  const classByType = new Map<number, number>();
  const defaultByType = new Map<number, number>();
  for (const row of classRows) {
    if (row.method !== BTREE || !row.default) continue;
    classByType.set(row.inputType, row.oid);
    defaultByType.set(row.inputType, row.family);
  }
  const members = new Map<string, BtreeMember>();
  const byOperator = new Map<number, BtreeMember[]>();
  for (const row of familyMemberRows) {
    if (row.method !== BTREE || row.purpose !== 's') continue;
    const { family, left, right, operator } = row;
    const strategy = row.strategy as BtreeStrategy;
    const member: BtreeMember = { family, strategy, left, right, operator };
    members.set(memberKey(family, left, right, strategy), member);
    const known = byOperator.get(operator);
    if (known === undefined) byOperator.set(operator, [member]);
    else known.push(member);
  }
  return { classByType, defaultByType, members, byOperator };
});

function memberKey(family: number, left: number, right: number, strategy: BtreeStrategy): string {
  return `${family}/${left}/${right}/${strategy}`;
}

function orderedType(type: number): number {
  if (families().defaultByType.has(type)) return type;
  return relabelled().get(type) ?? orderedUserType(type) ?? type;
}

/** The types of users are enums and arrays of them. */
function orderedUserType(type: number): number | undefined {
  const found = findUserType(type);
  if (found === undefined) return undefined;
  return found.category === 'E' ? OID.anyenum : OID.anyarray;
}

/** True arrays (typlen -1) of what has an order sort as anyarray, composite types as record, ranges as
 * anyrange and multiranges as anymultirange, regclass and its kin as oid. */
const relabelled = once(() => {
  const { defaultByType } = families();
  const kinds = new Map<number, number>([
    [OID.varchar, OID.text],
    [OID.cidr, OID.inet],
  ]);
  for (const row of typeRows) {
    if (row.kind === 'c') kinds.set(row.oid, OID.record);
    else if (row.kind === 'r') kinds.set(row.oid, OID.anyrange);
    else if (row.kind === 'm') kinds.set(row.oid, OID.anymultirange);
    else if (row.category === 'N' && row.name.startsWith('reg')) kinds.set(row.oid, OID.oid);
  }
  for (const row of typeRows) {
    const isArray = row.category === 'A' || row.oid === OID._record;
    if (!isArray || row.element === 0 || row.length !== -1) continue;
    if (defaultByType.has(kinds.get(row.element) ?? row.element)) kinds.set(row.oid, OID.anyarray);
  }
  return kinds;
});
