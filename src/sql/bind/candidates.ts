import { OID } from '../../types/index.ts';
import type { FunctionSignature, OperatorSignature } from '../functions/index.ts';
import { functionsByName, operatorsByName } from '../functions/index.ts';
import { canCoerce } from './coercion-rules.ts';
import { isPreferred, typeCategory } from './type-facts.ts';

/** Choice among functions or operators of one name: PostgreSQL's func_get_candidates,
 * func_match_argtypes and func_select_candidate. */
export interface Candidate<Signature> {
  readonly signature: Signature;
  /** Declared types, one for each actual argument (variadic ones expanded, in the call's order). */
  readonly types: readonly number[];
  /** Number of arguments that defaults supply. */
  readonly defaults: number;
  /** Variadic arguments that become one array; 0 for a plain call. */
  readonly variadicCount: number;
  /** For calls with named arguments: position of each given argument in the signature. */
  readonly positions: readonly number[] | null;
}

export type Choice<Signature> =
  | { readonly kind: 'found'; readonly candidate: Candidate<Signature> }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous' };

const NONE = { kind: 'none' } as const;
const AMBIGUOUS = { kind: 'ambiguous' } as const;

export function functionCandidates(
  name: string,
  argumentCount: number,
  argumentNames: readonly (string | null)[],
  expandVariadic: boolean,
): Candidate<FunctionSignature>[] {
  const named = argumentNames.some((argument) => argument !== null);
  const candidates: Candidate<FunctionSignature>[] = [];
  for (const signature of functionsByName(name)) {
    const declared = signature.arguments;
    if (named) {
      const positions = namedPositions(signature, argumentNames);
      if (positions === null) continue;
      const types = positions.map((position) => declared[position] as number);
      const defaults = declared.length - positions.length;
      candidates.push({ signature, types, defaults, variadicCount: 0, positions });
      continue;
    }
    if (declared.length === argumentCount && !(signature.variadic !== 0 && expandVariadic)) {
      candidates.push({
        signature,
        types: declared,
        defaults: 0,
        variadicCount: 0,
        positions: null,
      });
    } else if (signature.variadic !== 0 && expandVariadic) {
      const variadicCount = argumentCount - (declared.length - 1);
      if (variadicCount < 1) continue;
      const fixed = declared.slice(0, -1);
      const repeated = new Array<number>(variadicCount).fill(signature.variadic);
      candidates.push({
        signature,
        types: [...fixed, ...repeated],
        defaults: 0,
        variadicCount,
        positions: null,
      });
    } else if (
      argumentCount < declared.length &&
      argumentCount >= declared.length - signature.defaults
    ) {
      candidates.push({
        signature,
        types: declared.slice(0, argumentCount),
        defaults: declared.length - argumentCount,
        variadicCount: 0,
        positions: null,
      });
    }
  }
  return withoutHidden(candidates);
}

/** Of candidates with the same argument types the one without variadic expansion and defaults wins. */
function withoutHidden(candidates: Candidate<FunctionSignature>[]): Candidate<FunctionSignature>[] {
  if (candidates.length < 2) return candidates;
  return candidates.filter(
    (candidate) =>
      !candidates.some(
        (other) =>
          other !== candidate &&
          other.types.length === candidate.types.length &&
          other.types.every((type, i) => type === candidate.types[i]) &&
          rank(other) < rank(candidate),
      ),
  );
}

function rank(candidate: Candidate<FunctionSignature>): number {
  return (candidate.variadicCount > 0 ? 1 : 0) + candidate.defaults * 2;
}

function namedPositions(
  signature: FunctionSignature,
  names: readonly (string | null)[],
): number[] | null {
  const inputs = (signature.names ?? []).filter(
    (_, i) => (signature.modes?.[i] ?? 'i') !== 'o' && (signature.modes?.[i] ?? 'i') !== 't',
  );
  const count = signature.arguments.length;
  if (names.length > count) return null;
  const positions: number[] = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string | null;
    const position = name === null ? i : inputs.indexOf(name);
    if (position < 0 || positions.includes(position)) return null;
    positions.push(position);
  }
  for (let i = 0; i < count; i++) {
    if (!positions.includes(i) && i < count - signature.defaults) return null;
  }
  return positions;
}

export function chooseFunction(
  candidates: readonly Candidate<FunctionSignature>[],
  actual: readonly number[],
): Choice<FunctionSignature> {
  const exact = candidates.find((candidate) => sameTypes(candidate.types, actual));
  if (exact !== undefined) return { kind: 'found', candidate: exact };
  return chooseCoercible(candidates, actual);
}

