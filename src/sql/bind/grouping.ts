import type { Node } from '@pgsql/types';
import { hasCondition, notSupported, pgError } from '../../errors/index.ts';
import type { ColumnExpr, Expr, GroupingExpr } from '../expression.ts';
import { SKIP, someExpr, visitChildren, visitQueryReferences } from '../expression-tree.ts';
import type { Binder } from './binder.ts';
import { ROW_MARK_COLUMN, TABLE_OID_COLUMN } from './query.ts';
import { raiseLevels, type Scope } from './scope.ts';
import { requireEquality } from './sort-keys.ts';
import { bindTargetReference, findTarget, type Target } from './target-list.ts';

/** GROUP BY, and the rule that what is selected is grouped or aggregated. */
export interface BoundGroup {
  readonly exprs: Expr[];
  readonly sets: readonly (readonly number[])[] | null;
}

const SETS_MAX = 4096;

export function bindGroupClause(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  nodes: readonly Node[],
): BoundGroup {
  const exprs: Expr[] = [];
  const hasSets = nodes.some((node) => 'GroupingSet' in node);
  const separate = new Map<Target, number>();
  const indexOf = (node: Node): number => {
    const expr = bindTargetReference(b, scope, targets, node, 'GROUP BY');
    requireEquality(b, expr);
    const known = exprs.findIndex((other) => b.same(other, expr));
    const target = hasSets ? findTarget(b, scope, targets, node, 'GROUP BY') : null;
    if (known < 0) {
      exprs.push(expr);
      if (target !== null) separate.set(target, exprs.length - 1);
      return exprs.length - 1;
    }
    const key = target === null ? known : separate.get(target);
    if (target === null || key !== undefined || separate.size === 0) return key ?? known;
    // With grouping sets, a value that is selected twice is two keys, which the columns' names tell apart.
    target.expr = relabelled(b, expr);
    exprs.push(target.expr);
    separate.set(target, exprs.length - 1);
    return exprs.length - 1;
  };
  const indexesOf = (node: Node): number[] =>
    'RowExpr' in node ? (node.RowExpr.args ?? []).map(indexOf) : [indexOf(node)];
  if (!hasSets) {
    for (const node of nodes) indexesOf(node);
    return { exprs, sets: null };
  }
  let sets: number[][] = [[]];
  for (const node of nodes) {
    const alternatives = expandSets(node, indexesOf);
    sets = sets.flatMap((set) => alternatives.map((more) => [...new Set([...set, ...more])]));
    if (sets.length > SETS_MAX) {
      throw pgError(
        'statement_too_complex',
        `too many grouping sets present (maximum ${SETS_MAX})`,
      );
    }
  }
  return { exprs, sets };
}

/** The same value as an expression that is not the same. */
function relabelled(b: Binder, argument: Expr): Expr {
  const { type, typmod } = argument;
  const method = 'relabel';
  return b.at(
    { kind: 'cast', method, function: 0, type, typmod, argument, explicit: false },
    b.locationOf(argument),
  );
}

function expandSets(node: Node, indexesOf: (node: Node) => number[]): number[][] {
  if (!('GroupingSet' in node)) return [indexesOf(node)];
  const { kind, content = [] } = node.GroupingSet;
  switch (kind) {
    case 'GROUPING_SET_EMPTY':
      return [[]];
    case 'GROUPING_SET_ROLLUP': {
      const parts = content.map(indexesOf);
      return Array.from({ length: parts.length + 1 }, (_, i) =>
        parts.slice(0, parts.length - i).flat(),
      );
    }
    case 'GROUPING_SET_CUBE': {
      const parts = content.map(indexesOf);
      const count = 1 << parts.length;
      return Array.from({ length: count }, (_, i) =>
        parts.filter((_part, bit) => ((count - 1 - i) >> (parts.length - 1 - bit)) & 1).flat(),
      );
    }
    case 'GROUPING_SET_SETS':
      return content.flatMap((part) => expandSets(part, indexesOf));
    default:
      throw notSupported('this grouping set');
  }
}

export function checkGrouping(
  b: Binder,
  scope: Scope,
  group: BoundGroup,
  exprs: readonly Expr[],
): void {
  for (const key of group.exprs) refuseAggregates(b, key);
  const dependent = dependentRelations(scope, group);
  for (const expr of exprs) check(b, scope, group, dependent, expr);
}

