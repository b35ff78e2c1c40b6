import type { A_Const, Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { resolveUnknown } from './coercion.ts';
import { bindStar } from './column-references.ts';
import { bindExpr } from './expressions.ts';
import type { OutputColumn } from './query.ts';
import { findColumn, type Place, type Scope } from './scope.ts';
import { reportStar } from './star-columns.ts';
import { visibleOutput } from './sublinks.ts';
import { figureColumnName, integerConstant, nameList } from './syntax.ts';

/** Target lists, and what ORDER BY, GROUP BY and DISTINCT ON say of their entries. */

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
  checkTargetCount(targets.length);
  return targets;
}

/** Columns of a tuple in PostgreSQL, those that only sort or group included. */
export const TARGETS_MAX = 1664;

export function checkTargetCount(count: number): void {
  if (count <= TARGETS_MAX) return;
  throw pgError('too_many_columns', `target lists can have at most ${TARGETS_MAX} entries`);
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

export const NO_SOURCE: Source = { sourceTable: 0, sourceColumn: 0 };

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

/** The target that an ORDER BY, GROUP BY or DISTINCT ON item means by position, name or value; null
 * when it is an expression of its own. */
export function findTarget(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  node: Node,
  clause: TargetClause,
): Target | null {
  if ('A_Const' in node) return targetAt(b, targets, node.A_Const, clause);
  if (!('ColumnRef' in node) || node.ColumnRef.fields?.length !== 1) return null;
  const { location } = node.ColumnRef;
  const name = nameList(node.ColumnRef.fields)[0];
  if (name === undefined) return null;
  if (clause === 'GROUP BY' && columnHere(b, scope, name, location)) return null;
  return targetNamed(b, targets, name, location, clause);
}

export type TargetClause = 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON';

function targetNamed(
  b: Binder,
  targets: readonly Target[],
  name: string,
  location: number | undefined,
  clause: TargetClause,
): Target | null {
  let found: Target | null = null;
  for (const target of targets) {
    if (target.name !== name) continue;
    if (found !== null && !b.same(found.expr, target.expr)) {
      throw pgError('ambiguous_column', `${clause} "${name}" is ambiguous`, b.position(location));
    }
    found ??= target;
  }
  return found;
}

function targetAt(
  b: Binder,
  targets: readonly Target[],
  constant: A_Const,
  clause: TargetClause,
): Target | null {
  const position = integerConstant({ A_Const: constant });
  if (position === undefined) {
    if (constant.isnull === true) return null;
    throw pgError(
      'syntax_error',
      `non-integer constant in ${clause}`,
      b.position(constant.location),
    );
  }
  const target = targets[position - 1];
  if (target !== undefined) return target;
  throw pgError(
    'invalid_column_reference',
    `${clause} position ${position} is not in select list`,
    b.position(constant.location),
  );
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
  clause: TargetClause,
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
