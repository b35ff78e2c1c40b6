import type { LiftedValues, Query, SetOperationQuery, ValuesQuery } from '../bind/query.ts';
import type { SortKey } from '../expression.ts';
import { CPU_OPERATOR_COST, exprsCost } from './cost.ts';
import { Layout } from './layout.ts';
import {
  appendNode,
  columnOf,
  distinctNode,
  limitNode,
  projectNode,
  sortNode,
  widthOf,
} from './nodes.ts';
import type { PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';

const NO_COLUMNS = new Layout();

export function planValues(planner: QueryPlanner, query: ValuesQuery): PlanNode {
  if (query.lifted !== undefined) return planLiftedRows(planner, query, query.lifted);
  const valueRows = query.rows.map((row) => row.map((cell) => planner.convert(cell, NO_COLUMNS)));
  const output = (valueRows[0] ?? []).map(columnOf);
  const rows = valueRows.length;
  const cost = exprsCost(valueRows.flat()) + CPU_OPERATOR_COST * rows;
  const values: PlanNode = {
    kind: 'values',
    output,
    rows,
    width: widthOf(output),
    startupCost: 0,
    totalCost: cost,
    valueRows,
  };
  return finish(planner, values, query);
}

function planLiftedRows(
  planner: QueryPlanner,
  query: ValuesQuery,
  { parameter, kinds }: LiftedValues,
): PlanNode {
  const rowKinds = query.rows.map((row, number) => {
    const { literals, constants } = kinds[number]!;
    const layout = Layout.ofExprs(literals.map(({ param }) => param));
    return {
      literals: literals.map(({ param, mayFail }) => ({ type: param.type, mayFail })),
      values: row.map((value) => planner.convert(value, layout)),
      constants,
    };
  });
  const output = (rowKinds[0]?.values ?? []).map(columnOf);
  const rows = LIFTED_ROWS;
  const cost = (exprsCost(rowKinds[0]?.values ?? []) + CPU_OPERATOR_COST) * rows;
  const node: PlanNode = {
    kind: 'liftedRows',
    output,
    rows,
    width: widthOf(output),
    startupCost: 0,
    totalCost: cost,
    parameter,
    rowKinds,
  };
  return finish(planner, node, query);
}

/** The plan is the same for any number of rows. */
const LIFTED_ROWS = 1000;

type Ordered = Pick<SetOperationQuery, 'output' | 'orderBy' | 'limit' | 'offset' | 'withTies'>;

/** ORDER BY, LIMIT and the casts of the result, over rows that are `input` columns. */
function finish(planner: QueryPlanner, input: PlanNode, query: Ordered): PlanNode {
  let node = input;
  const limit = query.limit && planner.convert(query.limit, NO_COLUMNS);
  const offset = query.offset && planner.convert(query.offset, NO_COLUMNS);
  // Keys name result columns, which may be casts of the input's.
  const result = query.output.map((column) => column.expr);
  const keys: SortKey[] = query.orderBy.map((key) => ({
    ...key,
    expr: key.expr.kind === 'input' ? (result[key.expr.column] ?? key.expr) : key.expr,
  }));
  if (keys.length > 0) node = sortNode(node, keys, query.withTies ? null : limit, offset, 0);
  node = limitNode(node, limit, offset, query.withTies ? keys.map((key) => key.expr) : null);
  return projectNode(node, result);
}

export function planSetOperation(planner: QueryPlanner, query: SetOperationQuery): PlanNode {
  return finish(planner, planOperation(planner, query), query);
}

function planOperation(planner: QueryPlanner, query: SetOperationQuery): PlanNode {
  if (query.operation === 'union') {
    const inputs: PlanNode[] = [];
    collectUnion(planner, query, query.all, inputs);
    const append = appendNode(inputs);
    return query.all ? append : distinctNode(append, 'hash', [], append.rows);
  }
  const left = planMember(planner, query.left);
  const right = planMember(planner, query.right);
  const rows =
    query.operation === 'except' ? left.rows : Math.max(1, Math.min(left.rows, right.rows));
  return {
    kind: 'setOperation',
    output: left.output,
    rows,
    width: left.width,
    startupCost: left.totalCost + right.totalCost,
    totalCost:
      left.totalCost +
      right.totalCost +
      CPU_OPERATOR_COST * left.output.length * (left.rows + right.rows),
    operation: query.operation,
    all: query.all,
    left,
    right,
  };
}

/** The members of nested unions of one kind are appended as one. */
function collectUnion(
  planner: QueryPlanner,
  query: SetOperationQuery,
  all: boolean,
  inputs: PlanNode[],
): void {
  for (const member of [query.left, query.right]) {
    if (member.kind === 'setOperation' && isPlainUnion(member, all)) {
      const inner = planner.inner(member);
      collectUnion(inner, member, all, inputs);
      adoptSlots(planner, inner);
    } else inputs.push(planMember(planner, member));
  }
}

function isPlainUnion(query: SetOperationQuery, all: boolean): boolean {
  return (
    query.operation === 'union' &&
    query.all === all &&
    query.ctes.length === 0 &&
    query.orderBy.length === 0 &&
    query.limit === null &&
    query.offset === null &&
    query.output.every((column, i) => column.expr.kind === 'input' && column.expr.column === i)
  );
}

export function planMember(planner: QueryPlanner, query: Query): PlanNode {
  const inner = planner.inner(query);
  const node = inner.plan();
  adoptSlots(planner, inner);
  return node;
}

/** A set operation has no relations: nothing of its members can refer to it. */
function adoptSlots(planner: QueryPlanner, inner: QueryPlanner): void {
  if (planner.slotValues(inner).length > 0) {
    throw new Error('a member of a set operation refers to the set operation');
  }
}
