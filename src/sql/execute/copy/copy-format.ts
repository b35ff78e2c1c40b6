/** How COPY reads and writes rows, its options resolved: one-byte characters as their codes. */
export interface CopyFormat {
  readonly kind: 'text' | 'csv' | 'binary';
  /** What follows is for text and CSV. */
  readonly delimiter: number;
  /** What stands for NULL, as it is in the file. */
  readonly nullText: Uint8Array;
  /** `match`: the header must name the columns. Out, any header is written. */
  readonly header: 'none' | 'skip' | 'match';
  /** CSV only. */
  readonly quote: number;
  readonly escape: number;
  /** CSV only, for each column: out, always quoted; in, an unquoted null text is itself; in, a
   * quoted null text is NULL too. */
  readonly forceQuote: readonly boolean[];
  readonly forceNotNull: readonly boolean[];
  readonly forceNull: readonly boolean[];
}

export const TEXT_FORMAT: CopyFormat = {
  kind: 'text',
  delimiter: 0x09,
  nullText: Uint8Array.of(0x5c, 0x4e),
  header: 'none',
  quote: 0x22,
  escape: 0x22,
  forceQuote: [],
  forceNotNull: [],
  forceNull: [],
};

export const CSV_FORMAT: CopyFormat = {
  ...TEXT_FORMAT,
  kind: 'csv',
  delimiter: 0x2c,
  nullText: new Uint8Array(0),
};

export const BINARY_FORMAT: CopyFormat = { ...TEXT_FORMAT, kind: 'binary' };

/** Finds the rows in what COPY FROM receives. */
export interface CopyParser {
  /** Number of the line (in binary: row) read last, from 1. */
  readonly lineNumber: number;
  /** Whether the row that is being passed on is known to be ASCII. */
  readonly isAscii: boolean;
  /** Whether the end was read; what follows it is ignored. */
  readonly ended: boolean;
  /** Takes the next bytes, cut anywhere, and passes on the rows that are complete. */
  push(bytes: Uint8Array, start: number, end: number): void;
  /** No more bytes come. */
  finish(): void;
}

/** Formats what COPY TO sends: `header`, then for each row `beginRow`, a `field` or `nullField` for
 * each column and `endRow`, then `end`. Values are in the text or binary form of their types. */
export interface CopyWriter {
  /** What precedes the rows, if anything does in this format. */
  header(columns: readonly string[]): void;
  beginRow(): void;
  field(bytes: Uint8Array, start: number, end: number): void;
  nullField(): void;
  endRow(): void;
  /** What follows the rows. */
  end(): void;
}

/** Takes the rows that a parser finds. Field i is NULL when lengths[i] is -1, else the bytes from
 * starts[i], unescaped, in the text or binary form of its type. All is valid only during the call. */
export type CopyRowSink = (bytes: Uint8Array, starts: Int32Array, lengths: Int32Array) => void;

/** What a parser must know of the table. */
export interface CopyTarget {
  /** For the context of errors. */
  readonly table: string;
  /** The columns that the file holds, in its order. */
  readonly columns: readonly string[];
}

const SHOWN_MAX = 100;

/** CONTEXT of an error in the value of a column: `COPY t, line 3, column a: "x"`. */
export function copyValueContext(
  table: string,
  line: number,
  column: string,
  value: string | null,
): string {
  const shown = value === null ? 'null input' : `"${clip(value)}"`;
  return `COPY ${table}, line ${line}, column ${column}: ${shown}`;
}

/** CONTEXT of an error in a line: `COPY t, line 3: "x,y"`; without content before it is known. */
export function copyLineContext(table: string, line: number, content: string | null): string {
  const where = `COPY ${table}, line ${line}`;
  return content === null ? where : `${where}: "${clip(content)}"`;
}

/** At most 100 bytes of UTF-8, as PostgreSQL shows it. */
function clip(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= SHOWN_MAX) return text;
  let end = SHOWN_MAX;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}...`;
}