function sameTypes(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** An operator of the name that takes the operands; `left` is 0 for a prefix operator. */
export function chooseOperator(
  name: string,
  left: number,
  right: number,
): Choice<OperatorSignature> {
  const all = operatorsByName(name).filter((operator) => (operator.left === 0) === (left === 0));
  // An unknown operand is first taken to be of the other operand's type.
  const exactLeft = left === OID.unknown ? right : left;
  const exactRight = right === OID.unknown ? left : right;
  for (const signature of all) {
    if (
      (left === 0 || signature.left === exactLeft) &&
      signature.right === (left === 0 ? right : exactRight)
    ) {
      return found(signature, left === 0 ? [signature.right] : [signature.left, signature.right]);
    }
  }
  const candidates = all.map(
    (signature): Candidate<OperatorSignature> => ({
      signature,
      types: left === 0 ? [signature.right] : [signature.left, signature.right],
      defaults: 0,
      variadicCount: 0,
      positions: null,
    }),
  );
  return chooseCoercible(candidates, left === 0 ? [right] : [left, right]);
}

function found<Signature>(signature: Signature, types: readonly number[]): Choice<Signature> {
  return {
    kind: 'found',
    candidate: { signature, types, defaults: 0, variadicCount: 0, positions: null },
  };
}

function chooseCoercible<Signature>(
  candidates: readonly Candidate<Signature>[],
  actual: readonly number[],
): Choice<Signature> {
  const possible = candidates.filter((candidate) => canCoerce(actual, candidate.types, 'implicit'));
  if (possible.length === 0) return NONE;
  const only = possible.length === 1 ? possible[0] : selectCandidate(possible, actual);
  return only === undefined ? AMBIGUOUS : { kind: 'found', candidate: only };
}

function selectCandidate<Signature>(
  possible: readonly Candidate<Signature>[],
  actual: readonly number[],
): Candidate<Signature> | undefined {
  const known = (i: number) => actual[i] !== OID.unknown;
  let candidates = mostMatches(possible, (candidate) =>
    countWhere(actual, (type, i) => known(i) && candidate.types[i] === type),
  );
  if (candidates.length === 1) return candidates[0];
  candidates = mostMatches(candidates, (candidate) =>
    countWhere(actual, (type, i) => {
      const declared = candidate.types[i] as number;
      return known(i) && (declared === type || preferredFor(type, declared));
    }),
  );
  if (candidates.length === 1) return candidates[0];
  if (actual.every((_, i) => known(i))) return undefined;

  const stripped = stripByCategory(candidates, actual);
  if (stripped !== null) {
    candidates = stripped;
    if (candidates.length === 1) return candidates[0];
  }
  const knownTypes = new Set(actual.filter((_, i) => known(i)));
  if (knownTypes.size !== 1) return undefined;
  const [assumed] = knownTypes;
  const all = actual.map(() => assumed as number);
  const fitting = candidates.filter((candidate) => canCoerce(all, candidate.types, 'implicit'));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Settles unknown arguments by the category that the candidates have at their place; null when
 * they disagree. */
function stripByCategory<Signature>(
  candidates: Candidate<Signature>[],
  actual: readonly number[],
): Candidate<Signature>[] | null {
  const slots: { category: string; preferred: boolean }[] = [];
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== OID.unknown) continue;
    let category = '';
    let preferred = false;
    let conflict = false;
    for (const candidate of candidates) {
      const type = candidate.types[i] as number;
      const current = typeCategory(type);
      if (category === '' || (current !== category && current === 'S')) {
        category = current;
        preferred = isPreferred(type);
      } else if (current === category) preferred ||= isPreferred(type);
      else conflict = true;
    }
    if (conflict && category !== 'S') return null;
    slots[i] = { category, preferred };
  }
  const kept = candidates.filter((candidate) =>
    slots.every((slot, i) => {
      const type = candidate.types[i] as number;
      return typeCategory(type) === slot.category && (!slot.preferred || isPreferred(type));
    }),
  );
  return kept.length > 0 ? kept : candidates;
}

function preferredFor(actual: number, declared: number): boolean {
  return isPreferred(declared) && typeCategory(declared) === typeCategory(actual);
}

function mostMatches<Signature>(
  candidates: readonly Candidate<Signature>[],
  matches: (candidate: Candidate<Signature>) => number,
): Candidate<Signature>[] {
  let best = -1;
  let kept: Candidate<Signature>[] = [];
  for (const candidate of candidates) {
    const count = matches(candidate);
    if (count > best) {
      best = count;
      kept = [candidate];
    } else if (count === best) kept.push(candidate);
  }
  return kept;
}

function countWhere(
  types: readonly number[],
  test: (type: number, index: number) => boolean,
): number {
  let count = 0;
  for (let i = 0; i < types.length; i++) if (test(types[i] as number, i)) count++;
  return count;
}
