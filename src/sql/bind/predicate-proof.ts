import { type ArrayDatum, type Datum, findType, OID } from '../../types/index.ts';
import type { ArrayOperatorExpr, CallExpr, ConstExpr, Expr } from '../expression.ts';
import { sameExpr, stripRelabel } from '../expression-tree.ts';
import {
  type BtreeStrategy,
  btreeMembers,
  functionByOid,
  operatorByOid,
} from '../functions/index.ts';
import { commute } from './commute.ts';

/** Whether rows that pass some conditions pass another one too, as far as can be told without their
 * values: PostgreSQL's predicate_implied_by. No is no proof of the opposite. Constants are expected to
 * be folded. */
export function impliesPredicate(conditions: readonly Expr[], predicate: Expr): boolean {
  const known: Expr = {
    kind: 'and',
    type: OID.bool,
    typmod: -1,
    arguments: conditions.map((condition) => normalized(condition)),
  };
  return implies(known, normalized(predicate));
}

/** Longer lists of IN are taken as they are. */
const LIST_MAX = 100;

function implies(clause: Expr, predicate: Expr): boolean {
  const known = membersOf(clause);
  const wanted = membersOf(predicate);
  if (known?.kind === 'and') {
    if (wanted?.kind === 'and') return wanted.members.every((part) => implies(clause, part));
    if (wanted?.kind === 'or' && wanted.members.some((part) => implies(clause, part))) return true;
    return known.members.some((part) => implies(part, predicate));
  }
  if (known?.kind === 'or') {
    if (wanted?.kind === 'and') return wanted.members.every((part) => implies(clause, part));
    return known.members.every((part) => implies(part, predicate));
  }
  if (wanted?.kind === 'and') return wanted.members.every((part) => implies(clause, part));
  if (wanted?.kind === 'or' && wanted.members.some((part) => implies(clause, part))) return true;
  return impliesSimple(clause, predicate);
}

interface Members {
  readonly kind: 'and' | 'or';
  readonly members: readonly Expr[];
}

/** The members of AND and OR, and of `x IN (…)` and the like, which are short for such. */
function membersOf(expr: Expr): Members | null {
  if (expr.kind === 'and' || expr.kind === 'or') {
    return { kind: expr.kind, members: expr.arguments };
  }
  if (expr.kind !== 'any' && expr.kind !== 'all') return null;
  const list = listOf(expr);
  if (list === null || list.length === 0 || list.length > LIST_MAX) return null;
  const { type, typmod, function: oid, operator, left } = expr;
  const members = list.map(
    (right): Expr => ({
      kind: 'call',
      type,
      typmod,
      function: oid,
      operator,
      arguments: [left, right],
    }),
  );
  return { kind: expr.kind === 'any' ? 'or' : 'and', members };
}

function listOf({ list, array }: ArrayOperatorExpr): readonly Expr[] | null {
  if (list !== null) return list;
  if (array?.kind === 'array' && !array.nested) return array.elements;
  if (array?.kind !== 'const' || array.value === null) return null;
  const type = findType(array.type)?.elementOid ?? 0;
  const { elements } = array.value as ArrayDatum;
  return elements.map((value): Expr => ({ kind: 'const', type, typmod: -1, value }));
}

function impliesSimple(clause: Expr, predicate: Expr): boolean {
  if (sameExpr(clause, predicate)) return true;
  if (predicate.kind === 'const') return predicate.value === true;
  if (predicate.kind === 'isNull' && predicate.negated && !isRow(predicate.argument)) {
    if (needsValueOf(clause, stripRelabel(predicate.argument), true)) return true;
  }
  return clause.kind === 'call' && predicate.kind === 'call' && impliesCall(clause, predicate);
}

/** Whether an expression is NULL where a part of it is; with `orFalse`, NULL or false. */
function needsValueOf(expr: Expr, part: Expr, orFalse: boolean): boolean {
  const whole = stripRelabel(expr);
  if (sameExpr(whole, part)) return true;
  switch (whole.kind) {
    case 'call':
      return (
        functionByOid(whole.function)?.strict === true &&
        whole.arguments.some((argument) => needsValueOf(argument, part, false))
      );
    case 'cast':
      return (
        (whole.method !== 'function' || functionByOid(whole.function)?.strict === true) &&
        needsValueOf(whole.argument, part, false)
      );
    case 'typmod':
      return needsValueOf(whole.argument, part, false);
    case 'any':
    case 'all':
      // An empty array makes them false or true, without a look at the left side.
      return (
        (orFalse && whole.kind === 'any' ? true : (whole.list?.length ?? 0) > 0) &&
        functionByOid(whole.function)?.strict === true &&
        needsValueOf(whole.left, part, false)
      );
    case 'isNull':
      return orFalse && whole.negated && needsValueOf(whole.argument, part, false);
    default:
      return false;
  }
}

function isRow({ kind, type }: Expr): boolean {
  return kind === 'row' || findType(type)?.category === 'C' || type === OID.record;
}

// ------------------------------------------------------------------ comparisons

/** An operator's place among those of its family; `<>` is the sixth. */
type Comparison = BtreeStrategy | 6;
const UNEQUAL = 6;

/** `x op1 c1` implies `x op2 c2` where `c2 test c1` holds: rows are op1, columns op2. 0: never. */
const BY_CONSTANTS: readonly (readonly (Comparison | 0)[])[] = [
  [4, 4, 0, 0, 0, 4],
  [5, 4, 0, 0, 0, 5],
  [5, 4, 3, 2, 1, 6],
  [0, 0, 0, 2, 1, 1],
  [0, 0, 0, 2, 2, 2],
  [0, 0, 0, 0, 0, 3],
];

