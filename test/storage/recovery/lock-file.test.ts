import { expect, it } from 'vitest';
import type { PgError } from '../../../src/errors/index.ts';
import { openMemoryDirectory, type Processes } from '../../../src/io/index.ts';
import { LockFile } from '../../../src/storage/recovery/lock-file.ts';

function processes(pid: number, alive: Record<number, string>): Processes {
  return { pid, identify: (each) => alive[each] ?? null };
}

it('lets one process in and tells the second who is there', () => {
  const directory = openMemoryDirectory('data');
  const alive = { 10: 'boot/1', 11: 'boot/2' };
  const lock = LockFile.acquire(directory, processes(10, alive));
  try {
    LockFile.acquire(directory, processes(11, alive));
    expect.unreachable();
  } catch (thrown) {
    expect((thrown as PgError).fields).toEqual({
      severity: 'FATAL',
      sqlstate: 'F0001',
      message: 'lock file "data/heddle.pid" already exists',
      hint: 'Is another server (PID 10) running in data directory "data"?',
    });
  }
  lock.release();
  LockFile.acquire(directory, processes(11, alive));
});

it('takes over from a dead owner, also when its pid is in use again', () => {
  const directory = openMemoryDirectory('data');
  LockFile.acquire(directory, processes(10, { 10: 'boot/1' }));
  LockFile.acquire(directory, processes(11, { 11: 'boot/2' }));
  LockFile.acquire(directory, processes(12, { 11: 'boot/3', 12: 'boot/4' }));
  // The same pid after a restart of a container.
  LockFile.acquire(directory, processes(12, { 12: 'boot/5' }));
  expect(directory.list()).toEqual(['heddle.pid']);
});

it('takes over a file that a crash left empty or torn', () => {
  for (const content of ['', '\0\0\0\0', '12x\n']) {
    const directory = openMemoryDirectory('data');
    directory.open('heddle.pid', 'create').writeAt(new TextEncoder().encode(content), 0);
    LockFile.acquire(directory, processes(11, { 11: 'boot/2' }));
    expect(directory.list()).toEqual(['heddle.pid']);
  }
});
