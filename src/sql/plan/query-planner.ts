import { AssertionError } from '../../base/index.ts';
import { OID } from '../../types/index.ts';
import {
  type CommonTable,
  type FromItem,
  type ModifyQuery,
  type Query,
  type RangeTableEntry,
  ROW_MARK_COLUMN,
  type SelectQuery,
  type SetOperationQuery,
  TABLE_OID_COLUMN,
  type ValuesQuery,
} from '../bind/query.ts';
import type { ColumnExpr, Expr, SortKey, SubqueryExpr } from '../expression.ts';
import {
  mapChildren,
  sameExpr,
  visitQueryReferences,
  visitReferences,
} from '../expression-tree.ts';
import { flatten, foldConstants, havingToWhere, type SemiJoinItem } from '../optimize/index.ts';
import { raise } from '../query-rewrite.ts';
import { relBit, relsOf } from './clauses.ts';
import { planFrom } from './from.ts';
import { groupingBits } from './groups.ts';
import type { Layout } from './layout.ts';
import { planModify } from './modify.ts';
import type { PartitionLeaf } from './partitions.ts';
import type { Candidates, SlotValue } from './paths.ts';
import type { PlanNode } from './plan.ts';
import { type ColumnFacts, expressionFacts, tableColumnFacts } from './selectivity.ts';
import { planSetOperation, planValues } from './set-operations.ts';
import type { StatementPlanner } from './statement-planner.ts';
import { planSubquery } from './subqueries.ts';
import { planSelectTail } from './upper.ts';
import { activeWindows } from './windows.ts';

/** A common table as a query's planner knows it: planned when it is first read. */
export interface PlannedCte {
  readonly cte: CommonTable;
  /** The planner of the query that defines it. */
  readonly owner: QueryPlanner;
  node: number;
  rows: number;
  plan: PlanNode | null;
  /** While its recursive term is planned: the work table and its size. */
  workTable: number;
  references: number;
}

/** Plans one query level. */
export class QueryPlanner {
  readonly statement: StatementPlanner;
  readonly parent: QueryPlanner | null;
  readonly query: Query;
  readonly rangeTable: readonly RangeTableEntry[];
  readonly semiJoins: readonly SemiJoinItem[];
  /** Outer expressions that this level reads through slots, in terms of the parent's level. */
  readonly outerValues: { readonly slot: number; readonly expr: Expr }[] = [];
  readonly ctes: readonly PlannedCte[];
  /** A subplan is run from an expression, anything else as part of its parent's plan. */
  private readonly isSubplan: boolean;
  private readonly needed = new Map<number, Set<number>>();
  private readonly marked = new Set<number>();
  private readonly locators = new Set<number>();
  private readonly scanIds = new Map<number, number>();
  private wantedOrders: readonly SortKey[][] = [];
  readonly derived = new Map<number, Candidates>();
  /** Of partitioned tables: the partitions that are read. */
  readonly partitions = new Map<number, readonly PartitionLeaf[]>();

  constructor(
    statement: StatementPlanner,
    query: Query,
    parent: QueryPlanner | null,
    isSubplan: boolean,
  ) {
    this.statement = statement;
    const flat = query.kind === 'select' ? flatten(query) : { query, semiJoins: [] };
    this.query = flat.query;
    this.semiJoins = flat.semiJoins;
    this.parent = parent;
    this.isSubplan = isSubplan;
    this.rangeTable = 'rangeTable' in flat.query ? flat.query.rangeTable : [];
    this.ctes = query.ctes.map((cte) => ({
      cte,
      owner: this,
      node: -1,
      rows: 0,
      plan: null,
      workTable: -1,
      references: 0,
    }));
    const need = (reference: Expr, depth: number): void => {
      if (reference.kind === 'column' && reference.level === depth) this.need(reference);
    };
    visitQueryReferences(flat.query, need, 0);
    for (const item of flat.semiJoins) {
      for (const condition of item.conditions) visitReferences(condition, need);
      for (const from of item.from) visitOn(from, (on) => visitReferences(on, need));
    }
  }

