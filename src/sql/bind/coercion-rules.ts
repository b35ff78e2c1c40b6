import { OID } from '../../types/index.ts';
import { castBetween } from '../functions/index.ts';
import { resolvePolymorphic } from './polymorphic.ts';
import {
  elementTypeOf,
  isPolymorphic,
  isRecordType,
  setImplicitRule,
  subscriptType,
  typeCategory,
} from './type-facts.ts';

/** How one type becomes another: PostgreSQL's find_coercion_pathway and can_coerce_type. */
export type CoercionContext = 'implicit' | 'assignment' | 'explicit';

export type Pathway =
  | { readonly kind: 'relabel' }
  | { readonly kind: 'function'; readonly function: number }
  | { readonly kind: 'io' }
  | { readonly kind: 'array'; readonly element: Pathway };

const RANK: Readonly<Record<CoercionContext, number>> = { implicit: 0, assignment: 1, explicit: 2 };
const CAST_RANK = { i: 0, a: 1, e: 2 } as const;
const RELABEL: Pathway = { kind: 'relabel' };
const IO: Pathway = { kind: 'io' };

export function coercionPathway(
  source: number,
  target: number,
  context: CoercionContext,
): Pathway | null {
  if (source === target) return RELABEL;
  const cast = castBetween(source, target);
  if (cast !== undefined) {
    if (RANK[context] < CAST_RANK[cast.context]) return null;
    if (cast.method === 'f') return { kind: 'function', function: cast.function };
    return cast.method === 'b' ? RELABEL : IO;
  }
  // int2vector and oidvector can be read as arrays, but no array becomes one of them.
  const sourceElement = subscriptType(source);
  const targetElement = elementTypeOf(target);
  if (sourceElement !== 0 && targetElement !== 0) {
    const element = coercionPathway(sourceElement, targetElement, context);
    if (element !== null) return element.kind === 'relabel' ? RELABEL : { kind: 'array', element };
  }
  if (context === 'implicit') return null;
  if (typeCategory(target) === 'S' && target !== OID.char) return IO;
  if (context === 'explicit' && typeCategory(source) === 'S') return IO;
  return null;
}

export function canCoerce(
  sources: readonly number[],
  targets: readonly number[],
  context: CoercionContext,
): boolean {
  let polymorphic = false;
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i] as number;
    const target = targets[i] as number;
    if (source === target || target === OID.any) continue;
    if (isPolymorphic(target)) {
      polymorphic = true;
      continue;
    }
    if (source === OID.unknown) continue;
    if (coercionPathway(source, target, context) !== null) continue;
    if (isRecordType(source) && isRecordType(target)) continue;
    return false;
  }
  return !polymorphic || resolvePolymorphic(targets, sources, 0, false) !== null;
}

export function canCoerceOne(source: number, target: number, context: CoercionContext): boolean {
  return canCoerce([source], [target], context);
}

setImplicitRule((from, to) => canCoerceOne(from, to, 'implicit'));
