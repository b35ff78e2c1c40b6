import type { RangeVar } from '@pgsql/types';
import type {
  ColumnDescriptor,
  RelationDescriptor,
  StoredExpression,
} from '../../catalog/descriptors.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { rewriteExpr } from '../query-rewrite.ts';
import type { Binder } from './binder.ts';
import { findRelation, liveColumns } from './from.ts';
import type { ViewCheck } from './query.ts';
import { type NamespaceItem, namespaceItem, type Scope } from './scope.ts';
import { viewRows } from './view-target.ts';

/** What INSERT, UPDATE and DELETE are about: a table, or a view that shows its rows. */

export type ModifyVerb = 'insert' | 'update' | 'delete';

/** A column of what the statement names. */
export interface TargetColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  /** Over the row of the table, which has no place in a range table yet: TABLE_ROW. */
  readonly expr: Expr;
  /** Where the table has it; -1 where it is none of its columns. */
  readonly position: number;
  /** Why no value can be given to it; null where one can. */
  readonly refusal: {
    readonly column: string;
    readonly view: string;
    readonly reason: string;
  } | null;
  /** What the view itself says of it, to which SET gives it back. */
  readonly default: StoredExpression | null;
}

/** The rows that a statement may change, as they are shown. */
export interface TargetRows {
  readonly table: RelationDescriptor;
  readonly only: boolean;
  readonly columns: readonly TargetColumn[];
  /** What rows of the table have to meet to be shown. */
  readonly conditions: readonly Expr[];
  /** What views give to columns of new rows that get no value, by position in the table: it goes before what the
   * table says. */
  readonly defaults: ReadonlyMap<number, StoredExpression>;
  /** What views demand of new rows, the innermost first. */
  readonly checks: readonly ViewCheck[];
}

export interface ModifyTarget extends TargetRows {
  /** As errors name it. */
  readonly name: string;
  readonly isView: boolean;
  /** The table in the range table. */
  readonly entry: number;
  /** What expressions see, of the row as it is. */
  readonly item: NamespaceItem;
}

/** In expressions of TargetRows the range table entry of the table. */
export const TABLE_ROW = -1;

/** Finds what a statement names, and puts its table into the range table. */
export function modifyTarget(
  b: Binder,
  scope: Scope,
  node: RangeVar,
  verb: ModifyVerb,
): ModifyTarget {
  const found = findRelation(b, node);
  if (found.kind === 'systemView') {
    throw pgError('insufficient_privilege', `permission denied for table ${found.name}`);
  }
  const { relation } = found;
  if (relation.kind === 'sequence') {
    throw pgError('wrong_object_type', `cannot change sequence "${relation.name}"`);
  }
  const { name, schema } = relation;
  const isView = relation.kind === 'view';
  const rows = isView
    ? viewRows(b, relation, node, verb, false)
    : tableRows(relation, node.inh !== true);
  if (rows.checks.length > 0 && rows.table.kind === 'partitioned' && verb !== 'delete') {
    throw notSupported('WITH CHECK OPTION of a view over a partitioned table');
  }
  const alias = node.alias?.aliasname ?? name;
  const entry = addTableRow(scope, rows, isView ? rows.table.name : alias);
  const visibleSchema = node.alias === undefined ? schema : 0;
  const item = {
    ...targetItem(rows, entry, alias, visibleSchema, isView),
    relationName: name,
  };
  return { ...rows, name, isView, entry, item: scope.addItem(item) };
}

/** Another row of the target's table: the one that ON CONFLICT excludes. */
export function otherRow(scope: Scope, target: ModifyTarget, alias: string): NamespaceItem {
  const entry = addTableRow(scope, target, alias);
  return scope.addItem(targetItem(target, entry, alias, 0, true));
}

function addTableRow(scope: Scope, { table, only }: TargetRows, alias: string): number {
  return scope.addEntry({ kind: 'table', alias, ...liveColumns(table), table, only });
}

/** A table shows all of its rows as they are. */
export function tableRows(table: RelationDescriptor, only: boolean): TargetRows {
  const { attributes, columns } = liveColumns(table);
  return {
    table,
    only,
    columns: columns.map((column, i) => ({
      ...column,
      expr: {
        kind: 'column',
        type: column.type,
        typmod: column.typmod,
        level: 0,
        relation: TABLE_ROW,
        column: i,
      },
      position: attributes[i]!,
      refusal: null,
      default: null,
    })),
    conditions: [],
    defaults: NO_DEFAULTS,
    checks: [],
  };
}

const NO_DEFAULTS: ReadonlyMap<number, StoredExpression> = new Map();

/** A view has no columns of the system's. */
function targetItem(
  { table, columns }: TargetRows,
  entry: number,
  alias: string,
  schema: number,
  isView: boolean,
): NamespaceItem {
  const item = namespaceItem(entry, alias, columns, { schema, rowType: OID.record });
  return {
    ...item,
    ...(isView ? {} : { table: table.oid, partitioned: table.kind === 'partitioned' }),
    columns: columns.map(({ name, expr }) => ({ name, expr: placed(expr, entry) })),
  };
}

/** An expression of TargetRows over an entry of the range table. */
export function placed(expr: Expr, entry: number): Expr {
  return rewriteExpr(
    expr,
    {
      reference: (part, depth) =>
        part.kind === 'column' && part.level === depth && part.relation === TABLE_ROW
          ? { ...part, relation: entry }
          : null,
      cteLevel: (level) => level,
    },
    0,
  );
}

/** What the views of a target demand of its new rows. */
export function viewChecksOf({ checks, entry }: ModifyTarget): readonly ViewCheck[] {
  return checks.map(({ view, condition }) => ({ view, condition: placed(condition, entry) }));
}

/** The column of a name, which the target must have. */
export function requireColumn(
  b: Binder,
  target: ModifyTarget,
  name: string,
  location: number | undefined,
): TargetColumn {
  const column = target.columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw pgError(
    'undefined_column',
    `column "${name}" of relation "${target.name}" does not exist`,
    b.position(location),
  );
}

/** The table's column behind one of the target, under the name that the target gives it; where there is none, what
 * values for it are held against before they are refused. */
export function storedColumn({ table }: ModifyTarget, column: TargetColumn): ColumnDescriptor {
  const { name, type, typmod, position } = column;
  const stored = table.columns[position];
  return stored === undefined ? { ...COMPUTED, name, type, typmod } : { ...stored, name };
}

const COMPUTED = {
  notNull: false,
  dropped: false,
  default: null,
  identity: '',
  sequence: 0,
  missing: null,
} as const;
