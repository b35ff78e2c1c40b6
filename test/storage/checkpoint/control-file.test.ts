import { expect, it } from 'vitest';
import type { PgError } from '../../../src/errors/index.ts';
import { SimulatedDisk } from '../../../src/io/index.ts';
import { ControlFile, type ControlState } from '../../../src/storage/checkpoint/control-file.ts';
import type { Lsn } from '../../../src/storage/index.ts';

const FORMAT = { pageSize: 8192, segmentSize: 4096 };

function state(n: number): ControlState {
  return {
    systemId: 2 ** 48 + 1,
    checkpointLsn: (1000 + n) as Lsn,
    redoLsn: (900 + n) as Lsn,
    pageCount: n,
    nextTreeId: 2 ** 40 + n,
    nextXid: 2 ** 44 + n,
    epoch: n,
    clean: n % 2 === 1,
  };
}

it('keeps the last state that was written', () => {
  const directory = new SimulatedDisk({ seed: 1 }).directory();
  const control = ControlFile.create(directory, FORMAT, state(0));
  for (let n = 1; n < 10; n++) {
    control.write(state(n));
    expect(ControlFile.open(directory, FORMAT).state).toEqual(state(n));
  }
});

it('has the state before or after, wherever a power cut falls', () => {
  for (let seed = 0; seed < 400; seed++) {
    const disk = new SimulatedDisk({ seed });
    const control = ControlFile.create(disk.directory(), FORMAT, state(0));
    for (let n = 1; n <= seed % 5; n++) control.write(state(n));
    const last = seed % 5;
    disk.cutPowerAt(disk.operations + 1 + (seed % 2));
    expect(() => control.write(state(last + 1))).toThrow();
    disk.restartAfterPowerCut();
    const found = ControlFile.open(disk.directory(), FORMAT).state;
    expect([state(last), state(last + 1)]).toContainEqual(found);
  }
});

it('says what is wrong: damage, another version, another page size', () => {
  const disk = new SimulatedDisk({ seed: 1 });
  ControlFile.create(disk.directory(), FORMAT, state(1));
  const message = (format: typeof FORMAT) => {
    try {
      ControlFile.open(disk.directory(), format);
    } catch (thrown) {
      const { fields } = thrown as PgError;
      return `${fields.severity} ${fields.sqlstate} ${fields.message}. ${fields.detail}`;
    }
    return 'none';
  };
  expect(message({ ...FORMAT, pageSize: 4096 })).toBe(
    'FATAL F0000 database files are incompatible with server. The data directory "disk:" was ' +
      'initialized with page size 8192, but the server uses page size 4096.',
  );
  disk.corrupt('control', 4096 + 40, new Uint8Array(4).fill(255));
  expect(message(FORMAT)).toBe(
    'FATAL XX001 control file "disk:/control" is damaged. Neither of its two slots has a valid checksum.',
  );
});
