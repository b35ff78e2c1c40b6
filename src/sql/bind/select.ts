import type { LockingClause, Node, SelectStmt, WithClause } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { formatType, OID } from '../../types/index.ts';
import type { Expr, SortKey } from '../expression.ts';
import { someExpr, visitReferences } from '../expression-tree.ts';
import { raiseQuery } from '../query-rewrite.ts';
import type { Binder } from './binder.ts';
import {
  coerceToBoolean,
  coerceToCommon,
  coerceToSpecific,
  commonTypmod,
  resolveUnknown,
  selectCommonType,
} from './coercion.ts';
import { bindExpr, bindExprList, bindStar } from './expressions.ts';
import { bindFromClause, outputShape } from './from.ts';
import { bindGroupClause, checkGrouping } from './grouping.ts';
import { bindDelete, bindInsert, bindUpdate } from './modify.ts';
import type {
  CommonTable,
  OutputColumn,
  Query,
  RelationColumn,
  RowLockClause,
  RowLockStrength,
  SelectQuery,
  SetOperationQuery,
  ValuesQuery,
} from './query.ts';
import { checkRecursiveReferences, dependencyOrder } from './recursion.ts';
import { findColumn, type Place, Scope } from './scope.ts';
import { requireEquality, sortKeys } from './sort-keys.ts';
import { reportStar } from './star-columns.ts';
import { visibleOutput } from './sublinks.ts';
import { figureColumnName, firstLocation, integerConstant, listItems, nameList } from './syntax.ts';
import { bindWindows, refuseWindowCalls } from './windows.ts';

export interface SelectOptions {
  /** Leave constants of the target list untyped, for whoever knows the type they are to have. */
  readonly keepUnknown?: boolean;
}

/** SELECT, VALUES and set operations. */
export function bindSelectStatement(
  b: Binder,
  parent: Scope | null,
  node: SelectStmt,
  options: SelectOptions = {},
): Query {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  if (node.op !== undefined && node.op !== 'SETOP_NONE') {
    return bindSetOperation(b, scope, node);
  }
  if (node.valuesLists !== undefined) return bindValues(b, scope, node, options);
  return bindSimpleSelect(b, scope, node, options);
}

export function bindWith(b: Binder, scope: Scope, clause: WithClause): void {
  const written = (clause.ctes ?? []).flatMap((item) =>
    'CommonTableExpr' in item ? [item.CommonTableExpr] : [],
  );
  const items = clause.recursive === true ? dependencyOrder(b, written) : written;
  for (const [at, cte] of items.entries()) {
    const name = cte.ctename ?? '';
    scope.laterCtes = items.slice(at).map((later) => later.ctename ?? '');
    if (scope.cteNames.has(name)) {
      throw pgError(
        'duplicate_alias',
        `WITH query name "${name}" specified more than once`,
        b.position(cte.location),
      );
    }
    const body = cte.ctequery as Node;
    if (cte.search_clause !== undefined) throw notSupported('SEARCH');
    if (cte.cycle_clause !== undefined) throw notSupported('CYCLE');
    if (clause.recursive === true) checkRecursiveReferences(b, cte);
    const aliases = nameList(cte.aliascolnames);
    const index = scope.ctes.length;
    const rename = (query: Query) => {
      const shape = outputShape(query);
      if (aliases.length > shape.length) {
        throw pgError(
          'invalid_column_reference',
          `WITH query "${name}" has ${shape.length} columns available but ${aliases.length} columns specified`,
          b.position(cte.location),
        );
      }
      return shape.map((column, i) => ({ ...column, name: aliases[i] ?? column.name }));
    };
    const select = 'SelectStmt' in body ? body.SelectStmt : undefined;
    let query: Query;
    let recursive = false;
    if (select === undefined) {
      query = bindChange(b, scope, body, cte.location);
      scope.cteNames.set(name, index);
    } else if (
      clause.recursive === true &&
      select.op === 'SETOP_UNION' &&
      select.larg !== undefined
    ) {
      const holder = new Scope(scope);
      if (select.withClause !== undefined) bindWith(b, holder, select.withClause);
      const initial = bindSelectStatement(b, holder, select.larg);
      const columns = rename(initial);
      scope.recursiveCte = { index, columns, references: 0 };
      scope.cteNames.set(name, index);
      query = bindSelectStatement(b, scope, select);
      recursive = scope.recursiveCte.references > 0;
      scope.recursiveCte = null;
      if (recursive) checkRecursion(b, name, columns, initial, query);
    } else {
      query = bindSelectStatement(b, scope, select);
      scope.cteNames.set(name, index);
    }
    const materialized =
      cte.ctematerialized === 'CTEMaterializeAlways'
        ? 'always'
        : cte.ctematerialized === 'CTEMaterializeNever'
          ? 'never'
          : 'default';
    const common: CommonTable = { name, query, columns: rename(query), recursive, materialized };
    scope.ctes.push(common);
  }
  scope.laterCtes = [];
}

