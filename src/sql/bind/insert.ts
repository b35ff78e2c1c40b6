import type { A_Indices, InsertStmt, Node, RangeVar } from '@pgsql/types';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/descriptors.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { constant, resolveUnknown } from './coercion.ts';
import { assign, assignedTwice, generatedDetail, targetDefault } from './column-values.ts';
import { bindExpr } from './expressions.ts';
import { bindReturning } from './modify.ts';
import {
  type ModifyTarget,
  modifyTarget,
  requireColumn,
  storedColumn,
  type TargetColumn,
  viewChecksOf,
} from './modify-target.ts';
import { bindOnConflict } from './on-conflict.ts';
import { assignPart, partToDefault, partValue, subscriptsOf } from './part-assignment.ts';
import type { ModifyQuery, OutputColumn, Query } from './query.ts';
import { Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { visibleOutput } from './sublinks.ts';
import { listItems } from './syntax.ts';
import { bindValuesRows } from './values.ts';
import { refuseUnlessUpdatable } from './view-target.ts';
import { bindWith } from './with-clause.ts';

/** INSERT: what its columns get of VALUES or of a query. */

export function bindInsert(b: Binder, parent: Scope | null, node: InsertStmt): ModifyQuery {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  const target = modifyTarget(b, scope, node.relation as RangeVar, 'insert');
  const { table, item } = target;
  const targets = insertColumns(b, target, node.cols ?? []);
  const explicit = (node.cols?.length ?? 0) > 0;

  // What a view computes can have a default, which then is a value for it.
  for (const column of target.columns) {
    const isGiven = targets.some((other) => other.column === column);
    if (column.default !== null && !isGiven) refuseUnlessUpdatable(b, column, 'insert');
  }

  let source: Query | null = null;
  let given: ReadonlyMap<number, Expr> = new Map();
  // Positions of columns that get more than the default of the table.
  const valued = new Set(target.defaults.keys());
  const { selectStmt } = node;
  if (selectStmt !== undefined && 'SelectStmt' in selectStmt) {
    const select = selectStmt.SelectStmt;
    const bound =
      select.valuesLists !== undefined &&
      select.sortClause === undefined &&
      select.limitCount === undefined &&
      select.limitOffset === undefined &&
      select.withClause === undefined
        ? insertRows(b, scope, target, targets, select.valuesLists, explicit, node.override)
        : insertSelect(b, scope, target, targets, selectStmt, explicit, node.override);
    source = bound.source;
    given = bound.values;
    for (const position of bound.valued) valued.add(position);
  }
  refuseValues(b, table, valued, node.override);
  const insertValues = table.columns.map(
    (_, position) => given.get(position) ?? targetDefault(b, target, position),
  );
  const conflict =
    node.onConflictClause === undefined
      ? null
      : bindOnConflict(b, scope, target, node.onConflictClause);
  scope.items = [item];
  return {
    kind: 'insert',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    target: target.entry,
    source,
    insertValues,
    assignments: [],
    from: [],
    where: null,
    onConflict: conflict,
    viewChecks: viewChecksOf(target),
    returning: bindReturning(b, scope, node.returningClause),
  };
}

interface InsertTarget {
  readonly column: TargetColumn;
  readonly location: number | undefined;
  /** Of a part of the column; null where it is given as a whole. */
  readonly subscripts: readonly A_Indices[] | null;
}

function insertColumns(b: Binder, target: ModifyTarget, nodes: readonly Node[]): InsertTarget[] {
  if (nodes.length === 0) {
    return target.columns.map((column) => ({ column, location: undefined, subscripts: null }));
  }
  const targets: InsertTarget[] = [];
  for (const node of nodes) {
    if (!('ResTarget' in node)) continue;
    const { name = '', location, indirection } = node.ResTarget;
    const column = requireColumn(b, target, name, location);
    const subscripts = subscriptsOf(b, column, indirection ?? [], location);
    const isWhole = (other: InsertTarget) => subscripts === null || other.subscripts === null;
    if (targets.some((other) => other.column === column && isWhole(other))) {
      throw pgError(
        'duplicate_column',
        `column "${name}" specified more than once`,
        b.position(location),
      );
    }
    targets.push({ column, location, subscripts });
  }
  return targets;
}

interface BoundSource {
  readonly source: Query | null;
  /** What columns get, by their position in the table. */
  readonly values: ReadonlyMap<number, Expr>;
  /** Those for which that is not their default. */
  readonly valued: ReadonlySet<number>;
}

/** INSERT … VALUES: each cell takes the type of its column. */
function insertRows(
  b: Binder,
  scope: Scope,
  into: ModifyTarget,
  targets: readonly InsertTarget[],
  lists: readonly Node[],
  explicit: boolean,
  override: string | undefined,
): BoundSource {
  const inner = new Scope(scope);
  inner.place = 'VALUES';
  const valued = new Set<number>();
  let width = -1;
  const rows = lists.map((list) => {
    const nodes = listItems(list);
    const plain = nodes.every((node) => !('SetToDefault' in node));
    const cells = plain
      ? (bindValuesRows(b, inner, [list])[0] ?? [])
      : nodes.map((node) => ('SetToDefault' in node ? null : bindExpr(b, inner, node)));
    if (width >= 0 && cells.length !== width) {
      throw pgError('syntax_error', 'VALUES lists must all be the same length', {
        ...(cells[0] ? b.positionOf(cells[0]) : {}),
      });
    }
    width = cells.length;
    checkWidth(b, targets, width, cells[targets.length] ?? undefined, explicit);
    return cells.map((cell, i) => {
      const target = targets[i] as InsertTarget;
      if (cell === null && target.subscripts !== null) throw partToDefault(b, target.location);
      return insertedCell(b, into, target, cell, override, valued);
    });
  });
  const output: OutputColumn[] = [];
  const values = new Map<number, Expr>();
  for (let i = 0; i < width; i++) {
    const target = targets[i] as InsertTarget;
    const { column, subscripts } = target;
    const type = subscripts === null ? column.type : (rows[0]?.[i]?.type ?? column.type);
    const expr: Expr = { kind: 'input', type, typmod: column.typmod, column: i };
    output.push({ name: column.name, expr, junk: false, sourceTable: 0, sourceColumn: 0 });
    give(b, scope, into, target, values, expr);
  }
  const source: Query = {
    kind: 'values',
    ctes: [],
    rows,
    output,
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
  };
  return { source, values, valued };
}

/** A value of a row of VALUES, null for DEFAULT. */
function insertedCell(
  b: Binder,
  into: ModifyTarget,
  { column, location, subscripts }: InsertTarget,
  cell: Expr | null,
  override: string | undefined,
  valued: Set<number>,
): Expr {
  refuseUnlessUpdatable(b, column, 'insert');
  const stored = storedColumn(into, column);
  if (cell === null || keepsOwn(stored, override)) return targetDefault(b, into, column.position);
  valued.add(column.position);
  if (subscripts !== null) return partValue(b, stored, subscripts, cell, location);
  return assign(b, stored, cell, location);
}

function insertSelect(
  b: Binder,
  scope: Scope,
  into: ModifyTarget,
  targets: readonly InsertTarget[],
  node: Node,
  explicit: boolean,
  override: string | undefined,
): BoundSource {
  if (!('SelectStmt' in node)) throw notSupported('this INSERT source');
  const query = bindSelectStatement(b, scope, node.SelectStmt, { keepUnknown: true });
  const columns = visibleOutput(query);
  checkWidth(b, targets, columns.length, columns[targets.length]?.expr, explicit);
  const values = new Map<number, Expr>();
  const valued = new Set<number>();
  const settled: OutputColumn[] = columns.map((output, i) => {
    const target = targets[i] as InsertTarget;
    const { column, location, subscripts } = target;
    refuseUnlessUpdatable(b, column, 'insert');
    const stored = storedColumn(into, column);
    const isOwn = keepsOwn(stored, override);
    if (!isOwn) valued.add(column.position);
    // Constants without a type take that of the column.
    const settle = (expr: Expr) =>
      subscripts === null
        ? assign(b, stored, expr, location)
        : partValue(b, stored, subscripts, expr, location);
    const expr =
      output.expr.type === OID.unknown && query.kind === 'select'
        ? settle(output.expr)
        : query.kind === 'select'
          ? output.expr
          : resolveUnknown(b, output.expr);
    const input: Expr = { kind: 'input', type: expr.type, typmod: expr.typmod, column: i };
    if (isOwn) values.set(column.position, targetDefault(b, into, column.position));
    else give(b, scope, into, target, values, b.at(input, b.locationOf(expr)));
    return { ...output, expr };
  });
  const source = query.kind === 'select' ? { ...query, output: settled } : query;
  return { source, values, valued };
}

/** Adds what the column gets of one value of the source to `values`: all that it is, or a part of it, after
 * those parts that stand before. */
function give(
  b: Binder,
  scope: Scope,
  into: ModifyTarget,
  target: InsertTarget,
  values: Map<number, Expr>,
  value: Expr,
): void {
  const { column, location, subscripts } = target;
  refuseUnlessUpdatable(b, column, 'insert');
  const stored = storedColumn(into, column);
  const before = values.get(column.position);
  if (subscripts !== null) {
    const container = before ?? constant(stored.type, null, stored.typmod);
    const changed = assignPart(b, scope, stored, container, subscripts, value, location);
    values.set(column.position, changed);
    return;
  }
  // Two columns of a view can be the same one of the table.
  if (before !== undefined) b.rewriteErrors.push(assignedTwice(into, column, null));
  values.set(column.position, assign(b, stored, value, location));
}

function checkWidth(
  b: Binder,
  targets: readonly InsertTarget[],
  width: number,
  extra: Expr | undefined,
  explicit: boolean,
): void {
  if (width > targets.length) {
    throw pgError(
      'syntax_error',
      'INSERT has more expressions than target columns',
      extra === undefined ? {} : b.positionOf(extra),
    );
  }
  if (explicit && width < targets.length) {
    throw pgError(
      'syntax_error',
      'INSERT has more target columns than expressions',
      b.position(targets[width]?.location),
    );
  }
}

/** Values for columns that have their own. */
function refuseValues(
  b: Binder,
  { columns }: RelationDescriptor,
  valued: ReadonlySet<number>,
  override: string | undefined,
): void {
  const overrides = override === 'OVERRIDING_SYSTEM_VALUE';
  columns.forEach((column, position) => {
    const { name, generated, identity } = column;
    if (!valued.has(position)) return;
    if (generated !== true && (identity !== 'a' || overrides)) return;
    b.laterErrors.push(
      pgError('generated_always', `cannot insert a non-DEFAULT value into column "${name}"`, {
        detail: generatedDetail(column),
        ...(generated === true ? {} : { hint: 'Use OVERRIDING SYSTEM VALUE to override.' }),
      }),
    );
  });
}

/** Whether the statement lets the column have its own value, whatever it is given. */
function keepsOwn({ identity }: ColumnDescriptor, override: string | undefined): boolean {
  return override === 'OVERRIDING_USER_VALUE' && identity !== '';
}
