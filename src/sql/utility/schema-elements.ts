import type { CreateSchemaStmt, Node, RangeVar } from '@pgsql/types';
import type { SchemaDescriptor, SearchPath } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { objectNamesOf } from '../functions/index.ts';
import { Command } from './command.ts';
import { utilityTag } from './command-tags.ts';
import type { UtilityEnvironment, UtilityExecution, UtilityPause } from './environment.ts';

/** What CREATE SCHEMA lists is made in the new schema, which names in it lead to first: sequences, then
 * tables, views and indexes, in whatever order they are written. */

/** Runs an element as a statement of its own. */
export type RunElement = (element: Node, command: Command) => UtilityExecution;

/** The elements in the order in which they are made; each has its schema. */
export function schemaElements(statement: CreateSchemaStmt, schema: string): readonly Node[] {
  const elements = ((statement.schemaElts ?? []) as readonly Node[]).map((node) => {
    const { rank, element } = placed(node, schema);
    return { rank, element };
  });
  return elements.sort((a, b) => a.rank - b.rank).map(({ element }) => element);
}

function placed(node: Node, schema: string): { readonly rank: number; readonly element: Node } {
  const inside = (name: RangeVar = {}) => inSchema(name, schema);
  if ('CreateSeqStmt' in node) {
    const { CreateSeqStmt: part } = node;
    return { rank: 0, element: { CreateSeqStmt: { ...part, sequence: inside(part.sequence) } } };
  }
  if ('CreateStmt' in node) {
    const { CreateStmt: part } = node;
    return { rank: 1, element: { CreateStmt: { ...part, relation: inside(part.relation) } } };
  }
  if ('ViewStmt' in node) {
    const { ViewStmt: part } = node;
    return { rank: 2, element: { ViewStmt: { ...part, view: inside(part.view) } } };
  }
  if ('IndexStmt' in node) {
    const { IndexStmt: part } = node;
    return { rank: 3, element: { IndexStmt: { ...part, relation: inside(part.relation) } } };
  }
  throw notSupported(utilityTag(node));
}

function inSchema(name: RangeVar, schema: string): RangeVar {
  if (name.schemaname === undefined || name.schemaname === schema) {
    return { ...name, schemaname: schema };
  }
  throw pgError(
    'invalid_schema_definition',
    `CREATE specifies a schema (${name.schemaname}) different from the one being created (${schema})`,
  );
}

/** Makes the elements, one after the other. */
export function* makeElements(
  command: Command,
  elements: readonly Node[],
  schema: SchemaDescriptor,
  run: RunElement,
): Generator<UtilityPause, void, undefined> {
  const environment = withSchema(command.environment, schema);
  for (const element of elements) {
    yield* run(element, new Command(command.text, environment));
    environment.nextCommand();
  }
}

/** The environment with a schema before all that the search path names. */
function withSchema(environment: UtilityEnvironment, schema: SchemaDescriptor): UtilityEnvironment {
  const session = {
    ...environment.functions.session,
    searchPath: [schema.name, ...environment.functions.session.searchPath],
  };
  const functions = overlaid(environment.functions, {
    session: () => session,
    objectNames: () => objectNamesOf(environment.catalog, session),
  });
  return overlaid(environment, {
    searchPath: (): SearchPath => {
      const { schemas, named, temporary } = environment.searchPath;
      const first = named.length === 0 ? schemas.length : schemas.indexOf(named[0]!);
      return {
        schemas: [...schemas.slice(0, first), schema.oid, ...schemas.slice(first)],
        named: [schema.oid, ...named],
        temporary,
        createsTemporary: false,
      };
    },
    functions: () => functions,
  });
}

/** The object with other values of some of its members. */
function overlaid<Target extends object>(
  target: Target,
  others: { readonly [Name in keyof Target]?: () => Target[Name] },
): Target {
  return new Proxy(target, {
    get(own, name) {
      const other = others[name as keyof Target];
      if (other !== undefined) return other();
      const member: unknown = Reflect.get(own, name, own);
      return typeof member === 'function' ? member.bind(own) : member;
    },
  });
}
