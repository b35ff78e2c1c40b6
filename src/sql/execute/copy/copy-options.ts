import { notSupported, type PgError, pgError } from '../../../errors/index.ts';
import { type CopyFormat, CSV_FORMAT, TEXT_FORMAT } from './copy-format.ts';

/** The options of a COPY statement, as written; what was not written is absent. */
export interface CopyOptions {
  readonly format?: string;
  readonly delimiter?: string;
  readonly null?: string;
  readonly header?: boolean | 'match';
  readonly quote?: string;
  readonly escape?: string;
  /** Columns by name, or `*` for all. */
  readonly forceQuote?: readonly string[] | '*';
  readonly forceNotNull?: readonly string[];
  readonly forceNull?: readonly string[];
  readonly encoding?: string;
  readonly freeze?: boolean;
}

/** Checks the options and fills in their defaults, as PostgreSQL's ProcessCopyOptions does.
 * `columns` are those that the statement copies; `isFrom` is true for COPY FROM. */
export function resolveCopyFormat(
  options: CopyOptions,
  columns: readonly string[],
  isFrom: boolean,
): CopyFormat {
  const kind = formatKind(options.format);
  if (kind === 'binary') checkBinary(options);
  const csv = kind === 'csv';
  const defaults = csv ? CSV_FORMAT : TEXT_FORMAT;
  const delimiter = options.delimiter ?? String.fromCharCode(defaults.delimiter);
  const nullText = options.null ?? Buffer.from(defaults.nullText).toString();
  const quote = options.quote ?? '"';
  const escapeText = options.escape ?? quote;

  if (Buffer.byteLength(delimiter) !== 1) {
    throw notSupportedAs('COPY delimiter must be a single one-byte character');
  }
  if (/[\r\n]/.test(delimiter)) {
    throw invalid('COPY delimiter cannot be newline or carriage return');
  }
  if (/[\r\n]/.test(nullText)) {
    throw invalid('COPY null representation cannot use newline or carriage return');
  }
  if (!csv && '\\.abcdefghijklmnopqrstuvwxyz0123456789'.includes(delimiter)) {
    throw invalid(`COPY delimiter cannot be "${delimiter}"`);
  }
  if (!csv && options.quote !== undefined) throw csvOnly('COPY quote');
  if (csv && Buffer.byteLength(quote) !== 1) {
    throw notSupportedAs('COPY quote must be a single one-byte character');
  }
  if (csv && delimiter === quote) throw invalid('COPY delimiter and quote must be different');
  if (!csv && options.escape !== undefined) throw csvOnly('COPY escape');
  if (csv && Buffer.byteLength(escapeText) !== 1) {
    throw notSupportedAs('COPY escape must be a single one-byte character');
  }
  if (options.forceQuote !== undefined) {
    if (!csv) throw csvOnly('COPY force quote');
    if (isFrom) throw notSupportedAs('COPY force quote only available using COPY TO');
  }
  if (options.forceNotNull !== undefined) {
    if (!csv) throw csvOnly('COPY force not null');
    if (!isFrom) throw notSupportedAs('COPY force not null only available using COPY FROM');
  }
  if (options.forceNull !== undefined) {
    if (!csv) throw csvOnly('COPY force null');
    if (!isFrom) throw notSupportedAs('COPY force null only available using COPY FROM');
  }
  if (nullText.includes(delimiter)) {
    throw notSupportedAs('COPY delimiter must not appear in the NULL specification');
  }
  if (csv && nullText.includes(quote)) {
    throw notSupportedAs('CSV quote character must not appear in the NULL specification');
  }
  if (options.header === 'match' && !isFrom) {
    throw notSupportedAs('cannot use "match" with HEADER in COPY TO');
  }
  checkEncoding(options.encoding);

  return {
    kind,
    delimiter: delimiter.charCodeAt(0),
    nullText: Buffer.from(nullText),
    header: options.header === 'match' ? 'match' : options.header === true ? 'skip' : 'none',
    quote: quote.charCodeAt(0),
    escape: escapeText.charCodeAt(0),
    forceQuote: flags(options.forceQuote, columns, 'FORCE_QUOTE'),
    forceNotNull: flags(options.forceNotNull, columns, 'FORCE_NOT_NULL'),
    forceNull: flags(options.forceNull, columns, 'FORCE_NULL'),
  };
}

function formatKind(format: string | undefined): CopyFormat['kind'] {
  if (format === undefined || format === 'text') return 'text';
  if (format === 'csv' || format === 'binary') return format;
  throw invalid(`COPY format "${format}" not recognized`);
}

function checkBinary(options: CopyOptions): void {
  if (options.delimiter !== undefined) {
    throw pgError('syntax_error', 'cannot specify DELIMITER in BINARY mode');
  }
  if (options.null !== undefined) {
    throw pgError('syntax_error', 'cannot specify NULL in BINARY mode');
  }
  if (options.header !== undefined && options.header !== false) {
    throw notSupportedAs('cannot specify HEADER in BINARY mode');
  }
}

/** Everything is UTF8; SQL_ASCII means bytes as they are. */
function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined) return;
  const name = encoding.replace(/[^a-z0-9]/gi, '').toLowerCase();
  if (name === 'utf8' || name === 'unicode' || name === 'sqlascii') return;
  throw notSupported(`COPY in encoding "${encoding}"`);
}

function flags(
  named: readonly string[] | '*' | undefined,
  columns: readonly string[],
  option: string,
): readonly boolean[] {
  if (named === undefined) return [];
  if (named === '*') return columns.map(() => true);
  for (const name of named) {
    if (columns.includes(name)) continue;
    throw pgError('invalid_column_reference', `${option} column "${name}" not referenced by COPY`);
  }
  return columns.map((column) => named.includes(column));
}

function csvOnly(option: string): PgError {
  return notSupportedAs(`${option} available only in CSV mode`);
}

function notSupportedAs(message: string): PgError {
  return pgError('feature_not_supported', message);
}

function invalid(message: string): PgError {
  return pgError('invalid_parameter_value', message);
}
