import type { A_Expr, Node } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { coerceToBoolean } from './coercion.ts';
import { bindExpr, bindExprList, bindRow } from './expressions.ts';
import {
  bindOperatorOn,
  bindRowComparison,
  distinctFrom,
  inList,
  scalarArray,
} from './operators.ts';
import type { Scope } from './scope.ts';
import { bindSubLink } from './sublinks.ts';
import { listItems, nameList } from './syntax.ts';

/** What the grammar writes as an operator: operators themselves, IN, BETWEEN, IS and their kin. */

export function bindOperatorExpr(b: Binder, scope: Scope, node: A_Expr): Expr {
  const name = nameList(node.name).at(-1) ?? '';
  const { location } = node;
  const left = node.lexpr;
  const right = node.rexpr;
  switch (node.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      break;
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const kind = node.kind === 'AEXPR_OP_ANY' ? 'any' : 'all';
      const operand = bindExpr(b, scope, left as Node);
      return scalarArray(b, kind, name, operand, bindExpr(b, scope, right as Node), location);
    }
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const negated = node.kind === 'AEXPR_NOT_DISTINCT';
      if (left !== undefined && right !== undefined && 'RowExpr' in left && 'RowExpr' in right) {
        // Field by field, so that each gives the other its type.
        const [a, c] = [bindRow(b, scope, left.RowExpr), bindRow(b, scope, right.RowExpr)];
        return distinctFrom(b, name, a, c, negated, location);
      }
      const a = bindExpr(b, scope, left as Node);
      const c = bindExpr(b, scope, right as Node);
      return distinctFrom(b, name, a, c, negated, location);
    }
    case 'AEXPR_NULLIF': {
      const a = bindExpr(b, scope, left as Node);
      const c = bindExpr(b, scope, right as Node);
      return nullIf(b, name, a, c, location);
    }
    case 'AEXPR_IN':
      return bindIn(b, scope, node, name);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return bindBetween(b, scope, node);
    default:
      throw notSupported(`expression ${node.kind}`, b.position(location));
  }
  if (left !== undefined && right !== undefined && node.kind === 'AEXPR_OP') {
    if ('RowExpr' in left && 'SubLink' in right && right.SubLink.subLinkType === 'EXPR_SUBLINK') {
      return bindSubLink(
        b,
        scope,
        {
          ...right.SubLink,
          subLinkType: 'ROWCOMPARE_SUBLINK',
          testexpr: left,
          location: location ?? 0,
        },
        name,
      );
    }
    if ('RowExpr' in left && 'RowExpr' in right) {
      const a = bindExprList(b, scope, left.RowExpr.args ?? []);
      const c = bindExprList(b, scope, right.RowExpr.args ?? []);
      return bindRowComparison(b, name, a, c, location);
    }
  }
  const a = left === undefined ? null : bindExpr(b, scope, left);
  return bindOperatorOn(b, name, a, bindExpr(b, scope, right as Node), location);
}

function nullIf(
  b: Binder,
  name: string,
  left: Expr,
  right: Expr,
  location: number | undefined,
): Expr {
  const equal = bindOperatorOn(b, name, left, right, location);
  if (equal.kind !== 'call') throw notSupported('NULLIF of rows', b.position(location));
  if (equal.type !== OID.bool) {
    throw pgError(
      'datatype_mismatch',
      'NULLIF requires = operator to yield boolean',
      b.position(location),
    );
  }
  const [a, c] = equal.arguments as [Expr, Expr];
  const { type, typmod } = a;
  const { function: oid, operator } = equal;
  return b.at(
    { kind: 'nullIf', type, typmod, function: oid, operator, left: a, right: c },
    location,
  );
}

function bindIn(b: Binder, scope: Scope, node: A_Expr, name: string): Expr {
  const items = listItems(node.rexpr);
  const left = node.lexpr as Node;
  const negated = name === '<>';
  if ('RowExpr' in left || items.some((item) => 'RowExpr' in item)) {
    const tests = items.map((item) => {
      const a = 'RowExpr' in left ? bindExprList(b, scope, left.RowExpr.args ?? []) : null;
      if (a !== null && 'RowExpr' in item) {
        const c = bindExprList(b, scope, item.RowExpr.args ?? []);
        return bindRowComparison(b, name, a, c, node.location);
      }
      const x = bindExpr(b, scope, left);
      return bindOperatorOn(b, name, x, bindExpr(b, scope, item), node.location);
    });
    if (tests.length === 1) return tests[0] as Expr;
    const kind = negated ? 'and' : 'or';
    return b.at({ kind, type: OID.bool, typmod: -1, arguments: tests }, node.location);
  }
  const operand = bindExpr(b, scope, left);
  const values = items.map((item) => bindExpr(b, scope, item));
  return inList(b, name, operand, values, node.location);
}

function bindBetween(b: Binder, scope: Scope, node: A_Expr): Expr {
  const [low, high] = listItems(node.rexpr) as [Node, Node];
  const { location } = node;
  const compare = (name: string, bound: Node) =>
    bindOperatorOn(
      b,
      name,
      bindExpr(b, scope, node.lexpr as Node),
      bindExpr(b, scope, bound),
      location,
    );
  const both = (kind: 'and' | 'or', a: Expr, c: Expr): Expr =>
    b.at({ kind, type: OID.bool, typmod: -1, arguments: [a, c] }, b.locationOf(a) ?? location);
  switch (node.kind) {
    case 'AEXPR_BETWEEN':
      return both('and', compare('>=', low), compare('<=', high));
    case 'AEXPR_NOT_BETWEEN':
      return both('or', compare('<', low), compare('>', high));
    case 'AEXPR_BETWEEN_SYM':
      return both(
        'or',
        both('and', compare('>=', low), compare('<=', high)),
        both('and', compare('>=', high), compare('<=', low)),
      );
    default:
      return both(
        'and',
        both('or', compare('<', low), compare('>', high)),
        both('or', compare('<', high), compare('>', low)),
      );
  }
}

export function bindBooleanTest(
  b: Binder,
  scope: Scope,
  node: { arg?: Node; booltesttype?: string; location?: number },
): Expr {
  const words = (node.booltesttype ?? 'IS_TRUE').toLowerCase().split('_');
  const test = words.at(-1) as 'true' | 'false' | 'unknown';
  const negated = words.includes('not');
  const construct = `IS ${negated ? 'NOT ' : ''}${test.toUpperCase()}`;
  const argument = coerceToBoolean(b, bindExpr(b, scope, node.arg as Node), construct);
  return b.at(
    { kind: 'booleanTest', type: OID.bool, typmod: -1, argument, test, negated },
    b.locationOf(argument) ?? node.location,
  );
}
