import type { WindowDef } from '@pgsql/types';
import type { Binder } from './binder.ts';

/** Window definitions as the grammar gives them: the bits of `frameOptions`, and equality. */

export const FRAME_DEFAULT = 0x422;
export const FRAME_RANGE = 0x2;
export const FRAME_ROWS = 0x4;
export const FRAME_GROUPS = 0x8;
export const END_UNBOUNDED_FOLLOWING = 0x100;
export const START_CURRENT_ROW = 0x200;
export const END_CURRENT_ROW = 0x400;
export const START_PRECEDING = 0x800;
export const END_PRECEDING = 0x1000;
export const START_FOLLOWING = 0x2000;
export const END_FOLLOWING = 0x4000;
export const EXCLUDE_CURRENT_ROW = 0x8000;
export const EXCLUDE_GROUP = 0x10000;
export const EXCLUDE_TIES = 0x20000;

/** Whether two definitions are written alike, but for a name that one of them has. */
export function sameDefinition(b: Binder, one: WindowDef, other: WindowDef): boolean {
  return sameNode(b, { ...one, name: undefined }, { ...other, name: undefined });
}

/** Equality of syntax trees, wherever they stand. Where lifted literals are compared, they are fixed. */
function sameNode(b: Binder, one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return one === other;
  }
  const left = one as Record<string, unknown>;
  const right = other as Record<string, unknown>;
  if ('A_Const' in left && 'A_Const' in right) {
    fixLiteral(b, left.A_Const);
    fixLiteral(b, right.A_Const);
  }
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (key !== 'location' && !sameNode(b, left[key], right[key])) return false;
  }
  return true;
}

function fixLiteral(b: Binder, constant: unknown): void {
  const { location = 0 } = constant as { location?: number };
  for (const literal of [b.literalAt(location), b.negatedLiteralAt(location)]) {
    if (literal >= 0) b.fixed.add(literal);
  }
}
