import { assertNever } from '../../base/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { findType, OID } from '../../types/index.ts';
import type { CaseValueExpr, CastExpr, ConstExpr, Expr } from '../expression.ts';
import { functionByOid } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import {
  type CoercionContext,
  canCoerceOne,
  coercionPathway,
  type Pathway,
} from './coercion-rules.ts';
import {
  commonOf,
  elementTypeOf,
  isPolymorphic,
  isRecordType,
  isReferenceType,
  subscriptType,
  typeDisplay,
} from './type-facts.ts';

/** Coercion of expressions: PostgreSQL's coerce_type and its kin. */

export function constant(type: number, value: ConstExpr['value'], typmod = -1): ConstExpr {
  return { kind: 'const', type, typmod, value };
}

export const NULL_UNKNOWN: ConstExpr = constant(OID.unknown, null);
export const TRUE: ConstExpr = constant(OID.bool, true);

/** The expression as a value of `target`; undefined when the types do not allow it. */
export function coerceToTarget(
  b: Binder,
  expr: Expr,
  target: number,
  typmod: number,
  context: CoercionContext,
): Expr | undefined {
  if (!canCoerceOne(expr.type, target, context)) return undefined;
  const coerced = coerceType(b, expr, target, typmod, context);
  return coerceTypmod(b, coerced, typmod, context === 'explicit');
}

/** Like coerceToTarget for types that are known to coerce; fits no typmod. */
export function coerceType(
  b: Binder,
  expr: Expr,
  target: number,
  typmod: number,
  context: CoercionContext,
): Expr {
  if (expr.type === target) return expr;
  if (target === OID.any || (isPolymorphic(target) && expr.type !== OID.unknown)) return expr;
  if (target === OID.anyelement || target === OID.anynonarray) return expr;
  if (expr.type === OID.unknown) {
    const settled = settleUnknown(b, expr, target, typmod);
    if (settled !== null) return settled;
  }
  const literal = b.literalOf(expr);
  if (literal >= 0 && retypable(expr.type, target)) {
    return b.at(b.literalParam(literal, target), b.locationOf(expr));
  }
  const pathway =
    expr.type === OID.unknown
      ? ({ kind: 'io' } as const)
      : coercionPathway(expr.type, target, context);
  if (pathway === null) {
    if (isRecordType(expr.type) && isRecordType(target)) {
      return relabel(b, expr, target);
    }
    throw pgError(
      'cannot_coerce',
      `cannot cast type ${typeDisplay(expr.type)} to ${typeDisplay(target)}`,
      b.positionOf(expr),
    );
  }
  return b.at(castBy(expr, pathway, target, typmod, context === 'explicit'), b.locationOf(expr));
}

/** An integer literal reads the same as text of a wider number type. */
function retypable(from: number, to: number): boolean {
  if (from === OID.int4) return to === OID.int8 || to === OID.numeric || to === OID.float8;
  if (from === OID.int8) return to === OID.numeric || to === OID.float8;
  return from === OID.numeric && to === OID.float8;
}

function relabel(b: Binder, expr: Expr, target: number): Expr {
  return b.at(castBy(expr, { kind: 'relabel' }, target, -1, false), b.locationOf(expr));
}

function castBy(
  argument: Expr,
  pathway: Pathway,
  target: number,
  typmod: number,
  explicit: boolean,
): CastExpr {
  const base = { kind: 'cast', type: target, argument, explicit } as const;
  switch (pathway.kind) {
    case 'relabel': {
      // What only lets go of a modifier goes into the next one.
      const isBare = argument.kind === 'cast' && argument.method === 'relabel';
      const inner =
        isBare && argument.argument.type === argument.type ? argument.argument : argument;
      return { ...base, argument: inner, method: 'relabel', function: 0, typmod: -1 };
    }
    case 'io':
      return { ...base, method: 'io', function: 0, typmod: -1 };
    case 'function':
      return {
        ...base,
        method: 'function',
        function: pathway.function,
        typmod: takesModifier(pathway.function) ? typmod : -1,
      };
    case 'array': {
      const from = subscriptType(argument.type);
      const value: CaseValueExpr = { kind: 'caseValue', type: from, typmod: -1 };
      const element = castBy(value, pathway.element, elementTypeOf(target), typmod, explicit);
      return { ...base, method: 'array', function: 0, typmod: element.typmod, element };
    }
    default:
      return assertNever(pathway);
  }
}

/** Whether a cast function fits the value to the modifier of its type itself: int4 to bit(n). */
function takesModifier(oid: number): boolean {
  return (functionByOid(oid)?.arguments.length ?? 1) > 1;
}

/** A string constant, lifted literal or parameter of no type yet takes the type; null when the
 * expression is none of these. */
