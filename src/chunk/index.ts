export {
  BytesVector,
  CHUNK_ROWS,
  type ColumnVector,
  NumberVector,
  ObjectVector,
} from './column-vector.ts';
export type { DataChunk } from './data-chunk.ts';
export {
  copyRow,
  createVector,
  fillVector,
  gatherRows,
  readDatum,
  sameDatum,
  scatterRows,
  setAllNull,
  vectorCapacity,
  writeDatum,
} from './lanes.ts';
