import type { ByteWriter } from '../../../base/index.ts';
import { CopyCsvParser } from './copy-csv-parser.ts';
import type { CopyFormat, CopyRowSink, CopyTarget } from './copy-format.ts';
import type { CopyParser } from './copy-parser.ts';
import { CopyTextParser } from './copy-text-parser.ts';
import { CopyCsvWriter, CopyTextWriter, type CopyWriter } from './copy-writer.ts';

export {
  type CopyFormat,
  type CopyRowSink,
  type CopyTarget,
  CSV_FORMAT,
  copyLineContext,
  copyValueContext,
  TEXT_FORMAT,
} from './copy-format.ts';
export { type CopyOptions, resolveCopyFormat } from './copy-options.ts';
export type { CopyParser } from './copy-parser.ts';
export type { CopyWriter } from './copy-writer.ts';

/** Parses what COPY FROM receives; rows go to `sink` as they are complete. */
export function copyParser(format: CopyFormat, target: CopyTarget, sink: CopyRowSink): CopyParser {
  return format.kind === 'csv'
    ? new CopyCsvParser(format, target, sink)
    : new CopyTextParser(format, target, sink);
}

/** Formats what COPY TO sends; `framed` makes each row a CopyData message. */
export function copyWriter(
  format: CopyFormat,
  columnCount: number,
  out: ByteWriter,
  framed: boolean,
): CopyWriter {
  return format.kind === 'csv'
    ? new CopyCsvWriter(format, columnCount, out, framed)
    : new CopyTextWriter(format, columnCount, out, framed);
}
