import type { Node } from '@pgsql/types';
import { type BindContext, bindExpression } from '../sql/bind/index.ts';
import type { Expr } from '../sql/expression.ts';

/** An argument of EXECUTE: an expression without columns, cast to its parameter's type. */
export function bindArgument(node: Node, type: number, context: BindContext): Expr {
  const target = { type, typmod: -1, column: '$1' };
  return bindExpression(node, context, 'DEFAULT expressions', null, target).expr as Expr;
}
