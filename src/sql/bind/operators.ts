import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { CallExpr, Expr } from '../expression.ts';
import {
  btreeMembers,
  btreeOperator,
  EQUAL,
  isImplemented,
  LESS,
  type OperatorSignature,
} from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { chooseOperator } from './candidates.ts';
import { coerceToCommon, coerceType, resolveUnknown } from './coercion.ts';
import { canCoerceOne } from './coercion-rules.ts';
import { hasColumns } from './expressions.ts';
import { resolvePolymorphic } from './polymorphic.ts';
import { arrayTypeOid, commonOf, subscriptType, typeDisplay } from './type-facts.ts';

/** Operators: PostgreSQL's make_op, make_scalar_array_op and make_row_comparison_op. */
export function bindOperatorOn(
  b: Binder,
  name: string,
  left: Expr | null,
  right: Expr,
  location: number | undefined,
): Expr {
  if (left?.kind === 'row' && right.kind === 'row' && isComparison(name)) {
    return bindRowComparison(b, name, left.fields, right.fields, location);
  }
  const operator = resolveOperator(b, name, left?.type ?? 0, right.type, location);
  const types = left === null ? [operator.right] : [operator.left, operator.right];
  const args = left === null ? [right] : [left, right];
  return operatorCall(b, operator, types, args, location);
}

function isComparison(name: string): boolean {
  return name in COMPARISONS;
}

function operatorCall(
  b: Binder,
  operator: OperatorSignature,
  types: readonly number[],
  args: readonly Expr[],
  location: number | undefined,
): CallExpr {
  const actual = args.map((arg) => arg.type);
  const resolved = resolvePolymorphic(types, actual, operator.result, true) ?? {
    declared: types,
    result: operator.result,
  };
  const coerced = args.map((arg, i) =>
    coerceType(b, arg, resolved.declared[i] as number, -1, 'implicit'),
  );
  const call: CallExpr = {
    kind: 'call',
    type: resolved.result,
    typmod: -1,
    function: operator.function,
    operator: operator.oid,
    arguments: coerced,
  };
  const first = args.length === 2 ? b.locationOf(args[0] as Expr) : undefined;
  return b.at(call, first ?? location);
}

const RESOLVED = new Map<string, OperatorSignature>();

/** The operator of the name for the operand types; 42883 or 42725 as PostgreSQL reports them. */
export function resolveOperator(
  b: Binder,
  name: string,
  left: number,
  right: number,
  location: number | undefined,
): OperatorSignature {
  const key = `${left}${name}${right}`;
  const known = RESOLVED.get(key);
  if (known !== undefined) return known;
  const choice = chooseOperator(name, left, right);
  if (choice.kind === 'found') {
    const { signature } = choice.candidate;
    if (signature.function === 0 || !isImplemented(signature.function)) {
      throw notSupported(
        `operator ${operatorText(name, signature.left, signature.right)}`,
        b.position(location),
      );
    }
    RESOLVED.set(key, signature);
    return signature;
  }
  const text = operatorText(name, left, right);
  if (choice.kind === 'ambiguous') {
    throw pgError('ambiguous_function', `operator is not unique: ${text}`, {
      hint: `Could not choose a best candidate operator. You might need to add explicit type casts.`,
      ...b.position(location),
    });
  }
  throw pgError('undefined_function', `operator does not exist: ${text}`, {
    hint:
      left === 0
        ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
        : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
    ...b.position(location),
  });
}

function operatorText(name: string, left: number, right: number): string {
  return left === 0
    ? `${name} ${typeDisplay(right)}`
    : `${typeDisplay(left)} ${name} ${typeDisplay(right)}`;
}

