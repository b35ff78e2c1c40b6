import type { IndexDescriptor, RelationDescriptor } from './descriptors.ts';

/** Since which commits the trees of tables and indexes can be read.
 *
 * A snapshot that is older than a tree finds nothing in it. For the rows of a new table, or of one that
 * TRUNCATE or a rewrite emptied for older snapshots, that is right, as it is for the indexes that came with
 * them. It is wrong for
 *
 *   (1) an index that was made, or made anew, later than the tree of the rows it leads to: an older
 *       snapshot shows rows that it has no entries for, so that it must not be read;
 *   (2) rows that were moved to another tree as they are, since their clustering changed (a primary key came
 *       or went): an older snapshot showed them where they were.
 *
 * A commit's number is its place in the log; 0 stands for what was there when the server started, infinity
 * for what a transaction has not committed. Snapshots that are taken after a change of the catalog was told
 * are not older than its trees, as commits are published before they are told (`Writer.commit`): only a
 * snapshot that is held from one statement to the next can be. So a statement of READ COMMITTED, which is
 * planned by what has been told and takes its snapshot when it runs, on whatever thread, need not ask. */
export class TreeAges {
  /** The newest commit of kind (1) or (2); what snapshots from it on show can be read in all ways. */
  newest: number;
  private readonly commits: Map<number, number>;
  /** Trees that rows were moved to, and since when the rows could be read before. */
  private readonly moved: Map<number, number>;

  constructor(from?: TreeAges) {
    this.newest = from?.newest ?? 0;
    this.commits = new Map(from?.commits);
    this.moved = new Map(from?.moved);
  }

  /** Notes a table's change, which is the work of a commit. */
  note(
    before: RelationDescriptor | undefined,
    after: RelationDescriptor | null,
    commit: number,
  ): void {
    const known = treesOf(before);
    const kept = treesOf(after);
    for (const tree of kept) if (!known.has(tree) && commit > 0) this.commits.set(tree, commit);
    if (before !== undefined && after !== null) this.noteYoung(before, after, commit);
    for (const tree of known) {
      if (kept.has(tree)) continue;
      this.commits.delete(tree);
      this.moved.delete(tree);
    }
  }

  private noteYoung(before: RelationDescriptor, after: RelationDescriptor, commit: number): void {
    const isMoved =
      before.tree !== after.tree && (before.clusterKey === null) !== (after.clusterKey === null);
    if (isMoved) this.moved.set(after.tree, this.moved.get(before.tree) ?? this.of(before.tree));
    const since = this.of(after.tree);
    const isYoung = isMoved || after.indexes.some(({ tree }) => this.of(tree) > since);
    if (isYoung) this.newest = Math.max(this.newest, commit);
  }

  /** (1): an index that a snapshot must not be read through. */
  isYoung(table: RelationDescriptor, index: IndexDescriptor, snapshot: number): boolean {
    const since = this.of(index.tree);
    return since > snapshot && since > this.of(table.tree);
  }

  /** (2): a committed move of rows that the snapshot shows, and that cannot be read any more. */
  hasMoved({ tree }: RelationDescriptor, snapshot: number): boolean {
    const since = this.of(tree);
    if (since <= snapshot || since === Number.POSITIVE_INFINITY) return false;
    return (this.moved.get(tree) ?? since) <= snapshot;
  }

  private of(tree: number): number {
    return this.commits.get(tree) ?? 0;
  }
}

function treesOf(relation: RelationDescriptor | null | undefined): Set<number> {
  const trees = new Set<number>();
  if (relation === null || relation === undefined) return trees;
  if (relation.tree !== 0) trees.add(relation.tree);
  for (const { tree } of relation.indexes) if (tree !== 0) trees.add(tree);
  return trees;
}
