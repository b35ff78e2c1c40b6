import type { FromItem, Query, WindowClause } from './bind/query.ts';
import type { Expr, FrameBound, SortKey, WindowFrame } from './expression.ts';

/** Walks over bound expressions and queries. Children are visited in the order in which they are
 * written; a subquery's own query is not an expression's child: see `visitQuery`. */

/** The expression with `change` applied to each direct child; itself when no child changes. */
export function mapChildren(expr: Expr, change: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'const':
    case 'param':
    case 'column':
    case 'input':
    case 'outer':
    case 'caseValue':
    case 'sqlValue':
      return expr;
    case 'call':
    case 'setCall':
    case 'grouping':
    case 'and':
    case 'or':
    case 'coalesce':
    case 'greatest':
    case 'least': {
      const args = mapList(expr.arguments, change);
      return args === expr.arguments ? expr : { ...expr, arguments: args };
    }
    case 'cast': {
      // `element` computes one array element from caseValue; it holds nothing of the outside.
      const argument = change(expr.argument);
      return argument === expr.argument ? expr : { ...expr, argument };
    }
    case 'typmod':
    case 'not':
    case 'isNull':
    case 'booleanTest':
    case 'field': {
      const argument = change(expr.argument);
      return argument === expr.argument ? expr : { ...expr, argument };
    }
    case 'distinct':
    case 'nullIf': {
      const left = change(expr.left);
      const right = change(expr.right);
      return left === expr.left && right === expr.right ? expr : { ...expr, left, right };
    }
    case 'case': {
      const argument = expr.argument && change(expr.argument);
      const whens = expr.whens.map((when) => ({
        condition: change(when.condition),
        result: change(when.result),
      }));
      const otherwise = expr.otherwise && change(expr.otherwise);
      const same =
        argument === expr.argument &&
        otherwise === expr.otherwise &&
        whens.every(
          (when, i) =>
            when.condition === expr.whens[i]?.condition && when.result === expr.whens[i]?.result,
        );
      return same ? expr : { ...expr, argument, whens, otherwise };
    }
    case 'any':
    case 'all': {
      const left = change(expr.left);
      const array = expr.array && change(expr.array);
      const list = expr.list && mapList(expr.list, change);
      return left === expr.left && array === expr.array && list === expr.list
        ? expr
        : { ...expr, left, array, list };
    }
    case 'array': {
      const elements = mapList(expr.elements, change);
      return elements === expr.elements ? expr : { ...expr, elements };
    }
    case 'subscript':
      return {
        ...expr,
        array: change(expr.array),
        lower: expr.lower.map((bound) => bound && change(bound)),
        upper: expr.upper.map((bound) => bound && change(bound)),
      };
    case 'arrayAssignment':
      return {
        ...expr,
        array: change(expr.array),
        lower: expr.lower.map((bound) => bound && change(bound)),
        upper: expr.upper.map((bound) => bound && change(bound)),
        value: change(expr.value),
      };
    case 'row': {
      const fields = mapList(expr.fields, change);
      return fields === expr.fields ? expr : { ...expr, fields };
    }
    case 'rowCompare': {
      const left = mapList(expr.left, change);
      const right = mapList(expr.right, change);
      return left === expr.left && right === expr.right ? expr : { ...expr, left, right };
    }
    case 'sequence':
      return {
        ...expr,
        relation: expr.relation && change(expr.relation),
        value: expr.value && change(expr.value),
        isCalled: expr.isCalled && change(expr.isCalled),
      };
    case 'aggregate':
      return {
        ...expr,
        arguments: mapList(expr.arguments, change),
        filter: expr.filter && change(expr.filter),
        orderBy: mapKeys(expr.orderBy, change),
      };
    case 'window':
      return {
        ...expr,
        arguments: mapList(expr.arguments, change),
        filter: expr.filter && change(expr.filter),
      };
    case 'subquery': {
      const comparison = expr.comparison && change(expr.comparison);
      return comparison === expr.comparison ? expr : { ...expr, comparison };
    }
    case 'subplan':
      return {
        ...expr,
        values: mapList(expr.values, change),
        comparison: expr.comparison && change(expr.comparison),
        probe: mapList(expr.probe, change),
      };
  }
}

export function mapList(list: readonly Expr[], change: (child: Expr) => Expr): readonly Expr[] {
  let changed: Expr[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const before = list[i] as Expr;
    const after = change(before);
    if (changed === undefined && after !== before) changed = list.slice(0, i);
    changed?.push(after);
  }
  return changed ?? list;
}

export function mapKeys(keys: readonly SortKey[], change: (child: Expr) => Expr): SortKey[] {
  return keys.map((key) => ({ ...key, expr: change(key.expr) }));
}

/** The frame with `change` applied to its offsets. */
export function mapFrame(frame: WindowFrame, change: (offset: Expr) => Expr): WindowFrame {
  const bound = (from: FrameBound): FrameBound =>
    'offset' in from ? { ...from, offset: change(from.offset) } : from;
  return { ...frame, start: bound(frame.start), end: bound(frame.end) };
}

/** The window with `change` applied to its keys and the offsets of its frame. */
export function mapWindow(window: WindowClause, change: (child: Expr) => Expr): WindowClause {
  return {
    ...window,
    partitionBy: mapKeys(window.partitionBy, change),
    orderBy: mapKeys(window.orderBy, change),
    frame: mapFrame(window.frame, change),
  };
}

