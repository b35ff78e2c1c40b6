import { ByteWriter } from '../../../base/index.ts';
import type { RelationDescriptor } from '../../../catalog/descriptors.ts';
import { type ColumnVector, readDatum } from '../../../chunk/index.ts';
import { type Datum, typeByOid } from '../../../types/index.ts';

/** Values of columns in one row of vectors. */
export function valuesOf(
  table: RelationDescriptor,
  columns: readonly number[],
  vectors: readonly ColumnVector[],
  row: number,
): Datum[] {
  return columns.map((column) =>
    readDatum(vectors[column]!, row, typeByOid(table.columns[column]!.type)),
  );
}

/** Whether a column has equal values before and after an update; NULL equals NULL. */
export function isEqual(
  table: RelationDescriptor,
  column: number,
  before: readonly ColumnVector[],
  after: readonly ColumnVector[],
  row: number,
): boolean {
  const type = typeByOid(table.columns[column]!.type);
  const old = readDatum(before[column]!, row, type);
  const now = readDatum(after[column]!, row, type);
  if (old === null || now === null) return old === now;
  return type.compare(old, now) === 0;
}

/** Whether they are alike in every bit: 0 and -0 are equal, and so are 1.0 and 1.00, but not alike. */
export function isSame(
  table: RelationDescriptor,
  column: number,
  before: readonly ColumnVector[],
  after: readonly ColumnVector[],
  row: number,
): boolean {
  if (!isEqual(table, column, before, after, row)) return false;
  const type = typeByOid(table.columns[column]!.type);
  const old = readDatum(before[column]!, row, type);
  const now = readDatum(after[column]!, row, type);
  if (old === null || now === null || type.lane === 'number') return Object.is(old, now);
  const [first, second] = [old, now].map((value) => {
    const out = new ByteWriter(64);
    type.toBytes(value, out);
    return out.copy();
  });
  return Buffer.compare(first!, second!) === 0;
}
