import type { DefElem, Node } from '@pgsql/types';
import { quoteLiteral } from '../../base/index.ts';
import {
  type ColumnDescriptor,
  type RelationDescriptor,
  SEQUENCE_COLUMNS,
  type StoredExpression,
} from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { OID } from '../../types/index.ts';
import { coerceToTarget, constant } from '../bind/coercion.ts';
import { listItems, nameList } from '../bind/syntax.ts';
import type { Expr } from '../expression.ts';
import type { Command } from './command.ts';
import { rangeVarOf } from './drop.ts';
import {
  checkNameFree,
  chooseName,
  creationSchema,
  duplicateRelation,
  isNameTaken,
  qualifiedName,
} from './object-names.ts';
import { type ResolvedSequence, resolveSequenceOptions } from './sequence-options.ts';
import type { ColumnDraft } from './table-elements.ts';

/** The columns that `select * from a_sequence` shows, as its descriptor has them. */
const COLUMNS: readonly ColumnDescriptor[] = SEQUENCE_COLUMNS.map((column) => ({
  ...column,
  notNull: true,
  dropped: false,
  default: null,
  identity: '',
  sequence: 0,
  missing: null,
}));

/** Adds a sequence to the catalog, with its first value. */
export function addSequence(
  command: Command,
  name: string,
  { schema, persistence }: Pick<RelationDescriptor, 'schema' | 'persistence'>,
  resolved: ResolvedSequence,
  owner: { readonly table: number; readonly column: number } | null,
): RelationDescriptor {
  const { environment } = command;
  const sequence: RelationDescriptor = {
    oid: environment.nextOid(),
    name,
    schema,
    kind: 'sequence',
    persistence,
    owner: environment.role,
    version: 1,
    columns: COLUMNS,
    tree: 0 as TreeId,
    clusterKey: null,
    indexes: [],
    constraints: [],
    sequence: {
      ...resolved.options,
      ownerTable: owner?.table ?? 0,
      ownerColumn: owner?.column ?? 0,
    },
    definition: null,
    options: [],
    rowType: 0,
    statistics: null,
    partitioning: null,
    partitionOf: null,
  };
  environment.change({ kind: 'relation', oid: sequence.oid, descriptor: sequence });
  environment.setSequence(sequence.oid, resolved.value);
  return sequence;
}

/** Adds the sequence of a serial or identity column. */
export function addOwnedSequence(
  command: Command,
  table: Pick<RelationDescriptor, 'oid' | 'name' | 'schema' | 'persistence'>,
  column: ColumnDraft,
  position: number,
): RelationDescriptor {
  const given = column.sequenceOptions ?? [];
  const naming = given.filter(isSequenceName);
  if (naming[1] !== undefined) {
    const { location } = naming[1].DefElem;
    throw pgError('syntax_error', 'conflicting or redundant options', command.position(location));
  }
  const others = given.filter((option) => !isSequenceName(option));
  const resolved = resolveSequenceOptions(command, others, null, column.type);
  const name =
    naming[0] === undefined
      ? chooseName(table.name, column.name, 'seq', (candidate) =>
          isNameTaken(command.catalog, table.schema, candidate),
        )
      : givenName(command, table, naming[0].DefElem);
  return addSequence(command, name, table, resolved, { table: table.oid, column: position });
}

function isSequenceName(node: Node): node is { DefElem: DefElem } {
  return 'DefElem' in node && node.DefElem.defname === 'sequence_name';
}

/** SEQUENCE NAME of an identity column. The sequence lies where its table does. */
function givenName(
  command: Command,
  table: { readonly name: string; readonly schema: number },
  { arg }: DefElem,
): string {
  const written = rangeVarOf(nameList(listItems(arg)));
  const name = written.relname ?? '';
  const schema = creationSchema(command, written);
  if (schema.oid !== table.schema) {
    throw pgError('undefined_table', `relation "${schema.name}.${table.name}" does not exist`);
  }
  if (name === table.name) throw duplicateRelation(name);
  checkNameFree(command.catalog, table.schema, name);
  return name;
}

/** DEFAULT of a serial column, as pg_get_expr prints it. */
export function nextvalDefault(
  command: Command,
  sequence: RelationDescriptor,
  type: number,
): StoredExpression {
  const expr = nextvalExpression(command, sequence.oid, type);
  return { text: nextvalText(command, sequence), expr };
}

/** The next value of a sequence, as a value of an integer type. */
export function nextvalExpression(command: Command, sequence: number, type: number): Expr {
  const nextval: Expr = {
    kind: 'sequence',
    type: OID.int8,
    typmod: -1,
    operation: 'nextval',
    relation: constant(OID.regclass, sequence),
    value: null,
    isCalled: null,
  };
  return coerceToTarget(command.binder(), nextval, type, -1, 'assignment') ?? nextval;
}

export function nextvalText(command: Command, sequence: RelationDescriptor): string {
  return `nextval(${quoteLiteral(qualifiedName(command, sequence))}::regclass)`;
}
