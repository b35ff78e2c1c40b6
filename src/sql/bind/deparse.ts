import { type Datum, DEFAULT_TYPE_CONTEXT, findType, formatType, OID } from '../../types/index.ts';
import type {
  AggregateExpr,
  ArrayAssignmentExpr,
  CallExpr,
  ConstExpr,
  Expr,
  SetCallExpr,
  SortKey,
  SubplanExpr,
  SubscriptExpr,
  WindowExpr,
} from '../expression.ts';
import {
  type FunctionSignature,
  functionByOid,
  JSONB_SUBSCRIPT,
  operatorByOid,
} from '../functions/index.ts';
import { syntaxText } from './syntax-text.ts';
import { arrayTypeOid, elementTypeOf, typeDisplay } from './type-facts.ts';

/** Expressions as PostgreSQL's ruleutils print them: pg_get_expr, EXPLAIN, CHECK constraints. */

export interface DeparseNames {
  /** Name of an input column. */
  column(column: number): string;
  /** What an outer slot holds; default `$n`. */
  slot?(slot: number): string;
  relation?(oid: number): string | null;
  /** A type of users or its array type, as it is to be named; without it by its bare name. */
  type?(oid: number): string | null;
  subplan?(subplan: SubplanExpr): string;
  /** The expression is of the catalog, where lists of constants are as they were written. */
  readonly isStored?: boolean;
  /** Without the parentheses that can be missed. */
  readonly isPretty?: boolean;
  /** Of the lines that CASE is printed in, where the expression is of the catalog. */
  readonly indent?: number;
}

/** The text of an expression over columns of these names. */
export function deparseExpression(expr: Expr, names: readonly string[] | DeparseNames): string {
  const resolved: DeparseNames = isNames(names)
    ? names
    : { column: (column) => quoteIdentifier(names[column] ?? '?column?') };
  const text = deparse(expr, resolved, false);
  return resolved.isStored === true ? text.replace(SPACES_BEFORE_CASE, '') : text;
}

const SPACES_BEFORE_CASE = / +(?=\n *CASE\b)/g;

function isNames(names: readonly string[] | DeparseNames): names is DeparseNames {
  return 'column' in names;
}

const PLAIN_IDENTIFIER = /^[a-z_][a-z0-9_$]*$/;

