/** acldefault: who may do what with an object whose access privileges nobody has changed. */

import { ownerAccess } from '../../catalog/system/index.ts';
import { pgError } from '../../errors/index.ts';
import { arrayOf, type Datum, OID } from '../../types/index.ts';
import { catalogOf } from './catalog-context.ts';
import type { FunctionContext } from './function.ts';
import type { Scalars } from './order.ts';

/** Privileges of everybody and of the owner, by the letter of the object's kind. */
const DEFAULTS: Readonly<Record<string, readonly [everybody: string, owner: string]>> = {
  c: ['', ''],
  r: ['', 'arwdDxt'],
  s: ['', 'rwU'],
  d: ['Tc', 'CTc'],
  f: ['X', 'X'],
  l: ['U', 'U'],
  L: ['', 'rw'],
  n: ['', 'UC'],
  t: ['', 'C'],
  F: ['', 'U'],
  S: ['', 'U'],
  p: ['', 'sA'],
  T: ['U', 'U'],
};

function accessDefault(context: FunctionContext, kind: string, owner: number): Datum {
  const found = DEFAULTS[kind];
  if (found === undefined) {
    throw pgError('internal_error', `unrecognized objtype abbreviation: ${kind}`);
  }
  const [everybody, own] = found;
  const access = ownerAccess(catalogOf(context), owner, own, everybody);
  const items: string[] = [];
  if (everybody !== '') items.push(access.everybody);
  if (own !== '') items.push(access.own);
  return arrayOf(OID.aclitem, items);
}

export const ACCESS_FUNCTIONS: Scalars = { acldefault_sql: accessDefault };
