import type { Catalog, RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { Command } from './command.ts';
import { dropRelations } from './drop.ts';
import { dropTypes } from './drop-type.ts';
import type { UtilityEnvironment, UtilityExecution, UtilityPause } from './environment.ts';
import { executionEnvironment } from './execution.ts';

/** What is done before a commit: the deferred foreign keys are checked, and the tables go that are to be
 * dropped with it. */
export function* prepareCommit(environment: UtilityEnvironment): UtilityExecution {
  const { deferred } = environment.foreignKeys;
  if (!deferred.isEmpty) {
    yield* environment.foreignKeys.checkDeferred(executionEnvironment(environment));
  }
  yield* dropOnCommit(environment);
  return { tag: 'COMMIT' };
}

/** Drops the tables that the transaction has created with ON COMMIT DROP. */
export function* dropOnCommit(
  environment: UtilityEnvironment,
): Generator<UtilityPause, void, undefined> {
  const { catalog, searchPath } = environment;
  const tables = droppedOnCommit(catalog, searchPath.temporary);
  if (tables.length === 0) return;
  yield* dropRelations(new Command('', environment), tables, true, []);
}

/** Such a table is gone when its transaction ends, so that all there are have been created in this one. */
export function droppedOnCommit(catalog: Catalog, schema: number): RelationDescriptor[] {
  return catalog.temporaryRelations(schema).filter(({ onCommit }) => onCommit === 'drop');
}

/** The tables of a temporary schema that lose their rows when a transaction commits: none of them ever
 * has committed rows. 0A000 where the rows of others refer to them. */
export function emptiedOnCommit(catalog: Catalog, schema: number): RelationDescriptor[] {
  const tables = catalog
    .temporaryRelations(schema)
    .filter(({ onCommit }) => onCommit === 'delete rows');
  for (const parent of tables) {
    for (const { table } of catalog.referencing(parent.oid)) {
      const child = catalog.relationByOid(table);
      if (child === undefined || tables.includes(child)) continue;
      throw pgError('feature_not_supported', 'unsupported ON COMMIT and foreign key combination', {
        detail: `Table "${child.name}" references "${parent.name}", but they do not have the same ON COMMIT setting.`,
      });
    }
  }
  return tables;
}

/** DISCARD TEMP: drops all that is in the session's temporary schema. */
export function* discardTemporary(environment: UtilityEnvironment): UtilityExecution {
  const command = new Command('', environment);
  const { temporary } = environment.searchPath;
  yield* dropRelations(command, environment.catalog.temporaryRelations(temporary), true, []);
  const types = [...environment.catalog.types()].filter(({ schema }) => schema === temporary);
  if (types.length > 0) yield* dropTypes(command, types, true, []);
  return { tag: 'DISCARD TEMP' };
}

/** What the end of a session leaves to do: its temporary schema goes, with all that is in it. */
export function* dropTemporarySchema(environment: UtilityEnvironment): UtilityExecution {
  const result = yield* discardTemporary(environment);
  const oid = environment.searchPath.temporary;
  if (oid !== 0) environment.change({ kind: 'schema', oid, descriptor: null });
  return result;
}
