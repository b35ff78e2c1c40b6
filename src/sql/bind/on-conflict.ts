import type { InferClause, OnConflictClause } from '@pgsql/types';
import type {
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import { pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import { bindAssignments } from './assignments.ts';
import type { Binder } from './binder.ts';
import { bindExpr } from './expressions.ts';
import { fixLiterals } from './index-literals.ts';
import { type ModifyTarget, otherRow, placed } from './modify-target.ts';
import { impliesPredicate } from './predicate-proof.ts';
import type { OnConflict } from './query.ts';
import type { Scope } from './scope.ts';
import { bindCondition } from './select.ts';
import { toInputs } from './stored.ts';

/** ON CONFLICT: the unique indexes that it asks for, and what it does. */

const ARBITRARY: readonly number[] = [];

export function bindOnConflict(
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
