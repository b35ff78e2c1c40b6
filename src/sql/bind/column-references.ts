import type { ColumnRef, Node } from '@pgsql/types';
import { schemaOfName } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, RowExpr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { constant } from './coercion.ts';
import { bindIndirection } from './expressions.ts';
import { ROW_MARK_COLUMN } from './query.ts';
import { expandRow } from './row-fields.ts';
import {
  findColumn,
  findItem,
  itemColumn,
  missingFromEntry,
  type NamespaceItem,
  type Place,
  raiseLevels,
  type Scope,
  undefinedColumn,
} from './scope.ts';
import { reportColumn } from './star-columns.ts';
import { nameList } from './syntax.ts';

/** References to columns, and to whole rows. */

/** The columns of `*`, `t.*` or `(row).*`; null for all else. */
export function bindStar(
  b: Binder,
  scope: Scope,
  node: Node,
): { name: string; expr: Expr }[] | null {
  if ('ColumnRef' in node) {
    const isStar = node.ColumnRef.fields?.some((field) => 'A_Star' in field) ?? false;
    return isStar ? expandStar(b, scope, node.ColumnRef) : null;
  }
  if (!('A_Indirection' in node)) return null;
  const { arg, indirection = [] } = node.A_Indirection;
  const last = indirection.at(-1);
  if (last === undefined || !('A_Star' in last)) return null;
  const row = bindIndirection(b, scope, {
    arg: arg as Node,
    indirection: indirection.slice(0, -1),
  });
  return expandRow(b, scope, row);
}

/** The columns of `*` or `t.*`. */
function expandStar(b: Binder, scope: Scope, ref: ColumnRef): { name: string; expr: Expr }[] {
  const names = nameList(ref.fields);
  const { location } = ref;
  if (names.length === 0) {
    const visible = scope.items.filter((item) => item.columnsVisible && !item.lateralOnly);
    if (visible.length === 0) {
      throw pgError(
        'syntax_error',
        'SELECT * with no tables specified is not valid',
        b.position(location),
      );
    }
    return visible.flatMap((item) =>
      item.columns.map((column) => ({ name: column.name, expr: locate(b, column.expr, location) })),
    );
  }
  const found = namedItem(b, scope, ref);
  if (found === undefined) {
    throw missingFromEntry(b, scope, names.at(-1) as string, location);
  }
  return found.item.columns.map((column) => ({
    name: column.name,
    expr: locate(b, raiseLevels(column.expr, found.levels), location),
  }));
}

/** The FROM item that `t.*` names. */
function namedItem(b: Binder, scope: Scope, ref: ColumnRef): ReturnType<typeof findItem> {
  const names = nameList(ref.fields);
  if (names.length === 0) return undefined;
  const schema = schemaOf(b, scope, names.length > 1 ? (names.at(-2) as string) : null);
  return findItem(b, scope, schema, names.at(-1) as string, ref.location);
}

/** A fresh object for a column of the namespace, so that it can have a place of its own. */
function locate(b: Binder, expr: Expr, location: number | undefined): Expr {
  return b.at({ ...expr }, location ?? 0);
}

function schemaOf(b: Binder, _scope: Scope, name: string | null): number | null {
  if (name === null) return null;
  return schemaOfName(b.catalog, name, b.context.processId)?.oid ?? -1;
}

export function bindColumnRef(b: Binder, scope: Scope, ref: ColumnRef): Expr {
  const fields = ref.fields ?? [];
  const location = ref.location ?? 0;
  refuseColumns(b, scope, location);
  const last = fields.at(-1);
  if (last !== undefined && 'A_Star' in last) {
    const row = rowOf(expandStar(b, scope, ref), OID.record);
    const found = namedItem(b, scope, ref);
    return b.at(found === undefined ? row : rowOrNull(row, found.item, found.levels), location);
  }
  const names = nameList(fields);
  if (names.length === 1) {
    const name = names[0] as string;
    const column = findColumn(b, scope, name, location);
    if (column !== undefined) {
      reportColumn(b, scope, name, column, location);
      return locate(b, column, location);
    }
    const found = findItem(b, scope, null, name, location);
    if (found !== undefined) {
      const row = wholeRow(found.item, found.levels);
      b.rowOwners.set(row, found.item.alias);
      return b.at(row, location);
    }
    throw undefinedColumn(b, scope, null, name, location);
  }
  if (names.length === 2 || names.length === 3) {
    const [columnName, relation, schemaName] = [...names].reverse() as [string, string, string?];
    const schema = schemaOf(b, scope, schemaName ?? null);
    const found = findItem(b, scope, schema, relation, location);
    if (found !== undefined) {
      const column = itemColumn(b, found.item, columnName, location);
      if (column === undefined) {
        throw undefinedColumn(b, scope, relation, columnName, location);
      }
      const raised = raiseLevels(column, found.levels);
      if (schemaName !== undefined) reportColumn(b, scope, columnName, raised, location);
      return locate(b, raised, location);
    }
    throw missingFromEntry(b, scope, relation, location);
  }
  throw pgError(
    'syntax_error',
    `improper qualified name (too many dotted names): ${names.join('.')}`,
    b.position(location),
  );
}

function refuseColumns(b: Binder, scope: Scope, location: number): void {
  const refused = NO_COLUMNS[scope.place];
  if (refused === undefined) return;
  throw pgError(
    'feature_not_supported',
    `cannot use column reference in ${refused}`,
    b.position(location),
  );
}

const NO_COLUMNS: Partial<Record<Place, string>> = {
  'DEFAULT expressions': 'DEFAULT expression',
  'partition bound': 'partition bound expression',
};

function wholeRow(item: NamespaceItem, levels: number): Expr {
  const [only] = item.columns;
  if (item.scalar && only !== undefined) return raiseLevels(only.expr, levels);
  const columns = item.columns.map(({ name, expr }) => ({ name, expr: raiseLevels(expr, levels) }));
  return rowOrNull(rowOf(columns, item.rowType), item, levels);
}

function rowOf(columns: readonly { name: string; expr: Expr }[], type: number): RowExpr {
  return {
    kind: 'row',
    type,
    typmod: -1,
    fields: columns.map((column) => column.expr),
    names: columns.map((column) => column.name),
  };
}

/** The row of an item: NULL where an outer join has none. */
function rowOrNull(row: RowExpr, { entry, nullable }: NamespaceItem, level: number): Expr {
  if (!nullable) return row;
  const { type } = row;
  const isMissing: Expr = {
    kind: 'isNull',
    type: OID.bool,
    typmod: -1,
    argument: {
      kind: 'column',
      type: OID.bool,
      typmod: -1,
      level,
      relation: entry,
      column: ROW_MARK_COLUMN,
    },
    negated: false,
  };
  return {
    kind: 'case',
    type,
    typmod: -1,
    argument: null,
    whens: [{ condition: isMissing, result: constant(type, null) }],
    otherwise: row,
  };
}
