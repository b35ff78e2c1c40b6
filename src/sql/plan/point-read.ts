import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { ConstExpr, Expr, ParamExpr } from '../expression.ts';
import type { Plan, PlanNode } from './plan.ts';

/** A plan that reads at most one row by its clustered key and passes columns on as they are. */
export interface PointRead {
  readonly table: RelationDescriptor;
  /** Values of the key's columns, in the order of the table's clustering key. */
  readonly key: readonly (ConstExpr | ParamExpr)[];
  /** Positions in the table's columns of the result's columns. */
  readonly columns: readonly number[];
}

/** The plan as a point read, or null when it is more than that: when it does not name the row by
 * equality on all columns of the clustering key, or when something has to be computed. */
export function pointRead(plan: Plan): PointRead | null {
  if (plan.needsWriter || plan.needsCatalog) return null;
  if (plan.subplans.length > 0 || plan.ctes.length > 0) return null;
  const { root } = plan;
  const scan: PlanNode = root.kind === 'project' ? root.input : root;
  if (scan.kind !== 'indexScan' || scan.filter !== null || scan.locator) return null;
  const table = plan.tables[scan.table];
  const index = table?.indexes.find((candidate) => candidate.oid === scan.index);
  const [range] = scan.ranges;
  if (table === undefined || table.clusterKey === null || index?.clustered !== true) return null;
  if (scan.ranges.length !== 1 || range === undefined) return null;
  if (range.equal.length !== table.clusterKey.length || range.anyOf !== null) return null;
  if (range.lower !== null || range.upper !== null || range.isNull) return null;
  const key: (ConstExpr | ParamExpr)[] = [];
  for (const value of range.equal) {
    if (value.kind !== 'const' && value.kind !== 'param') return null;
    key.push(value);
  }
  const exprs: readonly Expr[] | null = root.kind === 'project' ? root.exprs : null;
  if (exprs === null) return { table, key, columns: scan.columns };
  const columns: number[] = [];
  for (const expr of exprs) {
    if (expr.kind !== 'input') return null;
    columns.push(scan.columns[expr.column]!);
  }
  return { table, key, columns };
}