/** INSERT, UPDATE or DELETE in WITH. */
function bindChange(b: Binder, scope: Scope, node: Node, location: number | undefined): Query {
  if (scope.parent !== null || b.viewDepth > 0) {
    throw pgError(
      'feature_not_supported',
      'WITH clause containing a data-modifying statement must be at the top level',
      b.position(location),
    );
  }
  if ('InsertStmt' in node) return bindInsert(b, scope, node.InsertStmt);
  if ('UpdateStmt' in node) return bindUpdate(b, scope, node.UpdateStmt);
  if ('DeleteStmt' in node) return bindDelete(b, scope, node.DeleteStmt);
  throw notSupported('this statement in WITH', b.position(location));
}

function checkRecursion(
  b: Binder,
  name: string,
  columns: readonly RelationColumn[],
  initial: Query,
  query: Query,
): void {
  if (query.kind !== 'setOperation') return;
  outputShape(query).forEach((column, i) => {
    const first = columns[i];
    const { type, typmod } = first ?? column;
    if (type === column.type && typmod === column.typmod) return;
    const initialType = formatType(type, typmod);
    const overall = formatType(column.type, column.typmod);
    throw pgError(
      'datatype_mismatch',
      `recursive query "${name}" column ${i + 1} has type ${initialType} in non-recursive term but type ${overall} overall`,
      {
        hint: 'Cast the output of the non-recursive term to the correct type.',
        ...b.positionOf(visibleOutput(initial)[i]?.expr ?? CONSTANT),
      },
    );
  });
}

const CONSTANT: Expr = { kind: 'const', type: OID.unknown, typmod: -1, value: null };

/** One entry of a target list while its query is bound. */
export interface Target {
  name: string;
  expr: Expr;
}

export function bindTargetList(
  b: Binder,
  scope: Scope,
  nodes: readonly Node[],
  place: Place,
): Target[] {
  scope.place = place;
  const targets: Target[] = [];
  for (const node of nodes) {
    if (!('ResTarget' in node) || node.ResTarget.val === undefined) continue;
    const value = node.ResTarget.val;
    const columns = bindStar(b, scope, value);
    if (columns !== null) {
      targets.push(...columns);
      if ('ColumnRef' in value) reportStar(b, scope, value.ColumnRef, columns);
    } else {
      const expr = bindExpr(b, scope, value);
      const name = node.ResTarget.name ?? subqueryName(value, expr) ?? figureColumnName(value);
      targets.push({ name, expr });
    }
  }
  return targets;
}

/** A subquery that is all of a target gives it the name of its column. */
function subqueryName(value: Node, expr: Expr): string | undefined {
  if (!('SubLink' in value) || expr.kind !== 'subquery' || expr.form !== 'scalar') return undefined;
  return visibleOutput(expr.query)[0]?.name;
}

export function outputColumn(scope: Scope, target: Target): OutputColumn {
  const source = sourceOf(scope, target.expr);
  return { name: target.name, expr: target.expr, junk: false, ...source };
}

interface Source {
  readonly sourceTable: number;
  readonly sourceColumn: number;
}

const NO_SOURCE: Source = { sourceTable: 0, sourceColumn: 0 };

