import {
  columnsIn,
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
} from '../../catalog/descriptors.ts';
import type { Expr } from '../expression.ts';
import { isVolatile } from './clauses.ts';
import { generatedColumns } from './generated-columns.ts';
import type { InsertNode, Plan, PlanNode, UpdateNode } from './plan.ts';
import { wholeKey } from './point-read.ts';

/** The table of which a plan changes at most one row, found by its clustered key, or to which it adds
 * one row that has no key; else null.
 *
 * No lock but that of the row is needed for such a change: it leaves the keys of the row as they are, and a row
 * without keys is in nobody's way. It changes no entry of an index on expressions or of a partial one. And
 * it can be begun anew as long as it has not been done: it calls nothing volatile.
 */
export function pointChange(plan: Plan): RelationDescriptor | null {
  const { root, tables } = plan;
  if (plan.needsCatalog || tables.length !== 1) return null;
  if (plan.subplans.length > 0 || plan.ctes.length > 0) return null;
  const table = tables[0]!;
  if (root.kind === 'insert') return addsKeyless(root, table) ? table : null;
  if (root.kind !== 'update' && root.kind !== 'delete') return null;
  const scan: PlanNode = root.input;
  if (scan.kind !== 'indexScan' || wholeKey(plan, scan) === null) return null;
  if (!areRepeatable([scan.filter, ...(root.returning ?? [])])) return null;
  if (root.kind === 'update' && !keepsKeys(root, table)) return null;
  if (root.kind === 'delete' && table.indexes.some(computes)) return null;
  return table;
}

function addsKeyless(node: InsertNode, table: RelationDescriptor): boolean {
  if (table.clusterKey !== null || table.indexes.length > 0 || node.onConflict !== null) {
    return false;
  }
  const { input } = node;
  const rows = input.kind === 'values' ? input.valueRows : input.kind === 'result' ? [input] : [];
  const [row] = rows;
  if (rows.length !== 1 || row === undefined) return false;
  const source = 'exprs' in row ? [...row.exprs, row.filter] : row;
  const checks = [...node.checks, ...(node.viewChecks ?? [])].map(({ expr }) => expr);
  return areRepeatable([...source, ...node.values, ...checks, ...(node.returning ?? [])]);
}

function computes(index: IndexDescriptor): boolean {
  return computedParts(index).length > 0;
}

function keepsKeys(node: UpdateNode, table: RelationDescriptor): boolean {
  const read = columnsIn(table.indexes.flatMap(computedParts));
  const isKey = (column: number): boolean =>
    table.clusterKey!.includes(column) ||
    read.has(column) ||
    table.indexes.some(
      (index) =>
        (index.unique || computes(index)) && index.columns.some((part) => part.column === column),
    );
  const { assignments, checks, viewChecks = [] } = node;
  const assigned = assignments.map(({ column }) => column);
  const generated = generatedColumns(table, assigned);
  if ([...assignments, ...generated].some(({ column }) => isKey(column))) return false;
  return areRepeatable([...assignments, ...checks, ...viewChecks].map(({ expr }) => expr));
}

function areRepeatable(exprs: readonly (Expr | null)[]): boolean {
  return exprs.every((expr) => expr === null || !isVolatile(expr));
}
