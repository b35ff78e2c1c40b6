import { OID } from '../../types/index.ts';
import type { Expr, ParamExpr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import type { LiteralRange } from '../parse/index.ts';
import type { Binder } from './binder.ts';
import { isMutable } from './mutable-expressions.ts';
import type { Query, RowLiteral } from './query.ts';

/** The INSERT whose rows are kinds of rows. Throws where not every row of a kind comes to what that one does: one of its
 * literals has decided something, or a value is not computed row by row. */
export function withLiftedRows(
  b: Binder,
  query: Query,
  kinds: readonly LiteralRange[],
  literalTypes: readonly number[],
): Query {
  if (query.kind !== 'insert' || query.source?.kind !== 'values') throw new UnlikeRows();
  const { source } = query;
  if (source.rows.length !== kinds.length) throw new UnlikeRows();
  const isUnlike = (expr: Expr): boolean => {
    const literal = b.literalOf(expr);
    return isOnceOrInTurn(expr) || (literal >= 0 && expr.type !== literalTypes[literal]);
  };
  if (source.rows.some((row) => row.some((value) => someExpr(value, isUnlike))))
    throw new UnlikeRows();
  const lifted = {
    parameter: b.literalBase + literalTypes.length,
    kinds: kinds.map(({ start, end }, kind) => {
      const literals: RowLiteral[] = [];
      for (let i = start; i < end; i++) literals.push(rowLiteral(b, i, literalTypes[i] ?? 0));
      return { literals, constants: constantsOf(source.rows[kind] ?? []) };
    }),
  };
  return { ...query, source: { ...source, lifted } };
}

/** The values of a row that PostgreSQL computes while it plans. */
function constantsOf(row: readonly Expr[]): number[] {
  return row.flatMap((value, i) =>
    value.kind === 'param' || value.kind === 'const' || isMutable(value) ? [] : [i],
  );
}

/** The types of the literals as parameters, 0 for those of the rows, which are none; and of the parameter with the rows. */
export function parametersBesideRows(
  kinds: readonly LiteralRange[],
  literalTypes: readonly number[],
): number[] {
  const types = [...literalTypes, OID.bytea];
  for (const { start, end } of kinds) types.fill(0, start, end);
  return types;
}

function rowLiteral(b: Binder, literal: number, type: number): RowLiteral {
  if (type === 0) throw new UnlikeRows();
  const param: ParamExpr = { kind: 'param', type, typmod: -1, index: b.literalBase + literal };
  const isText = type === OID.text || type === OID.varchar;
  return { param, mayFail: b.context.literals[literal]?.kind === 'string' && !isText };
}

/** What is computed once for the statement, or gives the next row another value when it is. */
function isOnceOrInTurn(expr: Expr): boolean {
  return expr.kind === 'subquery' || expr.kind === 'sequence';
}

/** The rows of one kind do not come to the same. */
export class UnlikeRows extends Error {}
