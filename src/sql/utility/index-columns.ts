import type { IndexElem, IndexStmt, Node } from '@pgsql/types';
import type { IndexColumn, RelationDescriptor, StoredExpression } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID, typeByOid } from '../../types/index.ts';
import { checkCollation } from '../bind/collation.ts';
import { isMutable } from '../bind/mutable-expressions.ts';
import { figureColumnName, nameList } from '../bind/syntax.ts';
import type { Expr } from '../expression.ts';
import { operatorClass } from '../functions/index.ts';
import { foldAll } from '../optimize/index.ts';
import type { Command } from './command.ts';
import { columnPosition, defaultClass } from './keys.ts';
import { columnReferences } from './partition-key.ts';
import { SYSTEM_COLUMNS } from './table-elements.ts';

/** What CREATE INDEX says an index is of: columns, expressions, and the predicate of a partial one. */

type Table = Pick<RelationDescriptor, 'name' | 'columns'>;

export function indexColumnsOf(
  command: Command,
  table: Table,
  nodes: readonly Node[],
): IndexColumn[] {
  return nodes.map((node) => {
    if (!('IndexElem' in node)) throw notSupported('this index column');
    return indexElement(command, table, node.IndexElem);
  });
}

export function includedColumns(table: Table, { indexIncludingParams = [] }: IndexStmt): number[] {
  return indexIncludingParams.map((node) => {
    const element = 'IndexElem' in node ? node.IndexElem : {};
    if (element.name === undefined) {
      throw pgError('feature_not_supported', 'expressions are not supported in included columns');
    }
    return namedColumn(table, element.name);
  });
}

/** The predicate of a partial index; null where there is none, or one that is always true. */
export function indexPredicate(
  command: Command,
  table: Table,
  node: Node | undefined,
): StoredExpression | null {
  if (node === undefined) return null;
  refuseSystemColumns(table, node);
  const predicate = command.expression(node, 'index predicates', table, null);
  const expr = predicate.expr as Expr;
  if (isMutable(expr)) {
    throw pgError(
      'invalid_object_definition',
      'functions in index predicate must be marked IMMUTABLE',
    );
  }
  const folded = foldAll(expr);
  return folded.kind === 'const' && folded.value === true ? null : predicate;
}

function indexElement(command: Command, table: Table, element: IndexElem): IndexColumn {
  const value = indexedValue(command, table, element);
  const { type } = value;
  checkCollation(command.binder(), nameList(element.collation), type, undefined);
  const descending = element.ordering === 'SORTBY_DESC';
  const nullsFirst =
    element.nulls_ordering === 'SORTBY_NULLS_FIRST' ||
    (element.nulls_ordering !== 'SORTBY_NULLS_LAST' && descending);
  const named = namedClass(element, type);
  const found = named === 0 ? defaultClass(type) : named;
  return { ...value, descending, nullsFirst, operatorClass: found };
}

function indexedValue(
  command: Command,
  table: Table,
  { name, expr: node }: IndexElem,
): Pick<IndexColumn, 'column' | 'expression' | 'name' | 'type' | 'typmod'> {
  if (name !== undefined) return plainColumn(table, namedColumn(table, name));
  if (node === undefined) throw notSupported('this index column');
  refuseSystemColumns(table, node);
  const { expression, type, typmod } = boundExpression(command, table, node);
  const expr = expression.expr as Expr;
  if (expr.kind === 'input') return plainColumn(table, expr.column);
  const figured = figureColumnName(node);
  const columnName = figured === '?column?' ? 'expr' : figured;
  return { column: -1, expression, name: columnName, type, typmod };
}

