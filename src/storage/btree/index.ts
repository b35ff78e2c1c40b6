export { BTreeWriter } from './b-tree-writer.ts';
export { PageTreeCursor } from './page-tree-cursor.ts';
export { TreeLookup } from './tree-lookup.ts';
export { TreeRoots } from './tree-roots.ts';
