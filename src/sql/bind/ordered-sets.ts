import type { FuncCall } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import type { AggregateSignature, FunctionSignature } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { signatureText, uncoerced } from './calls.ts';
import { coerceToCommon, selectCommonType } from './coercion.ts';

/** The arguments of an aggregate with WITHIN GROUP: first the direct ones, then the `orderedCount` ones
 * that rows are ordered by. Throws where there are not as many as the aggregate takes; a hypothetical
 * row gets the types of the rows. */
export function orderedSetArguments(
  b: Binder,
  call: FuncCall,
  signature: FunctionSignature,
  aggregate: AggregateSignature,
  args: readonly Expr[],
  orderedCount: number,
): readonly Expr[] {
  const { name } = signature;
  const directCount = args.length - orderedCount;
  const refuse = (hint: string): Error => {
    const types = args.map((arg) => uncoerced(arg).type);
    return pgError(
      'undefined_function',
      `function ${signatureText(name, types, [])} does not exist`,
      {
        hint,
        ...b.position(call.location),
      },
    );
  };
  if (aggregate.kind === 'h') {
    if (directCount !== orderedCount) {
      throw refuse(
        `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments (here ${directCount}) must match the number of ordering columns (here ${orderedCount}).`,
      );
    }
    return hypotheticalArguments(b, args, orderedCount);
  }
  const needed = aggregate.directArguments;
  if (directCount !== needed) {
    throw refuse(
      `There is an ordered-set aggregate ${name}, but it requires ${needed} direct argument${needed === 1 ? '' : 's'}, not ${directCount}.`,
    );
  }
  return args;
}

/** Each pair of a direct argument and a key gets one type, that of the key where it can. */
function hypotheticalArguments(b: Binder, args: readonly Expr[], count: number): readonly Expr[] {
  const pairs = args.slice(0, count).map((direct, i) => {
    const key = args[count + i] as Expr;
    const type = selectCommonType(b, [key, direct], 'WITHIN GROUP');
    return [
      coerceToCommon(b, direct, type, 'WITHIN GROUP'),
      coerceToCommon(b, key, type, 'WITHIN GROUP'),
    ] as const;
  });
  return [...pairs.map(([direct]) => direct), ...pairs.map(([, key]) => key)];
}
