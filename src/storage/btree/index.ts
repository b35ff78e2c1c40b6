export { BTreeWriter } from './b-tree-writer.ts';
export { BulkLoader } from './bulk-loader.ts';
export { type CheckedTree, type CheckReport, checkStore } from './check.ts';
export { estimateEntries } from './estimate.ts';
export { keyTooLong } from './key-length.ts';
export { PageTreeCursor } from './page-tree-cursor.ts';
export { TreeLookup } from './tree-lookup.ts';
export { TreeRoots } from './tree-roots.ts';
