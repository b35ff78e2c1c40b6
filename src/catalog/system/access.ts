/** Access privileges as texts: values of type aclitem. */

import { quoteIdentifier } from '../../base/index.ts';
import type { CatalogView } from '../descriptors.ts';

/** What `owner` grants of its privileges: all of them to itself, and some to everybody. */
export function ownerAccess(
  catalog: CatalogView,
  owner: number,
  own: string,
  everybody: string,
): { readonly own: string; readonly everybody: string } {
  const role = catalog.roleByOid(owner)?.name;
  const name = role === undefined ? String(owner) : quoteIdentifier(role);
  return { own: `${name}=${own}/${name}`, everybody: `=${everybody}/${name}` };
}
