import type { ConstraintsSetStmt, RangeVar } from '@pgsql/types';
import type { ConstraintDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { UtilityExecution } from './environment.ts';
import { executionEnvironment } from './execution.ts';
import { namedSchema, undefinedSchema } from './object-names.ts';

/** SET CONSTRAINTS. */
export function* setConstraints(command: Command, statement: ConstraintsSetStmt): UtilityExecution {
  const { environment } = command;
  if (!environment.inBlock) {
    environment.notice({
      severity: 'WARNING',
      sqlstate: '25P01',
      message: 'SET CONSTRAINTS can only be used in transaction blocks',
    });
  }
  const deferred = statement.deferred === true;
  const names = statement.constraints ?? [];
  const oids = names.flatMap((node) =>
    'RangeVar' in node ? namedConstraints(command, node.RangeVar, deferred) : [],
  );
  const { foreignKeys } = environment;
  foreignKeys.deferred.set(names.length === 0 ? null : oids, deferred);
  if (!deferred) yield* foreignKeys.checkImmediate(executionEnvironment(environment));
  return { tag: 'SET CONSTRAINTS' };
}

/** The deferrable constraints that a name means: those of the first schema that has some. */
function namedConstraints(command: Command, name: RangeVar, deferred: boolean): number[] {
  const { relname = '', schemaname } = name;
  for (const schema of schemasOf(command, schemaname)) {
    const found = constraintsNamed(command, schema, relname);
    if (found.length === 0) continue;
    if (deferred && found.some(({ deferrable }) => !deferrable)) {
      throw pgError('wrong_object_type', `constraint "${relname}" is not deferrable`);
    }
    return found.flatMap(({ oid, deferrable }) => (deferrable ? [oid] : []));
  }
  throw pgError('undefined_object', `constraint "${relname}" does not exist`);
}

function schemasOf(command: Command, name: string | undefined): readonly number[] {
  if (name === undefined) return command.environment.searchPath.schemas;
  const schema = namedSchema(command, name);
  if (schema === undefined) throw undefinedSchema(name);
  return [schema.oid];
}

function constraintsNamed(command: Command, schema: number, name: string): ConstraintDescriptor[] {
  const found: ConstraintDescriptor[] = [];
  for (const relation of command.catalog.relations()) {
    if (relation.schema !== schema) continue;
    found.push(...relation.constraints.filter((constraint) => constraint.name === name));
  }
  return found;
}
