import type {
  A_Indices,
  DeleteStmt,
  InferClause,
  InsertStmt,
  Node,
  OnConflictClause,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from '@pgsql/types';
import type {
  ColumnDescriptor,
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget, constant, resolveUnknown } from './coercion.ts';
import { bindExpr, bindExprList } from './expressions.ts';
import { bindFromClause, outputShape } from './from.ts';
import { fixLiterals } from './index-literals.ts';
import {
  type ModifyTarget,
  modifyTarget,
  otherRow,
  placed,
  requireColumn,
  storedColumn,
  type TargetColumn,
  viewChecksOf,
} from './modify-target.ts';
import { assignPart, partToDefault, partValue, subscriptsOf } from './part-assignment.ts';
import { impliesPredicate } from './predicate-proof.ts';
import type { FromItem, ModifyQuery, OnConflict, OutputColumn, Query } from './query.ts';
import { type NamespaceItem, Scope } from './scope.ts';
import { bindCondition, bindSelectStatement } from './select.ts';
import { toInputs } from './stored.ts';
import { visibleOutput } from './sublinks.ts';
import { listItems } from './syntax.ts';
import { bindTargetList, outputColumn } from './target-list.ts';
import { typeDisplay } from './type-facts.ts';
import { bindValuesRows } from './values.ts';
import { refuseUnlessUpdatable } from './view-target.ts';
import { bindWith } from './with-clause.ts';

/** INSERT, UPDATE and DELETE. */

const ARBITRARY: readonly number[] = [];

function assignmentError(
  b: Binder,
  column: ColumnDescriptor,
  expr: Expr,
  location: number | undefined,
): Error {
  return pgError(
    'datatype_mismatch',
    `column "${column.name}" is of type ${typeDisplay(column.type)} but expression is of type ${typeDisplay(expr.type)}`,
    {
      hint: 'You will need to rewrite or cast the expression.',
      ...b.position(b.locationOf(expr) ?? location),
    },
  );
}

/** The expression as it is stored in the column. */
function assign(
  b: Binder,
  column: ColumnDescriptor,
  expr: Expr,
  location: number | undefined,
): Expr {
  const coerced = coerceToTarget(b, expr, column.type, column.typmod, 'assignment');
  if (coerced === undefined) throw assignmentError(b, column, expr, location);
  return coerced;
}

/** What a column gets when the statement gives it no value. */
export function defaultValue(b: Binder, column: ColumnDescriptor): Expr {
  if (column.identity !== '') {
    const nextval: Expr = {
      kind: 'sequence',
      type: OID.int8,
      typmod: -1,
      operation: 'nextval',
      relation: constant(OID.regclass, column.sequence),
      value: null,
      isCalled: null,
    };
    return coerceToTarget(b, nextval, column.type, -1, 'assignment') ?? nextval;
  }
  const { dropped, generated } = column;
  if (column.default !== null && !dropped && generated !== true) return column.default.expr as Expr;
  return constant(column.type, null, column.typmod);
}

/** What a column of a new row gets by DEFAULT, or when it is given nothing; views may say so. */
function targetDefault(b: Binder, { table, defaults }: ModifyTarget, position: number): Expr {
  const shown = defaults.get(position)?.expr as Expr | undefined;
  if (shown !== undefined) return shown;
  const column = table.columns[position];
  // What a view computes has none, and is refused.
  return column === undefined ? constant(OID.unknown, null) : defaultValue(b, column);
}

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

/** The same column twice, or two that are the same one of the table. */
function assignedTwice(
  { table }: ModifyTarget,
  column: TargetColumn,
  previous: TargetColumn | null,
): PgError {
  const name = column === previous ? column.name : table.columns[column.position]?.name;
  return pgError('syntax_error', `multiple assignments to same column "${name}"`);
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

function generatedDetail({ name, generated }: ColumnDescriptor): string {
  return generated === true
    ? `Column "${name}" is a generated column.`
    : `Column "${name}" is an identity column defined as GENERATED ALWAYS.`;
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

function bindReturning(
  b: Binder,
  scope: Scope,
  clause: ReturningClause | undefined,
): OutputColumn[] {
  if (clause === undefined) return [];
  if ((clause.options?.length ?? 0) > 0) throw notSupported('RETURNING WITH');
  const targets = bindTargetList(b, scope, clause.exprs ?? [], 'RETURNING');
  for (const target of targets) target.expr = resolveUnknown(b, target.expr);
  return targets.map((target) => outputColumn(scope, target));
}

function bindOnConflict(
  b: Binder,
  scope: Scope,
  target: ModifyTarget,
  clause: OnConflictClause,
): OnConflict {
  const update = clause.action === 'ONCONFLICT_UPDATE';
  if (update && clause.infer === undefined) {
    throw pgError(
      'syntax_error',
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      {
        hint: 'For example, ON CONFLICT (column_name).',
        ...b.position(clause.location),
      },
    );
  }
  const { table, item } = target;
  scope.items = [item];
  const inference =
    clause.infer === undefined ? null : bindInference(b, scope, target, clause.infer);
  const proposed = otherRow(scope, target, 'excluded');
  const excluded = proposed.entry;
  if (!update) {
    const arbiters = arbitersOf(b, table, inference);
    return { action: 'nothing', arbiters, excluded, assignments: [], where: null };
  }
  scope.items = [item, proposed];
  const assignments = bindAssignments(b, scope, target, 'insert', clause.targetList ?? []);
  const where = bindCondition(b, scope, clause.whereClause, 'WHERE');
  const arbiters = arbitersOf(b, table, inference);
  return { action: 'update', arbiters, excluded, assignments, where };
}

/** The unique indexes that ON CONFLICT asks for. */
type Inference =
  | { readonly kind: 'constraint'; readonly index: number }
  | {
      readonly kind: 'columns';
      readonly columns: ReadonlySet<number>;
      readonly expressions: readonly Expr[];
      readonly predicate: Expr | null;
    };

function bindInference(
  b: Binder,
  scope: Scope,
  target: ModifyTarget,
  infer: InferClause,
): Inference {
  const { table, name: targetName, isView } = target;
  if (infer.conname !== undefined) {
    const { conname } = infer;
    // A view has none, whatever its table has.
    const constraint = isView ? undefined : table.constraints.find(({ name }) => name === conname);
    if (constraint === undefined) {
      throw pgError(
        'undefined_object',
        `constraint "${conname}" for table "${targetName}" does not exist`,
      );
    }
    if (constraint.index === 0 || constraint.kind === 'foreign') {
      throw pgError(
        'wrong_object_type',
        'constraint in ON CONFLICT clause has no associated index',
      );
    }
    return { kind: 'constraint', index: constraint.index };
  }
  const columns = new Set<number>();
  const expressions: Expr[] = [];
  scope.place = 'index expressions';
  for (const node of infer.indexElems ?? []) {
    if (!('IndexElem' in node)) continue;
    if (node.IndexElem.name !== undefined) {
      const { name } = node.IndexElem;
      const found = target.columns.find((column) => column.name === name);
      if (found === undefined) {
        throw pgError('undefined_column', `column "${name}" does not exist`, {
          ...b.position(infer.location),
        });
      }
      const expr = overDescriptor(table, placed(found.expr, target.entry));
      if (expr.kind === 'input') columns.add(expr.column);
      else expressions.push(expr);
    } else if (node.IndexElem.expr !== undefined) {
      const expr = overDescriptor(table, bindExpr(b, scope, node.IndexElem.expr));
      if (expr.kind === 'input') columns.add(expr.column);
      else expressions.push(expr);
    }
  }
  const predicate =
    infer.whereClause === undefined
      ? null
      : overDescriptor(
          table,
          bindCondition(b, scope, infer.whereClause, 'index predicates') as Expr,
        );
  for (const expr of predicate === null ? expressions : [...expressions, predicate]) {
    fixLiterals(b, expr);
  }
  return { kind: 'columns', columns, expressions, predicate };
}

function arbitersOf(
  b: Binder,
  table: RelationDescriptor,
  inference: Inference | null,
): readonly number[] {
  if (inference === null) return ARBITRARY;
  if (inference.kind === 'constraint') return [inference.index];
  const { columns, expressions, predicate } = inference;
  const arbiters = table.indexes.filter((index) =>
    matchesInference(index, columns, expressions, predicate),
  );
  if (arbiters.length === 0) {
    b.laterErrors.push(
      pgError(
        'invalid_column_reference',
        'there is no unique or exclusion constraint matching the ON CONFLICT specification',
      ),
    );
  }
  return arbiters.map((index) => index.oid);
}

/** Columns of the statement's target as positions in its descriptor, as stored expressions have them. */
function overDescriptor(table: RelationDescriptor, expr: Expr): Expr {
  const attributes = table.columns.flatMap((column, position) =>
    column.dropped ? [] : [position],
  );
  return toInputs(expr, (column) => attributes[column] ?? column);
}

function matchesInference(
  index: IndexDescriptor,
  columns: ReadonlySet<number>,
  expressions: readonly Expr[],
  predicate: Expr | null,
): boolean {
  if (!index.unique) return false;
  const keys = new Set(index.columns.filter((key) => key.column >= 0).map((key) => key.column));
  if (keys.size !== columns.size || [...keys].some((key) => !columns.has(key))) return false;
  const computed = index.columns.filter((key) => key.column < 0);
  const isKey = (expr: Expr) => computed.some((key) => sameExpr(expr, key.expression?.expr));
  const isNamed = (key: IndexColumn) => expressions.some((e) => sameExpr(e, key.expression?.expr));
  if (!expressions.every(isKey) || !computed.every(isNamed)) return false;
  if (index.predicate === null) return true;
  return impliesPredicate(predicate === null ? [] : [predicate], index.predicate.expr as Expr);
}

interface Assignment {
  readonly column: number;
  readonly expr: Expr;
  /** Whether parts of the column are assigned, which several assignments may do. */
  readonly isPart: boolean;
}

/** What SET gives to its columns, null for DEFAULT. */
function assignedValues(b: Binder, scope: Scope, nodes: readonly Node[]): (Expr | null)[] {
  const rows = new Map<Node, readonly (Expr | null)[]>();
  scope.place = 'UPDATE';
  return nodes.map((node) => {
    const val = 'ResTarget' in node ? node.ResTarget.val : undefined;
    if (val === undefined || 'SetToDefault' in val) return null;
    if (!('MultiAssignRef' in val)) return bindExpr(b, scope, val);
    const { source, colno = 1, ncolumns = 1 } = val.MultiAssignRef;
    return multiAssigned(b, scope, rows, source as Node, colno, ncolumns);
  });
}

function bindAssignments(
  b: Binder,
  scope: Scope,
  target: ModifyTarget,
  verb: 'insert' | 'update',
  nodes: readonly Node[],
): Assignment[] {
  const assignments: Assignment[] = [];
  const targets: TargetColumn[] = [];
  // All values come before the columns that they are for: whose error is told where both are wrong.
  const values = assignedValues(b, scope, nodes);
  for (const [i, node] of nodes.entries()) {
    if (!('ResTarget' in node)) continue;
    const { name = '', location, val, indirection } = node.ResTarget;
    if (val === undefined) continue;
    const shown = requireColumn(b, target, name, location);
    refuseUnlessUpdatable(b, shown, verb);
    const { position } = shown;
    const column = storedColumn(target, shown);
    const subscripts = subscriptsOf(b, column, indirection ?? [], location);
    const earlier = assignments.findIndex((assignment) => assignment.column === position);
    const previous = assignments[earlier];
    if (previous !== undefined && (subscripts === null || !previous.isPart)) {
      b.rewriteErrors.push(assignedTwice(target, shown, targets[earlier] ?? null));
    }
    const value = values[i] ?? null;
    if (subscripts !== null && value === null) throw partToDefault(b, location);
    const expr = value ?? viewDefault(target, shown);
    if (expr !== null && (column.identity === 'a' || column.generated === true)) {
      const own = target.table.columns[position] as ColumnDescriptor;
      b.laterErrors.push(
        pgError('generated_always', `column "${own.name}" can only be updated to DEFAULT`, {
          detail: generatedDetail(own),
        }),
      );
    }
    if (subscripts !== null && expr !== null) {
      const container = previous?.expr ?? targetColumn(scope, name);
      const changed = assignPart(b, scope, column, container, subscripts, expr, location);
      const assignment = { column: position, expr: changed, isPart: true };
      if (previous !== undefined) assignments[earlier] = assignment;
      else {
        assignments.push(assignment);
        targets.push(shown);
      }
      continue;
    }
    targets.push(shown);
    assignments.push({
      column: position,
      expr: expr === null ? targetDefault(b, target, position) : assign(b, column, expr, location),
      isPart: false,
    });
  }
  return assignments;
}

/** A view's column is set to its own default or to NULL, not to the default that the table's has; null for
 * one of a table. */
function viewDefault({ isView }: ModifyTarget, column: TargetColumn): Expr | null {
  if (!isView) return null;
  return (column.default?.expr as Expr) ?? constant(column.type, null, column.typmod);
}

/** The column of the row that is updated, as the statement's expressions see it. */
function targetColumn(scope: Scope, name: string): Expr {
  const column = scope.items[0]?.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw pgError('internal_error', `no column "${name}" to assign to`);
  return column.expr;
}

/** One column of SET (a, b) = (x, y) or = (SELECT …). */
function multiAssigned(
  b: Binder,
  scope: Scope,
  rows: Map<Node, readonly (Expr | null)[]>,
  source: Node,
  colno: number,
  ncolumns: number,
): Expr | null {
  const mismatch = (count: number) => {
    if (count === ncolumns) return;
    const { location } = 'RowExpr' in source ? source.RowExpr : { location: undefined };
    throw pgError(
      'syntax_error',
      'number of columns does not match number of values',
      b.position(location),
    );
  };
  if ('RowExpr' in source) {
    let row = rows.get(source);
    if (row === undefined) {
      row = (source.RowExpr.args ?? []).flatMap((arg): (Expr | null)[] =>
        'SetToDefault' in arg ? [null] : bindExprList(b, scope, [arg]),
      );
      mismatch(row.length);
      rows.set(source, row);
    }
    return row[colno - 1] ?? null;
  }
  if ('SubLink' in source) {
    const { subselect, location } = source.SubLink;
    if (subselect === undefined || !('SelectStmt' in subselect))
      throw notSupported('this subquery');
    let row = rows.get(source);
    if (row === undefined) {
      const query = bindSelectStatement(b, scope, subselect.SelectStmt);
      const columns = visibleOutput(query);
      mismatch(columns.length);
      // Each assigned column reads the subquery's row through a query of that one column.
      row = outputShape(query).map(({ type, typmod }, column): Expr => {
        const only = oneColumn(query, column);
        return b.at(
          { kind: 'subquery', type, typmod, form: 'scalar', query: only, comparison: null },
          location,
        );
      });
      rows.set(source, row);
    }
    return row[colno - 1] ?? null;
  }
  throw pgError(
    'feature_not_supported',
    'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression',
    b.positionOf(bindExpr(b, scope, source)),
  );
}

function oneColumn(query: Query, column: number): Query {
  if (query.kind === 'select' && query.distinct === 'none') {
    return { ...query, output: [query.output[column] as OutputColumn] };
  }
  throw notSupported('a set operation as the source of a multiple-column assignment');
}

export function bindUpdate(b: Binder, parent: Scope | null, node: UpdateStmt): ModifyQuery {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  const target = modifyTarget(b, scope, node.relation as RangeVar, 'update');
  const { item } = target;
  const from = bindFurtherItems(b, scope, item, node.fromClause ?? []);
  const where = shownAnd(target, bindCondition(b, scope, node.whereClause, 'WHERE'));
  const returning = bindReturning(b, scope, node.returningClause);
  const assignments = bindAssignments(b, scope, target, 'update', node.targetList ?? []);
  return {
    kind: 'update',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    target: item.entry,
    source: null,
    insertValues: [],
    assignments,
    from,
    where,
    onConflict: null,
    viewChecks: viewChecksOf(target),
    returning,
  };
}

export function bindDelete(b: Binder, parent: Scope | null, node: DeleteStmt): ModifyQuery {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  const target = modifyTarget(b, scope, node.relation as RangeVar, 'delete');
  const { item } = target;
  const from = bindFurtherItems(b, scope, item, node.usingClause ?? []);
  const where = shownAnd(target, bindCondition(b, scope, node.whereClause, 'WHERE'));
  const returning = bindReturning(b, scope, node.returningClause);
  return {
    kind: 'delete',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    target: item.entry,
    source: null,
    insertValues: [],
    assignments: [],
    from,
    where,
    onConflict: null,
    returning,
  };
}

/** The rows that meet a condition, of those that the target shows. */
function shownAnd({ conditions, entry }: ModifyTarget, where: Expr | null): Expr | null {
  const all = conditions.map((condition) => placed(condition, entry));
  if (where !== null) all.push(where);
  if (all.length < 2) return all[0] ?? null;
  return { kind: 'and', type: OID.bool, typmod: -1, arguments: all };
}

function bindFurtherItems(
  b: Binder,
  scope: Scope,
  target: NamespaceItem,
  nodes: readonly Node[],
): FromItem[] {
  const from = bindFromClause(b, scope, nodes);
  for (const item of scope.items) {
    if (item.relationVisible && item.alias === target.alias) {
      throw pgError('duplicate_alias', `table name "${item.alias}" specified more than once`);
    }
  }
  scope.items = [target, ...scope.items];
  return from;
}
