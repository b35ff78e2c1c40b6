import type {
  A_Const,
  A_Expr,
  A_Indirection,
  CaseExpr as CaseSyntax,
  ColumnRef,
  MinMaxExpr,
  Node,
  SQLValueFunction,
  TypeCast,
} from '@pgsql/types';
import { schemaOfName } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { bits, DEFAULT_TYPE_CONTEXT, OID, typeByOid } from '../../types/index.ts';
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
  constant,
  NULL_UNKNOWN,
  resolveUnknown,
  selectCommonType,
} from './coercion.ts';
import { checkCollation } from './collation.ts';
import { bindJsonbSubscripts } from './jsonb-subscripts.ts';
import {
  bindOperatorOn,
  bindRowComparison,
  distinctFrom,
  inList,
  scalarArray,
} from './operators.ts';
import { ROW_MARK_COLUMN } from './query.ts';
import { expandRow, selectField } from './row-fields.ts';
import {
  findColumn,
  findItem,
  itemColumn,
  missingFromEntry,
  type NamespaceItem,
  type Place,
  raiseLevels,
  type Scope,
  undefinedColumn,
} from './scope.ts';
import { requireComparison } from './sort-keys.ts';
import { reportColumn } from './star-columns.ts';
import { bindSubLink } from './sublinks.ts';
import { listItems, nameList, nodeString, nodeTag } from './syntax.ts';
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

/** The columns of `*`, `t.*` or `(row).*`; null for all else. */
export function bindStar(
  b: Binder,
  scope: Scope,
  node: Node,
): { name: string; expr: Expr }[] | null {
  if ('ColumnRef' in node) {
    const isStar = node.ColumnRef.fields?.some((field) => 'A_Star' in field) ?? false;
    return isStar ? expandStar(b, scope, node.ColumnRef) : null;
  }
  if (!('A_Indirection' in node)) return null;
  const { arg, indirection = [] } = node.A_Indirection;
  const last = indirection.at(-1);
  if (last === undefined || !('A_Star' in last)) return null;
  const row = bindIndirection(b, scope, {
    arg: arg as Node,
    indirection: indirection.slice(0, -1),
  });
  return expandRow(b, scope, row);
}

/** The columns of `*` or `t.*`. */
export function expandStar(
  b: Binder,
  scope: Scope,
  ref: ColumnRef,
): { name: string; expr: Expr }[] {
  const names = nameList(ref.fields);
  const { location } = ref;
  if (names.length === 0) {
    const visible = scope.items.filter((item) => item.columnsVisible && !item.lateralOnly);
    if (visible.length === 0) {
      throw pgError(
        'syntax_error',
        'SELECT * with no tables specified is not valid',
        b.position(location),
      );
    }
    return visible.flatMap((item) =>
      item.columns.map((column) => ({ name: column.name, expr: locate(b, column.expr, location) })),
    );
  }
  const found = namedItem(b, scope, ref);
  if (found === undefined) {
    throw missingFromEntry(b, scope, names.at(-1) as string, location);
  }
  return found.item.columns.map((column) => ({
    name: column.name,
    expr: locate(b, raiseLevels(column.expr, found.levels), location),
  }));
}

/** The FROM item that `t.*` names. */
function namedItem(b: Binder, scope: Scope, ref: ColumnRef): ReturnType<typeof findItem> {
  const names = nameList(ref.fields);
  if (names.length === 0) return undefined;
  const schema = schemaOf(b, scope, names.length > 1 ? (names.at(-2) as string) : null);
  return findItem(b, scope, schema, names.at(-1) as string, ref.location);
}

/** A fresh object for a column of the namespace, so that it can have a place of its own. */
function locate(b: Binder, expr: Expr, location: number | undefined): Expr {
  return b.at({ ...expr }, location ?? 0);
}

function schemaOf(b: Binder, _scope: Scope, name: string | null): number | null {
  if (name === null) return null;
  return schemaOfName(b.catalog, name, b.context.processId)?.oid ?? -1;
}

function bindColumnRef(b: Binder, scope: Scope, ref: ColumnRef): Expr {
  const fields = ref.fields ?? [];
  const location = ref.location ?? 0;
  refuseColumns(b, scope, location);
  const last = fields.at(-1);
  if (last !== undefined && 'A_Star' in last) {
    const row = rowOf(expandStar(b, scope, ref), OID.record);
    const found = namedItem(b, scope, ref);
    return b.at(found === undefined ? row : rowOrNull(row, found.item, found.levels), location);
  }
  const names = nameList(fields);
  if (names.length === 1) {
    const name = names[0] as string;
    const column = findColumn(b, scope, name, location);
    if (column !== undefined) {
      reportColumn(b, scope, name, column, location);
      return locate(b, column, location);
    }
    const found = findItem(b, scope, null, name, location);
    if (found !== undefined) {
      const row = wholeRow(found.item, found.levels);
      b.rowOwners.set(row, found.item.alias);
      return b.at(row, location);
    }
    throw undefinedColumn(b, scope, null, name, location);
  }
  if (names.length === 2 || names.length === 3) {
    const [columnName, relation, schemaName] = [...names].reverse() as [string, string, string?];
    const schema = schemaOf(b, scope, schemaName ?? null);
    const found = findItem(b, scope, schema, relation, location);
    if (found !== undefined) {
      const column = itemColumn(b, found.item, columnName, location);
      if (column === undefined) {
        throw undefinedColumn(b, scope, relation, columnName, location);
      }
      const raised = raiseLevels(column, found.levels);
      if (schemaName !== undefined) reportColumn(b, scope, columnName, raised, location);
      return locate(b, raised, location);
    }
    throw missingFromEntry(b, scope, relation, location);
  }
  throw pgError(
    'syntax_error',
    `improper qualified name (too many dotted names): ${names.join('.')}`,
    b.position(location),
  );
}

