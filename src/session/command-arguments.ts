import type { A_Const, Node } from '@pgsql/types';

/** The text of a constant in SET or BEGIN, as settings take it. */
export function constantText(node: Node | undefined): string {
  if (node === undefined) return '';
  const fields = node as Record<string, unknown>;
  if (fields.TypeCast !== undefined) {
    // SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
    const cast = fields.TypeCast as { arg?: Node };
    return constantText(cast.arg);
  }
  const constant = fields.A_Const as A_Const | undefined;
  if (constant === undefined) return '';
  const value = constant as Record<string, Record<string, unknown> | undefined>;
  if (value.sval !== undefined) return String(value.sval.sval ?? '');
  if (value.ival !== undefined) return String(value.ival.ival ?? 0);
  if (value.fval !== undefined) return String(value.fval.fval ?? '0');
  if (value.boolval !== undefined) return value.boolval.boolval === true ? '1' : '0';
  return '';
}
