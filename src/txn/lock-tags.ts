import type { TreeId } from '../storage/index.ts';

/** Names of lockable things in the lock table. A key's bytes become characters 0 .. 255. */

export function rowLockTag(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  let tag = `r${tree}/`;
  let at = start;
  // Four at a time, as each addition makes a string.
  for (; at + 4 <= end; at += 4) {
    tag += String.fromCharCode(key[at]!, key[at + 1]!, key[at + 2]!, key[at + 3]!);
  }
  for (; at < end; at++) tag += String.fromCharCode(key[at]!);
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
