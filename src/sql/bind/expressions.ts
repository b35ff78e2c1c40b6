import type {
  A_Indirection,
  CaseExpr as CaseSyntax,
  MinMaxExpr,
  Node,
  SQLValueFunction,
  TypeCast,
} from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, RowExpr, SqlValueExpr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { bindArraySubscripts } from './array-subscripts.ts';
import type { Binder } from './binder.ts';
import { bindFunctionCall, bindGrouping } from './calls.ts';
import {
  coerceToBoolean,
  coerceToCommon,
  coerceToTarget,
  coerceType,
  commonTypmod,
  NULL_UNKNOWN,
  resolveUnknown,
  selectCommonType,
} from './coercion.ts';
import { checkCollation } from './collation.ts';
import { bindColumnRef, bindStar } from './column-references.ts';
import { bindConstant, bindParameter } from './constants.ts';
import { bindJsonbSubscripts } from './jsonb-subscripts.ts';
import { bindBooleanTest, bindOperatorExpr } from './operator-forms.ts';
import { bindOperatorOn } from './operators.ts';
import { selectField } from './row-fields.ts';
import type { Scope } from './scope.ts';
import { requireComparison } from './sort-keys.ts';
import { bindSubLink } from './sublinks.ts';
import { nameList, nodeString, nodeTag } from './syntax.ts';
import { TARGETS_MAX } from './target-list.ts';
import { arrayTypeOid, elementTypeOf, typeDisplay } from './type-facts.ts';
import { bindTypeName } from './type-names.ts';

/** Expressions: PostgreSQL's transformExpr. The result may be of type unknown. */
export function bindExpr(b: Binder, scope: Scope, node: Node): Expr {
  return bindExprUntyped(b, scope, node);
}

export function bindExprUntyped(b: Binder, scope: Scope, node: Node): Expr {
  if ('ColumnRef' in node) return bindColumnRef(b, scope, node.ColumnRef);
  if ('A_Const' in node) return bindConstant(b, node.A_Const);
  if ('A_Expr' in node) return bindOperatorExpr(b, scope, node.A_Expr);
  if ('ParamRef' in node)
    return bindParameter(b, node.ParamRef.number ?? 0, node.ParamRef.location);
  if ('BoolExpr' in node) {
    const { boolop, args = [], location } = node.BoolExpr;
    const name = boolop === 'AND_EXPR' ? 'AND' : boolop === 'OR_EXPR' ? 'OR' : 'NOT';
    const bound = args.map((arg) => coerceToBoolean(b, bindExpr(b, scope, arg), name));
    if (name === 'NOT') {
      return b.at(
        { kind: 'not', type: OID.bool, typmod: -1, argument: bound[0] as Expr },
        location,
      );
    }
    const kind = name === 'AND' ? 'and' : 'or';
    const expr: Expr = { kind, type: OID.bool, typmod: -1, arguments: bound };
    return b.at(expr, b.locationOf(bound[0] as Expr) ?? location);
  }
  if ('TypeCast' in node) return bindTypeCast(b, scope, node.TypeCast);
  if ('FuncCall' in node) return bindFunctionCall(b, scope, node.FuncCall);
  if ('SubLink' in node) return bindSubLink(b, scope, node.SubLink);
  if ('NullTest' in node) {
    const { arg, nulltesttype, location } = node.NullTest;
    const argument = bindExpr(b, scope, arg as Node);
    const negated = nulltesttype === 'IS_NOT_NULL';
    const test: Expr = { kind: 'isNull', type: OID.bool, typmod: -1, argument, negated };
    return b.at(test, b.locationOf(argument) ?? location);
  }
  if ('BooleanTest' in node) return bindBooleanTest(b, scope, node.BooleanTest);
  if ('CaseExpr' in node) return bindCase(b, scope, node.CaseExpr);
  if ('CoalesceExpr' in node) {
    const { args = [], location } = node.CoalesceExpr;
    const bound = withBarrier(scope, 'COALESCE', () => args.map((arg) => bindExpr(b, scope, arg)));
    const type = selectCommonType(b, bound, 'COALESCE');
    const list = bound.map((arg) => coerceToCommon(b, arg, type, 'COALESCE'));
    const typmod = commonTypmod(list, type);
    return b.at({ kind: 'coalesce', type, typmod, arguments: list }, location);
  }
  if ('MinMaxExpr' in node) return bindMinMax(b, scope, node.MinMaxExpr);
  if ('SQLValueFunction' in node) return bindSqlValue(b, node.SQLValueFunction);
  if ('RowExpr' in node) {
    const row = bindRow(b, scope, node.RowExpr);
    const fields = row.fields.map((field) => resolveUnknown(b, field));
    return b.at({ ...row, fields }, node.RowExpr.location);
  }
  if ('A_ArrayExpr' in node) {
    return bindArray(b, scope, node.A_ArrayExpr.elements ?? [], node.A_ArrayExpr.location, null);
  }
  if ('A_Indirection' in node) return bindIndirection(b, scope, node.A_Indirection);
  if ('CollateClause' in node) {
    const { arg, collname, location } = node.CollateClause;
    const bound = bindExpr(b, scope, arg as Node);
    return bindCollate(b, bound, nameList(collname), location);
  }
  if ('SetToDefault' in node) {
    throw pgError(
      'syntax_error',
      'DEFAULT is not allowed in this context',
      b.position(node.SetToDefault.location),
    );
  }
  if ('GroupingFunc' in node) return bindGrouping(b, scope, node.GroupingFunc);
  if ('CurrentOfExpr' in node) throw notSupported('WHERE CURRENT OF');
  if ('MultiAssignRef' in node) throw notSupported('multiple assignment here');
  if ('List' in node) {
    throw pgError('syntax_error', 'a list of expressions is not allowed in this context');
  }
  throw notSupported(FEATURES[nodeTag(node)] ?? nodeTag(node));
}

