import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { ConstExpr, Expr, ParamExpr } from '../expression.ts';
import type { Plan, PlanNode } from './plan.ts';

/** A plan that reads at most one row by its clustered key and passes columns on as they are. */
export interface PointRead {
  readonly table: RelationDescriptor;
  readonly index: number;
  /** Values of the key's columns, in the order of the clustered index. */
  readonly key: readonly (ConstExpr | ParamExpr)[];
  /** Positions in the table's columns of the result's columns. */
  readonly columns: readonly number[];
}

/** The plan as a point read, or null when it is more than that. */
export function pointRead(plan: Plan): PointRead | null {
  if (plan.subplans.length > 0 || plan.ctes.length > 0 || plan.needsWriter) return null;
  const { root } = plan;
  const scan: PlanNode = root.kind === 'project' ? root.input : root;
  if (scan.kind !== 'indexScan' || scan.filter !== null || scan.locator) return null;
  const table = plan.tables[scan.table];
  const index = table?.indexes.find((candidate) => candidate.oid === scan.index);
  const [range] = scan.ranges;
  if (table === undefined || index === undefined || !index.clustered) return null;
  if (scan.ranges.length !== 1 || range === undefined) return null;
  if (range.equal.length !== index.columns.length || range.anyOf !== null) return null;
  const key: (ConstExpr | ParamExpr)[] = [];
  for (const value of range.equal) {
    if (value.kind !== 'const' && value.kind !== 'param') return null;
    key.push(value);
  }
  const exprs: readonly Expr[] | null = root.kind === 'project' ? root.exprs : null;
  if (exprs === null) return { table, index: index.oid, key, columns: scan.columns };
  const columns: number[] = [];
  for (const expr of exprs) {
    if (expr.kind !== 'input') return null;
    columns.push(scan.columns[expr.column] ?? 0);
  }
  return { table, index: index.oid, key, columns };
}