function sourceOf(scope: Scope, expr: Expr): Source {
  if (expr.kind !== 'column') return NO_SOURCE;
  let owner: Scope | null = scope;
  for (let i = 0; i < expr.level; i++) owner = owner?.parent ?? null;
  const entry = owner?.rangeTable[expr.relation];
  if (entry === undefined) return NO_SOURCE;
  if (entry.kind === 'table') {
    return {
      sourceTable: entry.table.oid,
      sourceColumn: (entry.attributes[expr.column] ?? -1) + 1,
    };
  }
  if (entry.kind === 'systemView') {
    return { sourceTable: entry.oid, sourceColumn: expr.column + 1 };
  }
  if (entry.kind === 'subquery') {
    const inner = visibleOutput(entry.query)[expr.column];
    return inner === undefined
      ? NO_SOURCE
      : { sourceTable: inner.sourceTable, sourceColumn: inner.sourceColumn };
  }
  return NO_SOURCE;
}

function bindSimpleSelect(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  options: SelectOptions,
): SelectQuery {
  if (scope.parent !== null && node.intoClause !== undefined) {
    const { location } = node.intoClause.rel ?? {};
    throw pgError('syntax_error', 'SELECT ... INTO is not allowed here', b.position(location));
  }
  scope.windows = (node.windowClause ?? []).flatMap((item) =>
    'WindowDef' in item ? [item.WindowDef] : [],
  );
  const from = bindFromClause(b, scope, node.fromClause ?? []);
  const targets = bindTargetList(b, scope, node.targetList ?? [], 'SELECT');
  const where = bindCondition(b, scope, node.whereClause, 'WHERE');
  const having = bindCondition(b, scope, node.havingClause, 'HAVING');
  // Grouping sets tell targets apart that are the same otherwise, which ORDER BY has to know.
  const groupsFirst = (node.groupClause ?? []).some((item) => 'GroupingSet' in item);
  const bindGroups = () => bindGroupClause(b, scope, targets, node.groupClause ?? []);
  const early = groupsFirst ? bindGroups() : null;
  const orderBy = sortKeys(b, node.sortClause ?? [], (item) =>
    bindTargetReference(b, scope, targets, item, 'ORDER BY'),
  );
  const group = early ?? bindGroups();
  const distinct = bindDistinct(b, scope, targets, node.distinctClause, orderBy);
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  const windows = bindWindows(b, scope, targets);
  if (options.keepUnknown !== true || distinct !== 'none') {
    for (const target of targets) target.expr = resolveUnknown(b, target.expr);
  }
  if (distinct === 'all') for (const target of targets) requireEquality(b, target.expr);
  scope.place = 'SELECT';
  refuseRecursiveAggregates(b, scope, targets, having);
  for (const key of group.exprs) {
    const message = 'window functions are not allowed in GROUP BY';
    refuseWindowCalls(b, key, 'windowing_error', message);
  }
  const hasAggregates = scope.hasAggregates || having !== null;
  const grouped = hasAggregates || (node.groupClause?.length ?? 0) > 0;
  if (grouped) {
    checkGrouping(b, scope, group, [
      ...targets.map((target) => target.expr),
      ...(having === null ? [] : [having]),
      ...orderBy.map((key) => key.expr),
      ...(typeof distinct === 'object' ? distinct.on : []),
      ...windows.flatMap(({ partitionBy, orderBy: keys }) =>
        [...partitionBy, ...keys].map((key) => key.expr),
      ),
    ]);
  }
  const locking = bindLocking(b, scope, node, grouped, distinct !== 'none');
  return {
    kind: 'select',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    from,
    where,
    output: targets.map((target) => outputColumn(scope, target)),
    groupBy: group.exprs,
    groupingSets: group.sets,
    hasAggregates,
    having,
    windows,
    distinct,
    orderBy,
    limit,
    offset,
    withTies,
    locking,
  };
}

/** The rows of the step before are no whole that could be aggregated. */
function refuseRecursiveAggregates(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  having: Expr | null,
): void {
  if (!scope.hasAggregates) return;
  if (!scope.rangeTable.some((entry) => entry.kind === 'cte' && entry.selfReference)) return;
  let position = {};
  for (const expr of [
    ...targets.map((target) => target.expr),
    ...(having === null ? [] : [having]),
  ]) {
    someExpr(expr, (part) => {
      if (part.kind !== 'aggregate' || part.level > 0) return false;
      position = b.positionOf(part);
      return true;
    });
  }
  throw pgError(
    'invalid_recursion',
    "aggregate functions are not allowed in a recursive query's recursive term",
    position,
  );
}

