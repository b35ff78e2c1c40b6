import type { Node } from '@pgsql/types';
import type { ColumnDescriptor } from '../../catalog/descriptors.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { constant } from './coercion.ts';
import { assign, assignedTwice, generatedDetail, targetDefault } from './column-values.ts';
import { bindExpr, bindExprList } from './expressions.ts';
import { outputShape } from './from.ts';
import {
  type ModifyTarget,
  requireColumn,
  storedColumn,
  type TargetColumn,
} from './modify-target.ts';
import { assignPart, partToDefault, subscriptsOf } from './part-assignment.ts';
import type { OutputColumn, Query } from './query.ts';
import type { Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { visibleOutput } from './sublinks.ts';
import { refuseUnlessUpdatable } from './view-target.ts';

/** SET of UPDATE and of ON CONFLICT. */

interface Assignment {
  readonly column: number;
  readonly expr: Expr;
  /** Whether parts of the column are assigned, which several assignments may do. */
  readonly isPart: boolean;
}

export function bindAssignments(
  b: Binder,
  scope: Scope,
  target: ModifyTarget,
  verb: 'insert' | 'update',
  nodes: readonly Node[],
): Assignment[] {
  const assignments: Assignment[] = [];
  const targets: TargetColumn[] = [];
  /** By column, as all that is wrong with columns is told in their order. */
  const refused: PgError[] = [];
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
      refused[position] = onlyDefault(target.table.columns[position] as ColumnDescriptor);
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
  b.laterErrors.push(...Object.values(refused));
  return assignments;
}

function onlyDefault(column: ColumnDescriptor): PgError {
  return pgError('generated_always', `column "${column.name}" can only be updated to DEFAULT`, {
    detail: generatedDetail(column),
  });
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
