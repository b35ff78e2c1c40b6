import type { DeleteStmt, Node, RangeVar, ReturningClause, UpdateStmt } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { bindAssignments } from './assignments.ts';
import type { Binder } from './binder.ts';
import { resolveUnknown } from './coercion.ts';
import { bindFromClause } from './from.ts';
import { type ModifyTarget, modifyTarget, placed, viewChecksOf } from './modify-target.ts';
import type { FromItem, ModifyQuery, OutputColumn } from './query.ts';
import { type NamespaceItem, Scope } from './scope.ts';
import { bindCondition } from './select.ts';
import { bindTargetList, outputColumn } from './target-list.ts';
import { bindWith } from './with-clause.ts';

/** UPDATE and DELETE; and RETURNING, which INSERT has as well. */

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

export function bindReturning(
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
