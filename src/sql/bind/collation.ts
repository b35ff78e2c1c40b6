import { notSupported, pgError } from '../../errors/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { Binder } from './binder.ts';
import { typeDisplay } from './type-facts.ts';

/** Texts are compared by their bytes, so only the collations that do so too can be asked for. */
const BYTE_COLLATIONS: ReadonlySet<string> = new Set(['C', 'POSIX', 'default', 'ucs_basic']);
/** What other collations of PostgreSQL are called. */
const OTHER_COLLATIONS = /-x-icu$|^[a-z]{2}_[A-Z]{2}|^unicode$/;

/** Checks a COLLATE of something of the type `type`; empty `names` stand for none. */
export function checkCollation(
  b: Binder,
  names: readonly string[],
  type: number,
  location: number | undefined,
): void {
  const name = names.at(-1);
  if (name === undefined) return;
  const position = b.position(location);
  if (typeByOid(type).collation === 0) {
    const message = `collations are not supported by type ${typeDisplay(type)}`;
    throw pgError('datatype_mismatch', message, position);
  }
  const schema = names.at(-2);
  if (schema !== undefined && b.context.catalog.schemaByName(schema) === undefined) {
    throw pgError('invalid_schema_name', `schema "${schema}" does not exist`, position);
  }
  const isBuiltin = schema === undefined || schema === 'pg_catalog';
  if (isBuiltin && BYTE_COLLATIONS.has(name)) return;
  if (isBuiltin && OTHER_COLLATIONS.test(name)) {
    throw notSupported(`collation "${name}"`, position);
  }
  const message = `collation "${names.join('.')}" for encoding "UTF8" does not exist`;
  throw pgError('undefined_object', message, position);
}
