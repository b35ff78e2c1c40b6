import type { AlterEnumStmt } from '@pgsql/types';
import type { EnumLabelDescriptor, TypeDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import { checkLabel } from './create-enum.ts';
import type { UtilityExecution } from './environment.ts';
import { refreshTexts } from './type-texts.ts';
import { viewsOfValue } from './type-users.ts';
import { changeType, lockEnum } from './user-types.ts';

/** ALTER TYPE … ADD VALUE and RENAME VALUE. */
export function* alterEnum(command: Command, statement: AlterEnumStmt): UtilityExecution {
  const tag = 'ALTER TYPE';
  const type = yield* lockEnum(command, nameList(statement.typeName));
  if (statement.oldVal !== undefined) {
    yield* renameLabel(command, type, statement.oldVal, statement.newVal ?? '');
  } else addLabel(command, type, statement);
  return { tag };
}

function addLabel(command: Command, type: TypeDescriptor, statement: AlterEnumStmt): void {
  const { newVal: label = '', newValNeighbor, newValIsAfter = false } = statement;
  checkLabel(label);
  if (type.labels.some((other) => other.label === label)) {
    const message = `enum label "${label}" already exists`;
    if (statement.skipIfNewValExists !== true) throw pgError('duplicate_object', message);
    command.environment.notice({ sqlstate: '42710', message: `${message}, skipping` });
    return;
  }
  const at =
    newValNeighbor === undefined
      ? type.labels.length
      : labelPosition(type, newValNeighbor) + (newValIsAfter ? 1 : 0);
  const added = {
    oid: command.environment.nextOid(),
    label,
    place: placeBetween(type.labels[at - 1]?.place, type.labels[at]?.place),
    isNew: true,
  };
  const { labels, sortOrder } = withSortOrder(type.labels, at);
  changeType(command, type, {
    labels: [...labels.slice(0, at), { ...added, sortOrder }, ...labels.slice(at)],
  });
}

function labelPosition({ labels }: TypeDescriptor, label: string): number {
  const position = labels.findIndex((other) => other.label === label);
  if (position >= 0) return position;
  throw pgError('invalid_parameter_value', `"${label}" is not an existing enum label`);
}

/** A number between those of two neighbours, of which one may be missing. */
function between(before: number | undefined, after: number | undefined): number {
  if (before === undefined) return after === undefined ? 1 : after - 1;
  return after === undefined ? before + 1 : (before + after) / 2;
}

/** A place is for ever, so there are only as many between two neighbours as a double can tell apart: 52
 * when each is next to the same one. */
function placeBetween(before: number | undefined, after: number | undefined): number {
  const place = between(before, after);
  if (place !== before && place !== after) return place;
  throw pgError('program_limit_exceeded', 'no more labels fit between these two');
}

/** The shown number for a label at a position. As in PostgreSQL it is a float4, and all labels are numbered
 * anew when there is none left. */
function withSortOrder(
  labels: readonly EnumLabelDescriptor[],
  at: number,
): { readonly labels: readonly EnumLabelDescriptor[]; readonly sortOrder: number } {
  const before = labels[at - 1]?.sortOrder;
  const after = labels[at]?.sortOrder;
  const sortOrder = Math.fround(between(before, after));
  if (sortOrder !== before && sortOrder !== after) return { labels, sortOrder };
  return withSortOrder(
    labels.map((label, i) => ({ ...label, sortOrder: i + 1 })),
    at,
  );
}

/** Values are places, so nothing but texts hold a label. */
function* renameLabel(
  command: Command,
  type: TypeDescriptor,
  before: string,
  label: string,
): Generator<'wait' | 'pause', void, undefined> {
  checkLabel(label);
  const position = labelPosition(type, before);
  if (type.labels.some((other) => other.label === label)) {
    throw pgError('duplicate_object', `enum label "${label}" already exists`);
  }
  const { place } = type.labels[position]!;
  if (viewsOfValue(command, type, place).length > 0) {
    throw notSupported('renaming an enum value that a view names');
  }
  const labels = type.labels.map((other, i) => (i === position ? { ...other, label } : other));
  yield* refreshTexts(command, changeType(command, type, { labels }));
}
