import type { Node, SubLink } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, SubqueryExpr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { bindExpr, bindExprList } from './expressions.ts';
import { bindRowComparison } from './operators.ts';
import type { OutputColumn, Query } from './query.ts';
import type { Place, Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { nameList } from './syntax.ts';
import { arrayTypeOid, typeDisplay } from './type-facts.ts';

const NO_SUBQUERIES: Partial<Record<Place, string>> = {
  'DEFAULT expressions': 'DEFAULT expression',
  'EXECUTE parameters': 'EXECUTE parameter',
  'check constraints': 'check constraint',
  'column generation expressions': 'column generation expression',
  'index expressions': 'index expression',
  'index predicates': 'index predicate',
  'partition key expressions': 'partition key expression',
  'partition bound': 'partition bound',
};

/** Subqueries in expressions. */
export function bindSubLink(b: Binder, scope: Scope, node: SubLink, rowOperator = ''): Expr {
  const { location } = node;
  const refused = NO_SUBQUERIES[scope.place];
  if (refused !== undefined) {
    throw pgError(
      'feature_not_supported',
      `cannot use subquery in ${refused}`,
      b.position(location),
    );
  }
  const subselect = node.subselect;
  if (subselect === undefined || !('SelectStmt' in subselect)) {
    throw notSupported('this subquery', b.position(location));
  }
  const query = bindSelectStatement(b, scope, subselect.SelectStmt);
  const columns = visibleOutput(query);
  const make = (
    form: SubqueryExpr['form'],
    type: number,
    typmod: number,
    comparison: Expr | null,
  ): SubqueryExpr => b.at({ kind: 'subquery', type, typmod, form, query, comparison }, location);

  switch (node.subLinkType) {
    case 'EXISTS_SUBLINK':
      return make('exists', OID.bool, -1, null);
    case 'EXPR_SUBLINK':
    case 'ARRAY_SUBLINK': {
      const [only] = columns;
      if (columns.length !== 1 || only === undefined) {
        throw pgError('syntax_error', 'subquery must return only one column', b.position(location));
      }
      if (node.subLinkType === 'EXPR_SUBLINK') {
        return make('scalar', only.expr.type, only.expr.typmod, null);
      }
      const array = arrayTypeOid(only.expr.type);
      if (array === 0) {
        throw pgError(
          'undefined_object',
          `could not find array type for data type ${typeDisplay(only.expr.type)}`,
          b.position(location),
        );
      }
      return make('array', array, -1, null);
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
    case 'ROWCOMPARE_SUBLINK': {
      const testexpr = node.testexpr as Node;
      const left =
        'RowExpr' in testexpr
          ? bindExprList(b, scope, testexpr.RowExpr.args ?? [])
          : [bindExpr(b, scope, testexpr)];
      const name = rowOperator !== '' ? rowOperator : (nameList(node.operName).at(-1) ?? '=');
      if (left.length < columns.length) {
        throw pgError('syntax_error', 'subquery has too many columns', b.position(location));
      }
      if (left.length > columns.length) {
        throw pgError('syntax_error', 'subquery has too few columns', b.position(location));
      }
      const right = columns.map(
        ({ expr }, column): Expr => ({
          kind: 'input',
          type: expr.type,
          typmod: expr.typmod,
          column,
        }),
      );
      const comparison = bindRowComparison(b, name, left, right, location);
      const form =
        node.subLinkType === 'ANY_SUBLINK'
          ? 'any'
          : node.subLinkType === 'ALL_SUBLINK'
            ? 'all'
            : 'rowCompare';
      return make(form, OID.bool, -1, comparison);
    }
    default:
      throw notSupported('this subquery', b.position(location));
  }
}

/** The result columns of a query. */
export function visibleOutput(query: Query): readonly OutputColumn[] {
  const columns = 'returning' in query ? query.returning : query.output;
  return columns.filter((column) => !column.junk);
}
