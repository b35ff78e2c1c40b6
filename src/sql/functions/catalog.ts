/** Functions that ask the catalog. They run where FunctionContext.catalog is set: the planner marks
 * statements that call one of them (isCatalogFunction), or have values of a catalog type. */

import { builtinTypes } from '../../types/index.ts';
import { ACCESS_FUNCTIONS } from './catalog-access.ts';
import { BUILTIN_DEFINITION_FUNCTIONS, DEFINITION_FUNCTIONS } from './catalog-definitions.ts';
import { DESCRIPTION_FUNCTIONS } from './catalog-descriptions.ts';
import { BUILTIN_NAME_FUNCTIONS, NAME_FUNCTIONS } from './catalog-names.ts';
import {
  PARTITION_FUNCTIONS,
  PARTITION_SETS,
  TYPED_PARTITION_FUNCTIONS,
} from './catalog-partitions.ts';
import { PRIVILEGE_FUNCTIONS } from './catalog-privileges.ts';
import { RELATION_FUNCTIONS } from './catalog-relations.ts';
import { CATALOG_SETS } from './catalog-sets.ts';
import { registerFunctions } from './implementations.ts';
import { SESSION_CONTROL, SESSION_CONTROL_SETS } from './session-control.ts';
import { functionByOid } from './signatures.ts';

const needCatalog = {
  ...NAME_FUNCTIONS,
  ...DEFINITION_FUNCTIONS,
  ...DESCRIPTION_FUNCTIONS,
  ...ACCESS_FUNCTIONS,
  ...RELATION_FUNCTIONS,
  ...PRIVILEGE_FUNCTIONS,
  ...PARTITION_FUNCTIONS,
};

registerFunctions({
  scalars: { ...needCatalog, ...BUILTIN_NAME_FUNCTIONS, ...BUILTIN_DEFINITION_FUNCTIONS },
  typedScalars: TYPED_PARTITION_FUNCTIONS,
  sets: { ...CATALOG_SETS, ...PARTITION_SETS },
});

/** Types whose values are read and printed by names of the catalog, and their arrays. */
const CATALOG_TYPES: ReadonlySet<number> = new Set(
  [...builtinTypes.all()]
    .filter(({ name }) =>
      /^_?reg(class|type|proc|procedure|oper|operator|namespace|role|collation)$/.test(name),
    )
    .map(({ oid }) => oid),
);

/** Whether the text form of the type's values depends on the catalog: casts from and to text, and
 * results, of such a type need one. */
export function isCatalogType(type: number): boolean {
  return CATALOG_TYPES.has(type);
}

/** Whether a function asks or changes its session. */
export function isSessionFunction(oid: number): boolean {
  const source = functionByOid(oid)?.source ?? '';
  return Object.hasOwn(SESSION_CONTROL, source) || Object.hasOwn(SESSION_CONTROL_SETS, source);
}

/** Whether a function needs a catalog, as the text forms of catalog types do, or control of its session;
 * both are where the main thread is. */
export function isCatalogFunction(oid: number): boolean {
  const source = functionByOid(oid)?.source;
  if (source === undefined) return false;
  return (
    source in needCatalog ||
    source in TYPED_PARTITION_FUNCTIONS ||
    source in PARTITION_SETS ||
    isSessionFunction(oid) ||
    String(oid) in needCatalog ||
    /^reg\w+(in|out)$/.test(source)
  );
}