export function bindCondition(
  b: Binder,
  scope: Scope,
  node: Node | undefined,
  place: Place,
): Expr | null {
  if (node === undefined) return null;
  scope.place = place;
  return coerceToBoolean(b, bindExpr(b, scope, node), place);
}

/** The target that an ORDER BY, GROUP BY or DISTINCT ON item means by position, name or value; null
 * when it is an expression of its own. */
export function findTarget(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  node: Node,
  clause: 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON',
): Target | null {
  if ('ColumnRef' in node && node.ColumnRef.fields?.length === 1) {
    const name = nameList(node.ColumnRef.fields)[0];
    const hidden =
      clause === 'GROUP BY' &&
      name !== undefined &&
      columnHere(b, scope, name, node.ColumnRef.location);
    if (name !== undefined && !hidden) {
      let found: Target | null = null;
      for (const target of targets) {
        if (target.name !== name) continue;
        if (found !== null && !b.same(found.expr, target.expr)) {
          throw pgError(
            'ambiguous_column',
            `${clause} "${name}" is ambiguous`,
            b.position(node.ColumnRef.location),
          );
        }
        found ??= target;
      }
      if (found !== null) return found;
    }
  }
  if ('A_Const' in node) {
    const position = integerConstant(node);
    const { location } = node.A_Const;
    if (position === undefined) {
      if (node.A_Const.isnull === true) return null;
      throw pgError('syntax_error', `non-integer constant in ${clause}`, b.position(location));
    }
    const target = targets[position - 1];
    if (target === undefined) {
      throw pgError(
        'invalid_column_reference',
        `${clause} position ${position} is not in select list`,
        b.position(location),
      );
    }
    return target;
  }
  return null;
}

function columnHere(b: Binder, scope: Scope, name: string, location: number | undefined): boolean {
  const found = findColumn(b, scope, name, location);
  return found !== undefined && !(found.kind === 'column' && found.level > 0);
}

/** An ORDER BY or GROUP BY item: a target, or an expression over the FROM clause. */
export function bindTargetReference(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  node: Node,
  clause: 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON',
): Expr {
  const target = findTarget(b, scope, targets, node, clause);
  if (target !== null) {
    target.expr = resolveUnknown(b, target.expr);
    return target.expr;
  }
  scope.place = clause;
  const expr = resolveUnknown(b, bindExpr(b, scope, node));
  const same = targets.find((other) => b.same(other.expr, expr));
  return same?.expr ?? expr;
}

function bindDistinct(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  clause: readonly Node[] | undefined,
  orderBy: readonly SortKey[],
): SelectQuery['distinct'] {
  if (clause === undefined || clause.length === 0) return 'none';
  const items = clause.filter((node) => Object.keys(node).length > 0);
  if (items.length === 0) {
    for (const key of orderBy) {
      if (targets.some((target) => b.same(target.expr, key.expr))) continue;
      throw pgError(
        'invalid_column_reference',
        'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
        b.positionOf(key.expr),
      );
    }
    return 'all';
  }
  const on: Expr[] = [];
  const locations: (number | undefined)[] = [];
  for (const node of items) {
    const expr = bindTargetReference(b, scope, targets, node, 'DISTINCT ON');
    requireEquality(b, expr);
    if (on.some((other) => b.same(other, expr))) continue;
    on.push(expr);
    locations.push(firstLocation(node));
  }
  const behind = behindOthers(b, on, orderBy);
  if (behind >= 0) {
    throw pgError(
      'invalid_column_reference',
      'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
      b.position(locations[behind]),
    );
  }
  return { on };
}

/** The index of an expression of DISTINCT ON that rows are not sorted by before any other; -1 where rows are sorted
 * by all of them first. */
function behindOthers(b: Binder, on: readonly Expr[], orderBy: readonly SortKey[]): number {
  const left = new Set(on.keys());
  let isBehind = false;
  for (const key of orderBy) {
    const index = on.findIndex((expr) => b.same(expr, key.expr));
    if (index < 0) isBehind = true;
    else if (isBehind) return index;
    left.delete(index);
  }
  const [rest = -1] = left;
  return isBehind ? rest : -1;
}

interface BoundLimit {
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly withTies: boolean;
}

