import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { ConstExpr, Expr, ParamExpr } from '../expression.ts';
import type { PartitionPruning, Plan, PlanNode } from './plan.ts';
import { isDecidedBefore } from './selected-inputs.ts';

/** A plan that reads at most one row by its clustered key and passes columns on as they are. */
export interface PointRead {
  readonly table: RelationDescriptor;
  /** Values of the key's columns, in the order of the table's clustering key. */
  readonly key: readonly (ConstExpr | ParamExpr)[];
  /** Positions in the table's columns of the result's columns. */
  readonly columns: readonly number[];
}

/** A point read in the partition that the parameters leave: one read for each. */
export interface PartitionedPointRead {
  readonly pruning: PartitionPruning;
  readonly reads: readonly PointRead[];
}

/** The plan as a point read, or null when it is more than that: when it does not name the row by
 * equality on all columns of the clustering key, or when something has to be computed. */
export function pointRead(plan: Plan): PointRead | null {
  return isPlainRead(plan) ? readOf(plan, plan.root) : null;
}

/** The plan as a point read of a partitioned table, or null. */
export function partitionedPointRead(plan: Plan): PartitionedPointRead | null {
  if (!isPlainRead(plan)) return null;
  const { input, exprs } = unprojected(plan.root);
  const pruning = input.kind === 'append' ? (input.partitions?.pruning ?? null) : null;
  if (input.kind !== 'append' || pruning === null || !isDecidedBefore(pruning)) return null;
  const reads: PointRead[] = [];
  for (const partition of input.inputs) {
    const read = readOf(plan, partition);
    const columns = read && passedOn(exprs, read.columns);
    if (read === null || columns === null) return null;
    reads.push({ ...read, columns });
  }
  return { pruning, reads };
}

function isPlainRead(plan: Plan): boolean {
  return (
    !plan.needsWriter && !plan.needsCatalog && plan.subplans.length === 0 && plan.ctes.length === 0
  );
}

function unprojected(node: PlanNode): { input: PlanNode; exprs: readonly Expr[] | null } {
  return node.kind === 'project'
    ? { input: node.input, exprs: node.exprs }
    : { input: node, exprs: null };
}

/** The columns that expressions pass on; null where one computes something. */
function passedOn(exprs: readonly Expr[] | null, columns: readonly number[]): number[] | null {
  if (exprs === null) return [...columns];
  const passed: number[] = [];
  for (const expr of exprs) {
    if (expr.kind !== 'input') return null;
    passed.push(columns[expr.column]!);
  }
  return passed;
}

function readOf(plan: Plan, node: PlanNode): PointRead | null {
  const { input: scan, exprs } = unprojected(node);
  if (scan.kind !== 'indexScan' || scan.filter !== null || scan.locator) return null;
  const key = wholeKey(plan, scan);
  const columns = key && passedOn(exprs, scan.columns);
  return columns && { table: plan.tables[scan.table]!, key, columns };
}

/** What a scan compares the columns of its table's clustering key with, when it compares all of them,
 * with values that are known before the statement begins; else null. */
export function wholeKey(plan: Plan, scan: PlanNode): PointRead['key'] | null {
  if (scan.kind !== 'indexScan') return null;
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
  return key;
}
