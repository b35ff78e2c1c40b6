import type { TypeName } from '@pgsql/types';
import { type BindContext, Binder } from './binder.ts';
import { bindTypeName } from './type-names.ts';

/** Oid of a type that PREPARE gives a parameter. Parameters have no type modifiers. */
export function bindParameterType(name: TypeName, context: BindContext): number {
  return bindTypeName(new Binder(context, new Set()), name).type;
}
