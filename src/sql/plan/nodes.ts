import type { Expr, SortKey } from '../expression.ts';
import { CPU_OPERATOR_COST, CPU_TUPLE_COST, exprCost, exprsCost, sortCost } from './cost.ts';
import type { NodeColumn, PlanNode } from './plan.ts';

/** Makers of the plan nodes that stand in many places. */

/** Widths that PostgreSQL assumes for types of variable length. */
export function typeWidth(type: number, typmod = -1): number {
  switch (type) {
    case 16:
    case 18:
      return 1;
    case 21:
      return 2;
    case 23:
    case 26:
    case 700:
    case 1082:
      return 4;
    case 20:
    case 701:
    case 1083:
    case 1114:
    case 1184:
      return 8;
    case 1186:
    case 2950:
      return 16;
    case 19:
      return 64;
    case 1042:
      return typmod > 4 ? typmod : 32;
    default:
      return 32;
  }
}

export function columnOf(expr: Expr): NodeColumn {
  return { type: expr.type, typmod: expr.typmod, name: '' };
}

export function widthOf(columns: readonly NodeColumn[]): number {
  let width = 0;
  for (const column of columns) width += typeWidth(column.type, column.typmod);
  return width;
}

/** Where each of `exprs` just passes an input column on, in order and without a gap. */
function isIdentity(input: PlanNode, exprs: readonly Expr[]): boolean {
  return (
    exprs.length === input.output.length &&
    exprs.every((expr, i) => expr.kind === 'input' && expr.column === i)
  );
}

export function projectNode(input: PlanNode, exprs: readonly Expr[]): PlanNode {
  if (isIdentity(input, exprs)) return input;
  const output = exprs.map((expr) =>
    expr.kind === 'input' ? (input.output[expr.column] as NodeColumn) : columnOf(expr),
  );
  const base = { output, rows: input.rows, width: widthOf(output) };
  const cost = exprsCost(exprs);
  if (input.kind === 'result' && input.exprs.length === 0) {
    return { ...input, ...base, exprs, totalCost: input.totalCost + cost };
  }
  return {
    kind: 'project',
    ...base,
    startupCost: input.startupCost,
    totalCost: input.totalCost + cost * input.rows,
    input,
    exprs,
  };
}

export function projectSetNode(input: PlanNode, exprs: readonly Expr[]): PlanNode {
  const output = exprs.map(columnOf);
  const rows = Math.max(1, input.rows) * 1000;
  return {
    kind: 'projectSet',
    output,
    rows,
    width: widthOf(output),
    startupCost: input.startupCost,
    totalCost: input.totalCost + 0.01 * rows,
    input,
    exprs,
  };
}

export function filterNode(input: PlanNode, predicate: Expr | null, selectivity: number): PlanNode {
  if (predicate === null) return input;
  return {
    kind: 'filter',
    output: input.output,
    rows: Math.max(1, Math.round(input.rows * selectivity)),
    width: input.width,
    startupCost: input.startupCost,
    totalCost: input.totalCost + exprCost(predicate) * input.rows,
    input,
    predicate,
  };
}

export function sortNode(
  input: PlanNode,
  keys: readonly SortKey[],
  limit: Expr | null,
  offset: Expr | null,
  presorted: number,
): PlanNode {
  const bound =
    limit === null
      ? Number.POSITIVE_INFINITY
      : constantRows(limit, input.rows * 0.1) + constantRows(offset, 0);
  const cost = sortCost(
    { startup: input.startupCost, total: input.totalCost },
    input.rows,
    input.width,
    bound,
  );
  return {
    kind: 'sort',
    output: input.output,
    rows: input.rows,
    width: input.width,
    startupCost: cost.startup,
    totalCost: cost.total,
    input,
    keys,
    limit: limit !== null && offset === null ? limit : limit === null ? null : sum(limit, offset),
    presorted,
  };
}

const INT8_PLUS = { function: 463, operator: 684 };

/** LIMIT and OFFSET together: how many rows of the order are wanted. */
function sum(limit: Expr, offset: Expr | null): Expr {
  if (offset === null) return limit;
  return {
    kind: 'call',
    type: 20,
    typmod: -1,
    ...INT8_PLUS,
    arguments: [limit, offset],
  };
}

export function gateNode(input: PlanNode, condition: Expr, selectivity: number): PlanNode {
  const cost = exprCost(condition);
  return {
    kind: 'gate',
    output: input.output,
    rows: Math.max(1, Math.round(input.rows * selectivity)),
    width: input.width,
    startupCost: input.startupCost + cost,
    totalCost: input.totalCost + cost,
    input,
    condition,
  };
}

export function limitNode(
  input: PlanNode,
  limit: Expr | null,
  offset: Expr | null,
  ties: readonly Expr[] | null,
): PlanNode {
  if (limit === null && offset === null) return input;
  const skipped = Math.min(constantRows(offset, input.rows * 0.1), input.rows);
  const left = Math.max(1, input.rows - skipped);
  const rows =
    limit === null ? left : Math.max(1, Math.min(left, constantRows(limit, input.rows * 0.1)));
  const perRow = (input.totalCost - input.startupCost) / Math.max(1, input.rows);
  return {
    kind: 'limit',
    output: input.output,
    rows: Math.round(rows),
    width: input.width,
    startupCost: input.startupCost + perRow * (offset === null ? 0 : skipped),
    totalCost: Math.min(
      input.totalCost,
      input.startupCost + perRow * (rows + (offset === null ? 0 : skipped)),
    ),
    input,
    limit,
    offset,
    ties,
  };
}

/** The value of a constant row count, or a guess. */
export function constantRows(expr: Expr | null, guess: number): number {
  if (expr === null) return 0;
  const inner = expr.kind === 'cast' ? expr.argument : expr;
  if (inner.kind === 'const' && inner.value !== null) return Math.max(0, Number(inner.value));
  return Math.max(1, guess);
}

export function appendNode(inputs: readonly PlanNode[]): PlanNode {
  const [first] = inputs as readonly [PlanNode, ...PlanNode[]];
  const rows = inputs.reduce((sum, input) => sum + input.rows, 0);
  return {
    kind: 'append',
    output: first.output,
    rows,
    width: first.width,
    startupCost: first.startupCost,
    totalCost:
      inputs.reduce((sum, input) => sum + input.totalCost, 0) + CPU_TUPLE_COST * 0.5 * rows,
    inputs,
  };
}

export function distinctNode(
  input: PlanNode,
  strategy: 'hash' | 'sorted',
  keys: readonly Expr[],
  rows: number,
): PlanNode {
  const count = keys.length === 0 ? input.output.length : keys.length;
  const work = CPU_OPERATOR_COST * count * input.rows;
  return {
    kind: 'distinct',
    output: input.output,
    rows,
    width: input.width,
    startupCost: strategy === 'hash' ? input.totalCost + work : input.startupCost,
    totalCost: input.totalCost + work + (strategy === 'hash' ? CPU_TUPLE_COST * rows : 0),
    strategy,
    input,
    keys,
  };
}

export function materializeNode(input: PlanNode): PlanNode {
  return {
    kind: 'materialize',
    output: input.output,
    rows: input.rows,
    width: input.width,
    startupCost: input.startupCost,
    totalCost: input.totalCost + 2 * CPU_OPERATOR_COST * input.rows,
    input,
  };
}
