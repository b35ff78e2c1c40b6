import { assert } from '../../base/index.ts';
import type { CatalogView } from '../../catalog/descriptors.ts';
import { SystemNames } from '../../catalog/system/index.ts';
import type { FunctionContext } from './function.ts';

/** The catalog of a statement whose plan needs it. */
export function catalogOf(context: FunctionContext): CatalogView {
  const { catalog } = context;
  assert(catalog !== undefined, 'a statement that reads the catalog runs on a thread without one');
  return catalog;
}

/** Names as the session's search path finds them. */
export function namesOf(context: FunctionContext): SystemNames {
  return new SystemNames(catalogOf(context), context.session);
}
