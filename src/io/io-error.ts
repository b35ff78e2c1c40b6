import { type Condition, type PgError, pgError } from '../errors/index.ts';

/** What was tried, in the words of PostgreSQL's messages. */
export type IoOperation =
  | 'open file'
  | 'create file'
  | 'read file'
  | 'write to file'
  | 'fsync file'
  | 'truncate file'
  | 'stat file'
  | 'close file'
  | 'remove file'
  | 'rename file'
  | 'create directory'
  | 'open directory';

/** strerror's texts for the codes that file operations answer with. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EFBIG: 'File too large',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  EXDEV: 'Invalid cross-device link',
};

/** The mapping of PostgreSQL's errcode_for_file_access(), with a full quota as a full disk. */
const CONDITIONS: Readonly<Record<string, Condition>> = {
  EACCES: 'insufficient_privilege',
  EPERM: 'insufficient_privilege',
  EROFS: 'insufficient_privilege',
  ENOENT: 'undefined_file',
  EEXIST: 'duplicate_file',
  EISDIR: 'wrong_object_type',
  ENOTDIR: 'wrong_object_type',
  ENOTEMPTY: 'wrong_object_type',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EMFILE: 'insufficient_resources',
  ENFILE: 'insufficient_resources',
  EIO: 'io_error',
};

/** The error of a failed file operation, by its errno code. */
export function ioError(
  operation: IoOperation,
  path: string,
  code: string,
  renamedTo?: string,
): PgError {
  const names = renamedTo === undefined ? `"${path}"` : `"${path}" to "${renamedTo}"`;
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT' ? { hint: 'Check free disk space.' } : undefined;
  return pgError(
    CONDITIONS[code] ?? 'system_error',
    `could not ${operation} ${names}: ${REASONS[code] ?? code}`,
    hint,
  );
}
