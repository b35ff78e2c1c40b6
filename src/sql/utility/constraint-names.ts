import type { ConstraintDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';

/** Generated names of constraints are unique in their schema. */
export function isConstraintTaken(
  command: Command,
  schema: number,
  name: string,
  present: readonly ConstraintDescriptor[],
): boolean {
  if (present.some((constraint) => constraint.name === name)) return true;
  for (const relation of command.catalog.relations()) {
    if (relation.schema !== schema) continue;
    if (relation.constraints.some((constraint) => constraint.name === name)) return true;
  }
  return false;
}

export function duplicateConstraint(name: string, table: string, what = 'constraint'): PgError {
  if (what === 'check constraint') {
    return pgError('duplicate_object', `check constraint "${name}" already exists`);
  }
  return pgError('duplicate_object', `constraint "${name}" for relation "${table}" already exists`);
}
