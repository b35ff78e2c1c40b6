import type { Node, PartitionElem, PartitionSpec } from '@pgsql/types';
import {
  columnsIn,
  isHashable,
  type Partitioning,
  type PartitionKey,
  type RelationDescriptor,
} from '../../catalog/index.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import { typeByOid } from '../../types/index.ts';
import { checkCollation } from '../bind/collation.ts';
import { isMutable } from '../bind/mutable-expressions.ts';
import { nameList } from '../bind/syntax.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { operatorClass } from '../functions/index.ts';
import type { Command } from './command.ts';
import { columnPosition } from './keys.ts';
import { SYSTEM_COLUMNS } from './table-elements.ts';

/** PARTITION BY: the key by which a table spreads its rows over its partitions. */

/** Columns that a partition key may have, as in PostgreSQL. */
const KEYS_MAX = 32;

const STRATEGIES: Readonly<Record<string, Partitioning['strategy']>> = {
  PARTITION_STRATEGY_RANGE: 'range',
  PARTITION_STRATEGY_LIST: 'list',
  PARTITION_STRATEGY_HASH: 'hash',
};

/** As much of a table as its key needs to know. */
type Columns = Pick<RelationDescriptor, 'name' | 'columns'>;

export function partitioningOf(
  command: Command,
  table: Columns,
  specification: PartitionSpec,
): Partitioning {
  const strategy = STRATEGIES[specification.strategy ?? ''];
  if (strategy === undefined) throw notSupported('this partitioning strategy');
  const elements = (specification.partParams ?? []).flatMap((node) =>
    'PartitionElem' in node ? [node.PartitionElem] : [],
  );
  if (strategy === 'list' && elements.length > 1) {
    throw pgError(
      'invalid_object_definition',
      'cannot use "list" partition strategy with more than one column',
    );
  }
  if (elements.length > KEYS_MAX) {
    throw pgError('too_many_columns', `cannot partition using more than ${KEYS_MAX} columns`);
  }
  return { strategy, keys: elements.map((element) => keyOf(command, table, strategy, element)) };
}

function keyOf(
  command: Command,
  table: Columns,
  strategy: Partitioning['strategy'],
  element: PartitionElem,
): PartitionKey {
  const value = keyValue(command, table, element);
  const { type } = value;
  checkCollation(command.binder(), nameList(element.collation), type, element.location);
  if (strategy === 'hash' && !isHashable(type) && operatorClass('hash', type, null) !== 'unfit') {
    throw notSupported(`hash partitioning by ${typeByOid(type).sqlName}`);
  }
  return { ...value, operatorClass: classOf(strategy, type, nameList(element.opclass)) };
}

function keyValue(
  command: Command,
  table: Columns,
  element: PartitionElem,
): Omit<PartitionKey, 'operatorClass'> {
  const { name, expr: node, location } = element;
  if (name !== undefined) {
    const position = columnPosition(table.columns, name);
    if (position >= 0) {
      if (table.columns[position]!.generated === true) {
        throw generatedKey(table, position).with(command.position(location));
      }
      return columnKey(table, position);
    }
    throw missingColumn(command, name, location);
  }
  if (node === undefined) throw notSupported('this partition key');
  refuseSystemColumns(table, node);
  const expression = command.expression(node, 'partition key expressions', table, null);
  const expr = expression.expr as Expr;
  const generated = [...columnsIn(expr)].find(
    (column) => table.columns[column]!.generated === true,
  );
  if (generated !== undefined) {
    throw generatedKey(table, generated).with(command.position(location));
  }
  if (expr.kind === 'input') return columnKey(table, expr.column);
  if (expr.kind === 'row') throw notSupported('a row as a partition key');
  if (isMutable(expr)) {
    throw pgError(
      'invalid_object_definition',
      'functions in partition key expression must be marked IMMUTABLE',
    );
  }
  if (!someExpr(expr, (part) => part.kind === 'input')) {
    throw pgError('invalid_object_definition', 'cannot use constant expression as partition key');
  }
  return { column: -1, expression, type: expr.type };
}

function columnKey({ columns }: Columns, column: number): Omit<PartitionKey, 'operatorClass'> {
  return { column, expression: null, type: columns[column]!.type };
}

function generatedKey({ columns }: Columns, column: number): PgError {
  return pgError('invalid_object_definition', 'cannot use generated column in partition key', {
    detail: `Column "${columns[column]!.name}" is a generated column.`,
  });
}

function missingColumn(command: Command, name: string, location: number | undefined): PgError {
  const position = command.position(location);
  if (SYSTEM_COLUMNS.has(name)) {
    return pgError(
      'invalid_object_definition',
      `cannot use system column "${name}" in partition key`,
      position,
    );
  }
  return pgError(
    'undefined_column',
    `column "${name}" named in partition key does not exist`,
    position,
  );
}

function refuseSystemColumns(table: Columns, node: Node): void {
  for (const names of columnReferences(node)) {
    const name = names.at(-1) ?? '';
    if (!SYSTEM_COLUMNS.has(name) || columnPosition(table.columns, name) >= 0) continue;
    throw pgError(
      'invalid_object_definition',
      'partition key expressions cannot contain system column references',
    );
  }
}

/** The names of all columns in a tree. */
export function columnReferences(tree: unknown): string[][] {
  if (Array.isArray(tree)) return tree.flatMap(columnReferences);
  if (typeof tree !== 'object' || tree === null) return [];
  const { ColumnRef: reference } = tree as { ColumnRef?: { fields?: Node[] } };
  if (reference !== undefined) return [nameList(reference.fields)];
  return Object.values(tree).flatMap(columnReferences);
}

/** Oid of the operator class of a key. */
function classOf(
  strategy: Partitioning['strategy'],
  type: number,
  names: readonly string[],
): number {
  const method = strategy === 'hash' ? 'hash' : 'btree';
  const name = names.at(-1) ?? null;
  const isForeign = names.length > 1 && names[0] !== 'pg_catalog';
  const found = isForeign ? 'unknown' : operatorClass(method, type, name);
  if (typeof found === 'number') return found;
  if (name === null) {
    throw pgError(
      'undefined_object',
      `data type ${typeByOid(type).sqlName} has no default operator class for access method "${method}"`,
      {
        hint: `You must specify a ${method} operator class or define a default ${method} operator class for the data type.`,
      },
    );
  }
  if (found === 'unknown') {
    throw pgError(
      'undefined_object',
      `operator class "${names.join('.')}" does not exist for access method "${method}"`,
    );
  }
  throw pgError(
    'datatype_mismatch',
    `operator class "${name}" does not accept data type ${typeByOid(type).sqlName}`,
  );
}
