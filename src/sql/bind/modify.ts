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
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget, constant, resolveUnknown } from './coercion.ts';
import { bindExpr, bindExprList } from './expressions.ts';
import { addTable, bindFromClause, findRelation, outputShape } from './from.ts';
import { fixLiterals } from './index-literals.ts';
import { assignPart, partToDefault, partValue, subscriptsOf } from './part-assignment.ts';
import { impliesPredicate } from './predicate-proof.ts';
import type { FromItem, ModifyQuery, OnConflict, OutputColumn, Query } from './query.ts';
import { type NamespaceItem, namespaceItem, Scope } from './scope.ts';
import { bindCondition, bindSelectStatement } from './select.ts';
import { toInputs } from './stored.ts';
import { visibleOutput } from './sublinks.ts';
import { listItems } from './syntax.ts';
import { bindTargetList, outputColumn } from './target-list.ts';
import { typeDisplay } from './type-facts.ts';
import { bindValuesRows } from './values.ts';
import { bindWith } from './with-clause.ts';

/** INSERT, UPDATE and DELETE. */

const ARBITRARY: readonly number[] = [];

function targetTable(b: Binder, node: RangeVar, verb: string): RelationDescriptor {
  const found = findRelation(b, node);
  if (found.kind === 'systemView') {
    throw pgError('insufficient_privilege', `permission denied for table ${found.name}`);
  }
  const { relation } = found;
  if (relation.kind === 'view') throw notSupported(`${verb} a view`, b.position(node.location));
  if (relation.kind === 'sequence') {
    throw pgError('wrong_object_type', `cannot change sequence "${relation.name}"`);
  }
  return relation;
}

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

function findAttribute(
  b: Binder,
  table: RelationDescriptor,
  name: string,
  location: number | undefined,
): number {
  const position = table.columns.findIndex((column) => column.name === name && !column.dropped);
  if (position >= 0) return position;
  throw pgError(
    'undefined_column',
    `column "${name}" of relation "${table.name}" does not exist`,
    b.position(location),
  );
}

export function bindInsert(b: Binder, parent: Scope | null, node: InsertStmt): ModifyQuery {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  const relation = node.relation as RangeVar;
  const table = targetTable(b, relation, 'inserting into');
  const item = addTable(scope, table, relation);
  const target = item.entry;
  const targets = insertColumns(b, table, node.cols ?? []);
  const explicit = (node.cols?.length ?? 0) > 0;

  let source: Query | null = null;
  let given: ReadonlyMap<number, Expr> = new Map();
  const { selectStmt } = node;
  if (selectStmt !== undefined && 'SelectStmt' in selectStmt) {
    const select = selectStmt.SelectStmt;
    const bound =
      select.valuesLists !== undefined &&
      select.sortClause === undefined &&
      select.limitCount === undefined &&
      select.limitOffset === undefined &&
      select.withClause === undefined
        ? insertRows(b, scope, table, targets, select.valuesLists, explicit, node.override)
        : insertSelect(b, scope, table, targets, selectStmt, explicit, node.override);
    source = bound.source;
    given = bound.values;
  }
  const insertValues = table.columns.map(
    (column, position) => given.get(position) ?? defaultValue(b, column),
  );
  const conflict =
    node.onConflictClause === undefined
      ? null
      : bindOnConflict(b, scope, table, item, node.onConflictClause);
  scope.items = [item];
  return {
    kind: 'insert',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    target,
    source,
    insertValues,
    assignments: [],
    from: [],
    where: null,
    onConflict: conflict,
    returning: bindReturning(b, scope, node.returningClause),
  };
}

interface InsertTarget {
  readonly position: number;
  readonly location: number | undefined;
  /** Of a part of the column; null where it is given as a whole. */
  readonly subscripts: readonly A_Indices[] | null;
}

function insertColumns(
  b: Binder,
  table: RelationDescriptor,
  nodes: readonly Node[],
): InsertTarget[] {
  if (nodes.length === 0) {
    return table.columns.flatMap((column, position) =>
      column.dropped ? [] : [{ position, location: undefined, subscripts: null }],
    );
  }
  const targets: InsertTarget[] = [];
  for (const node of nodes) {
    if (!('ResTarget' in node)) continue;
    const { name = '', location, indirection } = node.ResTarget;
    const position = findAttribute(b, table, name, location);
    const column = table.columns[position] as ColumnDescriptor;
    const subscripts = subscriptsOf(b, column, indirection ?? [], location);
    const isWhole = (target: InsertTarget) => subscripts === null || target.subscripts === null;
    if (targets.some((target) => target.position === position && isWhole(target))) {
      throw pgError(
        'duplicate_column',
        `column "${name}" specified more than once`,
        b.position(location),
      );
    }
    targets.push({ position, location, subscripts });
  }
  return targets;
}

