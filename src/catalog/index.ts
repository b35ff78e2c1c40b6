export {
  BOOTSTRAP_ROLE,
  bootstrapObjects,
  INFORMATION_SCHEMA,
  PG_CATALOG_SCHEMA,
  POSTGRES_DATABASE,
  PUBLIC_SCHEMA,
} from './bootstrap.ts';
export {
  Catalog,
  type CatalogChange,
  type CatalogKind,
  type CatalogObjects,
  type SystemViewLookup,
} from './catalog.ts';
export {
  CATALOG_TREE,
  catalogKey,
  catalogValue,
  FIRST_USER_OID,
  FIRST_USER_TREE,
  placedTypes,
  readCatalog,
  SEQUENCE_TREE,
} from './catalog-tree.ts';
export * from './descriptors.ts';
export * from './partition-bounds.ts';
export { hashRemainder, isHashable } from './partition-hash.ts';
export { PartitionSearch } from './partition-search.ts';
export { literalText, rangeBoundText } from './partition-text.ts';
export * from './search-path.ts';
export { SEQUENCE_COLUMNS, sequenceOfView, sequenceView } from './sequence-view.ts';
export {
  checkOption,
  isSecurityBarrier,
  type Updatability,
  updatabilityOf,
} from './updatability.ts';
