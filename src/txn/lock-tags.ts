import type { TreeId } from '../storage/index.ts';

/** Names of lockable things in the lock table. A key's bytes become characters 0 .. 255. */

export function rowLockTag(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  let tag = `r${tree}/`;
  for (let i = start; i < end; i++) tag += String.fromCharCode(key[i]!);
  return tag;
}

/** The tree and the key of a row lock's name. */
export function lockedRow(tag: string): { readonly tree: TreeId; readonly key: Uint8Array } {
  const keyStart = tag.indexOf('/') + 1;
  const key = new Uint8Array(tag.length - keyStart);
  for (let i = 0; i < key.length; i++) key[i] = tag.charCodeAt(keyStart + i);
  return { tree: Number(tag.slice(1, keyStart - 1)) as TreeId, key };
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