function bindLimit(b: Binder, scope: Scope, node: SelectStmt): BoundLimit {
  const bound = (part: Node | undefined, place: 'LIMIT' | 'OFFSET'): Expr | null => {
    if (part === undefined) return null;
    if ('A_Const' in part && part.A_Const.isnull === true) return null;
    scope.place = place;
    const expr = coerceToSpecific(b, bindExpr(b, scope, part), OID.int8, place);
    visitReferences(expr, (reference, depth) => {
      if (reference.kind === 'column' && reference.level === depth) {
        throw pgError(
          'invalid_column_reference',
          `argument of ${place} must not contain variables`,
          b.positionOf(reference),
        );
      }
    });
    return expr;
  };
  const offset = bound(node.limitOffset, 'OFFSET');
  const limit = bound(node.limitCount, 'LIMIT');
  const withTies = node.limitOption === 'LIMIT_OPTION_WITH_TIES';
  const isNull = node.limitCount !== undefined && limit === null;
  if (withTies && isNull) {
    throw pgError(
      'invalid_row_count_in_limit_clause',
      'row count cannot be null in FETCH FIRST ... WITH TIES clause',
    );
  }
  if (withTies && (node.sortClause?.length ?? 0) === 0) {
    throw pgError('syntax_error', 'WITH TIES cannot be specified without ORDER BY clause');
  }
  return { limit, offset, withTies };
}

const STRENGTHS: Readonly<Record<string, RowLockStrength>> = {
  LCS_FORKEYSHARE: 'keyShare',
  LCS_FORSHARE: 'share',
  LCS_FORNOKEYUPDATE: 'noKeyUpdate',
  LCS_FORUPDATE: 'update',
};
const STRENGTH_NAMES: Readonly<Record<RowLockStrength, string>> = {
  keyShare: 'FOR KEY SHARE',
  share: 'FOR SHARE',
  noKeyUpdate: 'FOR NO KEY UPDATE',
  update: 'FOR UPDATE',
};
const STRENGTH_ORDER: readonly RowLockStrength[] = ['keyShare', 'share', 'noKeyUpdate', 'update'];

function bindLocking(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  grouped: boolean,
  distinct: boolean,
): RowLockClause[] {
  const locks = new Map<number, RowLockClause>();
  for (const item of node.lockingClause ?? []) {
    if (!('LockingClause' in item)) continue;
    const clause = item.LockingClause;
    const strength = STRENGTHS[clause.strength ?? ''] ?? 'update';
    const name = STRENGTH_NAMES[strength];
    const refuse = (what: string): never => {
      throw pgError('feature_not_supported', `${name} is not allowed with ${what}`);
    };
    if (distinct) refuse('DISTINCT clause');
    if ((node.groupClause?.length ?? 0) > 0) refuse('GROUP BY clause');
    if (node.havingClause !== undefined) refuse('HAVING clause');
    if (grouped) refuse('aggregate functions');
    if (scope.hasWindows) refuse('window functions');
    if (scope.hasSets) refuse('set-returning functions in the target list');
    for (const relation of lockedRelations(b, scope, clause, name)) {
      const waitPolicy =
        clause.waitPolicy === 'LockWaitError'
          ? 'nowait'
          : clause.waitPolicy === 'LockWaitSkip'
            ? 'skip'
            : 'block';
      const before = locks.get(relation);
      const stronger =
        before === undefined ||
        STRENGTH_ORDER.indexOf(strength) > STRENGTH_ORDER.indexOf(before.strength);
      locks.set(relation, {
        relation,
        strength: stronger ? strength : before.strength,
        waitPolicy: before === undefined || waitPolicy !== 'block' ? waitPolicy : before.waitPolicy,
      });
    }
  }
  return [...locks.values()];
}