interface BoundSource {
  readonly source: Query | null;
  /** What columns get, by their position in the table. */
  readonly values: ReadonlyMap<number, Expr>;
}

/** What the column gets of one value of the source: all that it is, or a part of it, after those parts
 * in `values` that stand before. */
function givenValue(
  b: Binder,
  scope: Scope,
  column: ColumnDescriptor,
  target: InsertTarget,
  values: ReadonlyMap<number, Expr>,
  value: Expr,
): Expr {
  const { position, location, subscripts } = target;
  if (subscripts === null) return assign(b, column, value, location);
  const before = values.get(position) ?? constant(column.type, null, column.typmod);
  return assignPart(b, scope, column, before, subscripts, value, location);
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

/** A value for a column that has its own. */
function refuseGenerated(b: Binder, column: ColumnDescriptor, override: string | undefined): void {
  if (column.generated === true) {
    b.laterErrors.push(
      pgError(
        'generated_always',
        `cannot insert a non-DEFAULT value into column "${column.name}"`,
        {
          detail: generatedDetail(column),
        },
      ),
    );
  }
  if (column.identity !== 'a' || override === 'OVERRIDING_SYSTEM_VALUE') return;
  b.laterErrors.push(
    pgError('generated_always', `cannot insert a non-DEFAULT value into column "${column.name}"`, {
      detail: generatedDetail(column),
      hint: 'Use OVERRIDING SYSTEM VALUE to override.',
    }),
  );
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
  table: RelationDescriptor,
  targets: readonly InsertTarget[],
  lists: readonly Node[],
  explicit: boolean,
  override: string | undefined,
): BoundSource {
  const inner = new Scope(scope);
  inner.place = 'VALUES';
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
      const { position, location, subscripts } = targets[i] as InsertTarget;
      const column = table.columns[position] as ColumnDescriptor;
      if (subscripts !== null) {
        if (cell === null) throw partToDefault(b, location);
        return partValue(b, column, subscripts, cell, location);
      }
      if (cell === null || (override === 'OVERRIDING_USER_VALUE' && column.identity !== '')) {
        return defaultValue(b, column);
      }
      refuseGenerated(b, column, override);
      return assign(b, column, cell, location);
    });
  });
  const output: OutputColumn[] = [];
  const values = new Map<number, Expr>();
  for (let i = 0; i < width; i++) {
    const target = targets[i] as InsertTarget;
    const column = table.columns[target.position] as ColumnDescriptor;
    const type = target.subscripts === null ? column.type : (rows[0]?.[i]?.type ?? column.type);
    const expr: Expr = { kind: 'input', type, typmod: column.typmod, column: i };
    output.push({ name: column.name, expr, junk: false, sourceTable: 0, sourceColumn: 0 });
    values.set(target.position, givenValue(b, scope, column, target, values, expr));
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
  return { source, values };
}