export function distinctFrom(
  b: Binder,
  name: string,
  left: Expr,
  right: Expr,
  negated: boolean,
  location: number | undefined,
): Expr {
  if (isNullConstant(right) || isNullConstant(left)) {
    // IS DISTINCT FROM NULL is a null test.
    const argument = isNullConstant(right) ? resolveUnknown(b, left) : resolveUnknown(b, right);
    return b.at(
      { kind: 'isNull', type: OID.bool, typmod: -1, argument, negated: !negated },
      b.locationOf(argument) ?? location,
    );
  }
  if (left.kind === 'row' && right.kind === 'row') {
    requireSameLength(b, left.fields, right.fields, location);
    const parts = left.fields.map((field, i) =>
      distinctFrom(b, name, field, right.fields[i] as Expr, negated, location),
    );
    const kind = negated ? 'and' : 'or';
    return b.at({ kind, type: OID.bool, typmod: -1, arguments: parts }, location);
  }
  const call = bindOperatorOn(b, name, left, right, location);
  if (call.kind !== 'call' || call.type !== OID.bool) {
    throw pgError(
      'datatype_mismatch',
      'IS DISTINCT FROM requires = operator to yield boolean',
      b.position(location),
    );
  }
  const [a, c] = call.arguments as [Expr, Expr];
  return b.at(
    {
      kind: 'distinct',
      type: OID.bool,
      typmod: -1,
      function: call.function,
      operator: call.operator,
      left: a,
      right: c,
      negated,
    },
    b.locationOf(a) ?? location,
  );
}

function isNullConstant(expr: Expr): boolean {
  return expr.kind === 'const' && expr.value === null && expr.type === OID.unknown;
}

/** `x IN (…)` and NOT IN: values without columns go into one list of a common type. */
export function inList(
  b: Binder,
  name: string,
  operand: Expr,
  values: readonly Expr[],
  location: number | undefined,
): Expr {
  const plain = values.filter((value) => !hasColumns(value));
  const others = values.filter((value) => hasColumns(value));
  const tests: Expr[] = [];
  const negated = name === '<>';
  let rest: readonly Expr[] = values;
  if (plain.length > 1) {
    const common = commonOf([operand.type, ...plain.map((value) => value.type)]);
    const coercible =
      common !== undefined &&
      common !== OID.record &&
      arrayTypeOid(common) !== 0 &&
      plain.every((value) => canCoerceOne(value.type, common, 'implicit'));
    if (coercible) {
      const operator = resolveOperator(b, name, operand.type, common, location);
      const types = [operator.left, operator.right];
      const resolved = b.located(location, () =>
        resolvePolymorphic(types, [operand.type, common], operator.result, true),
      ) ?? { declared: types, result: operator.result };
      const list = plain.map((value) =>
        coerceType(
          b,
          coerceToCommon(b, value, common, 'IN'),
          resolved.declared[1] as number,
          -1,
          'implicit',
        ),
      );
      tests.push(
        b.at(
          {
            kind: negated ? 'all' : 'any',
            type: OID.bool,
            typmod: -1,
            function: operator.function,
            operator: operator.oid,
            left: coerceType(b, operand, resolved.declared[0] as number, -1, 'implicit'),
            array: null,
            list,
          },
          b.locationOf(operand) ?? location,
        ),
      );
      rest = others;
    }
  }
  for (const value of rest) tests.push(bindOperatorOn(b, name, operand, value, location));
  if (tests.length === 1) return tests[0] as Expr;
  const kind = negated ? 'and' : 'or';
  return b.at({ kind, type: OID.bool, typmod: -1, arguments: tests }, location);
}