function lockedRelations(b: Binder, scope: Scope, clause: LockingClause, name: string): number[] {
  const relations: number[] = [];
  if (clause.lockedRels === undefined || clause.lockedRels.length === 0) {
    scope.rangeTable.forEach((entry, relation) => {
      if (entry.kind === 'table') relations.push(relation);
      else if (entry.kind === 'subquery') throw notSupported(`${name} on a subquery or view`);
    });
    return relations;
  }
  for (const item of clause.lockedRels) {
    if (!('RangeVar' in item)) continue;
    const { relname = '', schemaname, location } = item.RangeVar;
    const position = b.position(location ?? 0);
    if (schemaname !== undefined) {
      throw pgError('syntax_error', `${name} must specify unqualified relation names`, position);
    }
    const relation = scope.rangeTable.findIndex((entry) => entry.alias === relname);
    const entry = scope.rangeTable[relation];
    if (entry === undefined) {
      throw pgError(
        'undefined_table',
        `relation "${relname}" in ${name} clause not found in FROM clause`,
        position,
      );
    }
    if (entry.kind === 'table') relations.push(relation);
    else if (entry.kind === 'subquery') throw notSupported(`${name} on a subquery or view`);
    else {
      const what = {
        join: 'a join',
        function: 'a function',
        values: 'VALUES',
        cte: 'a WITH query',
        systemView: 'a system view',
      }[entry.kind];
      const condition = entry.kind === 'systemView' ? 'wrong_object_type' : 'feature_not_supported';
      throw pgError(condition, `${name} cannot be applied to ${what}`, position);
    }
  }
  return relations;
}

/** VALUES as a query of its own. */
function bindValues(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  options: SelectOptions,
): ValuesQuery {
  scope.place = 'VALUES';
  const rows = bindValuesRows(b, scope, node.valuesLists ?? []);
  const width = rows[0]?.length ?? 0;
  const output: OutputColumn[] = [];
  for (let column = 0; column < width; column++) {
    const cells = rows.map((row) => row[column] as Expr);
    const allUnknown = cells.every((cell) => cell.type === OID.unknown);
    const type =
      allUnknown && options.keepUnknown === true
        ? OID.unknown
        : selectCommonType(b, cells, 'VALUES');
    const coerced = cells.map((cell) => coerceToCommon(b, cell, type, 'VALUES'));
    coerced.forEach((cell, i) => {
      (rows[i] as Expr[])[column] = cell;
    });
    const typmod = commonTypmod(coerced, type);
    output.push({
      name: `column${column + 1}`,
      expr: { kind: 'input', type, typmod, column },
      junk: false,
      ...NO_SOURCE,
    });
  }
  if ((node.lockingClause?.length ?? 0) > 0) {
    throw pgError('feature_not_supported', 'FOR UPDATE cannot be applied to VALUES');
  }
  const orderBy = bindOutputOrder(b, output, node.sortClause ?? [], 'VALUES');
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  return { kind: 'values', ctes: scope.ctes, rows, output, orderBy, limit, offset, withTies };
}

export function bindValuesRows(b: Binder, scope: Scope, lists: readonly Node[]): Expr[][] {
  let width = -1;
  return lists.map((list) => {
    const nodes = listItems(list);
    const row = bindExprList(b, scope, nodes);
    if (width >= 0 && row.length !== width) {
      throw pgError('syntax_error', 'VALUES lists must all be the same length', {
        ...b.positionOf(row[0] as Expr),
      });
    }
    width = row.length;
    return row;
  });
}

const OPERATIONS = {
  SETOP_UNION: 'union',
  SETOP_INTERSECT: 'intersect',
  SETOP_EXCEPT: 'except',
} as const;

function bindSetOperation(b: Binder, scope: Scope, node: SelectStmt): SetOperationQuery {
  const operation = OPERATIONS[node.op as keyof typeof OPERATIONS];
  const name = operation.toUpperCase();
  if ((node.lockingClause?.length ?? 0) > 0) {
    throw pgError('feature_not_supported', 'FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT');
  }
  const left = bindSelectStatement(b, scope, node.larg as SelectStmt, { keepUnknown: true });
  const right = bindSelectStatement(b, scope, node.rarg as SelectStmt, { keepUnknown: true });
  const leftColumns = visibleOutput(left);
  const rightColumns = visibleOutput(right);
  if (leftColumns.length !== rightColumns.length) {
    const first = rightColumns[0];
    throw pgError(
      'syntax_error',
      `each ${name} query must have the same number of columns`,
      first === undefined ? {} : b.positionOf(first.expr),
    );
  }
  const all = node.all === true;
  const leftExprs: Expr[] = [];
  const rightExprs: Expr[] = [];
  const output: OutputColumn[] = leftColumns.map((column, i) => {
    const other = rightColumns[i] as OutputColumn;
    const type = selectCommonType(b, [column.expr, other.expr], name);
    const a = coerceToCommon(b, column.expr, type, name);
    const c = coerceToCommon(b, other.expr, type, name);
    leftExprs.push(a);
    rightExprs.push(c);
    if (!all) requireEquality(b, a);
    const expr: Expr = { kind: 'input', type, typmod: commonTypmod([a, c], type), column: i };
    return { name: column.name, expr: b.at(expr, b.locationOf(a)), junk: false, ...NO_SOURCE };
  });
  const orderBy = bindOutputOrder(b, output, node.sortClause ?? [], 'UNION/INTERSECT/EXCEPT');
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  return {
    kind: 'setOperation',
    ctes: scope.ctes,
    operation,
    all,
    left: withOutput(left, leftExprs),
    right: withOutput(right, rightExprs),
    output,
    orderBy,
    limit,
    offset,
    withTies,
  };
}

