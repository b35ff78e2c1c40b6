import type { ByteWriter } from '../base/index.ts';
import type { ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import { typeByOid } from '../types/index.ts';
import type { Format, ResultColumn } from './session-port.ts';

/** All columns are text. */
export const TEXT_FORMATS = new Uint8Array(0);

/** RowDescription columns of a plan's output, in the given formats (one byte a column). */
export function describeColumns(
  output: readonly PlanColumn[],
  formats: Uint8Array | null,
): ResultColumn[] {
  return output.map((column, i) => ({
    name: column.name,
    tableOid: column.sourceTable,
    columnNumber: column.sourceColumn,
    typeOid: column.type,
    typeLength: typeByOid(column.type).length,
    typmod: column.typmod,
    format: (formats?.[i] ?? 0) as Format,
  }));
}

/** The columns in the given formats, one byte a column. */
export function inFormats(
  columns: readonly ResultColumn[],
  formats: Uint8Array,
): readonly ResultColumn[] {
  return columns.map((column, i) => ({ ...column, format: (formats[i] ?? 0) as Format }));
}

/** Columns of text, for SHOW and EXPLAIN. */
export function textColumns(names: readonly string[]): PlanColumn[] {
  return names.map((name) => ({
    name,
    type: 25,
    typmod: -1,
    sourceTable: 0,
    sourceColumn: 0,
  }));
}

/** One format for each column, as Bind's rules have it: none means text, one is for all. */
export function expandFormats(
  columnCount: number,
  given: Uint8Array,
  givenCount: number,
): Uint8Array | null {
  const formats = new Uint8Array(columnCount);
  if (givenCount === 0) return formats;
  if (givenCount === 1) return formats.fill(given[0]!);
  if (givenCount !== columnCount) return null;
  formats.set(given.subarray(0, columnCount));
  return formats;
}

/** Appends a DataRow message of text values. */
export function writeTextRow(row: readonly string[], out: ByteWriter): void {
  out.u8(0x44);
  const start = out.position;
  out.u32be(0);
  out.u16be(row.length);
  for (const value of row) {
    const at = out.position;
    out.u32be(0);
    out.utf8(value);
    out.view.setUint32(at, out.position - at - 4);
  }
  out.view.setUint32(start, out.position - start);
}
