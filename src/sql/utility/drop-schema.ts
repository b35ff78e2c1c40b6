import type { Node } from '@pgsql/types';
import type { RelationDescriptor, SchemaDescriptor, TypeDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nodeString } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import {
  dependencyLines,
  dependentObjects,
  describe,
  describeDependent,
  noticeCascade,
} from './dependencies.ts';
import { dropClosure, dropRelations } from './drop.ts';
import { dropTypes } from './drop-type.ts';
import type { UtilityPause } from './environment.ts';
import { describeUser, typeUsers, userLines } from './type-users.ts';
import { visibleTypeName } from './user-types.ts';

/** DROP SCHEMA. */
export function* dropSchemas(
  command: Command,
  objects: readonly Node[],
  ifExists: boolean,
  cascade: boolean,
): Generator<UtilityPause, void, undefined> {
  const schemas = schemasToDrop(command, objects, ifExists);
  const oids = new Set(schemas.map((schema) => schema.oid));
  const relations = [...command.catalog.relations()].filter(
    (relation) => oids.has(relation.schema) && !isOwnedInside(command, relation, oids),
  );
  const types = [...command.catalog.types()].filter((type) => oids.has(type.schema));
  const contents = contentsOf(command, relations, types);
  if (contents.length > 0 && !cascade) {
    const lines = contents.flatMap(({ name, schema, dependencies }) => [
      `${name} depends on schema ${command.catalog.schemaByOid(schema)?.name}`,
      ...dependencies,
    ]);
    throw dependentObjects(schemas.length === 1 ? `schema ${schemas[0]!.name}` : null, lines);
  }
  for (const object of [...relations, ...types]) {
    yield* command.lock(object, TABLE_LOCK.accessExclusive);
  }
  yield* dropRelations(command, relations, true, []);
  yield* dropTypes(command, types, true, []);
  noticeCascade(
    command,
    contents.flatMap(({ name, dependents }) => [name, ...dependents]),
  );
  for (const { oid } of schemas) {
    command.environment.change({ kind: 'schema', oid, descriptor: null });
  }
}

function schemasToDrop(
  command: Command,
  objects: readonly Node[],
  ifExists: boolean,
): SchemaDescriptor[] {
  const schemas: SchemaDescriptor[] = [];
  for (const object of objects) {
    const name = nodeString(object) ?? '';
    const schema = command.catalog.schemaByName(name);
    if (schema === undefined) {
      if (!ifExists) throw pgError('invalid_schema_name', `schema "${name}" does not exist`);
      command.environment.notice({ message: `schema "${name}" does not exist, skipping` });
      continue;
    }
    if (name === 'pg_catalog' || name === 'information_schema') {
      throw pgError(
        'dependent_objects_still_exist',
        `cannot drop schema ${name} because it is required by the database system`,
      );
    }
    schemas.push(schema);
  }
  return schemas;
}

/** Something in a schema that is dropped, and what outside of its schema depends on it. */
interface Content {
  readonly oid: number;
  readonly schema: number;
  readonly name: string;
  readonly dependents: readonly string[];
  /** `view v depends on table t`, for each. */
  readonly dependencies: readonly string[];
}

/** The oldest first. */
function contentsOf(
  command: Command,
  relations: readonly RelationDescriptor[],
  types: readonly TypeDescriptor[],
): Content[] {
  const isInside = ({ oid }: RelationDescriptor) => relations.some((other) => other.oid === oid);
  const { dependents } = dropClosure(command, relations);
  const contents: Content[] = [];
  for (const relation of relations) {
    const outside = dependents.filter(
      (dependent) => dependent.on.oid === relation.oid && !isInside(dependent.relation),
    );
    contents.push({
      oid: relation.oid,
      schema: relation.schema,
      name: describe(command, relation),
      dependents: outside.map((dependent) => describeDependent(command, dependent)),
      dependencies: dependencyLines(command, outside),
    });
  }
  for (const type of types) {
    const outside = typeUsers(command, [type]).filter(({ user }) => !isInside(user.relation));
    contents.push({
      oid: type.oid,
      schema: type.schema,
      name: `type ${visibleTypeName(command, type)}`,
      dependents: outside.map(({ user }) => describeUser(command, user)),
      dependencies: userLines(command, outside),
    });
  }
  return contents.sort((a, b) => a.oid - b.oid);
}

/** Sequences that go with their table, and partitions with their parent, are not named. */
function isOwnedInside(
  command: Command,
  relation: RelationDescriptor,
  schemas: ReadonlySet<number>,
): boolean {
  const { sequence, partitionOf } = relation;
  const owner = command.catalog.relationByOid(sequence?.ownerTable ?? partitionOf?.parent ?? 0);
  return owner !== undefined && schemas.has(owner.schema);
}