/** A key that names a column of the output may be an aggregate, which no key can be. */
function refuseAggregates(b: Binder, key: Expr): void {
  someExpr(key, (expr) => {
    if (expr.kind !== 'aggregate' || expr.level !== 0) return false;
    throw pgError(
      'grouping_error',
      'aggregate functions are not allowed in GROUP BY',
      b.positionOf(expr),
    );
  });
}

/** Relations whose primary key is grouped by, in every grouping set: their other columns depend on it. */
function dependentRelations(scope: Scope, group: BoundGroup): ReadonlySet<number> {
  const relations = new Set<number>();
  const everywhere = group.exprs.filter(
    (_, key) => group.sets === null || group.sets.every((set) => set.includes(key)),
  );
  scope.rangeTable.forEach((entry, relation) => {
    if (entry.kind !== 'table') return;
    const primary = entry.table.indexes.find((index) => index.primary);
    if (primary === undefined) return;
    const grouped = primary.columns.every((key) =>
      everywhere.some(
        (expr) =>
          expr.kind === 'column' &&
          expr.level === 0 &&
          expr.relation === relation &&
          entry.attributes[expr.column] === key.column,
      ),
    );
    if (grouped) relations.add(relation);
  });
  return relations;
}

function check(
  b: Binder,
  scope: Scope,
  group: BoundGroup,
  dependent: ReadonlySet<number>,
  expr: Expr,
): void {
  if (expr.kind === 'aggregate') {
    if (expr.withinGroup && expr.level === 0) {
      for (const arg of expr.arguments) checkDirect(b, scope, group, dependent, arg);
    }
    return;
  }
  if (expr.kind === 'grouping') {
    checkGroupingArguments(b, group, expr);
    return;
  }
  if (group.exprs.some((key) => b.same(key, expr))) return;
  if (expr.kind === 'column') {
    if (expr.level === 0 && !dependent.has(expr.relation)) throw ungrouped(b, scope, expr, false);
    return;
  }
  visitChildren(expr, (child) => check(b, scope, group, dependent, child));
  if (expr.kind === 'subquery') {
    visitQueryReferences(
      expr.query,
      (reference, depth) => {
        if (reference.kind === 'aggregate') return reference.level >= depth ? SKIP : undefined;
        if (reference.kind !== 'column' || reference.level !== depth) return undefined;
        if (dependent.has(reference.relation)) return undefined;
        const known = group.exprs.some((key) => b.same(raiseLevels(key, depth), reference));
        if (!known && !groupedWithin(group, reference)) {
          throw ungrouped(b, scope, reference, true);
        }
        return undefined;
      },
      1,
    );
  }
}

/** Direct arguments have one value for each group. */
function checkDirect(
  b: Binder,
  scope: Scope,
  group: BoundGroup,
  dependent: ReadonlySet<number>,
  arg: Expr,
): void {
  try {
    check(b, scope, group, dependent, arg);
  } catch (error) {
    if (!hasCondition(error, 'grouping_error')) throw error;
    const detail = 'Direct arguments of an ordered-set aggregate must use only grouped columns.';
    throw error.with({ detail });
  }
}

function checkGroupingArguments(b: Binder, group: BoundGroup, grouping: GroupingExpr): void {
  for (const argument of grouping.arguments) {
    if (group.exprs.some((key) => b.same(key, argument))) continue;
    throw pgError(
      'grouping_error',
      'arguments to GROUPING must be grouping expressions of the associated query level',
      b.positionOf(argument),
    );
  }
}

/** A column inside a grouped expression of a subquery is taken to be grouped with it. */
function groupedWithin(group: BoundGroup, column: ColumnExpr): boolean {
  return group.exprs.some(
    (key) =>
      key.kind === 'column' && key.relation === column.relation && key.column === column.column,
  );
}

/** What is no column of the table, and how errors name it: only whole rows have the mark. */
const OTHER_COLUMNS: ReadonlyMap<number, string> = new Map([
  [TABLE_OID_COLUMN, 'tableoid'],
  [ROW_MARK_COLUMN, '*'],
]);

function ungrouped(b: Binder, scope: Scope, column: ColumnExpr, inSubquery: boolean): Error {
  const entry = scope.rangeTable[column.relation];
  const attribute = OTHER_COLUMNS.get(column.column) ?? entry?.columns[column.column]?.name ?? '?';
  const name = `${entry?.alias ?? '?'}.${attribute}`;
  return pgError(
    'grouping_error',
    inSubquery
      ? `subquery uses ungrouped column "${name}" from outer query`
      : `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`,
    b.positionOf(column),
  );
}
