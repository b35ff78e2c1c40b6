import {
  bootstrapObjects,
  CATALOG_TREE,
  catalogKey,
  catalogValue,
  FIRST_USER_TREE,
  SEQUENCE_TREE,
} from '../../catalog/index.ts';
import type { StorageEngine, TreeId } from '../../storage/index.ts';

/** A fresh store gets its own trees and the first objects, in one commit. */
export function bootstrap(engine: StorageEngine): void {
  const trees: TreeId[] = [];
  do trees.push(engine.nextTreeId());
  while (trees.at(-1)! < FIRST_USER_TREE - 1);
  const xid = engine.nextXid();
  const own = trees.filter((tree) => tree === CATALOG_TREE || tree === SEQUENCE_TREE);
  const objects = bootstrapObjects();
  for (const tree of own) engine.log.createTree(xid, tree);
  // Reserves the ids below FIRST_USER_TREE: recovery hands out ids above the highest it has seen.
  engine.log.createTree(xid, trees.at(-1)!);
  engine.log.dropTree(xid, trees.at(-1)!);
  for (const object of objects) {
    engine.log.put(xid, CATALOG_TREE, catalogKey(object.kind, object.oid), catalogValue(object)!);
  }
  engine.log.commit(xid, Date.now());
  engine.flush();
  engine.apply((writer) => {
    for (const tree of own) writer.createTree(tree);
    for (const object of objects) {
      const key = catalogKey(object.kind, object.oid);
      const value = catalogValue(object)!;
      writer.put(CATALOG_TREE, key, 0, key.length, value, 0, value.length, engine.pages.groupLsn);
    }
  });
}
