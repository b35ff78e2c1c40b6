/** has_table_privilege and its kin. Every role is superuser, so the answer is yes; what is asked
 * about has to exist, and the privilege to be one. */

import { systemRelationByOid } from '../../catalog/system/index.ts';
import { pgError } from '../../errors/index.ts';
import { catalogOf, namesOf } from './catalog-context.ts';
import type { FunctionContext, FunctionSignature } from './function.ts';
import type { Scalars } from './order.ts';
import { allFunctions } from './signatures.ts';

type C = FunctionContext;

/** Checks that an object named or numbered exists; false for an oid that means nothing. */
type ObjectCheck = (context: C, object: string | number) => boolean;

const TABLE_PRIVILEGES = 'select insert update delete truncate references trigger rule';

const PRIVILEGES: Readonly<Record<string, { words: string; check: ObjectCheck }>> = {
  table: { words: TABLE_PRIVILEGES, check: relationExists },
  sequence: { words: 'usage select update', check: relationExists },
  column: { words: 'select insert update references', check: relationExists },
  any_column: { words: 'select insert update references', check: relationExists },
  schema: { words: 'create usage', check: schemaExists },
  database: { words: 'create temporary temp connect', check: databaseExists },
};

function relationExists(context: C, object: string | number): boolean {
  const names = namesOf(context);
  if (typeof object === 'number') return names.relationByOid(object) !== null;
  names.requireRelation(object);
  return true;
}

function schemaExists(context: C, object: string | number): boolean {
  const catalog = catalogOf(context);
  if (typeof object === 'number') return catalog.schemaByOid(object) !== undefined;
  if (catalog.schemaByName(object) !== undefined) return true;
  throw pgError('invalid_schema_name', `schema "${object}" does not exist`);
}

function databaseExists(context: C, object: string | number): boolean {
  const catalog = catalogOf(context);
  if (typeof object === 'string') {
    if (catalog.databaseByName(object) !== undefined) return true;
    throw pgError('invalid_catalog_name', `database "${object}" does not exist`);
  }
  return [...catalog.databases()].some((database) => database.oid === object);
}

function requireRole(context: C, role: string | number): void {
  if (typeof role === 'number' || role === 'public') return;
  if (catalogOf(context).roleByName(role) === undefined) {
    throw pgError('undefined_object', `role "${role}" does not exist`);
  }
}

/** `select, insert with grant option` */
function requirePrivileges(text: string, words: string): void {
  const known = words.split(' ');
  for (const part of text.split(',')) {
    const word = part
      .trim()
      .toLowerCase()
      .replace(/\s+with grant option$/, '');
    if (!known.includes(word)) {
      throw pgError('invalid_parameter_value', `unrecognized privilege type: "${part.trim()}"`);
    }
  }
}

function requireColumn(context: C, table: string | number, column: string | number): boolean {
  const names = namesOf(context);
  const place =
    typeof table === 'number' ? names.relationByOid(table) : names.requireRelation(table);
  if (place === null) return false;
  const columns =
    catalogOf(context).relationByOid(place.oid)?.columns ??
    systemRelationByOid(place.oid)?.columns ??
    [];
  if (typeof column === 'number') return columns[column - 1] !== undefined;
  if (columns.some(({ name }) => name === column)) return true;
  throw pgError(
    'undefined_column',
    `column "${column}" of relation "${place.name}" does not exist`,
  );
}

/** The function of a signature: ([role,] object, [column,] privilege). */
function privilegeFunction(kind: string, signature: FunctionSignature) {
  const { words, check } = PRIVILEGES[kind]!;
  const hasColumn = kind === 'column';
  const hasRole = signature.arguments.length === (hasColumn ? 4 : 3);
  return (context: C, ...args: (string | number)[]): boolean | null => {
    const rest = hasRole ? args.slice(1) : args;
    if (hasRole) requireRole(context, args[0]!);
    const object = rest[0]!;
    if (!check(context, object)) return null;
    if (hasColumn && !requireColumn(context, object, rest[1]!)) return null;
    requirePrivileges(String(rest[rest.length - 1]), words);
    return true;
  };
}

export const PRIVILEGE_FUNCTIONS: Scalars = {};

for (const signature of allFunctions()) {
  const kind = /^has_(\w+?)_privilege/.exec(signature.source)?.[1];
  if (kind !== undefined && PRIVILEGES[kind] !== undefined) {
    PRIVILEGE_FUNCTIONS[signature.source] = privilegeFunction(kind, signature);
  }
}
