import { lstatSync, unlinkSync } from 'node:fs';

/** Removes the file that a Unix socket was bound to. False, and it stays, when it is no such file. */
export function removeSocketFile(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return true;
  if (!status.isSocket()) return false;
  unlinkSync(path);
  return true;
}
