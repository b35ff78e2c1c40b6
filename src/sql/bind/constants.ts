import type { A_Const } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { bits, DEFAULT_TYPE_CONTEXT, OID, typeByOid } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { constant, NULL_UNKNOWN } from './coercion.ts';
import { bindOperatorOn } from './operators.ts';

/** Constants and parameters. */

const INT8_LIMIT = 9223372036854775807n;

export function bindConstant(b: Binder, node: A_Const): Expr {
  const location = node.location ?? 0;
  if (node.isnull === true) {
    const lifted = b.literalAt(location);
    return b.at(lifted < 0 ? { ...NULL_UNKNOWN } : b.literalParam(lifted, OID.unknown), location);
  }
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

export function bindParameter(b: Binder, number: number, location: number | undefined): Expr {
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
