import type { Alias, JoinExpr, Node, RangeFunction, RangeVar } from '@pgsql/types';
import type { RelationDescriptor, SchemaDescriptor } from '../../catalog/descriptors.ts';
import {
  isOtherTemporary,
  isSecurityBarrier,
  PG_CATALOG_SCHEMA,
  SEQUENCE_COLUMNS,
  schemaOfName,
  sequenceView,
} from '../../catalog/index.ts';
import { notSupported, PgError, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { functionByOid } from '../functions/index.ts';
import { parseStatements } from '../parse/index.ts';
import type { Binder } from './binder.ts';
import { coerceToBoolean, coerceToCommon, selectCommonType } from './coercion.ts';
import { bindExpr } from './expressions.ts';
import { bindOperatorOn } from './operators.ts';
import type { FromItem, Query, RelationColumn } from './query.ts';
import { functionOutputs } from './row-fields.ts';
import { type NamespaceColumn, type NamespaceItem, namespaceItem, Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { visibleOutput } from './sublinks.ts';
import { figureColumnName, nameList } from './syntax.ts';
import { bindTypeName } from './type-names.ts';

/** FROM clauses: PostgreSQL's transformFromClause. Items are added to the scope's range table and,
 * in the end, to its namespace. */
export function bindFromClause(b: Binder, scope: Scope, nodes: readonly Node[]): FromItem[] {
  const items: FromItem[] = [];
  for (const node of nodes) {
    const { from, namespace } = bindFromItem(b, scope, node);
    checkDistinctNames(scope.items, namespace);
    for (const item of namespace) {
      item.lateralOnly = true;
      item.lateralOk = true;
    }
    scope.items = [...scope.items, ...namespace];
    items.push(from);
  }
  for (const item of scope.items) {
    item.lateralOnly = false;
    item.lateralOk = true;
  }
  return items;
}

interface BoundFrom {
  readonly from: FromItem;
  readonly namespace: NamespaceItem[];
}

function checkDistinctNames(
  present: readonly NamespaceItem[],
  added: readonly NamespaceItem[],
): void {
  for (const item of added) {
    if (!item.relationVisible || item.alias === '') continue;
    for (const other of present) {
      if (!other.relationVisible || other.alias !== item.alias) continue;
      const distinct = item.table !== 0 && other.table !== 0 && item.table !== other.table;
      if (distinct && item.schema !== 0 && other.schema !== 0) continue;
      throw pgError('duplicate_alias', `table name "${item.alias}" specified more than once`);
    }
  }
}

function bindFromItem(b: Binder, scope: Scope, node: Node): BoundFrom {
  if ('RangeVar' in node) return relationItem(bindRangeVar(b, scope, node.RangeVar));
  if ('RangeSubselect' in node) {
    const { subquery, alias, lateral = false } = node.RangeSubselect;
    if (subquery === undefined || !('SelectStmt' in subquery)) throw notSupported('this subquery');
    const saved = { place: scope.place, lateral: scope.lateralActive };
    scope.place = 'FROM clause of their own query level';
    scope.lateralActive = lateral;
    const query = bindSelectStatement(b, scope, subquery.SelectStmt);
    scope.place = saved.place;
    scope.lateralActive = saved.lateral;
    return relationItem(addSubquery(scope, query, alias, lateral));
  }
  if ('RangeFunction' in node) {
    return relationItem(bindRangeFunction(b, scope, node.RangeFunction));
  }
  if ('JoinExpr' in node) return bindJoin(b, scope, node.JoinExpr);
  if ('RangeTableSample' in node) throw notSupported('TABLESAMPLE');
  if ('RangeTableFunc' in node) throw notSupported('XMLTABLE');
  if ('JsonTable' in node) throw notSupported('JSON_TABLE');
  throw notSupported('this FROM item');
}

function relationItem(item: NamespaceItem): BoundFrom {
  return { from: { kind: 'relation', relation: item.entry }, namespace: [item] };
}

/** Adds a subquery to the range table. */
function addSubquery(
  scope: Scope,
  query: Query,
  alias: Alias | undefined,
  lateral: boolean,
): NamespaceItem {
  const columns = aliasColumns(outputShape(query), alias?.aliasname ?? 'unnamed_subquery', alias);
  const name = alias?.aliasname ?? '';
  const entry = scope.addEntry({ kind: 'subquery', alias: name, columns, query, lateral });
  const item = namespaceItem(entry, name, columns);
  if (name === '') item.relationVisible = false;
  return scope.addItem(item);
}

export function outputShape(query: Query): RelationColumn[] {
  return visibleOutput(query).map(({ name, expr }) => ({
    name,
    type: expr.type,
    typmod: expr.typmod,
  }));
}

/** Renames the first columns as an alias says. */
function aliasColumns(
  columns: readonly RelationColumn[],
  name: string,
  alias: Alias | undefined,
): RelationColumn[] {
  const names = nameList(alias?.colnames);
  if (names.length > columns.length) {
    throw pgError(
      'invalid_column_reference',
      `table "${alias?.aliasname ?? name}" has ${columns.length} columns available but ${names.length} columns specified`,
    );
  }
  return columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

/** A table, view, system view or common table. */
function bindRangeVar(b: Binder, scope: Scope, node: RangeVar): NamespaceItem {
  if (node.schemaname === undefined && node.relname !== undefined) {
    const cte = addCommonTable(b, scope, node);
    if (cte !== null) return cte;
  }
  const found = hintedAt(scope, node, () => findRelation(b, node));
  if (found.kind === 'systemView') return addSystemView(scope, found, node);
  const { relation } = found;
  if (relation.kind === 'view') return addView(b, scope, relation, node);
  if (relation.kind === 'sequence') {
    const { oid, name, schema } = relation;
    const view = sequenceView(oid, name);
    return addSystemView(scope, { view, name, oid, schema, columns: SEQUENCE_COLUMNS }, node);
  }
  return addTable(scope, relation, node);
}

function addSystemView(scope: Scope, found: FoundSystemView, node: RangeVar): NamespaceItem {
  const name = node.alias?.aliasname ?? found.name;
  const columns = aliasColumns(found.columns, name, node.alias);
  const entry = scope.addEntry({
    kind: 'systemView',
    alias: name,
    columns,
    view: found.view,
    oid: found.oid,
  });
  return scope.addItem(
    namespaceItem(entry, name, columns, {
      table: found.oid,
      schema: node.alias === undefined ? found.schema : 0,
    }),
  );
}

/** The columns of a table that are not dropped, and their positions. */
export function liveColumns(table: RelationDescriptor): {
  readonly attributes: readonly number[];
  readonly columns: readonly RelationColumn[];
} {
  const attributes: number[] = [];
  const columns: RelationColumn[] = [];
  table.columns.forEach(({ name, type, typmod, dropped }, position) => {
    if (dropped) return;
    attributes.push(position);
    columns.push({ name, type, typmod });
  });
  return { attributes, columns };
}

/** Adds a table to the range table. */
function addTable(scope: Scope, table: RelationDescriptor, node: RangeVar): NamespaceItem {
  const { attributes, columns: shape } = liveColumns(table);
  const name = node.alias?.aliasname ?? table.name;
  const columns = aliasColumns(shape, name, node.alias);
  const only = node.inh !== true;
  const entry = scope.addEntry({ kind: 'table', alias: name, columns, table, attributes, only });
  return scope.addItem(
    namespaceItem(entry, name, columns, {
      relationName: table.name,
      table: table.oid,
      partitioned: table.kind === 'partitioned',
      schema: node.alias === undefined ? table.schema : 0,
      // The registry has no row types of tables: a whole row is a record.
      rowType: OID.record,
    }),
  );
}

const VIEW_DEPTH_MAX = 64;

/** The query of a view. */
export function viewQuery(b: Binder, view: RelationDescriptor): Query {
  if (++b.viewDepth > VIEW_DEPTH_MAX) {
    throw pgError(
      'invalid_object_definition',
      `infinite recursion detected in rules for relation "${view.name}"`,
    );
  }
  b.views.add(view);
  const [statement] = parseStatements(view.definition ?? '');
  if (statement === undefined || !('SelectStmt' in statement.node)) {
    throw pgError('internal_error', `view "${view.name}" has no query`);
  }
  const query = bindSelectStatement(b, new Scope(null), statement.node.SelectStmt);
  b.viewDepth--;
  if (query.kind === 'select' && isSecurityBarrier(view)) return { ...query, barrier: true };
  return query;
}

function addView(b: Binder, scope: Scope, view: RelationDescriptor, node: RangeVar): NamespaceItem {
  const query = viewQuery(b, view);
  const shape = outputShape(query).map((column, i) => ({
    ...column,
    name: view.columns[i]?.name ?? column.name,
  }));
  const name = node.alias?.aliasname ?? view.name;
  const columns = aliasColumns(shape, name, node.alias);
  // The query was bound without an outer query, which is what it has below this one too.
  const entry = scope.addEntry({
    kind: 'subquery',
    alias: name,
    columns,
    query,
    lateral: false,
    view: view.oid,
  });
  return scope.addItem(
    namespaceItem(entry, name, columns, {
      relationName: view.name,
      schema: node.alias === undefined ? view.schema : 0,
    }),
  );
}

function addCommonTable(b: Binder, scope: Scope, node: RangeVar): NamespaceItem | null {
  const wanted = node.relname ?? '';
  let level = 0;
  for (let at: Scope | null = scope; at !== null; at = at.parent, level++) {
    const index = at.cteNames.get(wanted);
    if (index === undefined) continue;
    const cte = at.ctes[index];
    const name = node.alias?.aliasname ?? wanted;
    const self = at.recursiveCte;
    const selfReference = self !== null && self.index === index;
    const shape = selfReference ? self.columns : cte?.columns;
    if (shape === undefined) continue;
    if (selfReference) self.references++;
    else if (cte !== undefined && returnsNothing(cte.query)) {
      throw pgError(
        'feature_not_supported',
        `WITH query "${wanted}" does not have a RETURNING clause`,
        b.position(node.location ?? 0),
      );
    }
    const columns = aliasColumns(shape, name, node.alias);
    const entry = scope.addEntry({
      kind: 'cte',
      alias: name,
      columns,
      level,
      index,
      selfReference,
    });
    return scope.addItem(namespaceItem(entry, name, columns));
  }
  return null;
}

/** A table that is missing may be a name of WITH that is out of reach. */
function hintedAt<Found>(scope: Scope, node: RangeVar, find: () => Found): Found {
  try {
    return find();
  } catch (error) {
    const name = node.relname ?? '';
    if (!(error instanceof PgError) || node.schemaname !== undefined) throw error;
    let level: Scope | null = scope;
    while (level !== null && !level.laterCtes.includes(name)) level = level.parent;
    if (level === null) throw error;
    throw error.with({
      detail: `There is a WITH item named "${name}", but it cannot be referenced from this part of the query.`,
      hint: 'Use WITH RECURSIVE, or re-order the WITH items to remove forward references.',
    });
  }
}

function returnsNothing(query: Query): boolean {
  return 'returning' in query && query.returning.length === 0;
}

type FoundRelation =
  | { readonly kind: 'relation'; readonly relation: RelationDescriptor }
  | ({ readonly kind: 'systemView' } & FoundSystemView);

interface FoundSystemView {
  readonly view: string;
  readonly name: string;
  readonly oid: number;
  readonly schema: number;
  readonly columns: readonly RelationColumn[];
}

/** Looks a relation up by name along the search path, unless a schema is named. */
export function findRelation(b: Binder, node: RangeVar): FoundRelation {
  const name = node.relname ?? '';
  const { catalog } = b;
  const position = b.position(node.location ?? 0);
  if (node.schemaname !== undefined) {
    const schema = schemaOfName(catalog, node.schemaname, b.context.processId);
    const found = schema && findIn(b, schema, name);
    if (found !== undefined) return found;
    throw pgError(
      'undefined_table',
      `relation "${node.schemaname}.${name}" does not exist`,
      position,
    );
  }
  const { searchPath } = b.context;
  const isNamed = searchPath.includes(PG_CATALOG_SCHEMA);
  for (const oid of isNamed ? searchPath : [PG_CATALOG_SCHEMA, ...searchPath]) {
    const schema = catalog.schemaByOid(oid);
    const found = schema && findIn(b, schema, name);
    if (found !== undefined) return found;
  }
  throw pgError('undefined_table', `relation "${name}" does not exist`, position);
}

/** The rows of a temporary relation are its session's alone; a temporary view has none of its own, but
 * goes without a word to those who read it. */
function watchOtherTemporary(b: Binder, { persistence, schema, kind }: RelationDescriptor): void {
  if (persistence !== 't' || !isOtherTemporary(b.catalog, schema, b.context.processId)) return;
  b.readsOthersView = true;
  if (kind === 'view') return;
  throw pgError('feature_not_supported', 'cannot access temporary tables of other sessions');
}

function findIn(b: Binder, schema: SchemaDescriptor, name: string): FoundRelation | undefined {
  const relation = b.catalog.relationByName(schema.oid, name);
  if (relation !== undefined) {
    watchOtherTemporary(b, relation);
    return { kind: 'relation', relation };
  }
  const shape = b.catalog.systemView(schema.name, name);
  if (shape !== undefined) {
    const view = `${schema.name}.${shape.name}`;
    const { oid, columns } = shape;
    return { kind: 'systemView', view, name: shape.name, oid, schema: schema.oid, columns };
  }
  if (b.catalog.indexByName(schema.oid, name) !== undefined) {
    throw pgError('wrong_object_type', `cannot open relation "${name}"`, {
      detail: 'This operation is not supported for indexes.',
    });
  }
  return undefined;
}

function bindRangeFunction(b: Binder, scope: Scope, node: RangeFunction): NamespaceItem {
  const saved = { place: scope.place, lateral: scope.lateralActive };
  scope.place = 'functions in FROM';
  scope.lateralActive = true;
  const calls: Expr[] = [];
  const shape: RelationColumn[] = [];
  let scalar = false;
  for (const item of node.functions ?? []) {
    const parts = 'List' in item ? (item.List.items ?? []) : [item];
    const call = parts[0] as Node;
    const definitions = parts[1];
    const [first, ...others] = splitUnnest(call).map((part) => bindExpr(b, scope, part));
    const expr = first as Expr;
    if (expr.type === OID.unknown) throw notSupported('a constant as a function in FROM');
    if (others.length > 0) {
      // Several arrays are unnested in step.
      for (const part of [expr, ...others]) {
        calls.push(part);
        shape.push({ name: 'unnest', type: part.type, typmod: part.typmod });
      }
      continue;
    }
    const given = node.coldeflist?.length
      ? node.coldeflist
      : definitions !== undefined && 'List' in definitions
        ? (definitions.List.items ?? [])
        : [];
    const columns = functionColumns(b, expr, figureColumnName(call), given);
    calls.push(withColumns(expr, columns, given));
    scalar = columns.length === 1 && expr.type !== OID.record;
    shape.push(...columns);
  }
  scope.place = saved.place;
  scope.lateralActive = saved.lateral;
  const ordinality = node.ordinality === true;
  if (ordinality) refuseDefinitions(b, node.coldeflist ?? []);
  if (ordinality) shape.push({ name: 'ordinality', type: OID.int8, typmod: -1 });
  const firstName = shape[0]?.name ?? '';
  const first = node.functions?.[0];
  const call = first !== undefined && 'List' in first ? first.List.items?.[0] : first;
  const name = node.alias?.aliasname ?? (call === undefined ? firstName : figureColumnName(call));
  // The one column of a function that returns a scalar is named by the alias of the item.
  const named =
    scalar && (node.functions?.length ?? 0) === 1 && node.alias?.aliasname !== undefined
      ? shape.map((column, i) =>
          i === 0 && (calls[0]?.kind !== 'setCall' || !hasOutNames(calls[0].function))
            ? { ...column, name: node.alias?.aliasname ?? column.name }
            : column,
        )
      : shape;
  const columns = aliasColumns(named, name, node.alias);
  const lateral = true;
  const entry = scope.addEntry({
    kind: 'function',
    alias: name,
    columns,
    calls,
    ordinality,
    lateral,
  });
  return scope.addItem(
    namespaceItem(entry, name, columns, {
      scalar: scalar && !ordinality && (node.functions?.length ?? 0) === 1,
    }),
  );
}

function refuseDefinitions(b: Binder, [first]: readonly Node[]): void {
  if (first === undefined) return;
  throw pgError('syntax_error', 'WITH ORDINALITY cannot be used with a column definition list', {
    hint: 'Put the column definition list inside ROWS FROM().',
    ...b.position('ColumnDef' in first ? first.ColumnDef.location : undefined),
  });
}

/** `unnest(a, b)` as `unnest(a), unnest(b)`. */
function splitUnnest(node: Node): Node[] {
  if (!('FuncCall' in node)) return [node];
  const { funcname, args = [] } = node.FuncCall;
  if (args.length < 2 || nameList(funcname).at(-1) !== 'unnest') return [node];
  return args.map((arg): Node => ({ FuncCall: { ...node.FuncCall, args: [arg] } }));
}

function hasOutNames(oid: number): boolean {
  return functionByOid(oid)?.modes?.some((mode) => mode === 'o' || mode === 't') ?? false;
}

function functionColumns(
  b: Binder,
  expr: Expr,
  name: string,
  definitions: readonly Node[],
): RelationColumn[] {
  const outputs = functionOutputs(expr);
  if (definitions.length > 0) {
    checkDefinable(b, expr, outputs, definitions[0] as Node);
    return definitions.map((definition) => definedColumn(b, definition));
  }
  if (outputs.length === 1) {
    return [{ name: outputs[0]?.name ?? name, type: expr.type, typmod: -1 }];
  }
  if (outputs.length > 1) return outputs;
  if (expr.type === OID.record) {
    throw pgError(
      'syntax_error',
      'a column definition list is required for functions returning "record"',
      b.positionOf(expr),
    );
  }
  return [{ name, type: expr.type, typmod: expr.typmod }];
}

/** Only a function that returns records of no known shape can be told their columns. */
function checkDefinable(
  b: Binder,
  expr: Expr,
  outputs: readonly RelationColumn[],
  first: Node,
): void {
  const position = b.position('ColumnDef' in first ? first.ColumnDef.location : undefined);
  if (outputs.length > 0) {
    throw pgError(
      'syntax_error',
      'a column definition list is redundant for a function with OUT parameters',
      position,
    );
  }
  if (expr.type === OID.record) return;
  throw pgError(
    'syntax_error',
    'a column definition list is only allowed for functions returning "record"',
    position,
  );
}

function definedColumn(b: Binder, definition: Node): RelationColumn {
  if (!('ColumnDef' in definition) || definition.ColumnDef.typeName === undefined) {
    throw notSupported('this column definition');
  }
  const { type, typmod } = bindTypeName(b, definition.ColumnDef.typeName);
  return { name: definition.ColumnDef.colname ?? '', type, typmod };
}

/** The call of a function that makes its records of the columns that the query names. */
function withColumns(
  expr: Expr,
  columns: readonly RelationColumn[],
  definitions: readonly Node[],
): Expr {
  const isCall = expr.kind === 'setCall' || expr.kind === 'call';
  return isCall && definitions.length > 0 ? { ...expr, columns } : expr;
}

const JOINS = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
  JOIN_FULL: 'full',
} as const;

function bindJoin(b: Binder, scope: Scope, node: JoinExpr): BoundFrom {
  const join = JOINS[(node.jointype ?? 'JOIN_INNER') as keyof typeof JOINS] ?? 'inner';
  const left = bindFromItem(b, scope, node.larg as Node);
  const saved = scope.items;
  for (const item of left.namespace) {
    item.lateralOnly = true;
    item.lateralOk = join === 'inner' || join === 'left';
  }
  scope.items = [...saved, ...left.namespace];
  const right = bindFromItem(b, scope, node.rarg as Node);
  scope.items = saved;
  checkDistinctNames(left.namespace, right.namespace);

  const leftColumns = visibleColumns(left.namespace);
  const rightColumns = visibleColumns(right.namespace);
  const using =
    node.isNatural === true
      ? leftColumns
          .map((column) => column.name)
          .filter((name) => rightColumns.some((column) => column.name === name))
      : nameList(node.usingClause);
  const merged = using.map((name) => mergeColumn(b, join, name, leftColumns, rightColumns));
  let on: Expr | null = null;
  if (merged.length > 0) {
    const tests = merged.map((column) => column.test);
    on =
      tests.length === 1
        ? (tests[0] as Expr)
        : { kind: 'and', type: OID.bool, typmod: -1, arguments: tests };
  } else if (node.quals !== undefined) {
    for (const item of [...left.namespace, ...right.namespace]) {
      item.lateralOnly = false;
      item.lateralOk = true;
    }
    scope.items = [...left.namespace, ...right.namespace];
    const place = scope.place;
    scope.place = 'JOIN conditions';
    on = coerceToBoolean(b, bindExpr(b, scope, node.quals), 'JOIN/ON');
    scope.place = place;
    scope.items = saved;
  }
  const rest = (columns: readonly NamespaceColumn[]) =>
    columns.filter((column) => !using.includes(column.name));
  const columns: NamespaceColumn[] = [
    ...merged.map(({ name, expr }) => ({ name, expr })),
    ...rest(leftColumns),
    ...rest(rightColumns),
  ];
  const alias = node.alias?.aliasname ?? '';
  const names = nameList(node.alias?.colnames);
  const named = columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
  const relation = scope.addEntry({
    kind: 'join',
    alias,
    columns: named.map(({ name, expr }) => ({ name, type: expr.type, typmod: expr.typmod })),
    expressions: named.map((column) => column.expr),
  });
  const cross = join === 'inner' && on === null;
  const from: FromItem = {
    kind: 'join',
    join: cross ? 'cross' : join,
    left: left.from,
    right: right.from,
    on,
    relation,
  };
  const item: NamespaceItem = {
    entry: relation,
    alias,
    relationName: '',
    schema: 0,
    table: 0,
    partitioned: false,
    columns: named,
    rowType: OID.record,
    scalar: false,
    relationVisible: alias !== '',
    columnsVisible: true,
    lateralOnly: false,
    lateralOk: true,
    nullable: false,
  };
  scope.addItem(item);
  if (join !== 'inner' && join !== 'left') markNullable(scope, left.namespace);
  if (join === 'left' || join === 'full') markNullable(scope, right.namespace);
  // An alias hides what is below it; otherwise the tables can still be named.
  const inner = [...left.namespace, ...right.namespace];
  for (const below of inner) below.columnsVisible = false;
  if (alias !== '') for (const below of inner) below.relationVisible = false;
  const usingAlias = node.join_using_alias?.aliasname;
  const namespace = alias === '' ? [...inner, item] : [item];
  if (usingAlias !== undefined && alias === '') {
    const named: NamespaceItem = {
      ...item,
      alias: usingAlias,
      columns: merged.map(({ name, expr }) => ({ name, expr })),
      relationVisible: true,
      columnsVisible: false,
    };
    checkDistinctNames(namespace, [named]);
    namespace.push(named);
  }
  return { from, namespace };
}

/** A join that is named as a whole is a row of its columns, even where another join has only NULLs for them. */
function markNullable(scope: Scope, namespace: readonly NamespaceItem[]): void {
  for (const item of namespace) item.nullable = scope.rangeTable[item.entry]?.kind !== 'join';
}

function visibleColumns(namespace: readonly NamespaceItem[]): NamespaceColumn[] {
  return namespace.flatMap((item) => (item.columnsVisible ? item.columns : []));
}

/** A column of USING: the test that joins it and its merged value. */
function mergeColumn(
  b: Binder,
  join: 'inner' | 'left' | 'right' | 'full',
  name: string,
  leftColumns: readonly NamespaceColumn[],
  rightColumns: readonly NamespaceColumn[],
): { readonly name: string; readonly test: Expr; readonly expr: Expr } {
  const find = (columns: readonly NamespaceColumn[], side: string): Expr => {
    const found = columns.filter((column) => column.name === name);
    if (found.length > 1) {
      throw pgError(
        'ambiguous_column',
        `common column name "${name}" appears more than once in ${side} table`,
      );
    }
    const [only] = found;
    if (only === undefined) {
      throw pgError(
        'undefined_column',
        `column "${name}" specified in USING clause does not exist in ${side} table`,
      );
    }
    return only.expr;
  };
  const left = find(leftColumns, 'left');
  const right = find(rightColumns, 'right');
  const type = selectCommonType(b, [left, right], 'JOIN/USING');
  const test = coerceToBoolean(b, bindOperatorOn(b, '=', left, right, undefined), 'JOIN/USING');
  const leftValue = coerceToCommon(b, left, type, 'JOIN/USING');
  const rightValue = coerceToCommon(b, right, type, 'JOIN/USING');
  const expr: Expr =
    join === 'right'
      ? rightValue
      : join === 'full'
        ? { kind: 'coalesce', type, typmod: -1, arguments: [leftValue, rightValue] }
        : leftValue;
  return { name, test, expr };
}
