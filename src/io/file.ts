/** The two ports through which the store reaches a disk. All calls block; errors are PgErrors that
 * name the file and the reason. Nothing written is safe before `sync`, and no name before its
 * directory is synced. */

/** How a file is opened: `read` and `write` need it to exist, `create` makes it when it is absent,
 * `exclusive` fails with 58P02 when it is there already. */
export type OpenMode = 'read' | 'write' | 'create' | 'exclusive';

/** An open file. Positions and sizes are bytes. */
export interface File {
  readonly path: string;
  /** Fills the buffer from `position`; the count is short only at the end of the file. */
  readAt(buffer: Uint8Array, position: number): number;
  /** Writes the whole buffer; a gap that this leaves behind the old end reads as zeros. */
  writeAt(buffer: Uint8Array, position: number): void;
  /** Returns when all that was written is on stable storage (fdatasync). */
  sync(): void;
  truncate(size: number): void;
  size(): number;
  close(): void;
}

/** A directory; names are those of its direct entries. */
export interface Directory {
  readonly path: string;
  open(name: string, mode: OpenMode): File;
  exists(name: string): boolean;
  /** Fails with 58P01 when the file is not there. */
  remove(name: string): void;
  /** Replaces `to` when it exists. */
  rename(from: string, to: string): void;
  /** Names of the entries, sorted. */
  list(): string[];
  /** Opens the subdirectory, made when it is absent. */
  makeDirectory(name: string): Directory;
  /** Returns when creations, renames and removals in this directory are on stable storage. */
  sync(): void;
}
