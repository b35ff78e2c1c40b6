/** Names of objects as regclass, regtype and the like read and print them. */

import { quoteIdentifier } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  builtinTypes,
  formatType,
  type ObjectNames,
  parseTypeName,
  type ReferenceKind,
  type TypeDefinition,
  type TypeSource,
} from '../../types/index.ts';
import type { CatalogView, SchemaDescriptor, TypeDescriptor } from '../descriptors.ts';
import {
  OWN_TEMPORARY_SCHEMA,
  resolveSearchPath,
  schemaOfName,
  temporarySchemaName,
} from '../search-path.ts';
import { COLLATIONS } from './cluster.ts';
import {
  FUNCTIONS,
  functionCount,
  functionFactsOf,
  OPERATORS,
  operatorFactsOf,
} from './functions.ts';
import { parseQualifiedName, splitSignature } from './qualified-name.ts';
import { SYSTEM_RELATIONS, systemRelation, systemRelationByOid } from './shapes.ts';

/** A relation or index by its place: what regclass refers to. */
export interface RelationPlace {
  readonly oid: number;
  readonly name: string;
  readonly schema: string;
}

/** The session's search path, read at every look-up. */
export interface NamingSession {
  readonly searchPath: readonly string[];
  readonly processId: number;
}

const PG_CATALOG = 'pg_catalog';

/** Looks names up in a catalog along a search path. */
export class SystemNames implements ObjectNames, TypeSource {
  readonly catalog: CatalogView;
  private readonly session: NamingSession;

  constructor(catalog: CatalogView, session: NamingSession) {
    this.catalog = catalog;
    this.session = session;
  }

  private *path(): Iterable<SchemaDescriptor> {
    const { searchPath, processId } = this.session;
    for (const oid of resolveSearchPath(this.catalog, searchPath, processId).schemas) {
      const schema = this.catalog.schemaByOid(oid);
      if (schema !== undefined) yield schema;
    }
  }

  nameOf(kind: ReferenceKind, oid: number): string | null {
    switch (kind) {
      case 'regclass': {
        const place = this.relationByOid(oid);
        return place && this.relationName(place);
      }
      case 'regtype':
        return this.typeName(oid);
      case 'regproc':
        return functionReference(oid);
      case 'regprocedure':
        return procedureReference(oid, this);
      case 'regoper':
        return operatorReference(oid);
      case 'regoperator':
        return operatorSignature(oid, this);
      case 'regnamespace':
        return quoted(this.catalog.schemaByOid(oid)?.name);
      case 'regrole':
        return quoted(this.catalog.roleByOid(oid)?.name);
      case 'regcollation':
        return quoted(COLLATIONS.find((collation) => collation.oid === oid)?.name);
    }
  }

  oidOf(kind: ReferenceKind, text: string): number {
    switch (kind) {
      case 'regclass':
        return this.requireRelation(text).oid;
      case 'regtype':
        return this.requireType(text);
      case 'regproc':
        return this.requireFunction(text);
      case 'regprocedure':
        return this.requireProcedure(text);
      case 'regoper':
        return this.requireOperator(text);
      case 'regoperator':
        return this.requireOperatorSignature(text);
      case 'regnamespace': {
        const name = singleName(text);
        return (this.catalog.schemaByName(name) ?? fail('invalid_schema_name', 'schema', name)).oid;
      }
      case 'regrole': {
        const name = singleName(text);
        return (this.catalog.roleByName(name) ?? fail('undefined_object', 'role', name)).oid;
      }
      case 'regcollation': {
        const name = lastOf(parseQualifiedName(text));
        const found = COLLATIONS.find((collation) => collation.name === name);
        if (found !== undefined) return found.oid;
        throw pgError('undefined_object', `collation "${name}" for encoding "UTF8" does not exist`);
      }
    }
  }

  // ---------------------------------------------------------------- relations