function refuseColumns(b: Binder, scope: Scope, location: number): void {
  const refused = NO_COLUMNS[scope.place];
  if (refused === undefined) return;
  throw pgError(
    'feature_not_supported',
    `cannot use column reference in ${refused}`,
    b.position(location),
  );
}

const NO_COLUMNS: Partial<Record<Place, string>> = {
  'DEFAULT expressions': 'DEFAULT expression',
  'partition bound': 'partition bound expression',
};

function wholeRow(item: NamespaceItem, levels: number): Expr {
  const [only] = item.columns;
  if (item.scalar && only !== undefined) return raiseLevels(only.expr, levels);
  const columns = item.columns.map(({ name, expr }) => ({ name, expr: raiseLevels(expr, levels) }));
  return rowOrNull(rowOf(columns, item.rowType), item, levels);
}

/** A row whose fields may still be of type unknown. */
function bindRow(b: Binder, scope: Scope, node: { args?: Node[]; location?: number }): RowExpr {
  const fields = bindExprList(b, scope, node.args ?? []);
  const names = fields.map((_, i) => `f${i + 1}`);
  return b.at({ kind: 'row', type: OID.record, typmod: -1, fields, names }, node.location);
}

function rowOf(columns: readonly { name: string; expr: Expr }[], type: number): RowExpr {
  return {
    kind: 'row',
    type,
    typmod: -1,
    fields: columns.map((column) => column.expr),
    names: columns.map((column) => column.name),
  };
}

/** The row of an item: NULL where an outer join has none. */
function rowOrNull(row: RowExpr, { entry, nullable }: NamespaceItem, level: number): Expr {
  if (!nullable) return row;
  const { type } = row;
  const isMissing: Expr = {
    kind: 'isNull',
    type: OID.bool,
    typmod: -1,
    argument: {
      kind: 'column',
      type: OID.bool,
      typmod: -1,
      level,
      relation: entry,
      column: ROW_MARK_COLUMN,
    },
    negated: false,
  };
  return {
    kind: 'case',
    type,
    typmod: -1,
    argument: null,
    whens: [{ condition: isMissing, result: constant(type, null) }],
    otherwise: row,
  };
}

const INT8_LIMIT = 9223372036854775807n;

function bindConstant(b: Binder, node: A_Const): Expr {
  const location = node.location ?? 0;
  if (node.isnull === true) return b.at({ ...NULL_UNKNOWN }, location);
  if (node.boolval !== undefined) {
    return b.at(constant(OID.bool, node.boolval.boolval ?? false), location);
  }
  if (node.bsval !== undefined) {
    const text = node.bsval.bsval ?? '';
    const value = b.located(location, () => bits.parseBits(text));
    return b.at(constant(OID.bit, value), location);
  }
  const literal = b.literalAt(location);
  if (node.sval !== undefined) {
    const text = node.sval.sval ?? '';
    if (literal >= 0 && b.context.literals[literal]?.text === text) {
      return b.at(b.literalParam(literal, OID.unknown), location);
    }
    return b.at(constant(OID.unknown, text), location);
  }
  const value = numberConstant(node);
  if (literal >= 0) return b.at(b.literalParam(literal, value.type), location);
  const negated = b.negatedLiteralAt(location);
  if (negated >= 0 && LITERAL_TYPES[b.context.literals[negated]?.kind ?? 'string'] === value.type) {
    const argument = b.at(b.literalParam(negated, value.type), location);
    return bindOperatorOn(b, '-', null, argument, location);
  }
  return b.at(value, location);
}

const LITERAL_TYPES = { int4: OID.int4, int8: OID.int8, numeric: OID.numeric, string: 0 } as const;

function numberConstant(node: A_Const): ReturnType<typeof constant> {
  if (node.ival !== undefined) return constant(OID.int4, node.ival.ival ?? 0);
  const text = node.fval?.fval ?? '0';
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text);
    if (value >= -2147483648n && value <= 2147483647n) return constant(OID.int4, Number(value));
    if (value >= -INT8_LIMIT - 1n && value <= INT8_LIMIT) {
      const number = Number(value);
      return constant(OID.int8, Number.isSafeInteger(number) ? number : value);
    }
  }
  const numeric = typeByOid(OID.numeric);
  return constant(OID.numeric, numeric.input(text, DEFAULT_TYPE_CONTEXT, -1));
}

const PARAMETERS_MAX = 65535;

function bindParameter(b: Binder, number: number, location: number | undefined): Expr {
  const lifted = b.context.literals.length > 0 || b.context.parametersAllowed === false;
  const limit = lifted ? b.literalBase : PARAMETERS_MAX;
  if (number < 1 || number > limit) {
    throw pgError('undefined_parameter', `there is no parameter $${number}`, b.position(location));
  }
  while (b.parameterTypes.length < number) b.parameterTypes.push(0);
  const known = b.parameterTypes[number - 1] as number;
  const type = known === 0 ? OID.unknown : known;
  return b.at({ kind: 'param', type, typmod: -1, index: number - 1 }, location);
}

function bindOperatorExpr(b: Binder, scope: Scope, node: A_Expr): Expr {
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

function bindBooleanTest(
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

function bindIndirection(b: Binder, scope: Scope, node: A_Indirection): Expr {
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