  private need({ relation, column }: ColumnExpr): void {
    if (column === ROW_MARK_COLUMN) {
      this.marked.add(relation);
      return;
    }
    const known = this.needed.get(relation);
    if (known === undefined) this.needed.set(relation, new Set([column]));
    else known.add(column);
  }

  /** Columns of a relation that the query reads, in order. */
  neededColumns(relation: number): number[] {
    return [...(this.needed.get(relation) ?? [])].sort((a, b) => a - b);
  }

  needAllColumns(relation: number): void {
    const entry = this.rangeTable[relation];
    this.needed.set(relation, new Set(entry?.columns.keys()));
  }

  /** The rows of a relation are to have its mark. */
  needsMark(relation: number): boolean {
    return this.marked.has(relation);
  }

  private isPartitioned(relation: number): boolean {
    const entry = this.rangeTable[relation];
    return entry?.kind === 'table' && entry.table.kind === 'partitioned';
  }

  /** The rows of a partitioned table are to tell which partition they are of. */
  needTableOid(relation: number): void {
    this.need(tableOidOf(relation));
  }

  needsLocator(relation: number): boolean {
    return this.locators.has(relation);
  }

  requireLocator(relation: number): void {
    this.locators.add(relation);
  }

  scanId(relation: number): number {
    let id = this.scanIds.get(relation);
    if (id === undefined) {
      id = this.statement.newScanId();
      this.scanIds.set(relation, id);
    }
    return id;
  }

  setWantedOrders(orders: readonly SortKey[][]): void {
    this.wantedOrders = orders;
  }

  /** Whether rows in this order could save a sort. */
  wantsOrder(order: readonly SortKey[]): boolean {
    const first = order[0];
    if (first === undefined) return false;
    return this.wantedOrders.some((wanted) => {
      const key = wanted[0];
      return (
        key !== undefined &&
        key.descending === first.descending &&
        key.nullsFirst === first.nullsFirst &&
        sameExpr(key.expr, first.expr)
      );
    });
  }

  /** What the statistics say of a column, or of what an index computes; null for other expressions. */
  columnFacts(expr: Expr): ColumnFacts | null {
    if (expr.kind !== 'column') return this.expressionFacts(expr);
    if (expr.level !== 0) return null;
    const entry = this.rangeTable[expr.relation];
    if (entry?.kind === 'table') {
      const rows = this.statement.rowsOf(entry.table);
      return tableColumnFacts(entry.table, rows, entry.attributes[expr.column] ?? -1);
    }
    const derived = this.derived.get(expr.relation);
    if (derived === undefined) return null;
    return {
      rows: derived.rows,
      distinct: Math.max(1, Math.min(200, derived.rows)),
      nullFraction: 0,
    };
  }

  private expressionFacts(expr: Expr): ColumnFacts | null {
    const rels = relsOf(expr);
    const relation = this.rangeTable.findIndex((_, i) => rels === relBit(i));
    const entry = this.rangeTable[relation];
    if (entry?.kind !== 'table') return null;
    const { table, attributes } = entry;
    return expressionFacts({ relation, table, attributes }, this.statement.rowsOf(table), expr);
  }

  findCte(level: number, index: number): PlannedCte {
    let owner: QueryPlanner = this;
    for (let i = 0; i < level; i++) {
      if (owner.parent === null) throw new AssertionError('a common table of no query level');
      owner = owner.parent;
    }
    const cte = owner.ctes[index];
    if (cte === undefined) throw new AssertionError('a common table that is not there');
    return cte;
  }

  /** Plans the query; the node's columns are the query's result columns. */
  plan(): PlanNode {
    const { query } = this;
    switch (query.kind) {
      case 'select':
        return this.planSelect(query);
      case 'values':
        return planValues(this, query as ValuesQuery);
      case 'setOperation':
        return planSetOperation(this, query as SetOperationQuery);
      default:
        return planModify(this, query as ModifyQuery);
    }
  }

