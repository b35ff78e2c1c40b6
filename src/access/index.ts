export { type DataRowShape, dataRowShape, writeDataRowFromTuple } from './data-row.ts';
export { type EntryColumn, EntryReader } from './entry-reader.ts';
export { keyNames } from './key-names.ts';
export {
  type ClusterKey,
  checkKeyLength,
  clusterKeyOf,
  encodeClusterKey,
  encodeClusterKeyFromDatums,
  encodeIndexColumns,
  encodeIndexColumnsFromDatums,
  encodeIndexEntry,
  encodeKeyPartOfVector,
  encodeRowId,
  hasEntry,
  type IndexKey,
  type IndexPlace,
  indexKeyOf,
  indexPlaces,
  isUniqueEntry,
} from './keys.ts';
export {
  OUT_OF_TABLE,
  RowChanges,
  type RowIds,
  type RowMove,
  type RowMoves,
} from './row-operations.ts';
export { layoutOf, layoutOfTypes, STORED, TUPLE_COLUMNS_MAX, TupleLayout } from './tuple-layout.ts';
export {
  readColumn,
  readColumnOfTuple,
  readTupleDatum,
  readTupleDatums,
  type TupleRun,
} from './tuple-reader.ts';
export { encodeTuple, encodeTupleFromDatums } from './tuple-writer.ts';
export {
  textFormOf,
  writeBytesValue,
  writeInteger,
  writeLength,
  writeNullValue,
  writeNumberValue,
} from './wire-value.ts';
