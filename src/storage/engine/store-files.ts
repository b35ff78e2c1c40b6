/** The files of a store.
 *
 *   heddle.pid           lock file, names the owner
 *   control              where recovery starts; its presence means that the store was made
 *   heddle.db            data file, the image of the last checkpoint
 *   heddle.spill         versions of pages that did not fit into memory; worthless after a stop
 *   checkpoint.journal   pages on their way into the data file
 *   wal/                 the log
 *   making               there while a store is being made */

import { type PgError, pgError } from '../../errors/index.ts';
import type { Directory, File } from '../../io/index.ts';
import { CheckpointJournal, ControlFile, type StoreFormat } from '../checkpoint/index.ts';
import type { PageFiles } from '../pager/index.ts';
import { WalSegments } from '../wal/index.ts';

const DATA_NAME = 'heddle.db';
const SPILL_NAME = 'heddle.spill';
const WAL_NAME = 'wal';
const MAKING_NAME = 'making';

export interface StoreFiles extends PageFiles {
  readonly data: File;
  readonly spill: File;
  readonly journal: CheckpointJournal;
  readonly segments: WalSegments;
}

/** Handles for a reader thread, on a store that the writer has open. */
export function openPageFiles(directory: Directory): PageFiles {
  return { data: directory.open(DATA_NAME, 'read'), spill: directory.open(SPILL_NAME, 'read') };
}

/** Opens all files of a store but the control file, for the writer. The data file is made with the store
 * alone: what would be made in place of one that is lost would pass for a damaged one. */
export function openStoreFiles(
  directory: Directory,
  format: StoreFormat,
  dataMode: 'create' | 'write' = 'write',
): StoreFiles {
  const data = directory.open(DATA_NAME, dataMode);
  const spill = directory.open(SPILL_NAME, 'create');
  spill.truncate(0);
  const journal = new CheckpointJournal(directory, format);
  const segments = new WalSegments(directory.makeDirectory(WAL_NAME), format.segmentSize);
  // What is made here must not be lost while what depends on it is kept.
  directory.sync();
  return { data, spill, journal, segments };
}

export function closeStoreFiles(files: StoreFiles): void {
  files.data.close();
  files.spill.close();
  files.journal.close();
  files.segments.close();
}

/** Whether the directory holds a store. A directory that holds part of one fails, unless the making of
 * a store was cut off; then the parts are removed. */
export function storeExists(directory: Directory): boolean {
  if (ControlFile.exists(directory)) return true;
  if (directory.exists(MAKING_NAME)) {
    removeParts(directory);
    return false;
  }
  for (const name of [DATA_NAME, WAL_NAME]) {
    if (!directory.exists(name)) continue;
    throw pgError('data_corrupted', `control file "${directory.path}/control" is missing`, {
      severity: 'FATAL',
      detail: `The data directory has "${name}", so it held a database.`,
      hint: 'Restore the data directory from a backup.',
    });
  }
  return false;
}

export function noStore(directory: Directory): PgError {
  return pgError('undefined_file', `directory "${directory.path}" holds no database`, {
    severity: 'FATAL',
  });
}

/** What may be in a directory in which a store is to be made: what a lock or a cut-off making leaves,
 * and what a file system puts into its topmost directory. */
const MAY_BE_THERE =
  /^(heddle\.pid.*|making|control\.new|temporary|heddle\.(db|spill)|checkpoint\.journal|wal|lost\+found)$/;

/** A store is made in an empty directory, so that nobody's home becomes a data directory by mistake. */
export function refuseForeignFiles(directory: Directory): void {
  const other = directory.list().find((name) => !MAY_BE_THERE.test(name));
  if (other === undefined) return;
  throw pgError('duplicate_file', `directory "${directory.path}" exists but is not empty`, {
    severity: 'FATAL',
    detail: `It has "${other}" in it and no database.`,
    hint: 'Name an empty directory, or one that is not there yet.',
  });
}

/** Marks the beginning of the making of a store. */
export function beginMaking(directory: Directory): void {
  directory.open(MAKING_NAME, 'create').close();
  directory.sync();
}

/** Removes the mark, when the name of the control file is stable. */
export function endMaking(directory: Directory): void {
  if (!directory.exists(MAKING_NAME)) return;
  directory.sync();
  directory.remove(MAKING_NAME);
}

function removeParts(directory: Directory): void {
  if (directory.exists(DATA_NAME)) directory.remove(DATA_NAME);
  const wal = directory.makeDirectory(WAL_NAME);
  for (const name of wal.list()) wal.remove(name);
}
