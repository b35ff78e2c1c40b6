import type { Expr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';

/** Where the values of a query's expressions lie in the rows of a plan node. */
export class Layout {
  private readonly columns = new Map<number, number>();
  private readonly computed: { readonly expr: Expr; readonly column: number }[] = [];
  width = 0;

  /** The row of one scan; with `locator` its last column is the row's key. */
  static ofRelation(relation: number, columns: readonly number[], locator = false): Layout {
    const layout = new Layout();
    for (const column of columns) layout.columns.set(key(relation, column), layout.width++);
    if (locator) layout.columns.set(key(relation, LOCATOR), layout.width++);
    return layout;
  }

  /** Position of a relation's row key, -1 where it is not carried. */
  locator(relation: number): number {
    return this.columns.get(key(relation, LOCATOR)) ?? -1;
  }

  static ofExprs(exprs: readonly Expr[]): Layout {
    const layout = new Layout();
    for (const expr of exprs) layout.addExpr(expr);
    return layout;
  }

  /** Left's columns, then right's; a column that both have is the left one's. */
  static concat(left: Layout, right: Layout): Layout {
    const layout = new Layout();
    for (const [at, column] of left.columns) layout.columns.set(at, column);
    for (const [at, column] of right.columns) {
      if (!layout.columns.has(at)) layout.columns.set(at, column + left.width);
    }
    layout.computed.push(...left.computed);
    for (const { expr, column } of right.computed) {
      layout.computed.push({ expr, column: column + left.width });
    }
    layout.width = left.width + right.width;
    return layout;
  }

  addExpr(expr: Expr): number {
    const column = this.width++;
    if (expr.kind === 'column' && expr.level === 0) {
      const at = key(expr.relation, expr.column);
      if (!this.columns.has(at)) this.columns.set(at, column);
    } else if (expr.kind !== 'const') this.computed.push({ expr, column });
    return column;
  }

  /** Position of an expression's value, -1 where it has to be computed. */
  find(expr: Expr): number {
    if (expr.kind === 'column' && expr.level === 0) {
      return this.columns.get(key(expr.relation, expr.column)) ?? -1;
    }
    for (const { expr: known, column } of this.computed) {
      if (sameExpr(known, expr)) return column;
    }
    return -1;
  }

  /** The layout without some positions. */
  without(dropped: readonly number[]): Layout {
    const layout = new Layout();
    const move = (column: number) => column - dropped.filter((gone) => gone < column).length;
    for (const [at, column] of this.columns) {
      if (!dropped.includes(column)) layout.columns.set(at, move(column));
    }
    for (const { expr, column } of this.computed) {
      layout.computed.push({ expr, column: move(column) });
    }
    layout.width = this.width - dropped.length;
    return layout;
  }
}

/** In the place of a column: the row's key in the clustered tree. */
const LOCATOR = 0xffff;

/** Tables have at most 1600 columns; subqueries and functions may have more, but not 2^16. */
function key(relation: number, column: number): number {
  return relation * 0x10000 + column;
}
