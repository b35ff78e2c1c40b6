import { TakesLong, withinLimit } from '../../base/index.ts';
import { PgError } from '../../errors/index.ts';
import { builtinTypes, type Datum, DEFAULT_TYPE_CONTEXT, OID } from '../../types/index.ts';
import type { CallExpr, CastExpr, ConstExpr, Expr } from '../expression.ts';
import { mapChildren } from '../expression-tree.ts';
import {
  type FunctionContext,
  functionByOid,
  isCatalogFunction,
  scalarImplementation,
} from '../functions/index.ts';

/** The expression with all of it computed that is constant. */
export function foldAll(expr: Expr): Expr {
  return foldConstants(mapChildren(expr, foldAll));
}

/** Computes what is constant: an immutable function of constants, and conditions that a constant
 * member decides. The children of `expr` have been folded. */
export function foldConstants(expr: Expr): Expr {
  switch (expr.kind) {
    case 'call':
      if (expr.arguments.every(isConstant)) return foldCall(expr, expr.function, expr.arguments);
      return isNullByArgument(expr) ? constantOf(expr, null) : expr;
    case 'cast':
      return isConstant(expr.argument) ? foldCast(expr, expr.argument) : expr;
    case 'typmod': {
      const { argument } = expr;
      if (!isConstant(argument)) return expr;
      const apply = builtinTypes.find(expr.type)?.applyTypmod;
      if (argument.value === null || apply === undefined) {
        return { ...argument, type: expr.type, typmod: expr.typmod };
      }
      const { value } = argument;
      return computed(expr, () => apply(value, expr.typmod, expr.explicit));
    }
    case 'not':
      if (!isConstant(expr.argument)) return expr;
      return constantOf(expr, expr.argument.value === null ? null : expr.argument.value !== true);
    case 'isNull':
      if (!isConstant(expr.argument)) return expr;
      return constantOf(expr, (expr.argument.value === null) !== expr.negated);
    case 'and':
    case 'or':
      return foldConnective(expr, expr.kind === 'or');
    default:
      return expr;
  }
}

function isConstant(expr: Expr): expr is ConstExpr {
  return expr.kind === 'const';
}

/** Whether one constant argument makes the call null, whatever the others are: as in PostgreSQL,
 * they are not computed then, not even to fail. */
function isNullByArgument(expr: CallExpr): boolean {
  if (!expr.arguments.some((arg) => isConstant(arg) && arg.value === null)) return false;
  const signature = functionByOid(expr.function);
  return signature?.strict === true && signature.arguments.length === expr.arguments.length;
}

function constantOf(expr: Expr, value: Datum): ConstExpr {
  return { kind: 'const', type: expr.type, typmod: expr.typmod, value };
}

/** Characters, bytes or elements of a value to compute with; and of a result, which goes into the plan. */
const SIZE_MAX = 16 * 1024;
/** What fails stays as it is, to fail when it is run, if it is; so does what takes long: planning holds up everybody, and a
 * run can be cancelled. */
function computed(expr: Expr, compute: () => Datum): Expr {
  try {
    const value = withinLimit(compute);
    return isLarge(value) ? expr : constantOf(expr, value);
  } catch (error) {
    if (error instanceof PgError || error instanceof TakesLong) return expr;
    throw error;
  }
}

function isLarge(value: Datum): boolean {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length > SIZE_MAX;
  if (typeof value !== 'object' || value === null || !('elements' in value)) return false;
  return value.elements.length > SIZE_MAX;
}

function foldCast(expr: CastExpr, argument: ConstExpr): Expr {
  if (argument.value === null) return constantOf(expr, null);
  if (expr.method === 'relabel') return constantOf(expr, argument.value);
  return expr.method === 'function'
    ? foldCall(expr, expr.function, castArguments(expr, argument))
    : expr;
}

/** The arguments of a cast function: some take the modifier, and whether the user wrote the cast. */
function castArguments(expr: CastExpr, argument: ConstExpr): readonly ConstExpr[] {
  const all: readonly ConstExpr[] = [
    argument,
    { kind: 'const', type: OID.int4, typmod: -1, value: expr.typmod },
    { kind: 'const', type: OID.bool, typmod: -1, value: expr.explicit },
  ];
  return all.slice(0, functionByOid(expr.function)?.arguments.length ?? 1);
}

function foldCall(expr: CallExpr | CastExpr, oid: number, args: readonly Expr[]): Expr {
  const signature = functionByOid(oid);
  if (signature?.volatility !== 'i' || args.length !== signature.arguments.length) return expr;
  if (isCatalogFunction(oid)) return expr;
  const values = args.map((arg) => (arg as ConstExpr).value);
  if (values.some(isLarge)) return expr;
  if (values.includes(null)) return signature.strict ? constantOf(expr, null) : expr;
  const code = scalarImplementation(oid, {
    arguments: args.map((arg) => arg.type),
    result: expr.type,
  });
  if (code === undefined) return expr;
  return computed(expr, () => (code as AnyScalar)(IMMUTABLE, ...values));
}

type AnyScalar = (context: FunctionContext, ...args: Datum[]) => Datum;

/** AND without what is true, OR without what is false; the other constant decides. */
function foldConnective(expr: Extract<Expr, { kind: 'and' | 'or' }>, deciding: boolean): Expr {
  const rest: Expr[] = [];
  for (const part of expr.arguments) {
    if (!isConstant(part) || part.value === null) rest.push(part);
    else if (part.value === deciding) return constantOf(expr, deciding);
  }
  if (rest.length === expr.arguments.length) return expr;
  if (rest.length === 0) return constantOf(expr, !deciding);
  return rest.length === 1 ? (rest[0] as Expr) : { ...expr, arguments: rest };
}

/** Immutable functions ask nothing of their context. */
const IMMUTABLE: FunctionContext = {
  ...DEFAULT_TYPE_CONTEXT,
  statementTimestamp: 0,
  clockTimestamp: () => 0,
  random: () => 0,
  setRandomSeed() {},
  session: {
    user: '',
    sessionUser: '',
    database: '',
    processId: 0,
    searchPath: [],
    serverStartTimestamp: 0,
    setting: () => null,
  },
  notice() {},
};
