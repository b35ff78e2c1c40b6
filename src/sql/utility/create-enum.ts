import type { CreateEnumStmt } from '@pgsql/types';
import type { EnumLabelDescriptor, TypeDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { utf8Length } from '../../types/index.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import { rangeVarOf } from './drop.ts';
import type { UtilityExecution } from './environment.ts';
import { creationSchema } from './object-names.ts';
import { arrayName, duplicateType, freeTypeName } from './user-types.ts';

/** Bytes of a label at the most. */
const LABEL_BYTES_MAX = 63;

/** CREATE TYPE … AS ENUM. */
export function* createEnum(command: Command, statement: CreateEnumStmt): UtilityExecution {
  const { environment } = command;
  const target = rangeVarOf(nameList(statement.typeName));
  const name = target.relname ?? '';
  const schema = creationSchema(command, target);
  yield* command.claimName(schema.oid, name);
  freeTypeName(command, schema.oid, name);
  if ((command.catalog.relationByName(schema.oid, name)?.rowType ?? 0) !== 0) {
    throw duplicateType(name);
  }
  const oid = environment.nextOid();
  const arrayOid = environment.nextOid();
  const descriptor: TypeDescriptor = {
    oid,
    kind: 'enum',
    name,
    schema: schema.oid,
    owner: environment.role,
    arrayOid,
    arrayName: arrayName(command.catalog, schema.oid, name),
    labels: firstLabels(command, oid, nameList(statement.vals)),
  };
  environment.change({ kind: 'type', oid, descriptor });
  return { tag: 'CREATE TYPE' };
}

function firstLabels(
  command: Command,
  type: number,
  texts: readonly string[],
): EnumLabelDescriptor[] {
  const seen = new Set<string>();
  return texts.map((label, i) => {
    checkLabel(label);
    if (seen.has(label)) throw repeatedLabel(type, label);
    seen.add(label);
    return { oid: command.environment.nextOid(), label, place: i + 1, sortOrder: i + 1 };
  });
}

export function checkLabel(label: string): void {
  if (utf8Length(label) <= LABEL_BYTES_MAX) return;
  throw pgError('invalid_name', `invalid enum label "${label}"`, {
    detail: `Labels must be ${LABEL_BYTES_MAX} bytes or less.`,
  });
}

/** 23505, as PostgreSQL leaves it to an index of pg_enum to find out. */
function repeatedLabel(type: number, label: string) {
  const constraint = 'pg_enum_typid_label_index';
  return pgError(
    'unique_violation',
    `duplicate key value violates unique constraint "${constraint}"`,
    {
      detail: `Key (enumtypid, enumlabel)=(${type}, ${label}) already exists.`,
      schema: 'pg_catalog',
      table: 'pg_enum',
      constraint,
    },
  );
}