function boundExpression(command: Command, table: Table, node: Node) {
  const expression = command.expression(node, 'index expressions', table, null);
  const expr = expression.expr as Expr;
  if (expr.kind === 'const' && isUntyped(node)) defaultClass(OID.unknown);
  if ('ColumnRef' in node && expr.kind === 'row') throw notSupported('an index on whole rows');
  if (expr.type === OID.record) {
    throw pgError(
      'invalid_table_definition',
      `column "${figureColumnName(node)}" has pseudo-type record`,
    );
  }
  if (isMutable(expr)) {
    throw pgError(
      'invalid_object_definition',
      'functions in index expression must be marked IMMUTABLE',
    );
  }
  const { type, typmod } = expr;
  return { expression, type, typmod };
}

/** An expression of an index, written out, over columns that have other types now. */
export function retypedExpression(
  command: Command,
  table: Table,
  key: IndexColumn,
  node: Node,
): IndexColumn {
  const { expression, type, typmod } = boundExpression(command, table, node);
  const kept = type === key.type ? key.operatorClass : defaultClass(type);
  return { ...key, expression, type, typmod, operatorClass: kept };
}

/** A string without a cast, or NULL: of type unknown. */
function isUntyped(node: Node): boolean {
  return 'A_Const' in node && (node.A_Const.sval !== undefined || node.A_Const.isnull === true);
}

function plainColumn({ columns }: Table, column: number) {
  return { column, expression: null, type: columns[column]!.type };
}

function namedColumn({ columns }: Table, name: string): number {
  const position = columnPosition(columns, name);
  if (position >= 0) return position;
  if (SYSTEM_COLUMNS.has(name)) throw onSystemColumns();
  throw pgError('undefined_column', `column "${name}" does not exist`);
}

function refuseSystemColumns({ columns }: Table, node: Node): void {
  for (const names of columnReferences(node)) {
    const name = names.at(-1) ?? '';
    if (SYSTEM_COLUMNS.has(name) && columnPosition(columns, name) < 0) throw onSystemColumns();
  }
}

function onSystemColumns() {
  return pgError('feature_not_supported', 'index creation on system columns is not supported');
}

/** Oid of the operator class that is named, which orders as the type's default does; 0 where none is. */
function namedClass(element: IndexElem, type: number): number {
  const names = nameList(element.opclass);
  const name = names.at(-1);
  if (name === undefined) return 0;
  const { name: typeName, sqlName } = typeByOid(type);
  if (!CLASS_NAMES.has(name) || (names.length > 1 && names[0] !== 'pg_catalog')) {
    throw pgError(
      'undefined_object',
      `operator class "${names.join('.')}" does not exist for access method "btree"`,
    );
  }
  const isText = typeName === 'text' || typeName === 'varchar';
  if (isText && name.startsWith('bpchar_'))
    throw notSupported(`operator class "${name}" of a text`);
  const found = operatorClass('btree', type, name);
  if (typeof found !== 'number') {
    throw pgError(
      'datatype_mismatch',
      `operator class "${name}" does not accept data type ${sqlName}`,
    );
  }
  if ((element.opclassopts ?? []).length > 0) {
    throw pgError('invalid_parameter_value', `operator class ${name} has no options`);
  }
  return found;
}

/** PostgreSQL's btree operator classes. Those of patterns order as the others do, since texts are
 * compared by their bytes. */
const CLASS_NAMES: ReadonlySet<string> = new Set(
  `array_ops bit_ops bool_ops bpchar_ops bpchar_pattern_ops bytea_ops char_ops cidr_ops date_ops
  enum_ops float4_ops float8_ops inet_ops int2_ops int4_ops int8_ops interval_ops jsonb_ops
  macaddr8_ops macaddr_ops money_ops multirange_ops name_ops numeric_ops oid_ops oidvector_ops
  pg_lsn_ops range_ops record_image_ops record_ops text_ops text_pattern_ops tid_ops time_ops
  timestamp_ops timestamptz_ops timetz_ops tsquery_ops tsvector_ops uuid_ops varbit_ops varchar_ops
  varchar_pattern_ops xid8_ops`.split(/\s+/),
);
