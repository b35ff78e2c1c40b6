/** obj_description, col_description, shobj_description: texts of COMMENT ON. They are functions of
 * language SQL in PostgreSQL and have no source name, so they go by oid. */

import {
  anyDescription,
  columnDescription,
  objectDescription,
  sharedDescription,
} from '../../catalog/system/index.ts';
import { catalogOf } from './catalog-context.ts';
import type { FunctionContext } from './function.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;

export const DESCRIPTION_FUNCTIONS: Scalars = {
  // obj_description(oid, name)
  '1215': (c: C, object: number, catalog: string) =>
    objectDescription(catalogOf(c), object, catalog),
  // col_description(oid, int4)
  '1216': (c: C, relation: number, column: number) =>
    columnDescription(catalogOf(c), relation, column),
  // obj_description(oid)
  '1348': (c: C, object: number) => anyDescription(catalogOf(c), object),
  // shobj_description(oid, name)
  '1993': (c: C, object: number, catalog: string) =>
    sharedDescription(catalogOf(c), object, catalog),
};