function settleUnknown(b: Binder, expr: Expr, target: number, typmod: number): Expr | null {
  const location = b.locationOf(expr);
  if (expr.kind === 'const') {
    if (expr.value === null) return b.at(constant(target, null), location);
    const type = findType(target);
    if (type === undefined) {
      throw notSupported(`type ${typeDisplay(target)}`, b.position(location));
    }
    const inputTypmod = target === OID.interval ? typmod : -1;
    const text = expr.value as string;
    const value = b.located(location, () => type.input(text, b.context.types, inputTypmod));
    if (target === OID.regclass && location !== undefined && b.viewDepth === 0) {
      b.context.onRelationName?.(location, value as number);
    }
    return b.at(constant(target, value, target === OID.interval ? typmod : -1), location);
  }
  if (expr.kind !== 'param') return null;
  const literal = b.literalOf(expr);
  if (literal >= 0) {
    // Names of catalog objects are looked up when the statement is bound; what the typmod of an
    // interval leaves of the text is settled by its input function.
    const known = b.literalTypes[literal];
    const structural =
      isReferenceType(target) || isRecordType(target) || (target === OID.interval && typmod >= 0);
    if (structural || (known !== 0 && known !== target)) {
      b.fixed.add(literal);
      const text = b.context.literals[literal]?.text ?? '';
      return settleUnknown(b, b.at(constant(OID.unknown, text), location), target, typmod);
    }
    const type = findType(target);
    if (type !== undefined) b.verifyLiteral(literal, type, location);
    return b.at(b.literalParam(literal, target), location);
  }
  const known = b.parameterTypes[expr.index] ?? 0;
  if (known === 0 || known === OID.unknown) b.parameterTypes[expr.index] = target;
  else if (known !== target) {
    throw pgError(
      'ambiguous_parameter',
      `inconsistent types deduced for parameter $${expr.index + 1}`,
      {
        detail: `${typeDisplay(known)} versus ${typeDisplay(target)}`,
        ...b.position(location),
      },
    );
  }
  return b.at({ kind: 'param', type: target, typmod: -1, index: expr.index }, location);
}

/** Types whose modifier a value must be fitted to. */
const LENGTH_COERCED: ReadonlySet<number> = new Set([
  OID.bpchar,
  OID.varchar,
  OID.numeric,
  OID.time,
  OID.timetz,
  OID.timestamp,
  OID.timestamptz,
  OID.interval,
  OID.bit,
  OID.varbit,
]);

function coerceTypmod(b: Binder, expr: Expr, typmod: number, explicit: boolean): Expr {
  if (expr.typmod === typmod) return expr;
  // A cast to the type without its modifier keeps the value, and lets go of the modifier.
  if (typmod < 0) return explicit ? relabel(b, expr, expr.type) : expr;
  const element = elementTypeOf(expr.type);
  if (!LENGTH_COERCED.has(element === 0 ? expr.type : element)) return expr;
  return b.at(
    { kind: 'typmod', type: expr.type, typmod, argument: expr, explicit },
    b.locationOf(expr),
  );
}

/** A condition: of type boolean, or 42804 naming the clause. */
export function coerceToBoolean(b: Binder, expr: Expr, construct: string): Expr {
  const coerced = coerceToTarget(b, expr, OID.bool, -1, 'assignment');
  if (coerced !== undefined) return coerced;
  throw pgError(
    'datatype_mismatch',
    `argument of ${construct} must be type boolean, not type ${typeDisplay(expr.type)}`,
    b.positionOf(expr),
  );
}

/** Like coerceToBoolean for another type: LIMIT wants bigint. */
export function coerceToSpecific(b: Binder, expr: Expr, target: number, construct: string): Expr {
  const coerced = coerceToTarget(b, expr, target, -1, 'assignment');
  if (coerced !== undefined) return coerced;
  throw pgError(
    'datatype_mismatch',
    `argument of ${construct} must be type ${typeDisplay(target)}, not type ${typeDisplay(expr.type)}`,
    b.positionOf(expr),
  );
}

/** The common type of several expressions; 42804 when there is none. Empty `construct`: undefined. */
export function selectCommonType(b: Binder, exprs: readonly Expr[], construct: string): number {
  const types = exprs.map((expr) => expr.type);
  const common = commonOf(types);
  if (common !== undefined) return common;
  let chosen = types[0] as number;
  for (const expr of exprs.slice(1)) {
    const next = commonOf([chosen, expr.type]);
    if (next === undefined) {
      throw pgError(
        'datatype_mismatch',
        `${construct} types ${typeDisplay(chosen)} and ${typeDisplay(expr.type)} cannot be matched`,
        b.positionOf(expr),
      );
    }
    if (chosen !== OID.unknown || expr.type !== OID.unknown) chosen = next;
  }
  return chosen;
}

export function coerceToCommon(b: Binder, expr: Expr, type: number, construct: string): Expr {
  if (expr.type === type) return expr;
  if (canCoerceOne(expr.type, type, 'implicit')) return coerceType(b, expr, type, -1, 'implicit');
  throw pgError(
    'cannot_coerce',
    `${construct} could not convert type ${typeDisplay(expr.type)} to ${typeDisplay(type)}`,
    b.positionOf(expr),
  );
}

/** The typmod that all expressions share once they have the type, else -1. */
export function commonTypmod(exprs: readonly Expr[], type: number): number {
  const [first] = exprs;
  if (first === undefined) return -1;
  return exprs.every((expr) => expr.type === type && expr.typmod === first.typmod)
    ? first.typmod
    : -1;
}

/** What stays unknown at the end of a target list is text. */
export function resolveUnknown(b: Binder, expr: Expr): Expr {
  return expr.type === OID.unknown ? coerceType(b, expr, OID.text, -1, 'implicit') : expr;
}