/** `x op1 y` implies `x op2 y`. */
const BY_OPERATORS: readonly (readonly (0 | 1)[])[] = [
  [1, 1, 0, 0, 0, 1],
  [0, 1, 0, 0, 0, 0],
  [0, 1, 1, 1, 0, 0],
  [0, 0, 0, 1, 0, 0],
  [0, 0, 0, 1, 1, 1],
  [0, 0, 0, 0, 0, 1],
];

function impliesCall(clause: CallExpr, predicate: CallExpr): boolean {
  const [left, right] = predicate.arguments;
  if (left === undefined || right === undefined) return false;
  for (const wanted of [predicate, commute(predicate)]) {
    if (wanted === null) continue;
    const [subject, limit] = wanted.arguments as [Expr, Expr];
    for (const given of [clause, commute(clause)]) {
      if (given === null) continue;
      const [same, known] = given.arguments;
      if (same === undefined || known === undefined) continue;
      if (!sameExpr(stripRelabel(same), stripRelabel(subject))) continue;
      if (decides(given.operator, known, wanted.operator, limit)) return true;
    }
  }
  return false;
}

/** Whether `x given known` implies `x wanted limit`. */
function decides(given: number, known: Expr, wanted: number, limit: Expr): boolean {
  const pair = strategiesOf(given, wanted);
  if (pair === null) return false;
  const [from, to] = pair;
  if (sameExpr(known, limit) && BY_OPERATORS[from - 1]![to - 1] === 1) return true;
  if (known.kind !== 'const' || limit.kind !== 'const') return false;
  const test = BY_CONSTANTS[from - 1]![to - 1]!;
  if (test === 0 || known.value === null || limit.value === null) return false;
  const order = compareConstants(limit, known);
  return order !== null && holds(test, order);
}

/** The strategies of two operators in a family that they have in common. */
function strategiesOf(given: number, wanted: number): readonly [Comparison, Comparison] | null {
  for (const from of placesOf(given)) {
    const to = placesOf(wanted).find(({ family }) => family === from.family);
    if (to !== undefined) return [from.strategy, to.strategy];
  }
  return null;
}

function placesOf(operator: number): { family: number; strategy: Comparison }[] {
  const places: { family: number; strategy: Comparison }[] = [...btreeMembers(operator)];
  for (const { family, strategy } of btreeMembers(operatorByOid(operator)?.negator ?? 0)) {
    if (strategy === 3) places.push({ family, strategy: UNEQUAL });
  }
  return places;
}

function holds(test: Comparison, order: number): boolean {
  switch (test) {
    case 1:
      return order < 0;
    case 2:
      return order <= 0;
    case 3:
      return order === 0;
    case 4:
      return order >= 0;
    case 5:
      return order > 0;
    case UNEQUAL:
      return order !== 0;
  }
}

const INTEGERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8]);

/** Null for types that are not compared without settings. */
function compareConstants(a: ConstExpr, b: ConstExpr): number | null {
  const x = a.value as Exclude<Datum, null>;
  const y = b.value as Exclude<Datum, null>;
  if (INTEGERS.has(a.type) && INTEGERS.has(b.type)) return x < y ? -1 : x > y ? 1 : 0;
  return a.type === b.type ? (findType(a.type)?.compare(x, y) ?? null) : null;
}

// ------------------------------------------------------------------ normal form

/** The condition with NOT moved inwards, AND and OR flat, and without comparisons with true and false. */
function normalized(expr: Expr, negated = false): Expr {
  switch (expr.kind) {
    case 'not':
      return normalized(expr.argument, !negated);
    case 'and':
    case 'or': {
      const kind = (expr.kind === 'and') === negated ? 'or' : 'and';
      const parts = expr.arguments.map((part) => normalized(part, negated));
      const flat = parts.flatMap((part) => (part.kind === kind ? part.arguments : [part]));
      return { ...expr, kind, arguments: flat };
    }
    case 'isNull':
      // A row can be neither NULL nor NOT NULL.
      if (isRow(expr.argument)) break;
      return negated ? { ...expr, negated: !expr.negated } : expr;
    case 'call': {
      const compared = comparedWithTruth(expr);
      if (compared !== null) return normalized(compared.argument, compared.isFalse !== negated);
      const negator = negated
        ? operatorByOid(operatorByOid(expr.operator)?.negator ?? 0)
        : undefined;
      if (negator !== undefined) {
        return { ...expr, operator: negator.oid, function: negator.function };
      }
      break;
    }
  }
  return negated ? { kind: 'not', type: OID.bool, typmod: -1, argument: expr } : expr;
}

/** `x = true` and the like, whose outcome is that of x, or its opposite. */
function comparedWithTruth(call: CallExpr): { argument: Expr; isFalse: boolean } | null {
  const name = operatorByOid(call.operator)?.name;
  const [left, right] = call.arguments;
  if (left?.type !== OID.bool || right?.type !== OID.bool) return null;
  if (name !== '=' && name !== '<>') return null;
  const constant = right.kind === 'const' ? right : left.kind === 'const' ? left : null;
  if (constant === null || constant.value === null) return null;
  const argument = constant === right ? left : right;
  return { argument, isFalse: (constant.value === false) === (name === '=') };
}