/** Words that cannot stand bare where a column or table is named. */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric between bigint bit boolean both case cast char
  character check coalesce collate column constraint create current_catalog current_date current_role
  current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end
  except exists extract false fetch float for foreign from grant greatest group grouping having in
  initially inout int integer intersect interval into lateral leading least limit localtime
  localtimestamp national nchar none not null nullif numeric offset on only or order out overlay
  placing position precision primary real references returning row select session_user setof
  smallint some substring symmetric table then time timestamp to trailing treat trim true union unique
  user using values varchar variadic when where window with authorization binary collation
  concurrently cross current_schema freeze full ilike inner is isnull join left like natural notnull
  outer overlaps right similar tablesample verbose`.split(/\s+/),
);

/** The identifier as it must be written. */
export function quoteIdentifier(name: string): string {
  if (PLAIN_IDENTIFIER.test(name) && !RESERVED.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

function deparse(expr: Expr, names: DeparseNames, implicit: boolean): string {
  const list = (exprs: readonly Expr[]) =>
    exprs.map((part) => deparse(part, names, true)).join(', ');
  switch (expr.kind) {
    case 'const':
      return deparseConstant(expr, names);
    case 'param':
      return `$${expr.index + 1}`;
    case 'column':
    case 'input':
      return names.column(expr.column);
    case 'outer':
      return names.slot?.(expr.slot) ?? `$${expr.slot}`;
    case 'caseValue':
      return 'CASE_TEST_EXPR';
    case 'call':
      return expr.operator === 0 ? deparseCall(expr, names) : deparseOperator(expr, names);
    case 'setCall':
      return deparseCall(expr, names);
    case 'cast': {
      if (!expr.explicit && !implicit) return operand(expr.argument, expr, names);
      return castText(expr, expr.argument, names);
    }
    case 'typmod': {
      const inner =
        expr.argument.kind === 'cast' && expr.argument.type === expr.type
          ? expr.argument.argument
          : expr.argument;
      if (!expr.explicit && !implicit) return operand(inner, expr, names);
      return castText(expr, inner, names);
    }
    case 'and':
    case 'or': {
      const word = expr.kind === 'and' ? ' AND ' : ' OR ';
      return enclosed(names, expr.arguments.map((part) => operand(part, expr, names)).join(word));
    }
    case 'not':
      return enclosed(names, `NOT ${operand(expr.argument, expr, names)}`);
    case 'isNull': {
      const word = expr.negated ? 'IS NOT NULL' : 'IS NULL';
      return enclosed(names, `${operand(expr.argument, expr, names, true)} ${word}`);
    }
    case 'booleanTest': {
      const word = `IS ${expr.negated ? 'NOT ' : ''}${expr.test.toUpperCase()}`;
      return enclosed(names, `${operand(expr.argument, expr, names)} ${word}`);
    }
    case 'distinct': {
      const [left, right] = [expr.left, expr.right].map((side) => operand(side, expr, names, true));
      const text = enclosed(names, `${left} IS DISTINCT FROM ${right}`);
      return expr.negated ? enclosed(names, `NOT ${text}`) : text;
    }
    case 'case':
      return deparseCase(expr, names);
    case 'coalesce':
      return `COALESCE(${list(expr.arguments)})`;
    case 'grouping':
      return `GROUPING(${list(expr.arguments)})`;
    case 'nullIf':
      return `NULLIF(${deparse(expr.left, names, true)}, ${deparse(expr.right, names, true)})`;
    case 'greatest':
    case 'least':
      return `${expr.kind.toUpperCase()}(${list(expr.arguments)})`;
    case 'any':
    case 'all': {
      const operator = operatorByOid(expr.operator)?.name ?? '=';
      const array =
        expr.array === null ? listText(expr.list ?? [], names) : deparse(expr.array, names, true);
      const left = operand(expr.left, expr, names, true);
      return enclosed(names, `${left} ${operator} ${expr.kind.toUpperCase()} (${array})`);
    }
    case 'array':
      return expr.elements.length === 0
        ? `ARRAY[]::${typeLabel(names, expr.type, null)}`
        : `ARRAY[${list(expr.elements)}]`;
    case 'subscript':
      return subscriptedText(expr.array, names) + subscriptTexts(expr, names);
    case 'arrayAssignment': {
      const target = subscriptedText(expr.array, names) + subscriptTexts(expr, names);
      return `${target} := ${deparse(expr.value, names, true)}`;
    }
    case 'row':
      return `ROW(${list(expr.fields)})`;
    case 'field':
      return `(${deparse(expr.argument, names, false)}).f${expr.field + 1}`;
    case 'rowCompare':
      return enclosed(names, `ROW(${list(expr.left)}) ${expr.comparison} ROW(${list(expr.right)})`);
    case 'sqlValue':
      return expr.typmod >= 0
        ? `${expr.name.toUpperCase()}(${expr.typmod})`
        : expr.name.toUpperCase();
    case 'sequence': {
      const args = [expr.relation, expr.value, expr.isCalled].filter((arg) => arg !== null);
      const texts = args.map((arg) => sequenceArgument(arg, names));
      return `${expr.operation}(${texts.join(', ')})`;
    }
    case 'aggregate':
      return deparseAggregate(expr, names);
    case 'window':
      return deparseWindow(expr, names);
    case 'subquery':
      return '(SubPlan)';
    case 'subplan':
      return names.subplan?.(expr) ?? `(SubPlan ${expr.plan + 1})`;
  }
}

function sequenceArgument(arg: Expr, names: DeparseNames): string {
  if (arg.kind === 'const' && arg.type === OID.regclass && typeof arg.value === 'number') {
    const name = names.relation?.(arg.value) ?? String(arg.value);
    return `${quoteLiteral(name)}::regclass`;
  }
  return deparse(arg, names, true);
}

function deparseConstant(expr: ConstExpr, names: DeparseNames): string {
  const { type, value } = expr;
  const label = typeLabel(names, type, expr.typmod);
  if (value === null) return type === OID.unknown ? 'NULL' : `NULL::${label}`;
  const text = datumText(type, value);
  switch (type) {
    case OID.bool:
      return value === true ? 'true' : 'false';
    case OID.int4:
      return text.startsWith('-') ? `'${text}'::integer` : text;
    case OID.numeric:
      if (!/^\d+(\.\d+)?$/.test(text)) return `'${text}'::numeric`;
      return text.includes('.') ? text : `'${text}'::numeric`;
    case OID.unknown:
      return quoteLiteral(text);
    default:
      return `${quoteLiteral(text)}::${label === '???' ? typeDisplay(type) : label}`;
  }
}

function datumText(type: number, value: Datum): string {
  if (typeof value === 'string') return value;
  const found = findType(type);
  return found === undefined ? String(value) : found.output(value, DEFAULT_TYPE_CONTEXT);
}

/** A list of constants prints as the array it is. */
function listText(list: readonly Expr[], names: DeparseNames): string {
  const element = list[0]?.type ?? OID.text;
  const arrayType = arrayTypeOid(element);
  const type = findType(arrayType);
  const isFolded = names.isStored !== true && list.every((part) => part.kind === 'const');
  if (type !== undefined && isFolded) {
    const elements = list.map((part) => (part as ConstExpr).value);
    const array = {
      elementType: elementTypeOf(arrayType),
      dimensions: [elements.length],
      lowerBounds: [1],
      elements,
    };
    const text = type.output(array, DEFAULT_TYPE_CONTEXT);
    return `${quoteLiteral(text)}::${typeLabel(names, arrayType, null)}`;
  }
  return `ARRAY[${list.map((part) => deparse(part, names, true)).join(', ')}]`;
}

function typeLabel(names: DeparseNames, type: number, typmod: number | null): string {
  return names.type?.(type) ?? formatType(type, typmod);
}

function castText(cast: Expr, inner: Expr, names: DeparseNames): string {
  const { type, typmod } = cast;
  const label = typeLabel(names, type, typmod);
  if (inner.kind === 'const' && inner.type === type) return deparse(inner, names, false);
  return `${enclosed(names, operand(inner, cast, names))}::${label}`;
}

function deparseCall(expr: CallExpr | SetCallExpr, names: DeparseNames): string {
  const { function: oid, arguments: args } = expr;
  if (oid === JSONB_SUBSCRIPT) return deparseJsonbSubscripts(args, names);
  const signature = functionByOid(oid);
  const name = signature?.name ?? `function_${oid}`;
  const words = expr.kind === 'call' && expr.inWords === true ? inWords(name, expr, names) : null;
  if (words !== null) return words;
  const texts = args.map((arg) => deparse(arg, names, true));
  if (isVariadicCall(expr, signature)) texts.push(`VARIADIC ${texts.pop()}`);
  return `${quoteIdentifier(name)}(${texts.join(', ')})`;
}

/** A call in words; null where there are none for it. */
function inWords(name: string, call: CallExpr, names: DeparseNames): string | null {
  const [first, second] = call.arguments;
  // Of a regular expression there is no form in words.
  if (name === 'substring' && second?.type !== OID.int4) return null;
  const texts = call.arguments.map((arg) =>
    name === 'timezone' ? operand(arg, call, names) : deparse(arg, names, false),
  );
  const field = first?.kind === 'const' && typeof first.value === 'string' ? first.value : null;
  return syntaxText(name, texts, field);
}

/** Whether the last argument is an array of the variadic ones. */
function isVariadicCall(
  expr: CallExpr | SetCallExpr,
  signature: FunctionSignature | undefined,
): boolean {
  if (signature === undefined || signature.variadic === 0) return false;
  if (signature.variadic !== OID.any) return true;
  return expr.kind === 'call' && expr.variadicArray === true;
}

function deparseJsonbSubscripts([container, path]: readonly Expr[], names: DeparseNames): string {
  const subscripts = path?.kind === 'array' ? path.elements : [];
  const texts = subscripts.map((subscript) => {
    const isNumber = subscript.kind === 'cast' && subscript.argument.type === OID.int4;
    return `[${deparse(isNumber ? subscript.argument : subscript, names, false)}]`;
  });
  return subscriptedText(container as Expr, names) + texts.join('');
}

function subscriptTexts(expr: SubscriptExpr | ArrayAssignmentExpr, names: DeparseNames): string {
  const texts = expr.upper.map((upper, i) => {
    const bounds = [expr.lower[i] ?? null, upper].map((bound) =>
      bound === null ? '' : deparse(bound, names, false),
    );
    return expr.slice ? `[${bounds.join(':')}]` : `[${bounds[1]}]`;
  });
  return texts.join('');
}

/** What stands before subscripts: parentheses around all but a column. */
function subscriptedText(expr: Expr, names: DeparseNames): string {
  const text = deparse(expr, names, false);
  return expr.kind === 'input' || expr.kind === 'column' ? text : `(${text})`;
}

function deparseOperator(expr: CallExpr, names: DeparseNames): string {
  const name = operatorByOid(expr.operator)?.name ?? '?';
  const [left, right] = expr.arguments.map((arg) => operand(arg, expr, names, true));
  return enclosed(names, right === undefined ? `${name} ${left}` : `${left} ${name} ${right}`);
}

/** What has an operator is in parentheses; a pretty text has them where they matter, around operands. */
function enclosed(names: DeparseNames, text: string): string {
  return names.isPretty === true ? text : `(${text})`;
}

function operand(expr: Expr, parent: Expr, names: DeparseNames, implicit = false): string {
  const text = deparse(expr, names, implicit);
  return names.isPretty !== true || isSimple(expr, parent) ? text : `(${text})`;
}

/** Whether an operand needs no parentheses in a pretty text: PostgreSQL's isSimpleNode. */
function isSimple(expr: Expr, parent: Expr): boolean {
  switch (expr.kind) {
    case 'call':
      if (expr.operator === 0) return true;
      if (parent.kind === 'call') return bindsTighter(expr, parent);
      return isConnective(parent);
    case 'isNull':
    case 'booleanTest':
      return isConnective(parent);
    case 'distinct':
      return expr.negated ? isJoined(parent) : isConnective(parent);
    case 'and':
    case 'not':
      return isJoined(parent);
    case 'or':
      return parent.kind === 'or';
    case 'cast':
      return expr.method === 'function' || isSimple(expr.argument, expr);
    case 'field':
      return parent.kind !== 'field';
    case 'any':
    case 'all':
    case 'rowCompare':
    case 'subquery':
    case 'subplan':
      return false;
    default:
      return true;
  }
}

function isConnective({ kind }: Expr): boolean {
  return kind === 'and' || kind === 'or' || kind === 'not';
}

function isJoined({ kind }: Expr): boolean {
  return kind === 'and' || kind === 'or';
}

/** Only of the operators of arithmetic it is known which comes first. */
function bindsTighter(expr: CallExpr, parent: CallExpr): boolean {
  const inner = arithmeticRank(expr);
  const outer = arithmeticRank(parent);
  if (inner === 0 || outer === 0) return false;
  return inner === outer ? expr === parent.arguments[0] : inner > outer;
}

function arithmeticRank({ operator, arguments: args }: CallExpr): number {
  const name = operatorByOid(operator)?.name ?? '';
  if (args.length !== 2 || name.length !== 1) return 0;
  if ('*/%'.includes(name)) return 2;
  return '+-'.includes(name) ? 1 : 0;
}

function deparseCase(expr: Extract<Expr, { kind: 'case' }>, outer: DeparseNames): string {
  const { isStored = false, indent = 0 } = outer;
  const names = { ...outer, indent: indent + CASE_INDENT };
  const parts = ['CASE'];
  if (expr.argument !== null) parts[0] = `CASE ${deparse(expr.argument, names, true)}`;
  for (const { condition, result } of expr.whens) {
    // `x = CASE_TEST_EXPR` is printed as the value that x is compared with.
    const value =
      expr.argument !== null && condition.kind === 'call'
        ? (condition.arguments[1] as Expr)
        : condition;
    parts.push(`WHEN ${deparse(value, names, false)} THEN ${deparse(result, names, true)}`);
  }
  const otherwise =
    expr.otherwise === null
      ? `NULL::${typeLabel(names, expr.type, expr.typmod)}`
      : deparse(expr.otherwise, names, true);
  parts.push(`ELSE ${otherwise}`, 'END');
  if (!isStored) return parts.join(' ');
  const last = parts.length - 1;
  return parts
    .map((part, i) => `\n${' '.repeat(i === 0 || i === last ? indent : names.indent)}${part}`)
    .join('');
}

const CASE_INDENT = 4;

function deparseAggregate(expr: AggregateExpr, names: DeparseNames): string {
  const name = quoteIdentifier(functionByOid(expr.function)?.name ?? 'aggregate');
  const order =
    expr.orderBy.length === 0 ? '' : `ORDER BY ${deparseKeys(expr.orderBy, names).join(', ')}`;
  const args = expr.star
    ? '*'
    : (expr.distinct ? 'DISTINCT ' : '') +
      expr.arguments.map((arg) => deparse(arg, names, true)).join(', ');
  const call = expr.withinGroup
    ? `${name}(${args}) WITHIN GROUP (${order})`
    : `${name}(${args}${order === '' ? '' : ` ${order}`})`;
  return expr.filter === null
    ? call
    : `${call} FILTER (WHERE ${deparse(expr.filter, names, false)})`;
}

function deparseWindow(expr: WindowExpr, names: DeparseNames): string {
  const name = quoteIdentifier(functionByOid(expr.function)?.name ?? '?');
  const args = expr.star ? '*' : expr.arguments.map((arg) => deparse(arg, names, true)).join(', ');
  const filter =
    expr.filter === null ? '' : ` FILTER (WHERE ${deparse(expr.filter, names, false)})`;
  return `${name}(${args})${filter} OVER (?)`;
}

/** Sort keys as ORDER BY shows them. */
export function deparseKeys(keys: readonly SortKey[], names: DeparseNames): string[] {
  return keys.map((key) => {
    const text = deparse(key.expr, names, false);
    const direction = key.descending ? ' DESC' : '';
    const nulls =
      key.nullsFirst === key.descending ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
    return `${text}${direction}${nulls}`;
  });
}
