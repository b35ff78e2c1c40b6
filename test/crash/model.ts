/** What a store has to hold: trees of keys and values, as the transactions that committed left them. */

import type { Lsn, TreeId } from '../../src/storage/index.ts';

/** A value is known by a number; its length and bytes follow from it. Odd jobs for every size: in a
 * leaf, in one overflow page, in several. */
export function valueLength(stamp: number): number {
  const kind = stamp % 16;
  if (kind === 0) return 2001 + ((stamp * 7919) % 20_000);
  if (kind === 1) return 0;
  if (kind < 4) return 200 + ((stamp * 31) % 1700);
  return 4 + ((stamp * 13) % 60);
}

const filled = new Uint8Array(32 * 1024);

/** The bytes of a value, in memory that the next call reuses. */
export function valueBytes(stamp: number): Uint8Array {
  const bytes = filled.subarray(0, valueLength(stamp));
  bytes.fill(stamp % 251);
  for (let i = 0; i < 4 && i < bytes.length; i++) bytes[i] = stamp >>> (8 * i);
  return bytes;
}

/** A change of one transaction. */
export type Change =
  | { readonly kind: 'put'; readonly tree: TreeId; readonly key: string; readonly stamp: number }
  | { readonly kind: 'delete'; readonly tree: TreeId; readonly key: string }
  | { readonly kind: 'createTree'; readonly tree: TreeId }
  | { readonly kind: 'dropTree'; readonly tree: TreeId };

export type Trees = Map<TreeId, Map<string, number>>;

export function applyChange(trees: Trees, change: Change): void {
  switch (change.kind) {
    case 'put':
      trees.get(change.tree)!.set(change.key, change.stamp);
      return;
    case 'delete':
      trees.get(change.tree)!.delete(change.key);
      return;
    case 'createTree':
      trees.set(change.tree, new Map());
      return;
    case 'dropTree':
      trees.delete(change.tree);
  }
}

/** A transaction that has its commit record, and its number in the order of commits. */
export interface Committed {
  readonly number: number;
  readonly changes: readonly Change[];
  /** Of its records in the log. */
  readonly end: Lsn;
}

/** A state, and the commits after it. A crash keeps the first so many of them, at least those that were
 * promised. */
export class Model {
  readonly trees: Trees = new Map();
  /** Commits up to this number were acknowledged. */
  promised = 0;
  pending: Committed[] = [];

  /** Takes the commits up to this number into the state. */
  settle(number: number): void {
    while (this.pending.length > 0 && this.pending[0]!.number <= number) {
      const committed = this.pending.shift()!;
      for (const change of committed.changes) applyChange(this.trees, change);
    }
  }

  /** After a crash: the commits after this number were lost. */
  forgetAfter(number: number): void {
    this.settle(number);
    this.pending = [];
    this.promised = number;
  }

  /** A copy of the state after the commit of this number. */
  at(number: number): Trees {
    const copy = cloneTrees(this.trees);
    for (const committed of this.pending) {
      if (committed.number > number) break;
      for (const change of committed.changes) applyChange(copy, change);
    }
    return copy;
  }
}

export function cloneTrees(trees: Trees): Trees {
  const copy: Trees = new Map();
  for (const [tree, entries] of trees) copy.set(tree, new Map(entries));
  return copy;
}
