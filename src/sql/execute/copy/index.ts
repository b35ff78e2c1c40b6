import type { ByteWriter } from '../../../base/index.ts';
import { CopyBinaryParser, CopyBinaryWriter } from './copy-binary.ts';
import { CopyCsvParser } from './copy-csv-parser.ts';
import type { CopyFormat, CopyParser, CopyRowSink, CopyTarget, CopyWriter } from './copy-format.ts';
import { CopyCsvWriter, CopyTextWriter } from './copy-line-writer.ts';
import { CopyTextParser } from './copy-text-parser.ts';

export {
  BINARY_FORMAT,
  type CopyFormat,
  type CopyParser,
  type CopyRowSink,
  type CopyTarget,
  type CopyWriter,
  CSV_FORMAT,
  copyLineContext,
  copyValueContext,
  TEXT_FORMAT,
} from './copy-format.ts';
export { type CopyOptions, resolveCopyFormat } from './copy-options.ts';
export { type FieldReader, fieldReader } from './field-reader.ts';

/** Parses what COPY FROM receives; rows go to `sink` as they are complete. */
export function copyParser(format: CopyFormat, target: CopyTarget, sink: CopyRowSink): CopyParser {
  switch (format.kind) {
    case 'text':
      return new CopyTextParser(format, target, sink);
    case 'csv':
      return new CopyCsvParser(format, target, sink);
    case 'binary':
      return new CopyBinaryParser(target, sink);
  }
}

/** Formats what COPY TO sends; `framed` makes each row a CopyData message. */
export function copyWriter(
  format: CopyFormat,
  columnCount: number,
  out: ByteWriter,
  framed: boolean,
): CopyWriter {
  switch (format.kind) {
    case 'text':
      return new CopyTextWriter(format, columnCount, out, framed);
    case 'csv':
      return new CopyCsvWriter(format, columnCount, out, framed);
    case 'binary':
      return new CopyBinaryWriter(columnCount, out, framed);
  }
}