  private planSelect(given: SelectQuery): PlanNode {
    const query = havingToWhere(given);
    for (const { relation } of query.locking) {
      this.requireLocator(relation);
      if (this.isPartitioned(relation)) this.needTableOid(relation);
    }
    const orders: SortKey[][] = [];
    const [window] = activeWindows(query);
    if (window !== undefined) orders.push([...window.order]);
    if (query.groupBy.length > 0) {
      orders.push(query.groupBy.map((expr) => ({ expr, descending: false, nullsFirst: false })));
    }
    if (query.orderBy.length > 0) orders.push([...query.orderBy]);
    this.setWantedOrders(orders);
    return planSelectTail(this, query, planFrom(this, query.from, query.where));
  }

  /** Turns an expression of this level into one over rows of `layout`. Columns that are not in the
   * layout come through slots where `slots` is given. */
  convert(expr: Expr, layout: Layout, slots?: Map<string, SlotValue>): Expr {
    const found = layout.find(expr);
    if (found >= 0) return { kind: 'input', type: expr.type, typmod: expr.typmod, column: found };
    switch (expr.kind) {
      case 'column':
        if (expr.level > 0) return this.outerReference(expr, expr.level);
        if (slots !== undefined) return this.slotReference(expr, slots);
        throw new AssertionError(`column ${expr.relation}.${expr.column} is not in the input`);
      case 'aggregate':
        if (expr.level > 0) return this.outerReference(expr, expr.level);
        throw new AssertionError('an aggregate outside of its plan node');
      case 'window':
        throw new AssertionError('a window call outside of its plan node');
      case 'grouping':
        return groupingBits(this.query as SelectQuery, expr, layout);
      case 'subquery':
        return planSubquery(this, expr as SubqueryExpr, layout, slots);
      default:
        return foldConstants(mapChildren(expr, (child) => this.convert(child, layout, slots)));
    }
  }

  private slotReference(expr: ColumnExpr, slots: Map<string, SlotValue>): Expr {
    const key = `${expr.relation}.${expr.column}`;
    let value = slots.get(key);
    if (value === undefined) {
      value = { slot: this.statement.newSlot(), expr, rels: relsOf(expr) };
      slots.set(key, value);
    }
    return { kind: 'outer', type: expr.type, typmod: expr.typmod, slot: value.slot };
  }

  /** A slot for an expression of an outer query. */
  private outerReference(expr: Expr, level: number): Expr {
    const { type, typmod } = expr;
    return { kind: 'outer', type, typmod, slot: this.outerSlot(lower(expr), level - 1) };
  }

  /** `expr` is in terms of the parent: `level` levels above the parent. */
  private outerSlot(expr: Expr, level: number): number {
    const { parent } = this;
    if (parent === null) throw new AssertionError('an outer reference without an outer query');
    // Within one plan a slot of the parent stays what it is while this level runs.
    if (level > 0 && !this.isSubplan) return parent.outerSlot(lower(expr), level - 1);
    const known = this.outerValues.find((value) => sameExpr(value.expr, expr));
    if (known !== undefined) return known.slot;
    const slot = this.statement.newSlot();
    this.outerValues.push({ slot, expr });
    return slot;
  }

  /** Plans a query inside of this one's FROM clause. */
  inner(query: Query): QueryPlanner {
    return new QueryPlanner(this.statement, query, this, false);
  }

  /** The slots of a planned inner query as values over this level's relations. */
  slotValues(inner: QueryPlanner): SlotValue[] {
    return inner.outerValues.map(({ slot, expr }) => ({ slot, expr, rels: relsOf(expr) }));
  }
}

/** The oid of the partition that a row is of. */
export function tableOidOf(relation: number): ColumnExpr {
  const column = TABLE_OID_COLUMN;
  return { kind: 'column', type: OID.oid, typmod: -1, level: 0, relation, column };
}

function visitOn(item: FromItem, visit: (on: Expr) => void): void {
  if (item.kind === 'relation') return;
  visitOn(item.left, visit);
  visitOn(item.right, visit);
  if (item.on !== null) visit(item.on);
}

/** An expression one query level further out. */
export function lower(expr: Expr): Expr {
  return raise(expr, -1, 1);
}
