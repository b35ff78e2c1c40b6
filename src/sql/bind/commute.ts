import type { CallExpr } from '../expression.ts';
import { operatorByOid } from '../functions/index.ts';

/** The operands the other way round, where the operator has a commutator. */
export function commute(call: CallExpr): CallExpr | null {
  const commutator = operatorByOid(operatorByOid(call.operator)?.commutator ?? 0);
  const [left, right] = call.arguments;
  if (commutator === undefined || left === undefined || right === undefined) return null;
  return {
    ...call,
    function: commutator.function,
    operator: commutator.oid,
    arguments: [right, left],
  };
}
