import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';

/** The condition that all of these are true; null for none. */
export function allOf(conditions: readonly Expr[]): Expr | null {
  if (conditions.length < 2) return conditions[0] ?? null;
  return { kind: 'and', type: OID.bool, typmod: -1, arguments: conditions };
}

/** The conditions that a conjunction is made of. */
export function parts(expr: Expr | null): readonly Expr[] {
  if (expr === null) return [];
  return expr.kind === 'and' ? expr.arguments.flatMap(parts) : [expr];
}