const FEATURES: Readonly<Record<string, string>> = {
  XmlExpr: 'XML',
  XmlSerialize: 'XMLSERIALIZE',
  JsonObjectConstructor: 'JSON_OBJECT',
  JsonArrayConstructor: 'JSON_ARRAY',
  JsonFuncExpr: 'an SQL/JSON query function',
  JsonIsPredicate: 'IS JSON',
  MergeSupportFunc: 'MERGE_ACTION',
};

/** Expressions of a list, `t.*` and `(row).*` spread out. */
export function bindExprList(b: Binder, scope: Scope, nodes: readonly Node[]): Expr[] {
  return nodes.flatMap((node) => {
    const columns = bindStar(b, scope, node);
    return columns === null ? [bindExpr(b, scope, node)] : columns.map((column) => column.expr);
  });
}

/** A row whose fields may still be of type unknown. */
export function bindRow(
  b: Binder,
  scope: Scope,
  node: { args?: Node[]; location?: number },
): RowExpr {
  const fields = bindExprList(b, scope, node.args ?? []);
  if (fields.length > TARGETS_MAX) {
    throw pgError(
      'too_many_columns',
      `ROW expressions can have at most ${TARGETS_MAX} entries`,
      b.position(node.location),
    );
  }
  const names = fields.map((_, i) => `f${i + 1}`);
  return b.at({ kind: 'row', type: OID.record, typmod: -1, fields, names }, node.location);
}

function withBarrier<Value>(scope: Scope, name: string, body: () => Value): Value {
  const saved = scope.setBarrier;
  scope.setBarrier = name;
  try {
    return body();
  } finally {
    scope.setBarrier = saved;
  }
}

function bindCase(b: Binder, scope: Scope, node: CaseSyntax): Expr {
  return withBarrier(scope, 'CASE', () => {
    const argument =
      node.arg === undefined ? null : resolveUnknown(b, bindExpr(b, scope, node.arg));
    const whens = (node.args ?? []).flatMap((when) => ('CaseWhen' in when ? [when.CaseWhen] : []));
    const conditions = whens.map((when) => {
      const value = bindExpr(b, scope, when.expr as Node);
      if (argument === null) return coerceToBoolean(b, value, 'CASE/WHEN');
      const { type, typmod } = argument;
      const test = bindOperatorOn(
        b,
        '=',
        { kind: 'caseValue', type, typmod },
        value,
        when.location,
      );
      return coerceToBoolean(b, test, 'CASE/WHEN');
    });
    const results = whens.map((when) => bindExpr(b, scope, when.result as Node));
    const otherwise =
      node.defresult === undefined ? { ...NULL_UNKNOWN } : bindExpr(b, scope, node.defresult);
    const type = selectCommonType(b, [otherwise, ...results], 'CASE');
    const final = coerceToCommon(b, otherwise, type, 'CASE/ELSE');
    const coerced = results.map((result) => coerceToCommon(b, result, type, 'CASE/WHEN'));
    return b.at(
      {
        kind: 'case',
        type,
        typmod: commonTypmod([final, ...coerced], type),
        argument,
        whens: coerced.map((result, i) => ({ condition: conditions[i] as Expr, result })),
        otherwise: node.defresult === undefined ? null : final,
      },
      node.location,
    );
  });
}

function bindMinMax(b: Binder, scope: Scope, node: MinMaxExpr): Expr {
  const kind = node.op === 'IS_LEAST' ? 'least' : 'greatest';
  const name = kind.toUpperCase();
  const args = (node.args ?? []).map((arg) => bindExpr(b, scope, arg));
  const type = selectCommonType(b, args, name);
  requireComparison(type);
  const list = args.map((arg) => coerceToCommon(b, arg, type, name));
  return b.at({ kind, type, typmod: commonTypmod(list, type), arguments: list }, node.location);
}

const SQL_VALUE_TYPES: Readonly<Record<SqlValueExpr['name'], number>> = {
  current_date: OID.date,
  current_time: OID.timetz,
  current_timestamp: OID.timestamptz,
  localtime: OID.time,
  localtimestamp: OID.timestamp,
  current_role: OID.name,
  current_user: OID.name,
  user: OID.name,
  session_user: OID.name,
  current_catalog: OID.name,
  current_schema: OID.name,
};