  relationByOid(oid: number): RelationPlace | null {
    const relation = this.catalog.relationByOid(oid);
    if (relation !== undefined) return this.place(relation.oid, relation.name, relation.schema);
    const found = this.catalog.indexByOid(oid);
    if (found !== undefined) {
      return this.place(found.index.oid, found.index.name, found.table.schema);
    }
    return systemRelationByOid(oid) ?? null;
  }

  private place(oid: number, name: string, schema: number): RelationPlace {
    return { oid, name, schema: this.catalog.schemaByOid(schema)?.name ?? '' };
  }

  /** The relation or index of a name in a schema. */
  relationIn(schema: string, name: string): RelationPlace | undefined {
    const found = schemaOfName(this.catalog, schema, this.session.processId);
    return found && this.relationOf(found, name);
  }

  private relationOf(schema: SchemaDescriptor, name: string): RelationPlace | undefined {
    const { catalog } = this;
    const found =
      catalog.relationByName(schema.oid, name) ?? catalog.indexByName(schema.oid, name)?.index;
    if (found !== undefined) return { oid: found.oid, name, schema: schema.name };
    return catalog.systemView(schema.name, name) === undefined
      ? undefined
      : systemRelation(schema.name, name);
  }

  /** The relation that a bare name means. */
  visibleRelation(name: string): RelationPlace | undefined {
    for (const schema of this.path()) {
      const found = this.relationOf(schema, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  isRelationVisible(place: RelationPlace): boolean {
    return this.visibleRelation(place.name)?.oid === place.oid;
  }

  /** A relation's name, with its schema where the bare name would not find it. */
  relationName(place: RelationPlace): string {
    const name = quoteIdentifier(place.name);
    return this.isRelationVisible(place) ? name : `${quoteIdentifier(place.schema)}.${name}`;
  }

  /** A relation's name as SQL texts have it, where the session's own temporary schema is `pg_temp`. */
  nameInText(place: RelationPlace): string {
    const name = quoteIdentifier(place.name);
    return this.isRelationVisible(place) ? name : `${this.schemaInText(place.schema)}.${name}`;
  }

  schemaInText(schema: string): string {
    const isOwn = schema === temporarySchemaName(this.session.processId);
    return isOwn ? OWN_TEMPORARY_SCHEMA : quoteIdentifier(schema);
  }

  /** The relation that a name leads to, if any. */
  findRelation(text: string): RelationPlace | undefined {
    const [name = '', schema] = [...parseQualifiedName(text)].reverse();
    return schema === undefined ? this.visibleRelation(name) : this.relationIn(schema, name);
  }

  requireRelation(text: string): RelationPlace {
    const names = parseQualifiedName(text);
    if (names.length > 3) {
      throw pgError(
        'syntax_error',
        `improper relation name (too many dotted names): ${names.join('.')}`,
      );
    }
    const [name = '', schema, database] = [...names].reverse();
    if (database !== undefined) {
      throw pgError(
        'feature_not_supported',
        `cross-database references are not implemented: "${names.join('.')}"`,
      );
    }
    if (schema !== undefined) this.requireSchema(schema);
    const found = schema === undefined ? this.visibleRelation(name) : this.relationIn(schema, name);
    if (found !== undefined) return found;
    throw pgError('undefined_table', `relation "${names.join('.')}" does not exist`);
  }

  private requireSchema(name: string): void {
    const schema = schemaOfName(this.catalog, name, this.session.processId);
    if (schema === undefined) fail('invalid_schema_name', 'schema', name);
  }

  // ---------------------------------------------------------------- types

  /** A type's name as format_type prints it: built-in types, those of users and rows of relations. */
  typeName(oid: number): string | null {
    if (builtinTypes.find(oid) !== undefined) return formatType(oid);
    for (const shape of SYSTEM_RELATIONS) {
      if (shape.rowType === oid) return this.nameInText(shape);
    }
    const type = this.catalog.typeByOid(oid);
    if (type !== undefined) return `${this.userTypeName(type)}${type.oid === oid ? '' : '[]'}`;
    for (const relation of this.catalog.relations()) {
      if (relation.rowType === 0) continue;
      const isArray = relation.rowType + 1 === oid;
      if (!isArray && relation.rowType !== oid) continue;
      const name = this.nameInText(this.place(relation.oid, relation.name, relation.schema));
      return isArray ? `${name}[]` : name;
    }
    return null;
  }

  typeByOid(oid: number): TypeDefinition | undefined {
    return this.catalog.typeByOid(oid);
  }

  isOwnType(oid: number): boolean {
    return this.catalog.isOwnType(oid);
  }

  /** The type of users that a bare name means. */
  private visibleType(name: string): number | undefined {
    for (const schema of this.path()) {
      const found = this.catalog.typeOidByName(schema.oid, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private typeIn(schema: string, name: string): number | undefined {
    const { catalog, session } = this;
    const oid = schemaOfName(catalog, schema, session.processId)?.oid;
    return oid === undefined ? undefined : catalog.typeOidByName(oid, name);
  }

  isTypeVisible({ oid, name, arrayOid, arrayName }: TypeDescriptor, which: number): boolean {
    const bare = which === arrayOid ? arrayName : name;
    const isBuiltin = builtinTypes.findByName(bare) !== undefined;
    for (const schema of this.path()) {
      if (isBuiltin && schema.name === PG_CATALOG) return false;
      const found = this.catalog.typeOidByName(schema.oid, bare);
      if (found !== undefined) return found === (which === arrayOid ? arrayOid : oid);
    }
    return false;
  }

  /** The name of a type of users, with its schema where the bare name would not find it. */
  userTypeName({ oid }: TypeDefinition): string {
    const type = this.catalog.typeByOid(oid)!;
    const name = quoteIdentifier(type.name);
    if (this.isTypeVisible(type, type.oid)) return name;
    return `${this.schemaInText(this.catalog.schemaByOid(type.schema)?.name ?? '')}.${name}`;
  }

  private requireType(text: string): number {
    const builtin = parseTypeName(text);
    if (builtin !== undefined) return builtin.oid;
    const setOf = /^\s*setof\s/i.test(text);
    if (setOf) throw pgError('syntax_error', `invalid type name "${text}"`);
    const bare = text.replace(/(\s*\[\s*\d*\s*\])+\s*$/, '');
    const isArray = bare !== text;
    const names = parseQualifiedName(bare);
    const [name = '', schema] = [...names].reverse();
    if (schema !== undefined) this.requireSchema(schema);
    const type = schema === undefined ? this.visibleType(name) : this.typeIn(schema, name);
    if (type !== undefined) return isArray ? this.arrayTypeOf(type) : type;
    const place = schema === undefined ? this.visibleRelation(name) : this.relationIn(schema, name);
    const rowType = place === undefined ? 0 : this.rowTypeOf(place.oid);
    if (rowType !== 0) return isArray ? rowType + 1 : rowType;
    throw pgError('undefined_object', `type "${text.trim()}" does not exist`);
  }

  /** The type of users, or the one whose array it is, of a name with its schema. */
  findUserType(text: string): TypeDescriptor | undefined {
    const [name = '', schema = ''] = [...parseQualifiedName(text)].reverse();
    const oid = this.typeIn(schema, name);
    return oid === undefined ? undefined : this.catalog.typeByOid(oid);
  }

  /** The array type over a type of users; an array is its own. */
  private arrayTypeOf(type: number): number {
    return this.catalog.typeByOid(type)?.arrayOid ?? type;
  }

  private rowTypeOf(relation: number): number {
    return (
      this.catalog.relationByOid(relation)?.rowType ?? systemRelationByOid(relation)?.rowType ?? 0
    );
  }

  // ---------------------------------------------------------------- functions and operators

  private functionsNamed(text: string) {
    const [name = '', schema] = [...parseQualifiedName(text)].reverse();
    if (schema !== undefined) this.requireSchema(schema);
    const wanted = schema ?? PG_CATALOG;
    return FUNCTIONS.filter(
      (facts) => facts.name === name && (facts.schema ?? PG_CATALOG) === wanted,
    );
  }

  private requireFunction(text: string): number {
    const found = this.functionsNamed(text);
    if (found.length === 1) return found[0]!.oid;
    if (found.length > 1) {
      throw pgError('ambiguous_function', `more than one function named "${text}"`);
    }
    throw pgError('undefined_function', `function "${text}" does not exist`);
  }

  private requireProcedure(text: string): number {
    const { name, args } = splitSignature(text);
    const types = args.map((arg) => this.requireType(arg));
    const found = this.functionsNamed(name).find((facts) => sameTypes(facts.arguments, types));
    if (found !== undefined) return found.oid;
    throw pgError('undefined_function', `function "${text}" does not exist`);
  }

  private requireOperator(text: string): number {
    const name = operatorName(text);
    const found = OPERATORS.filter((facts) => facts.name === name);
    if (found.length === 1) return found[0]!.oid;
    if (found.length > 1) {
      throw pgError('ambiguous_function', `more than one operator named ${text}`);
    }
    throw pgError('undefined_function', `operator does not exist: ${text}`);
  }

  private requireOperatorSignature(text: string): number {
    const { name, args } = splitSignature(text);
    const types = args.map((arg) => (arg.toLowerCase() === 'none' ? 0 : this.requireType(arg)));
    if (types.length === 1) {
      throw pgError('undefined_parameter', 'missing argument', {
        hint: 'Use NONE to denote the missing argument of a unary operator.',
      });
    }
    if (types.length !== 2) {
      throw pgError('too_many_arguments', 'too many arguments', {
        hint: 'Provide two argument types for operator.',
      });
    }
    const bare = operatorName(name);
    const found = OPERATORS.find(
      (facts) => facts.name === bare && facts.left === types[0] && facts.right === types[1],
    );
    if (found !== undefined) return found.oid;
    throw pgError('undefined_function', `operator does not exist: ${text}`);
  }
}

function functionReference(oid: number): string | null {
  const facts = functionFactsOf(oid);
  if (facts === undefined) return null;
  const name = quoteIdentifier(facts.name);
  if (facts.schema !== undefined) return `${facts.schema}.${name}`;
  return functionCount(facts.name) === 1 ? name : `${PG_CATALOG}.${name}`;
}

function procedureReference(oid: number, names: SystemNames): string | null {
  const facts = functionFactsOf(oid);
  if (facts === undefined) return null;
  const types = facts.arguments.map((type) => names.typeName(type) ?? String(type));
  const schema = facts.schema === undefined ? '' : `${facts.schema}.`;
  return `${schema}${quoteIdentifier(facts.name)}(${types.join(',')})`;
}

function operatorReference(oid: number): string | null {
  const facts = operatorFactsOf(oid);
  if (facts === undefined) return null;
  const isAlone = OPERATORS.every((other) => other === facts || other.name !== facts.name);
  return isAlone ? facts.name : `${PG_CATALOG}.${facts.name}`;
}

function operatorSignature(oid: number, names: SystemNames): string | null {
  const facts = operatorFactsOf(oid);
  if (facts === undefined) return null;
  const left = facts.left === 0 ? 'NONE' : names.typeName(facts.left);
  const right = facts.right === 0 ? 'NONE' : names.typeName(facts.right);
  return `${facts.name}(${left},${right})`;
}

/** The operator of a possibly qualified name. */
function operatorName(text: string): string {
  return text.replace(/^\s*pg_catalog\s*\./, '').trim();
}

function sameTypes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

function quoted(name: string | undefined): string | null {
  return name === undefined ? null : quoteIdentifier(name);
}

function lastOf(names: readonly string[]): string {
  return names[names.length - 1] ?? '';
}

function singleName(text: string): string {
  const names = parseQualifiedName(text);
  if (names.length !== 1) throw pgError('invalid_name', 'invalid name syntax');
  return lastOf(names);
}

function fail(
  condition: 'invalid_schema_name' | 'undefined_object',
  kind: string,
  name: string,
): never {
  throw pgError(condition, `${kind} "${name}" does not exist`);
}