/** The query with other expressions for its result columns: casts of what it had. */
export function withOutput(query: Query, exprs: readonly Expr[]): Query {
  const before = visibleOutput(query);
  if (exprs.every((expr, i) => expr === before[i]?.expr)) return query;
  if (query.kind === 'select' && query.distinct === 'none' && query.orderBy.length === 0) {
    const output = query.output.map((column, i) => ({ ...column, expr: exprs[i] as Expr }));
    return { ...query, output };
  }
  if (query.kind === 'values' && query.orderBy.length === 0) {
    // An untyped constant of VALUES takes its type in each row.
    const output = query.output.map((column, i) => ({ ...column, expr: exprs[i] as Expr }));
    return { ...query, output };
  }
  const columns = before.map(({ name, expr }) => ({ name, type: expr.type, typmod: expr.typmod }));
  return {
    kind: 'select',
    ctes: [],
    rangeTable: [
      { kind: 'subquery', alias: '*SELECT*', columns, query: raiseQuery(query, 1), lateral: false },
    ],
    from: [{ kind: 'relation', relation: 0 }],
    where: null,
    output: before.map((column, i) => ({
      ...column,
      expr: overSubquery(exprs[i] as Expr, column.expr, i),
    })),
    groupBy: [],
    groupingSets: null,
    hasAggregates: false,
    having: null,
    windows: [],
    distinct: 'none',
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
    locking: [],
  };
}

/** The cast `expr` of `inner`, taken over column `column` of a subquery that yields `inner`. */
function overSubquery(expr: Expr, inner: Expr, column: number): Expr {
  const { type, typmod } = inner;
  const reference: Expr = { kind: 'column', type, typmod, level: 0, relation: 0, column };
  if (expr === inner) return reference;
  if (expr.kind === 'cast' || expr.kind === 'typmod') {
    return { ...expr, argument: overSubquery(expr.argument, inner, column) };
  }
  return reference;
}

function bindOutputOrder(
  b: Binder,
  output: readonly OutputColumn[],
  nodes: readonly Node[],
  clause: string,
): SortKey[] {
  return sortKeys(b, nodes, (node) => {
    const index = outputIndex(b, output, node, clause);
    const { type, typmod } = (output[index] as OutputColumn).expr;
    return { kind: 'input', type, typmod, column: index };
  });
}

function outputIndex(
  b: Binder,
  output: readonly OutputColumn[],
  node: Node,
  clause: string,
): number {
  const position = integerConstant(node);
  if (position !== undefined) {
    if (position >= 1 && position <= output.length) return position - 1;
    throw pgError(
      'invalid_column_reference',
      `ORDER BY position ${position} is not in select list`,
      b.position('A_Const' in node ? node.A_Const.location : undefined),
    );
  }
  if ('ColumnRef' in node && node.ColumnRef.fields?.length === 1) {
    const name = nameList(node.ColumnRef.fields)[0];
    const index = output.findIndex((column) => column.name === name);
    if (index >= 0) return index;
    throw pgError(
      'undefined_column',
      `column "${name}" does not exist`,
      b.position(node.ColumnRef.location ?? 0),
    );
  }
  if (clause === 'VALUES') throw notSupported('ORDER BY an expression over VALUES');
  throw pgError('feature_not_supported', `invalid ${clause} ORDER BY clause`, {
    detail: 'Only result column names can be used, not expressions or functions.',
    hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
  });
}

/** Whether an expression has a set-returning call in it. */
export function hasSetCalls(expr: Expr): boolean {
  return someExpr(expr, (part) => part.kind === 'setCall');
}
