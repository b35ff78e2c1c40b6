import type { TreeId } from '../storage/index.ts';

/** Names of lockable things in the lock table. A key's bytes become characters 0 .. 255. */

export function rowLockTag(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  let tag = `r${tree}/`;
  for (let i = start; i < end; i++) tag += String.fromCharCode(key[i]!);
  return tag;
}

export function tableLockTag(oid: number): string {
  return `t${oid}`;
}

export function advisoryLockTag(key: string): string {
  return `a${key}`;
}

/** All keys that a transaction inserts into a tree without locking each; `number` is of its own. */
export function claimsLockTag(number: number): string {
  return `c${number}`;
}