/** Calls `visit` for each direct child. */
export function visitChildren(expr: Expr, visit: (child: Expr) => void): void {
  mapChildren(expr, (child) => {
    visit(child);
    return child;
  });
}

/** The expression with its input columns at other positions. */
export function mapInputs(expr: Expr, position: (column: number) => number): Expr {
  if (expr.kind === 'input') return { ...expr, column: position(expr.column) };
  return mapChildren(expr, (child) => mapInputs(child, position));
}

/** Removes relabelling casts, which change no value. */
export function stripRelabel(expr: Expr): Expr {
  return expr.kind === 'cast' && expr.method === 'relabel' ? stripRelabel(expr.argument) : expr;
}

/** True when `test` holds for the expression or one below it. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  if (test(expr)) return true;
  let found = false;
  visitChildren(expr, (child) => {
    found ||= someExpr(child, test);
  });
  return found;
}

/** Calls `visit` with each expression that a query holds at its top, and `enter` with each query
 * directly inside of it (FROM items, CTEs, members of set operations) and its level below. */
export function visitQuery(
  query: Query,
  visit: (expr: Expr) => void,
  enter: (query: Query, levels: number) => void,
): void {
  for (const cte of query.ctes) enter(cte.query, 1);
  const visitAll = (exprs: readonly Expr[]) => {
    for (const expr of exprs) visit(expr);
  };
  const visitKeys = (keys: readonly SortKey[]) => {
    for (const key of keys) visit(key.expr);
  };
  const visitFrom = (item: FromItem) => {
    if (item.kind === 'relation') return;
    visitFrom(item.left);
    visitFrom(item.right);
    if (item.on !== null) visit(item.on);
  };
  if (query.kind === 'setOperation') {
    enter(query.left, 1);
    enter(query.right, 1);
  } else if (query.kind === 'values') {
    for (const row of query.rows) visitAll(row);
  } else {
    for (const entry of query.rangeTable) {
      if (entry.kind === 'subquery') enter(entry.query, 1);
      else if (entry.kind === 'function') visitAll(entry.calls);
      else if (entry.kind === 'values') for (const row of entry.rows) visitAll(row);
    }
    for (const item of query.from) visitFrom(item);
    if (query.where !== null) visit(query.where);
  }
  if (query.kind === 'select') {
    visitAll(query.groupBy);
    if (query.having !== null) visit(query.having);
    if (typeof query.distinct === 'object') visitAll(query.distinct.on);
    for (const window of query.windows) {
      mapWindow(window, (expr) => {
        visit(expr);
        return expr;
      });
    }
  }
  if (query.kind === 'select' || query.kind === 'setOperation' || query.kind === 'values') {
    for (const column of query.output) visit(column.expr);
    visitKeys(query.orderBy);
    if (query.limit !== null) visit(query.limit);
    if (query.offset !== null) visit(query.offset);
    return;
  }
  if (query.source !== null) enter(query.source, 1);
  visitAll(query.insertValues);
  for (const assignment of query.assignments) visit(assignment.expr);
  if (query.onConflict !== null) {
    for (const assignment of query.onConflict.assignments) visit(assignment.expr);
    if (query.onConflict.where !== null) visit(query.onConflict.where);
  }
  for (const { condition } of query.viewChecks ?? []) visit(condition);
  for (const column of query.returning) visit(column.expr);
}

/** What a visitor of references answers to an aggregate whose inside it does not care for. */
export const SKIP = Symbol('skip');

/** Calls `visit` for every column, aggregate and GROUPING of an expression, however deep in subqueries, with
 * the number of query levels between the expression and the node. */
export function visitReferences(
  expr: Expr,
  visit: (reference: Expr, depth: number) => unknown,
  depth = 0,
): void {
  if (expr.kind === 'column') visit(expr, depth);
  else if (expr.kind === 'aggregate' || expr.kind === 'grouping') {
    if (visit(expr, depth) === SKIP) return;
    visitChildren(expr, (child) => visitReferences(child, visit, depth));
  } else {
    if (expr.kind === 'subquery') visitQueryReferences(expr.query, visit, depth + 1);
    visitChildren(expr, (child) => visitReferences(child, visit, depth));
  }
}

export function visitQueryReferences(
  query: Query,
  visit: (reference: Expr, depth: number) => unknown,
  depth: number,
): void {
  visitQuery(
    query,
    (expr) => visitReferences(expr, visit, depth),
    (inner, levels) => visitQueryReferences(inner, visit, depth + levels),
  );
}

/** Structural equality of plain data, with `paramsEqual` to decide for two different parameters. */
export function sameExpr(
  a: unknown,
  b: unknown,
  paramsEqual?: (a: Expr, b: Expr) => boolean,
): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Number.isNaN(a) && Number.isNaN(b);
  }
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    const left = a as ArrayLike<unknown>;
    const right = b as ArrayLike<unknown>;
    if (left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) {
      if (!sameExpr(left[i], right[i], paramsEqual)) return false;
    }
    return true;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  if (left.kind !== right.kind) return false;
  if (left.kind === 'param' && paramsEqual !== undefined && left.index !== right.index) {
    return left.type === right.type && paramsEqual(a as Expr, b as Expr);
  }
  for (const key of Object.keys(left)) {
    if (key !== 'inWords' && !sameExpr(left[key], right[key], paramsEqual)) return false;
  }
  return true;
}
