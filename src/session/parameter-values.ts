import { decodeUtf8 } from '../base/index.ts';
import { inContext, PgError, pgError } from '../errors/index.ts';
import { type Datum, OID, type TypeContext, typeByOid } from '../types/index.ts';
import type { BindValues } from './session-port.ts';

/** The values of the parameters of a Bind message; an error says which of them it is about. */
export function decodeParameters(
  values: BindValues,
  types: readonly number[],
  context: TypeContext,
  portal: string,
): Datum[] {
  const parameters: Datum[] = [];
  let i = 0;
  try {
    for (; i < values.count; i++) parameters.push(decodeParameter(values, i, types[i]!, context));
  } catch (thrown) {
    if (!(thrown instanceof PgError)) throw thrown;
    const which = portal === '' ? 'unnamed portal' : `portal "${portal}"`;
    const value = values.formats[i] === 1 ? '' : " = '...'";
    throw inContext(thrown, `${which} parameter $${i + 1}${value}`);
  }
  return parameters;
}

/** What a type says of bytes that it does not take whole. */
const BAD_FORMAT = 'incorrect binary data format';

/** The value of parameter `index` of a Bind message. */
function decodeParameter(
  values: BindValues,
  index: number,
  type: number,
  context: TypeContext,
): Datum {
  const length = values.lengths[index]!;
  if (length < 0) return null;
  const start = values.starts[index]!;
  const end = start + length;
  const { bytes } = values;
  if (values.formats[index] === 1) {
    try {
      return typeByOid(type).receive(bytes, start, end);
    } catch (error) {
      const message = `${BAD_FORMAT} in bind parameter ${index + 1}`;
      if (error instanceof RangeError) throw pgError('protocol_violation', message);
      if (error instanceof PgError && error.fields.message === BAD_FORMAT) {
        throw new PgError({ ...error.fields, message });
      }
      throw error;
    }
  }
  if (type === OID.int4 && length <= 9) {
    const value = smallInteger(bytes, start, end);
    if (value >= 0) return value;
  }
  return typeByOid(type).input(decodeUtf8(bytes, start, end), context, -1);
}

/** The number of up to nine digits, or -1 for anything else. */
function smallInteger(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return end > start ? value : -1;
}
