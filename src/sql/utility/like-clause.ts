import type { Node, TableLikeClause } from '@pgsql/types';
import type { IndexDescriptor, RelationDescriptor, StoredExpression } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import { mapInputs } from '../expression-tree.ts';
import { parseExpression } from './alter-column-type.ts';
import type { Command } from './command.ts';
import { columnPosition, indexColumnNames, makeIndex, type NamesInUse } from './keys.ts';
import { chooseName, findRelation, indexColumnsName, undefinedRelation } from './object-names.ts';
import type { IndexCopy, TableElements } from './table-elements.ts';

/** INCLUDING options, as bits of the tree. */
const INCLUDING = {
  comments: 1,
  constraints: 4,
  defaults: 8,
  generated: 16,
  identity: 32,
  indexes: 64,
} as const;

/** LIKE in CREATE TABLE: the columns of another table, and what INCLUDING asks for. */
export function likeElements(
  command: Command,
  clause: TableLikeClause,
  elements: TableElements,
): void {
  const name = clause.relation ?? {};
  const source = findRelation(command, name);
  if (source === undefined) {
    throw undefinedRelation(command, name).with(command.position(name.location));
  }
  if (source.kind === 'sequence') {
    throw pgError('wrong_object_type', `relation "${source.name}" is invalid in LIKE clause`, {
      detail: 'This operation is not supported for sequences.',
    });
  }
  const options = clause.options ?? 0;
  const has = (option: number) => (options & option) !== 0;
  for (const column of source.columns) {
    if (column.dropped) continue;
    const { name, type, typmod, notNull, generated = false } = column;
    const stored = has(generated ? INCLUDING.generated : INCLUDING.defaults)
      ? column.default
      : null;
    const identity = has(INCLUDING.identity) ? column.identity : '';
    elements.addColumnDraft({
      name,
      type,
      typmod,
      notNull,
      default: stored === null ? null : parseExpression(stored.text),
      generated: generated && stored !== null,
      identity,
      sequenceOptions: identity === '' ? null : optionNodes(command, column.sequence),
      comment: has(INCLUDING.comments) ? (column.comment ?? null) : null,
    });
  }
  const comments = has(INCLUDING.comments);
  if (has(INCLUDING.constraints)) addChecks(source, elements, comments);
  if (has(INCLUDING.indexes)) addKeys(source, elements, comments);
}

function addChecks(source: RelationDescriptor, elements: TableElements, comments: boolean): void {
  for (const { kind, name, check, comment } of source.constraints) {
    if (kind !== 'check' || check === null) continue;
    elements.checks.push({
      name,
      expression: parseExpression(check.text),
      validate: true,
      comment: comments ? (comment ?? null) : null,
    });
  }
}

/** Keys and indexes are copied under names of their own. */
function addKeys(source: RelationDescriptor, elements: TableElements, comments: boolean): void {
  const nameOf = (position: number) => source.columns[position]!.name;
  for (const index of source.indexes) {
    const comment = comments ? (index.comment ?? null) : null;
    if (index.constraint === 0) {
      elements.indexCopies.push({ source, index, comment });
      continue;
    }
    elements.keys.push({
      kind: index.primary ? 'primary' : 'unique',
      name: null,
      columns: index.columns.map(({ column }) => nameOf(column)),
      included: index.included.map(nameOf),
      nullsNotDistinct: index.nullsNotDistinct,
      location: undefined,
      comment,
    });
  }
}

/** An index of the table that LIKE names, as one of the new table. */
export function copiedIndex(
  command: Command,
  table: RelationDescriptor,
  { source, index, comment }: IndexCopy,
  names: NamesInUse,
): IndexDescriptor {
  const position = (column: number) => columnPosition(table.columns, source.columns[column]!.name);
  const moved = ({ expr }: StoredExpression) =>
    command.stored(mapInputs(expr as Expr, position), table);
  const columns = index.columns.map((key) =>
    key.expression === null
      ? { ...key, column: position(key.column) }
      : { ...key, expression: moved(key.expression) },
  );
  const included = index.included.map(position);
  const columnNames = indexColumnsName(indexColumnNames(table, { columns, included }));
  const isTaken = (name: string) => names.has(name);
  const name = names.add(chooseName(table.name, columnNames, 'idx', isTaken));
  const { unique, nullsNotDistinct, predicate } = index;
  const made = makeIndex(command, table, {
    name,
    columns,
    included,
    predicate: predicate && moved(predicate),
    unique,
    nullsNotDistinct,
  });
  return { ...made, comment };
}

/** The options of an identity column's sequence, as if they were written out. */
function optionNodes(command: Command, sequence: number): Node[] {
  const options = command.catalog.relationByOid(sequence)?.sequence;
  if (options === undefined || options === null) return [];
  const { start, increment, minimum, maximum, cache, cycle } = options;
  const numbers = { start, increment, minvalue: minimum, maxvalue: maximum, cache };
  return [
    ...Object.entries(numbers).map(([defname, value]) => ({
      DefElem: { defname, arg: { Float: { fval: String(value) } } },
    })),
    { DefElem: { defname: 'cycle', arg: { Boolean: { boolval: cycle } } } },
  ];
}