/** `x op ANY (array)`. */
export function scalarArray(
  b: Binder,
  kind: 'any' | 'all',
  name: string,
  left: Expr,
  array: Expr,
  location: number | undefined,
): Expr {
  const element = array.type === OID.unknown ? OID.unknown : subscriptType(array.type);
  if (element === 0) {
    throw pgError(
      'wrong_object_type',
      'op ANY/ALL (array) requires array on right side',
      b.position(location),
    );
  }
  const operator = resolveOperator(b, name, left.type, element, location);
  if (operator.result !== OID.bool) {
    throw pgError(
      'wrong_object_type',
      'op ANY/ALL (array) requires operator to yield boolean',
      b.position(location),
    );
  }
  const types = [operator.left, operator.right];
  const resolved = resolvePolymorphic(types, [left.type, element], operator.result, false) ?? {
    declared: types,
  };
  const operand = coerceType(b, left, resolved.declared[0] as number, -1, 'implicit');
  const arrayType = arrayTypeOid(resolved.declared[1] as number);
  if (arrayType === 0) {
    throw pgError(
      'undefined_object',
      `could not find array type for data type ${typeDisplay(resolved.declared[1] as number)}`,
      b.position(location),
    );
  }
  return b.at(
    {
      kind,
      type: OID.bool,
      typmod: -1,
      function: operator.function,
      operator: operator.oid,
      left: operand,
      array: coerceType(b, array, arrayType, -1, 'implicit'),
      list: null,
    },
    b.locationOf(left) ?? location,
  );
}

const COMPARISONS = { '=': 3, '<>': 0, '<': 1, '<=': 2, '>': 5, '>=': 4 } as const;
type Comparison = keyof typeof COMPARISONS;

function requireSameLength(
  b: Binder,
  left: readonly Expr[],
  right: readonly Expr[],
  location: number | undefined,
): void {
  if (left.length === right.length) return;
  throw pgError(
    'syntax_error',
    'unequal number of entries in row expressions',
    b.position(location),
  );
}

/** ROW(…) op ROW(…), column by column. */
export function bindRowComparison(
  b: Binder,
  name: string,
  left: readonly Expr[],
  right: readonly Expr[],
  location: number | undefined,
): Expr {
  requireSameLength(b, left, right, location);
  if (left.length === 0) {
    throw pgError('feature_not_supported', 'cannot compare rows of zero length', {
      ...b.position(location),
    });
  }
  if (!isComparison(name)) {
    throw pgError(
      'feature_not_supported',
      `could not determine interpretation of row comparison operator ${name}`,
      {
        hint: 'Row comparison operators must be associated with btree operator families.',
        ...b.position(location),
      },
    );
  }
  const comparison = name as Comparison;
  const calls = left.map((expr, i) => {
    const call = bindOperatorOn(b, name, expr, right[i] as Expr, location);
    if (call.type === OID.bool) return call;
    throw pgError(
      'datatype_mismatch',
      `row comparison operator must yield type boolean, not type ${typeDisplay(call.type)}`,
      b.position(location),
    );
  });
  if (calls.length === 1) return calls[0] as Expr;
  if (comparison === '=' || comparison === '<>') {
    const kind = comparison === '=' ? 'and' : 'or';
    return b.at({ kind, type: OID.bool, typmod: -1, arguments: calls }, location);
  }
  const lefts: Expr[] = [];
  const rights: Expr[] = [];
  const equality: number[] = [];
  const less: number[] = [];
  for (const call of calls) {
    if (call.kind !== 'call') throw notSupported('comparison of nested rows', b.position(location));
    const [a, c] = call.arguments as [Expr, Expr];
    const member = btreeMembers(call.operator)[0];
    const [x, y] = member === undefined ? [a.type, c.type] : [member.left, member.right];
    const equalOperator = btreeOperator(EQUAL, x, y);
    const lessOperator = btreeOperator(LESS, x, y);
    if (equalOperator === undefined || lessOperator === undefined) {
      throw pgError(
        'feature_not_supported',
        `could not determine interpretation of row comparison operator ${name}`,
        b.position(location),
      );
    }
    lefts.push(a);
    rights.push(c);
    equality.push(equalOperator.function);
    less.push(lessOperator.function);
  }
  return b.at(
    {
      kind: 'rowCompare',
      type: OID.bool,
      typmod: -1,
      comparison,
      equality,
      less,
      left: lefts,
      right: rights,
    },
    location,
  );
}
