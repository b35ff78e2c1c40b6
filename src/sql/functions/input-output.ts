/** The input, output, receive and send functions of types, as pg_type names them. SQL may call the
 * text forms; receive functions take the server's own buffers and cannot be called. */

import typeRows from '../../../schemas/catalog/pg_type.json' with { type: 'json' };
import { ByteWriter } from '../../base/index.ts';
import { notSupported } from '../../errors/index.ts';
import { builtinTypes, type Datum, type SqlType, typeByOid } from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';

/** Functions that serve every array type, range type or multirange type: the call says which. */
const SHARED = new Set(
  ['array', 'range', 'multirange'].flatMap((name) =>
    ['in', 'out', 'recv', 'send'].map((form) => `${name}_${form}`),
  ),
);

const scalars: Record<string, ScalarFunction> = {};

for (const row of typeRows) {
  const type = builtinTypes.find(row.oid);
  if (type === undefined || SHARED.has(row.input)) continue;
  scalars[row.input] = inputOf(type);
  scalars[row.output] = outputOf(type);
  scalars[row.receive] = inputRefused;
  scalars[row.send] = sendOf(type);
}
delete scalars['-'];

function inputOf(type: SqlType): ScalarFunction {
  return (context: FunctionContext, text: string, _oid?: number, typmod = -1) => {
    const value = type.input(text, context, typmod);
    return typmod < 0 || type.applyTypmod === undefined
      ? value
      : type.applyTypmod(value, typmod, false);
  };
}

function outputOf(type: SqlType): ScalarFunction {
  return (context: FunctionContext, value: Datum) => type.output(value, context);
}

function sendOf(type: SqlType): ScalarFunction {
  return (_context: FunctionContext, value: Datum) => {
    const out = new ByteWriter();
    type.send(value, out);
    return out.copy();
  };
}

/** Receive functions take the server's own buffers. */
export function inputRefused(): never {
  throw notSupported('a call of a binary input function');
}

function arrayInput(context: FunctionContext, text: string, element: number, typmod: number) {
  return typeByOid(typeByOid(element).arrayOid).input(text, context, typmod);
}

function rangeInput(context: FunctionContext, text: string, type: number, typmod: number) {
  return typeByOid(type).input(text, context, typmod);
}

export function outputOfCall({ arguments: [type = 0] }: CallTypes): ScalarFunction {
  return outputOf(typeByOid(type));
}

export function sendOfCall({ arguments: [type = 0] }: CallTypes): ScalarFunction {
  return sendOf(typeByOid(type));
}

registerFunctions({
  scalars: {
    ...scalars,
    array_in: arrayInput,
    array_recv: inputRefused,
    range_in: rangeInput,
    range_recv: inputRefused,
    multirange_in: rangeInput,
    multirange_recv: inputRefused,
  },
  typedScalars: {
    array_out: outputOfCall,
    array_send: sendOfCall,
    range_out: outputOfCall,
    range_send: sendOfCall,
    multirange_out: outputOfCall,
    multirange_send: sendOfCall,
  },
});
