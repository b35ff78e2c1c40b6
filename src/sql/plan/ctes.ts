import { AssertionError } from '../../base/index.ts';
import type { Query, RangeTableEntry } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { visitChildren, visitQuery } from '../expression-tree.ts';
import { pushDown } from '../optimize/index.ts';
import { type Clause, isVolatile } from './clauses.ts';
import type { SlotValue } from './paths.ts';
import type { PlanNode } from './plan.ts';
import type { PlannedCte, QueryPlanner } from './query-planner.ts';
import { planMember } from './set-operations.ts';

/** Common tables: read once, they are planned in place; else they are computed once. */
export type CteSource =
  | {
      readonly kind: 'inline';
      readonly node: PlanNode;
      readonly needs: readonly SlotValue[];
      /** The conditions that are left to do. */
      readonly rest: readonly Clause[];
    }
  | { readonly kind: 'scan'; readonly cte: number; readonly name: string; readonly rows: number }
  | { readonly kind: 'workTable'; readonly workTable: number; readonly rows: number };

export function inlineOrPlanCte(
  planner: QueryPlanner,
  entry: Extract<RangeTableEntry, { kind: 'cte' }>,
  relation: number,
  clauses: readonly Clause[],
): CteSource {
  const planned = planner.findCte(entry.level, entry.index);
  if (entry.selfReference) {
    return { kind: 'workTable', workTable: planned.workTable, rows: planned.rows };
  }
  const { cte, owner } = planned;
  if (canInline(planned)) {
    // What conditions refer to further out is as far from the common table where that is of this query.
    const { query, rest } =
      owner === planner
        ? pushClauses(cte.query, relation, clauses)
        : { query: cte.query, rest: clauses };
    const inner = owner.inner(query);
    return { kind: 'inline', node: inner.plan(), needs: [], rest };
  }
  const index = plannedCte(planned);
  return { kind: 'scan', cte: index, name: cte.name, rows: planned.rows };
}

/** A query of FROM with those conditions on its rows that it can apply itself, and the others. */
export function pushClauses(
  query: Query,
  relation: number,
  clauses: readonly Clause[],
): { readonly query: Query; readonly rest: readonly Clause[] } {
  const exprs = clauses.map((clause) => clause.expr);
  const pushed = pushDown(query, relation, exprs);
  return {
    query: pushed.query,
    rest: clauses.filter((clause) => pushed.rest.includes(clause.expr)),
  };
}

/** The place among the statement's common tables of one that is computed; planned if it is not yet. */
export function plannedCte(planned: PlannedCte): number {
  const { cte, owner } = planned;
  if (planned.node >= 0) return planned.node;
  planned.node = owner.statement.ctes.length;
  owner.statement.ctes.push(undefined as unknown as PlanNode);
  const node = cte.recursive ? planRecursive(planned) : owner.inner(cte.query).plan();
  owner.statement.ctes[planned.node] = node;
  planned.rows = node.rows;
  return planned.node;
}

export function changesData(query: Query): boolean {
  return query.kind === 'insert' || query.kind === 'update' || query.kind === 'delete';
}

/** As PostgreSQL decides: a single reader and no side effects, unless told otherwise. */
function canInline(planned: PlannedCte): boolean {
  const { cte, owner } = planned;
  if (cte.recursive || changesData(cte.query)) return false;
  if (cte.materialized === 'always') return false;
  const index = owner.ctes.indexOf(planned);
  if (cte.materialized === 'default' && countReaders(owner.query, index, 0) > 1) return false;
  return !hasSideEffects(cte.query);
}

function countReaders(query: Query, index: number, depth: number): number {
  let count = 0;
  const enter = (inner: Query, levels: number) => {
    count += countReaders(inner, index, depth + levels);
  };
  if ('rangeTable' in query) {
    for (const entry of query.rangeTable) {
      if (entry.kind === 'cte' && entry.level === depth && entry.index === index) count++;
    }
  }
  const visitExpr = (expr: Expr): void => visitSubqueries(expr, (inner) => enter(inner, 1));
  visitQuery(query, visitExpr, enter);
  return count;
}

function visitSubqueries(expr: Expr, visit: (query: Query) => void): void {
  if (expr.kind === 'subquery') visit(expr.query);
  visitChildren(expr, (child) => visitSubqueries(child, visit));
}

function hasSideEffects(query: Query): boolean {
  let found = false;
  const enter = (inner: Query) => {
    found ||= hasSideEffects(inner);
  };
  const visitExpr = (expr: Expr): void => {
    found ||= isVolatile(expr);
    visitSubqueries(expr, enter);
  };
  visitQuery(query, visitExpr, enter);
  return found;
}

/** WITH RECURSIVE: the first member starts, the second runs over the rows of the round before. */
function planRecursive(planned: PlannedCte): PlanNode {
  const { cte, owner } = planned;
  const { query } = cte;
  if (query.kind !== 'setOperation') throw new AssertionError('a recursive query without UNION');
  const inner = owner.inner(query);
  const initial = planMember(inner, query.left);
  planned.workTable = owner.statement.newWorkTable();
  planned.rows = Math.max(1, initial.rows * 10);
  const step = planMember(inner, query.right);
  const rows = initial.rows + step.rows * 10;
  const node: PlanNode = {
    kind: 'recursiveUnion',
    output: initial.output,
    rows,
    width: initial.width,
    startupCost: initial.startupCost,
    totalCost: initial.totalCost + step.totalCost * 10 + 0.01 * rows,
    initial,
    step,
    all: query.all,
    workTable: planned.workTable,
  };
  return node;
}
