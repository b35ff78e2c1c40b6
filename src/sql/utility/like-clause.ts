import type { TableLikeClause } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { parseExpression } from './alter-column-type.ts';
import type { Command } from './command.ts';
import { findRelation, undefinedRelation } from './object-names.ts';
import type { TableElements } from './table-elements.ts';

/** INCLUDING options, as bits of the tree. */
const INCLUDING = { constraints: 4, defaults: 8, identity: 32, indexes: 64 } as const;

/** LIKE in CREATE TABLE: the columns of another table, and what INCLUDING asks for. */
export function likeElements(
  command: Command,
  clause: TableLikeClause,
  elements: TableElements,
): void {
  const name = clause.relation ?? {};
  const source = findRelation(command, name);
  if (source === undefined) throw undefinedRelation(command, name);
  if (source.kind === 'sequence') {
    throw pgError('wrong_object_type', `relation "${source.name}" is invalid in LIKE clause`, {
      detail: 'This operation is not supported for sequences.',
    });
  }
  const options = clause.options ?? 0;
  const has = (option: number) => (options & option) !== 0;
  for (const column of source.columns) {
    if (column.dropped) continue;
    const identity = has(INCLUDING.identity) ? column.identity : '';
    if (identity !== '') throw notSupported('LIKE ... INCLUDING IDENTITY of an identity column');
    const stored = has(INCLUDING.defaults) ? column.default : null;
    elements.addLikeColumn(column, stored === null ? null : parseExpression(stored.text));
  }
  if (has(INCLUDING.constraints)) addChecks(source, elements);
  if (has(INCLUDING.indexes)) addKeys(source, elements);
}

function addChecks(source: RelationDescriptor, elements: TableElements): void {
  for (const { kind, name, check } of source.constraints) {
    if (kind !== 'check' || check === null) continue;
    elements.checks.push({ name, expression: parseExpression(check.text), validate: true });
  }
}

/** Keys are copied under names of their own. */
function addKeys(source: RelationDescriptor, elements: TableElements): void {
  const nameOf = (position: number) => source.columns[position]!.name;
  for (const index of source.indexes) {
    if (index.constraint === 0) throw notSupported('LIKE ... INCLUDING INDEXES of a plain index');
    elements.keys.push({
      kind: index.primary ? 'primary' : 'unique',
      name: null,
      columns: index.columns.map(({ column }) => nameOf(column)),
      included: index.included.map(nameOf),
      nullsNotDistinct: index.nullsNotDistinct,
      location: undefined,
    });
  }
}
