/** Functions of enums. Which enum a call is about, its argument types say. */

import { pgError } from '../../errors/index.ts';
import {
  arrayOf,
  type Datum,
  type EnumDefinition,
  type EnumLabel,
  enumDefinition,
  isOwnType,
  typeByOid,
  unsafeUse,
} from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { inputRefused, outputOfCall, sendOfCall } from './input-output.ts';
import { compareNative, orderFunctions } from './order.ts';

type C = FunctionContext;

function definitionOf(oid: number): EnumDefinition {
  const definition = enumDefinition(oid);
  if (definition !== undefined) return definition;
  throw pgError('feature_not_supported', 'could not determine actual enum type');
}

/** The value of a label, which the statement must be able to use. */
function usableValue(type: EnumDefinition, label: EnumLabel): number {
  if (label.isNew === true && isOwnType(type.oid)) {
    throw unsafeUse(label, typeByOid(type.oid).sqlName);
  }
  return label.place;
}

function endOf(position: 0 | -1) {
  return ({ arguments: [oid = 0] }: CallTypes): ScalarFunction =>
    () => {
      const type = definitionOf(oid);
      const label = type.labels.at(position);
      if (label !== undefined) return usableValue(type, label);
      throw pgError(
        'object_not_in_prerequisite_state',
        `enum ${typeByOid(oid).sqlName} contains no values`,
      );
    };
}

/** The values between two bounds, of which NULL is none. */
function valuesBetween(oid: number, lower: Datum, upper: Datum): Datum {
  const type = definitionOf(oid);
  const within = type.labels.filter(
    ({ place }) =>
      (lower === null || place >= (lower as number)) &&
      (upper === null || place <= (upper as number)),
  );
  return arrayOf(
    oid,
    within.map((label) => usableValue(type, label)),
  );
}

registerFunctions({
  scalars: {
    ...orderFunctions(
      { prefix: 'enum_', compare: 'enum_cmp', larger: 'enum_larger', smaller: 'enum_smaller' },
      compareNative,
    ),
    enum_in: (context: C, text: string, oid: number) =>
      typeByOid(definitionOf(oid).oid).input(text, context, -1),
    enum_recv: inputRefused,
  },
  typedScalars: {
    enum_out: outputOfCall,
    enum_send: sendOfCall,
    enum_first: endOf(0),
    enum_last: endOf(-1),
    enum_range_all:
      ({ arguments: [oid = 0] }) =>
      () =>
        valuesBetween(oid, null, null),
    enum_range_bounds:
      ({ arguments: [oid = 0] }) =>
      (_context: C, lower: Datum, upper: Datum) =>
        valuesBetween(oid, lower, upper),
  },
});