function insertSelect(
  b: Binder,
  scope: Scope,
  table: RelationDescriptor,
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
  const settled: OutputColumn[] = columns.map((output, i) => {
    const target = targets[i] as InsertTarget;
    const { position, location, subscripts } = target;
    const column = table.columns[position] as ColumnDescriptor;
    const identity = override === 'OVERRIDING_USER_VALUE' && column.identity !== '';
    if (!identity) refuseGenerated(b, column, override);
    // Constants without a type take that of the column.
    const settle = (expr: Expr) =>
      subscripts === null
        ? assign(b, column, expr, location)
        : partValue(b, column, subscripts, expr, location);
    const expr =
      output.expr.type === OID.unknown && query.kind === 'select'
        ? settle(output.expr)
        : query.kind === 'select'
          ? output.expr
          : resolveUnknown(b, output.expr);
    const input: Expr = { kind: 'input', type: expr.type, typmod: expr.typmod, column: i };
    const value = b.at(input, b.locationOf(expr));
    values.set(
      position,
      identity ? defaultValue(b, column) : givenValue(b, scope, column, target, values, value),
    );
    return { ...output, expr };
  });
  const source = query.kind === 'select' ? { ...query, output: settled } : query;
  return { source, values };
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
  table: RelationDescriptor,
  item: NamespaceItem,
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
  scope.items = [item];
  const inference =
    clause.infer === undefined ? null : bindInference(b, scope, table, clause.infer);
  const attributes: number[] = [];
  const columns = table.columns.flatMap((column, position) => {
    if (column.dropped) return [];
    attributes.push(position);
    return [{ name: column.name, type: column.type, typmod: column.typmod }];
  });
  const excluded = scope.addEntry({ kind: 'table', alias: 'excluded', columns, table, attributes });
  if (!update) {
    const arbiters = arbitersOf(b, table, inference);
    return { action: 'nothing', arbiters, excluded, assignments: [], where: null };
  }
  const excludedItem = scope.addItem(
    namespaceItem(excluded, 'excluded', columns, { rowType: item.rowType }),
  );
  scope.items = [item, excludedItem];
  const assignments = bindAssignments(b, scope, table, clause.targetList ?? []);
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
  table: RelationDescriptor,
  infer: InferClause,
): Inference {
  if (infer.conname !== undefined) {
    const constraint = table.constraints.find((candidate) => candidate.name === infer.conname);
    if (constraint === undefined) {
      throw pgError(
        'undefined_object',
        `constraint "${infer.conname}" for table "${table.name}" does not exist`,
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
      const position = table.columns.findIndex(
        (column) => column.name === node.IndexElem.name && !column.dropped,
      );
      if (position < 0) {
        throw pgError('undefined_column', `column "${node.IndexElem.name}" does not exist`, {
          ...b.position(infer.location),
        });
      }
      columns.add(position);
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

function bindAssignments(
  b: Binder,
  scope: Scope,
  table: RelationDescriptor,
  nodes: readonly Node[],
): Assignment[] {
  const assignments: Assignment[] = [];
  const rows = new Map<Node, readonly (Expr | null)[]>();
  scope.place = 'UPDATE';
  for (const node of nodes) {
    if (!('ResTarget' in node)) continue;
    const { name = '', location, val, indirection } = node.ResTarget;
    if (val === undefined) continue;
    const position = findAttribute(b, table, name, location);
    const column = table.columns[position] as ColumnDescriptor;
    const subscripts = subscriptsOf(b, column, indirection ?? [], location);
    const earlier = assignments.findIndex((assignment) => assignment.column === position);
    const previous = assignments[earlier];
    if (previous !== undefined && (subscripts === null || !previous.isPart)) {
      throw pgError('syntax_error', `multiple assignments to same column "${name}"`);
    }
    let expr: Expr | null;
    if ('SetToDefault' in val) expr = null;
    else if ('MultiAssignRef' in val) {
      const { source, colno = 1, ncolumns = 1 } = val.MultiAssignRef;
      expr = multiAssigned(b, scope, rows, source as Node, colno, ncolumns);
    } else expr = bindExpr(b, scope, val);
    if (expr !== null && (column.identity === 'a' || column.generated === true)) {
      b.laterErrors.push(
        pgError('generated_always', `column "${column.name}" can only be updated to DEFAULT`, {
          detail: generatedDetail(column),
        }),
      );
    }
    if (subscripts !== null) {
      if (expr === null) throw partToDefault(b, location);
      const container = previous?.expr ?? targetColumn(scope, name);
      const changed = assignPart(b, scope, column, container, subscripts, expr, location);
      const assignment = { column: position, expr: changed, isPart: true };
      if (previous === undefined) assignments.push(assignment);
      else assignments[earlier] = assignment;
      continue;
    }
    assignments.push({
      column: position,
      expr: expr === null ? defaultValue(b, column) : assign(b, column, expr, location),
      isPart: false,
    });
  }
  return assignments;
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
  const relation = node.relation as RangeVar;
  const table = targetTable(b, relation, 'updating');
  const item = addTable(scope, table, relation);
  const from = bindFurtherItems(b, scope, item, node.fromClause ?? []);
  const where = bindCondition(b, scope, node.whereClause, 'WHERE');
  const returning = bindReturning(b, scope, node.returningClause);
  const assignments = bindAssignments(b, scope, table, node.targetList ?? []);
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
    returning,
  };
}

export function bindDelete(b: Binder, parent: Scope | null, node: DeleteStmt): ModifyQuery {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  const relation = node.relation as RangeVar;
  const table = targetTable(b, relation, 'deleting from');
  const item = addTable(scope, table, relation);
  const from = bindFurtherItems(b, scope, item, node.usingClause ?? []);
  const where = bindCondition(b, scope, node.whereClause, 'WHERE');
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
