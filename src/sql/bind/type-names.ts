import type { TypeName } from '@pgsql/types';
import { schemaOfName } from '../../catalog/index.ts';
import { notSupported, type PgErrorOptions, pgError } from '../../errors/index.ts';
import {
  arrayTypeOf,
  findUserType,
  resolveTypeName,
  type SqlType,
  typeByOid,
} from '../../types/index.ts';
import type { Binder } from './binder.ts';
import { nameList } from './syntax.ts';
import { typeOidByName } from './type-facts.ts';

export interface BoundType {
  readonly type: number;
  readonly typmod: number;
}

/** The type a TypeName means; 42704 where there is none. */
export function bindTypeName(b: Binder, name: TypeName): BoundType {
  const names = nameList(name.names);
  const position = b.position(name.location);
  if (name.pct_type === true) throw notSupported('%TYPE', position);
  if (name.setof === true) throw notSupported('SETOF', position);
  const scalar = resolveTypeName(names) ?? userType(b, names, position);
  if (scalar === undefined) {
    const last = names.at(-1) ?? '';
    const known = names.length === 1 || names[0] === 'pg_catalog';
    if (known && typeOidByName(last) !== undefined) throw notSupported(`type ${last}`, position);
    throw pgError('undefined_object', `type "${names.join('.')}" does not exist`, position);
  }
  const type = (name.arrayBounds?.length ?? 0) > 0 ? arrayTypeOf(scalar) : scalar;
  if (type === undefined) {
    throw pgError(
      'undefined_object',
      `could not find array type for data type ${scalar.sqlName}`,
      position,
    );
  }
  return { type: type.oid, typmod: bindTypmod(b, name, scalar.oid) };
}

/** A type of users by its name, along the search path unless it is qualified. */
function userType(
  b: Binder,
  names: readonly string[],
  position: PgErrorOptions,
): SqlType | undefined {
  const { catalog, searchPath, processId } = b.context;
  const [name = '', schemaName] = [...names].reverse();
  if (names.length > 2) {
    throw pgError(
      'feature_not_supported',
      `cross-database references are not implemented: ${names.join('.')}`,
    );
  }
  const schema =
    schemaName === undefined ? undefined : schemaOfName(catalog, schemaName, processId);
  if (schemaName !== undefined && schema === undefined) {
    throw pgError('invalid_schema_name', `schema "${schemaName}" does not exist`, position);
  }
  for (const schemaOid of schema === undefined ? searchPath : [schema.oid]) {
    const oid = catalog.typeOidByName(schemaOid, name);
    if (oid !== undefined) return typeByOid(oid);
  }
  return undefined;
}

function bindTypmod(b: Binder, name: TypeName, scalar: number): number {
  if (name.typmods === undefined || name.typmods.length === 0) return name.typemod ?? -1;
  const type = typeByOid(scalar);
  const modifiers = name.typmods.map((modifier) => {
    if ('A_Const' in modifier && modifier.A_Const.ival !== undefined) {
      return modifier.A_Const.ival.ival ?? 0;
    }
    throw pgError(
      'invalid_parameter_value',
      'type modifiers must be simple constants or identifiers',
      {
        ...b.position(name.location),
      },
    );
  });
  const encode = type.typmodIn;
  if (encode === undefined) {
    const isOfUsers = findUserType(scalar) !== undefined;
    const written = isOfUsers ? nameList(name.names).join('.') : type.name;
    throw pgError(
      'syntax_error',
      `type modifier is not allowed for type "${written}"`,
      b.position(name.location),
    );
  }
  return b.located(name.location, () => encode(modifiers));
}
