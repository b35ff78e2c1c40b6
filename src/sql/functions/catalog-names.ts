/** Names and visibility of catalog objects: to_regclass, pg_table_is_visible, format_type, … */

import {
  type CatalogView,
  isOtherTemporary,
  resolveSearchPath,
  type SearchPath,
  temporarySchema,
} from '../../catalog/index.ts';
import {
  COLLATIONS,
  functionFactsOf,
  type NamingSession,
  operatorClassExists,
  operatorFactsOf,
  operatorFamilyExists,
  SystemNames,
  systemRelationOfRowType,
} from '../../catalog/system/index.ts';
import { PgError } from '../../errors/index.ts';
import {
  arrayOf,
  builtinTypes,
  type Datum,
  formatType,
  type ObjectNames,
  OID,
  type ReferenceKind,
} from '../../types/index.ts';
import { catalogOf, namesOf } from './catalog-context.ts';
import type { FunctionContext } from './function.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;

/** The names of objects as a session with this search path finds them. */
export function objectNamesOf(catalog: CatalogView, session: NamingSession): ObjectNames {
  return new SystemNames(catalog, session);
}

/** SQLSTATEs of a name that means nothing, or more than one thing. */
const NOT_FOUND = new Set(['42P01', '3F000', '42704', '42883', '42725', '3D000']);

function referenceOrNull(kind: ReferenceKind) {
  return (context: C, text: string): Datum => {
    try {
      return namesOf(context).oidOf(kind, text);
    } catch (error) {
      if (error instanceof PgError && NOT_FOUND.has(error.sqlstate)) return null;
      throw error;
    }
  };
}

function tableIsVisible(context: C, oid: number): boolean | null {
  const names = namesOf(context);
  const place = names.relationByOid(oid);
  return place && names.isRelationVisible(place);
}

function typeIsVisible(context: C, oid: number): boolean | null {
  if (builtinTypes.find(oid) !== undefined) return true;
  const names = namesOf(context);
  const type = catalogOf(context).typeByOid(oid);
  if (type !== undefined) return names.isTypeVisible(type, oid);
  for (const relation of catalogOf(context).relations()) {
    if (relation.rowType === 0) continue;
    if (relation.rowType === oid || relation.rowType + 1 === oid) {
      return tableIsVisible(context, relation.oid);
    }
  }
  const shape = systemRelationOfRowType(oid);
  return shape === undefined ? null : names.isRelationVisible(shape);
}

/** What the server brings along lies in pg_catalog, which every search path sees. */
function builtinIsVisible(exists: (oid: number) => boolean) {
  return (_context: C, oid: number): boolean | null => (exists(oid) ? true : null);
}

function typeName(context: C, oid: number | null, typmod: number | null): string | null {
  if (oid === null) return null;
  if (oid === 0 || builtinTypes.find(oid) !== undefined) return formatType(oid, typmod);
  return (context.catalog && namesOf(context).typeName(oid)) ?? '???';
}

function searchPath(context: C): SearchPath {
  const { searchPath: names, processId } = context.session;
  return resolveSearchPath(catalogOf(context), names, processId);
}

/** The schema that CREATE would use, or null. */
export function currentSchema(context: C): string | null {
  const [first] = searchPath(context).named;
  return first === undefined ? null : (catalogOf(context).schemaByOid(first)?.name ?? null);
}

function currentSchemas(context: C, implicit: boolean): Datum {
  const catalog = catalogOf(context);
  const { schemas, named } = searchPath(context);
  const names = (implicit ? schemas : named).map((oid) => catalog.schemaByOid(oid)?.name ?? '');
  return arrayOf(OID.name, names);
}

function ownTemporarySchema(context: C): number {
  return temporarySchema(catalogOf(context), context.session.processId)?.oid ?? 0;
}

function isOtherTemporarySchema(context: C, oid: number): boolean {
  return isOtherTemporary(catalogOf(context), oid, context.session.processId);
}

export const NAME_FUNCTIONS: Scalars = {
  to_regclass: referenceOrNull('regclass'),
  to_regtype: referenceOrNull('regtype'),
  to_regproc: referenceOrNull('regproc'),
  to_regprocedure: referenceOrNull('regprocedure'),
  to_regoper: referenceOrNull('regoper'),
  to_regoperator: referenceOrNull('regoperator'),
  to_regnamespace: referenceOrNull('regnamespace'),
  to_regrole: referenceOrNull('regrole'),
  to_regcollation: referenceOrNull('regcollation'),
  text_regclass: (c: C, text: string) => namesOf(c).oidOf('regclass', text),
  format_type: typeName,
  pg_table_is_visible: tableIsVisible,
  pg_type_is_visible: typeIsVisible,
  current_schema: currentSchema,
  current_schemas: currentSchemas,
  pg_my_temp_schema: ownTemporarySchema,
  pg_is_other_temp_schema: isOtherTemporarySchema,
  pg_get_userbyid: (c: C, oid: number) =>
    catalogOf(c).roleByOid(oid)?.name ?? `unknown (OID=${oid})`,
};

/** These need no catalog: their objects are the same everywhere. */
export const BUILTIN_NAME_FUNCTIONS: Scalars = {
  pg_function_is_visible: (_context: C, oid: number) => {
    const facts = functionFactsOf(oid);
    return facts === undefined ? null : facts.schema === undefined;
  },
  pg_operator_is_visible: builtinIsVisible((oid) => operatorFactsOf(oid) !== undefined),
  pg_opclass_is_visible: builtinIsVisible(operatorClassExists),
  pg_opfamily_is_visible: builtinIsVisible(operatorFamilyExists),
  pg_collation_is_visible: builtinIsVisible((oid) => COLLATIONS.some((row) => row.oid === oid)),
  pg_conversion_is_visible: () => null,
  pg_statistics_obj_is_visible: () => null,
  pg_ts_config_is_visible: () => null,
  pg_ts_dict_is_visible: () => null,
  pg_ts_parser_is_visible: () => null,
  pg_ts_template_is_visible: () => null,
};
