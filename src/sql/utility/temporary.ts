import type { RangeVar } from '@pgsql/types';
import {
  isOtherTemporary,
  isTemporaryName,
  OWN_TEMPORARY_SCHEMA,
  type RelationDescriptor,
  type SchemaDescriptor,
  temporarySchema,
  temporarySchemaName,
} from '../../catalog/index.ts';
import { type PgErrorOptions, pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import { areNotSupported } from './unsupported.ts';

/** What the schema and the persistence of a new relation mean for each other: temporary relations are in
 * the session's temporary schema, and nothing else is. */

export type Persistence = 'p' | 't';

/** Where a new relation goes. */
export interface NewPlace {
  readonly schema: SchemaDescriptor;
  readonly persistence: Persistence;
}

/** Whether a name asks for a temporary relation, which may be created without naming a schema. */
export function asksForTemporary({ schemaname, relpersistence }: RangeVar): boolean {
  return (
    schemaname === OWN_TEMPORARY_SCHEMA || (schemaname === undefined && relpersistence === 't')
  );
}

/** The session's temporary schema, which is made when it is first needed. */
export function ownTemporarySchema(command: Command): SchemaDescriptor {
  const { environment } = command;
  const { processId } = environment.functions.session;
  const present = temporarySchema(command.catalog, processId);
  if (present !== undefined) return present;
  const oid = environment.nextOid();
  const name = temporarySchemaName(processId);
  const descriptor = { oid, name, owner: environment.role };
  environment.change({ kind: 'schema', oid, descriptor });
  return descriptor;
}

/** The persistence of a new relation in a schema: PostgreSQL's RangeVarAdjustRelationPersistence. */
export function persistenceIn(
  command: Command,
  schema: SchemaDescriptor,
  { relpersistence }: RangeVar,
  what: string,
): Persistence {
  const { processId } = command.environment.functions.session;
  const isTemporary = isTemporaryName(schema.name);
  if (relpersistence === 'u') {
    if (!isTemporary) throw areNotSupported(`unlogged ${what}`);
    throw misplaced('only temporary relations may be created in temporary schemas');
  }
  if (isOtherTemporary(command.catalog, schema.oid, processId)) {
    throw misplaced('cannot create relations in temporary schemas of other sessions');
  }
  if (relpersistence === 't' && !isTemporary) {
    throw misplaced('cannot create temporary relation in non-temporary schema');
  }
  return isTemporary ? 't' : 'p';
}

function misplaced(message: string, options?: PgErrorOptions) {
  return pgError('invalid_table_definition', message, options);
}

/** Whether a relation is a temporary one of another session. */
export function isOthers(
  command: Command,
  { persistence, schema }: Pick<RelationDescriptor, 'persistence' | 'schema'>,
): boolean {
  const { processId } = command.environment.functions.session;
  return persistence === 't' && isOtherTemporary(command.catalog, schema, processId);
}

/** 0A000 for what only a temporary table's own session can do with it. */
export function refuseOthers(
  command: Command,
  relation: Pick<RelationDescriptor, 'persistence' | 'schema'>,
  what: string,
): void {
  if (!isOthers(command, relation)) return;
  throw pgError('feature_not_supported', `cannot ${what} temporary tables of other sessions`);
}

/** ON COMMIT of a new table, as its descriptor has it. */
export function onCommitOf(
  action: string | undefined,
  persistence: Persistence,
): Pick<RelationDescriptor, 'onCommit'> {
  if (action === undefined || action === 'ONCOMMIT_NOOP') return {};
  if (persistence !== 't') throw misplaced('ON COMMIT can only be used on temporary tables');
  if (action === 'ONCOMMIT_DELETE_ROWS') return { onCommit: 'delete rows' };
  return action === 'ONCOMMIT_DROP' ? { onCommit: 'drop' } : {};
}

const GAP = '(?:\\s|--[^\\n]*\\n|/\\*[\\s\\S]*?\\*/)+';
const GLOBAL_BEFORE_NAME = new RegExp(
  `\\bglobal(?=${GAP}temp(?:orary)?${GAP}(?:(?:table|view|sequence|recursive|if|not|exists)${GAP})*$)`,
  'i',
);

/** The grammar takes GLOBAL and says that it means nothing; it leaves no trace of it in the tree. */
export function warnOfGlobal(command: Command, name: RangeVar): void {
  if (name.relpersistence !== 't') return;
  const before = Buffer.from(command.text).toString('utf8', 0, name.location ?? 0);
  const match = GLOBAL_BEFORE_NAME.exec(before);
  if (match === null) return;
  const location = Buffer.byteLength(before.slice(0, match.index));
  command.environment.notice({
    severity: 'WARNING',
    sqlstate: '01000',
    message: 'GLOBAL is deprecated in temporary table creation',
    ...command.position(location),
  });
}
