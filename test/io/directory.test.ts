import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PgError } from '../../src/errors/index.ts';
import {
  type Directory,
  openMemoryDirectory,
  openNodeDirectory,
  SimulatedDisk,
  systemProcesses,
} from '../../src/io/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'heddle-io-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const implementations: Record<string, () => Directory> = {
  'file system': () => openNodeDirectory(mkdtempSync(join(scratch, 'd-'))),
  memory: () => openMemoryDirectory(),
  'simulated disk': () => new SimulatedDisk({ seed: 1 }).directory(),
};

function failure(run: () => void): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PgError) return `${thrown.sqlstate} ${thrown.message}`;
    throw thrown;
  }
  return 'no error';
}

const bytes = (...values: number[]) => Uint8Array.from(values);

for (const [name, make] of Object.entries(implementations)) {
  describe(name, () => {
    it('reads what was written, with zeros in the gaps', () => {
      const file = make().open('f', 'create');
      file.writeAt(bytes(1, 2, 3), 0);
      file.writeAt(bytes(9), 70_000);
      file.sync();
      expect(file.size()).toBe(70_001);
      const middle = new Uint8Array(4);
      expect(file.readAt(middle, 1)).toBe(4);
      expect(middle).toEqual(bytes(2, 3, 0, 0));
      expect(file.readAt(middle, 69_999)).toBe(2);
      expect(middle.subarray(0, 2)).toEqual(bytes(0, 9));
      expect(file.readAt(middle, 80_000)).toBe(0);
      file.close();
    });

    it('forgets what a truncation cut off', () => {
      const file = make().open('f', 'create');
      file.writeAt(bytes(1, 2, 3, 4), 0);
      file.truncate(2);
      file.truncate(4);
      const all = new Uint8Array(4);
      expect(file.readAt(all, 0)).toBe(4);
      expect(all).toEqual(bytes(1, 2, 0, 0));
      file.close();
    });

    it('keeps names: create, rename over, remove, list', () => {
      const directory = make();
      for (const each of ['b', 'a']) {
        const file = directory.open(each, 'exclusive');
        file.writeAt(new TextEncoder().encode(each), 0);
        file.close();
      }
      directory.makeDirectory('sub').open('inner', 'create').close();
      expect(directory.list()).toEqual(['a', 'b', 'sub']);
      directory.rename('a', 'b');
      directory.sync();
      expect(directory.exists('a')).toBe(false);
      const file = directory.open('b', 'read');
      const content = new Uint8Array(1);
      file.readAt(content, 0);
      file.close();
      expect(content).toEqual(bytes(97));
      directory.remove('b');
      expect(directory.list()).toEqual(['sub']);
      expect(directory.makeDirectory('sub').list()).toEqual(['inner']);
    });

    it('names the file and the reason when it fails', () => {
      const directory = make();
      directory.open('f', 'create').close();
      const path = (file: string) => `"${directory.path}/${file}"`;
      expect(failure(() => directory.open('gone', 'read'))).toBe(
        `58P01 could not open file ${path('gone')}: No such file or directory`,
      );
      expect(failure(() => directory.open('f', 'exclusive'))).toBe(
        `58P02 could not create file ${path('f')}: File exists`,
      );
      expect(failure(() => directory.remove('gone'))).toBe(
        `58P01 could not remove file ${path('gone')}: No such file or directory`,
      );
      expect(failure(() => directory.rename('gone', 'x'))).toBe(
        `58P01 could not rename file ${path('gone')} to ${path('x')}: No such file or directory`,
      );
    });
  });
}

describe('processes', () => {
  it('knows itself and that a free pid is not running', () => {
    expect(systemProcesses.identify(systemProcesses.pid)).not.toBeNull();
    expect(systemProcesses.identify(systemProcesses.pid)).toBe(
      systemProcesses.identify(systemProcesses.pid),
    );
    expect(systemProcesses.identify(2 ** 22 + 1)).toBeNull();
  });
});
