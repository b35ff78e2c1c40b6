import type { Node } from '@pgsql/types';
import type { CatalogView, RelationDescriptor, TypeDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { formatType, parseTypeName, utf8Length } from '../../types/index.ts';
import { quoteIdentifier } from '../bind/deparse.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import { rangeVarOf } from './drop.ts';
import type { UtilityPause } from './environment.ts';
import { findRelation, namedSchema, qualifiedName, visibleName } from './object-names.ts';

/** What a name of a type in a command leads to. */
export type NamedType =
  | { readonly kind: 'enum'; readonly type: TypeDescriptor }
  | { readonly kind: 'array'; readonly type: TypeDescriptor }
  | { readonly kind: 'builtin'; readonly oid: number }
  | { readonly kind: 'row'; readonly relation: RelationDescriptor };

/** Finds a type by name; undefined where there is none, 3F000 where its schema does not exist. */
export function findNamedType(command: Command, names: readonly string[]): NamedType | undefined {
  const { catalog } = command;
  const [name = '', schemaName] = [...names].reverse();
  const isBuiltin = schemaName === undefined || schemaName === 'pg_catalog';
  const builtin = isBuiltin ? parseTypeName(quoteIdentifier(name)) : undefined;
  if (builtin !== undefined) return { kind: 'builtin', oid: builtin.oid };
  const schema = schemaName === undefined ? undefined : namedSchema(command, schemaName);
  if (schemaName !== undefined && schema === undefined) {
    throw pgError('invalid_schema_name', `schema "${schemaName}" does not exist`);
  }
  const { schemas } = command.environment.searchPath;
  for (const oid of schema === undefined ? schemas : [schema.oid]) {
    const found = catalog.typeOidByName(oid, name);
    const type = found === undefined ? undefined : catalog.typeByOid(found);
    if (type !== undefined) return { kind: type.oid === found ? 'enum' : 'array', type };
  }
  const relation = findRelation(command, rangeVarOf(names));
  return relation === undefined || relation.rowType === 0 ? undefined : { kind: 'row', relation };
}

/** The parts of a type's name in a command that is about types. */
export function typeNames(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if ('List' in node) return nameList(node.List.items);
  if ('TypeName' in node) return nameList(node.TypeName.names);
  return nameList([node]);
}

export function undefinedType(names: readonly string[]): PgError {
  return pgError('undefined_object', `type "${names.join('.')}" does not exist`);
}

/** Finds a type and locks it against all who use or change it; 42704 where there is none. */
export function* lockNamedType(
  command: Command,
  names: readonly string[],
): Generator<UtilityPause, NamedType, undefined> {
  for (;;) {
    const found = findNamedType(command, names);
    if (found === undefined) throw undefinedType(names);
    if (found.kind !== 'enum' && found.kind !== 'array') return found;
    const { oid, name } = found.type;
    yield* command.lock({ oid, name }, TABLE_LOCK.accessExclusive);
    const now = findNamedType(command, names);
    if (now?.kind === found.kind && now.type.oid === oid) return now;
  }
}

/** The same for a type that must be an enum. */
export function* lockEnum(
  command: Command,
  names: readonly string[],
): Generator<UtilityPause, TypeDescriptor, undefined> {
  const found = yield* lockNamedType(command, names);
  if (found.kind === 'enum') return found.type;
  throw pgError('wrong_object_type', `${describedName(command, found)} is not an enum`);
}

/** A type as format_type prints it. */
export function describedName(command: Command, found: NamedType): string {
  switch (found.kind) {
    case 'enum':
      return visibleTypeName(command, found.type);
    case 'array':
      return `${visibleTypeName(command, found.type)}[]`;
    case 'builtin':
      return formatType(found.oid);
    case 'row':
      return visibleName(command, found.relation);
  }
}

/** A type's name, with its schema where the search path does not lead to it. */
export function visibleTypeName(command: Command, type: TypeDescriptor): string {
  const { catalog, environment } = command;
  const builtin = parseTypeName(quoteIdentifier(type.name));
  for (const schema of builtin === undefined ? environment.searchPath.schemas : []) {
    const found = catalog.typeOidByName(schema, type.name);
    if (found === type.oid) return quoteIdentifier(type.name);
    if (found !== undefined) break;
  }
  return qualifiedName(command, type);
}

/** Records a changed type. Labels that are committed stop being new. */
export function changeType(
  command: Command,
  type: TypeDescriptor,
  changes: Partial<TypeDescriptor>,
): TypeDescriptor {
  const known = { ...type, ...changes };
  const committed = command.catalog.isOwnType(type.oid) ? [] : type.labels.map(({ oid }) => oid);
  const labels = known.labels.map((label) =>
    committed.includes(label.oid) ? { ...label, isNew: false } : label,
  );
  const descriptor = { ...known, labels };
  command.environment.change({ kind: 'type', oid: type.oid, descriptor });
  return descriptor;
}

/** Makes a name free for a type or relation: an array type that has it gets another, and 42710 says that it
 * is taken by anything else. */
export function freeTypeName(
  command: Command,
  schema: number,
  name: string,
  taken: (name: string) => PgError = duplicateType,
): void {
  const { catalog } = command;
  const oid = catalog.typeOidByName(schema, name);
  if (oid === undefined) return;
  const type = catalog.typeByOid(oid)!;
  if (type.oid === oid) throw taken(name);
  changeType(command, type, { arrayName: arrayName(catalog, schema, type.name, name) });
}

export function duplicateType(name: string): PgError {
  return pgError('duplicate_object', `type "${name}" already exists`);
}

/** 42710 of a relation whose row type would have the name of a type. */
export function duplicateRowType(name: string): PgError {
  return pgError('duplicate_object', `type "${name}" already exists`, {
    hint: "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
  });
}

/** Whether a type or the row type of a relation has the name. */
function isTypeNameTaken(catalog: CatalogView, schema: number, name: string): boolean {
  if (catalog.typeOidByName(schema, name) !== undefined) return true;
  return (catalog.relationByName(schema, name)?.rowType ?? 0) !== 0;
}

/** A free name for the array type of a type: with underscores before it, and cut to fit. */
export function arrayName(
  catalog: CatalogView,
  schema: number,
  name: string,
  except?: string,
): string {
  for (let underscores = '_'; ; underscores += '_') {
    const candidate = clipName(underscores + name);
    if (candidate !== except && !isTypeNameTaken(catalog, schema, candidate)) return candidate;
  }
}

const NAME_BYTES_MAX = 63;

function clipName(name: string): string {
  if (utf8Length(name) <= NAME_BYTES_MAX) return name;
  const chars = [...name];
  while (utf8Length(chars.join('')) > NAME_BYTES_MAX) chars.pop();
  return chars.join('');
}

/** Keeps types from being dropped or altered while something that uses them comes into being. */
export function* holdTypes(
  command: Command,
  oids: Iterable<number>,
): Generator<UtilityPause, void, undefined> {
  for (const oid of new Set(oids)) {
    const type = command.catalog.typeByOid(oid);
    if (type === undefined) continue;
    yield* command.lock(type, TABLE_LOCK.accessShare);
    if (command.catalog.typeByOid(oid) === undefined) {
      throw pgError('undefined_object', `type with OID ${oid} does not exist`);
    }
  }
}
