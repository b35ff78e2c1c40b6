import type { Node, SelectStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { visitReferences } from '../expression-tree.ts';
import type { Binder } from './binder.ts';
import { coerceToSpecific } from './coercion.ts';
import { bindExpr } from './expressions.ts';
import type { Scope } from './scope.ts';

interface BoundLimit {
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly withTies: boolean;
}

export function bindLimit(b: Binder, scope: Scope, node: SelectStmt): BoundLimit {
  const bound = (part: Node | undefined, place: 'LIMIT' | 'OFFSET'): Expr | null => {
    if (part === undefined) return null;
    if ('A_Const' in part && part.A_Const.isnull === true) return null;
    scope.place = place;
    const expr = coerceToSpecific(b, bindExpr(b, scope, part), OID.int8, place);
    visitReferences(expr, (reference, depth) => {
      if (reference.kind === 'column' && reference.level === depth) {
        throw pgError(
          'invalid_column_reference',
          `argument of ${place} must not contain variables`,
          b.positionOf(reference),
        );
      }
    });
    return expr;
  };
  const offset = bound(node.limitOffset, 'OFFSET');
  const limit = bound(node.limitCount, 'LIMIT');
  const withTies = node.limitOption === 'LIMIT_OPTION_WITH_TIES';
  const isNull = node.limitCount !== undefined && limit === null;
  if (withTies && isNull) {
    throw pgError(
      'invalid_row_count_in_limit_clause',
      'row count cannot be null in FETCH FIRST ... WITH TIES clause',
    );
  }
  if (withTies && (node.sortClause?.length ?? 0) === 0) {
    throw pgError('syntax_error', 'WITH TIES cannot be specified without ORDER BY clause');
  }
  return { limit, offset, withTies };
}
