import type { TreeId } from '../storage/index.ts';

/** Names of lockable things in the lock table. A key's bytes become characters 0 .. 255. */

export function rowLockTag(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  let tag = treeName(tree);
  let at = start;
  // Four at a time, as each addition makes a string.
  for (; at + 4 <= end; at += 4) {
    tag += String.fromCharCode(key[at]!, key[at + 1]!, key[at + 2]!, key[at + 3]!);
  }
  for (; at < end; at++) tag += String.fromCharCode(key[at]!);
  return tag;
}

/** What the names of a tree's rows begin with. */
export function treeName(tree: TreeId): string {
  return `r${tree}/`;
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

/** Held by those who change many rows of a table without locking each: in a mode that they share, and that
 * has the main thread leave the table to the writer, as any lock on a table of the same word does
 * (FastPathWords). No table has an oid as high as the number in the name. */
export function changesLockTag(oid: number): string {
  return `t${oid + CHANGES_OFFSET}`;
}

/** A multiple of the number of words that tables are spread over. */
const CHANGES_OFFSET = 2 ** 40;

/** The oid in the name of a table's lock; 0 where the name is of something else. */
export function lockedTable(tag: string): number {
  const oid = Number(tag.slice(1));
  return oid > 0 && oid < CHANGES_OFFSET ? oid : 0;
}

export function advisoryLockTag(key: string): string {
  return `a${key}`;
}

/** All keys that a transaction changes in a tree without locking each; `number` is of its own. */
export function claimsLockTag(number: number): string {
  return `c${number}`;
}

/** A commit on its way that was begun on the main thread, by its number. */
export function commitLockTag(number: number): string {
  return `h${number}`;
}
