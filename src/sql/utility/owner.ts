import type { RoleSpec } from '@pgsql/types';
import type { RelationDescriptor, RoleDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import { ownedSequences } from './drop.ts';
import { changeRelation } from './relation-change.ts';

/** The role that a RoleSpec means. */
export function roleOf(command: Command, spec: RoleSpec | undefined): RoleDescriptor {
  const { catalog, environment } = command;
  if (spec?.roletype === 'ROLESPEC_CSTRING') {
    const role = catalog.roleByName(spec.rolename ?? '');
    if (role !== undefined) return role;
    throw pgError('undefined_object', `role "${spec.rolename}" does not exist`);
  }
  if (spec?.roletype === 'ROLESPEC_PUBLIC') {
    throw pgError('undefined_object', 'role "public" does not exist');
  }
  const role = catalog.roleByOid(environment.role);
  if (role === undefined) throw notSupported('this role');
  return role;
}

/** OWNER TO; the sequences of a table's columns change hands with it. */
export function setOwner(
  command: Command,
  relation: RelationDescriptor,
  spec: RoleSpec | undefined,
): void {
  const owner = roleOf(command, spec).oid;
  changeRelation(command, relation, { owner });
  for (const sequence of ownedSequences(command, relation)) {
    changeRelation(command, sequence, { owner });
  }
}
