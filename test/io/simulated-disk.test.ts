import { expect, it } from 'vitest';
import { PgError } from '../../src/errors/index.ts';
import { PowerCut, SimulatedDisk } from '../../src/io/index.ts';

const SECTOR_SIZE = 512;

function contentAfterPowerCut(seed: number, synced: number, unsynced: number): Uint8Array | null {
  const disk = new SimulatedDisk({ seed });
  const directory = disk.directory();
  const file = directory.open('f', 'create');
  file.writeAt(new Uint8Array(synced).fill(1), 0);
  file.sync();
  directory.sync();
  file.writeAt(new Uint8Array(unsynced).fill(2), 0);
  disk.restartAfterPowerCut();
  const after = disk.directory();
  if (!after.exists('f')) return null;
  const again = after.open('f', 'read');
  const content = new Uint8Array(again.size());
  again.readAt(content, 0);
  return content;
}

it('keeps what was synced, and any subset of the sectors that were not', () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const content = contentAfterPowerCut(seed, 4 * SECTOR_SIZE, 3 * SECTOR_SIZE);
    expect(content).not.toBeNull();
    let pattern = '';
    for (let sector = 0; sector < 4; sector++) {
      const part = content!.subarray(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE);
      expect(new Set(part).size).toBe(1);
      pattern += part[0];
    }
    expect(pattern[3]).toBe('1');
    outcomes.add(pattern);
  }
  expect(outcomes.size).toBe(8);
});

it('repeats from its seed', () => {
  for (let seed = 0; seed < 20; seed++) {
    expect(contentAfterPowerCut(seed, 100, 5000)).toEqual(contentAfterPowerCut(seed, 100, 5000));
  }
});

it('loses names that were not synced', () => {
  let kept = 0;
  for (let seed = 0; seed < 100; seed++) {
    const disk = new SimulatedDisk({ seed });
    const file = disk.directory().open('f', 'create');
    file.writeAt(new Uint8Array(10), 0);
    file.sync();
    disk.restartAfterPowerCut();
    if (disk.directory().exists('f')) kept++;
  }
  expect(kept).toBeGreaterThan(20);
  expect(kept).toBeLessThan(80);
});

it('cuts the power at an operation and kills the files that were open', () => {
  const disk = new SimulatedDisk({ seed: 5 });
  const directory = disk.directory();
  const file = directory.open('f', 'create');
  directory.sync();
  disk.cutPowerAt(disk.operations + 2);
  file.writeAt(new Uint8Array(10), 0);
  expect(() => file.sync()).toThrow(PowerCut);
  expect(() => file.size()).toThrow(PowerCut);
  disk.restartAfterPowerCut();
  expect(() => file.size()).toThrow(PowerCut);
  expect(disk.directory().open('f', 'read').size()).toBeLessThanOrEqual(10);
});

it('is full at its capacity and has room again after a truncation', () => {
  const disk = new SimulatedDisk({ seed: 6, capacity: 1000 });
  const file = disk.directory().open('f', 'create');
  file.writeAt(new Uint8Array(900), 0);
  expect(() => file.writeAt(new Uint8Array(200), 900)).toThrow(
    'could not write to file "disk:/f": No space left on device',
  );
  expect(file.size()).toBe(1000);
  file.truncate(0);
  file.writeAt(new Uint8Array(1000), 0);
  try {
    file.writeAt(new Uint8Array(1), 1000);
    expect.unreachable();
  } catch (thrown) {
    expect((thrown as PgError).sqlstate).toBe('53100');
  }
});

it('forgets dirty pages when a sync fails, so that the next sync does not save them', () => {
  let lost = 0;
  for (let seed = 0; seed < 50; seed++) {
    const disk = new SimulatedDisk({ seed });
    const directory = disk.directory();
    const file = directory.open('f', 'create');
    directory.sync();
    file.writeAt(new Uint8Array(SECTOR_SIZE).fill(7), 0);
    disk.failAt(disk.operations + 1);
    expect(() => file.sync()).toThrow(PgError);
    file.sync();
    disk.restartAfterPowerCut();
    if (disk.directory().open('f', 'read').size() === 0) lost++;
  }
  expect(lost).toBeGreaterThan(5);
});
