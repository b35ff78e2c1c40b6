import type { CreateSchemaStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { UtilityExecution } from './environment.ts';
import { roleOf } from './owner.ts';
import { reservedSchema } from './rename.ts';
import { makeElements, type RunElement, schemaElements } from './schema-elements.ts';

/** CREATE SCHEMA, with the objects that it may list. */
export function* createSchema(
  command: Command,
  statement: CreateSchemaStmt,
  run: RunElement,
): UtilityExecution {
  const tag = 'CREATE SCHEMA';
  const { environment } = command;
  const role = roleOf(command, statement.authrole);
  const name = statement.schemaname ?? role.name;
  if (name.startsWith('pg_')) throw reservedSchema(name);
  yield* command.claimName(0, name);
  if (command.catalog.schemaByName(name) !== undefined) {
    const message = `schema "${name}" already exists`;
    if (statement.if_not_exists !== true) throw pgError('duplicate_schema', message);
    environment.notice({ sqlstate: '42P06', message: `${message}, skipping` });
    return { tag };
  }
  const oid = environment.nextOid();
  const descriptor = { oid, name, owner: role.oid };
  environment.change({ kind: 'schema', oid, descriptor });
  yield* makeElements(command, schemaElements(statement, name), descriptor, run);
  return { tag };
}
