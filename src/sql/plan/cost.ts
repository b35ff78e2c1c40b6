import { assertNever } from '../../base/index.ts';
import type { Expr } from '../expression.ts';
import { visitChildren } from '../expression-tree.ts';

/** PostgreSQL's cost constants, in units of one sequential page read. */
export const SEQ_PAGE_COST = 1;
export const RANDOM_PAGE_COST = 4;
export const CPU_TUPLE_COST = 0.01;
export const CPU_INDEX_TUPLE_COST = 0.005;
export const CPU_OPERATOR_COST = 0.0025;
export const PAGE_SIZE = 8192;
export const WORK_MEM_BYTES = 4 * 1024 * 1024;
/** Bytes that a tuple has besides its columns. */
export const TUPLE_OVERHEAD = 28;

export interface Cost {
  readonly startup: number;
  readonly total: number;
}

/** Cost of evaluating an expression once. */
export function exprCost(expr: Expr | null): number {
  if (expr === null) return 0;
  let cost = 0;
  const visit = (part: Expr): void => {
    switch (part.kind) {
      case 'call':
      case 'setCall':
      case 'distinct':
      case 'nullIf':
      case 'aggregate':
      case 'window':
        cost += CPU_OPERATOR_COST;
        break;
      case 'cast':
        if (part.method !== 'relabel') cost += CPU_OPERATOR_COST;
        break;
      case 'any':
      case 'all':
        cost += CPU_OPERATOR_COST * 0.5 * (part.list?.length ?? 10);
        break;
      case 'subquery':
        cost += CPU_OPERATOR_COST * 100;
        break;
      default:
        break;
    }
    visitChildren(part, visit);
  };
  visit(expr);
  return cost;
}

export function exprsCost(exprs: readonly Expr[]): number {
  let cost = 0;
  for (const expr of exprs) cost += exprCost(expr);
  return cost;
}

/** cost_sort: comparison sort in memory, or with a merge on disk beyond work_mem. */
export function sortCost(input: Cost, rows: number, width: number, limit: number): Cost {
  const tuples = Math.max(rows, 2);
  const comparison = 2 * CPU_OPERATOR_COST;
  const bytes = tuples * (width + TUPLE_OVERHEAD);
  let startup = input.total;
  if (limit < tuples && limit * (width + TUPLE_OVERHEAD) <= WORK_MEM_BYTES) {
    startup += comparison * tuples * Math.log2(2 * Math.max(limit, 1));
  } else if (bytes > WORK_MEM_BYTES) {
    const pages = Math.ceil(bytes / PAGE_SIZE);
    const passes = Math.max(1, Math.ceil(Math.log(bytes / WORK_MEM_BYTES) / Math.log(100)));
    startup += comparison * tuples * Math.log2(tuples);
    startup += 2 * pages * passes * (SEQ_PAGE_COST * 0.75 + RANDOM_PAGE_COST * 0.25);
  } else startup += comparison * tuples * Math.log2(tuples);
  return { startup, total: startup + CPU_OPERATOR_COST * tuples };
}

/** cost_agg. */
export function aggregateCost(
  strategy: 'plain' | 'hash' | 'sorted',
  input: Cost,
  inputRows: number,
  groups: number,
  keys: number,
  transition: number,
): Cost {
  switch (strategy) {
    case 'plain': {
      const startup = input.total + transition * inputRows;
      return { startup, total: startup + CPU_TUPLE_COST };
    }
    case 'sorted': {
      const work = (transition + CPU_OPERATOR_COST * keys) * inputRows;
      return { startup: input.startup, total: input.total + work + CPU_TUPLE_COST * groups };
    }
    case 'hash': {
      const startup = input.total + (transition + CPU_OPERATOR_COST * keys) * inputRows;
      return { startup, total: startup + CPU_TUPLE_COST * groups };
    }
    default:
      return assertNever(strategy);
  }
}

/** Pages of a table that `fetched` random tuples touch: Mackert and Lohman's approximation. */
export function pagesFetched(fetched: number, pages: number): number {
  const total = Math.max(pages, 1);
  const touched = (2 * total * fetched) / (2 * total + fetched);
  return Math.min(Math.ceil(touched), total);
}

/** Cost of each of `fetched` scattered pages of a table: the more of the table they are, the more they
 * are read in sequence (cost_bitmap_heap_scan). */
export function scatteredPageCost(fetched: number, pages: number): number {
  const part = Math.min(1, fetched / Math.max(1, pages));
  return RANDOM_PAGE_COST - (RANDOM_PAGE_COST - SEQ_PAGE_COST) * Math.sqrt(part);
}
