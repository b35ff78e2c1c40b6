import type { Node, SelectStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { coerceToCommon, commonTypmod, selectCommonType } from './coercion.ts';
import { bindExprList } from './expressions.ts';
import { bindLimit } from './limit-clause.ts';
import { bindOutputOrder } from './output-order.ts';
import type { OutputColumn, ValuesQuery } from './query.ts';
import type { Scope } from './scope.ts';
import type { SelectOptions } from './select.ts';
import { listItems } from './syntax.ts';
import { checkTargetCount, NO_SOURCE } from './target-list.ts';

/** VALUES as a query of its own. */
export function bindValues(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  options: SelectOptions,
): ValuesQuery {
  scope.place = 'VALUES';
  const rows = bindValuesRows(b, scope, node.valuesLists ?? []);
  const width = rows[0]?.length ?? 0;
  checkTargetCount(width);
  const output: OutputColumn[] = [];
  for (let column = 0; column < width; column++) {
    const cells = rows.map((row) => row[column] as Expr);
    const allUnknown = cells.every((cell) => cell.type === OID.unknown);
    const type =
      allUnknown && options.keepUnknown === true
        ? OID.unknown
        : selectCommonType(b, cells, 'VALUES');
    const coerced = cells.map((cell) => coerceToCommon(b, cell, type, 'VALUES'));
    coerced.forEach((cell, i) => {
      (rows[i] as Expr[])[column] = cell;
    });
    const typmod = commonTypmod(coerced, type);
    output.push({
      name: `column${column + 1}`,
      expr: { kind: 'input', type, typmod, column },
      junk: false,
      ...NO_SOURCE,
    });
  }
  if ((node.lockingClause?.length ?? 0) > 0) {
    throw pgError('feature_not_supported', 'FOR UPDATE cannot be applied to VALUES');
  }
  const orderBy = bindOutputOrder(b, output, node.sortClause ?? [], 'VALUES');
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  return { kind: 'values', ctes: scope.ctes, rows, output, orderBy, limit, offset, withTies };
}

export function bindValuesRows(b: Binder, scope: Scope, lists: readonly Node[]): Expr[][] {
  let width = -1;
  return lists.map((list) => {
    const nodes = listItems(list);
    const row = bindExprList(b, scope, nodes);
    if (width >= 0 && row.length !== width) {
      throw pgError('syntax_error', 'VALUES lists must all be the same length', {
        ...b.positionOf(row[0] as Expr),
      });
    }
    width = row.length;
    return row;
  });
}