function bindSqlValue(b: Binder, node: SQLValueFunction): Expr {
  const op = node.op ?? 'SVFOP_CURRENT_DATE';
  const name = op.slice('SVFOP_'.length).replace(/_N$/, '').toLowerCase() as SqlValueExpr['name'];
  const typmod = op.endsWith('_N') ? Math.min(node.typmod ?? 0, 6) : -1;
  return b.at({ kind: 'sqlValue', type: SQL_VALUE_TYPES[name], typmod, name }, node.location);
}

function bindTypeCast(b: Binder, scope: Scope, node: TypeCast): Expr {
  const name = node.typeName;
  if (name === undefined) throw notSupported('a cast to no type');
  const target = bindTypeName(b, name);
  const arg = node.arg as Node;
  const expr =
    'A_ArrayExpr' in arg && elementTypeOf(target.type) !== 0
      ? bindArray(b, scope, arg.A_ArrayExpr.elements ?? [], arg.A_ArrayExpr.location, target.type)
      : bindExpr(b, scope, arg);
  const location =
    node.location !== undefined && node.location >= 0 ? node.location : name.location;
  const cast = coerceToTarget(b, expr, target.type, target.typmod, 'explicit');
  if (cast === undefined) {
    throw pgError(
      'cannot_coerce',
      `cannot cast type ${typeDisplay(expr.type)} to ${typeDisplay(target.type)}`,
      b.position(location),
    );
  }
  return b.at(cast, b.locationOf(expr) ?? location);
}

/** ARRAY[...]; a cast around it (`target`) decides the type of its elements. */
function bindArray(
  b: Binder,
  scope: Scope,
  nodes: readonly Node[],
  location: number | undefined,
  target: number | null,
): Expr {
  const elements = nodes.map((node) => {
    if ('A_ArrayExpr' in node) {
      return bindArray(
        b,
        scope,
        node.A_ArrayExpr.elements ?? [],
        node.A_ArrayExpr.location,
        target,
      );
    }
    return bindExpr(b, scope, node);
  });
  const nested =
    nodes.some((node) => 'A_ArrayExpr' in node) ||
    elements.some((element) => elementTypeOf(element.type) !== 0);
  if (elements.length === 0 && target === null) {
    throw pgError('indeterminate_datatype', 'cannot determine type of empty array', {
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
      ...b.position(location),
    });
  }
  let common: number;
  if (target !== null) common = nested ? target : elementTypeOf(target);
  else common = selectCommonType(b, elements, 'ARRAY');
  const type = nested ? common : arrayTypeOid(common);
  if (type === 0) {
    throw pgError(
      'undefined_object',
      `could not find array type for data type ${typeDisplay(common)}`,
      b.position(location),
    );
  }
  const coerced = elements.map((element) => {
    if (target === null) return coerceToCommon(b, element, common, 'ARRAY');
    const cast = coerceToTarget(b, element, common, -1, 'explicit');
    if (cast !== undefined) return cast;
    throw pgError(
      'cannot_coerce',
      `cannot cast type ${typeDisplay(element.type)} to ${typeDisplay(common)}`,
      b.positionOf(element),
    );
  });
  const elementType = nested ? elementTypeOf(common) : common;
  return b.at(
    { kind: 'array', type, typmod: -1, elementType, elements: coerced, nested },
    location,
  );
}

export function bindIndirection(b: Binder, scope: Scope, node: A_Indirection): Expr {
  let expr = bindExpr(b, scope, node.arg as Node);
  const parts = node.indirection ?? [];
  for (let i = 0; i < parts.length; ) {
    const part = parts[i] as Node;
    if ('A_Indices' in part) {
      const indices = [];
      for (; i < parts.length; i++) {
        const next = parts[i] as Node;
        if (!('A_Indices' in next)) break;
        indices.push(next.A_Indices);
      }
      if (expr.type === OID.jsonb) {
        expr = b.at(bindJsonbSubscripts(b, scope, expr, indices), b.locationOf(expr));
        continue;
      }
      const { type, ...subscripts } = bindArraySubscripts(b, scope, expr, indices);
      expr = b.at(
        { kind: 'subscript', type, typmod: expr.typmod, array: expr, ...subscripts },
        b.locationOf(expr),
      );
      continue;
    }
    const field = nodeString(part);
    if (field === undefined) {
      throw pgError(
        'feature_not_supported',
        'row expansion via "*" is not supported here',
        b.positionOf(expr),
      );
    }
    expr = b.at(selectField(b, scope, expr, field), b.locationOf(expr));
    i++;
  }
  return expr;
}

function bindCollate(
  b: Binder,
  expr: Expr,
  names: readonly string[],
  location: number | undefined,
): Expr {
  const resolved = expr.type === OID.unknown ? coerceType(b, expr, OID.text, -1, 'implicit') : expr;
  checkCollation(b, names, resolved.type, location);
  return resolved;
}

/** Whether an expression holds a column of its own query level. */
export function hasColumns(expr: Expr): boolean {
  return someExpr(expr, (part) => part.kind === 'column' || part.kind === 'subquery');
}
