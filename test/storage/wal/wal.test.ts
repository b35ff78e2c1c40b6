import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { PgError } from '../../../src/errors/index.ts';
import { SimulatedDisk } from '../../../src/io/index.ts';
import { KEY_LENGTH_MAX, type Lsn, type TreeId } from '../../../src/storage/index.ts';
import {
  AHEAD_NAME,
  LogFailure,
  WalReader,
  WalRecordKind,
  WalSegments,
  WalWriter,
} from '../../../src/storage/wal/index.ts';

const SEGMENT_SIZE = 4096;
const START = SEGMENT_SIZE as Lsn;
const TREE = 7 as TreeId;
const text = (value: string) => new TextEncoder().encode(value);

class Log {
  readonly disk: SimulatedDisk;
  epoch = 1;

  constructor(seed = 1, capacity = Number.POSITIVE_INFINITY) {
    this.disk = new SimulatedDisk({ seed, capacity });
    this.disk.directory().makeDirectory('wal');
    this.disk.directory().sync();
  }

  segments(): WalSegments {
    return new WalSegments(this.disk.directory().makeDirectory('wal'), SEGMENT_SIZE);
  }

  writer(position = START): WalWriter {
    return new WalWriter(this.segments(), position, this.epoch);
  }

  /** What a reader sees from the start on, a line for each record. */
  read(from = START): { lines: string[]; end: Lsn; reader: WalReader } {
    const reader = new WalReader(this.segments(), from, this.epoch);
    const lines: string[] = [];
    while (reader.next()) lines.push(describeRecord(reader));
    return { lines, end: reader.endLsn, reader };
  }
}

function describeRecord(reader: WalReader): string {
  const slice = (start: number, end: number) =>
    new TextDecoder().decode(reader.bytes.slice(start, end));
  const { xid } = reader;
  switch (reader.kind) {
    case WalRecordKind.put: {
      const value = slice(reader.valueStart, reader.valueEnd);
      const shown = value.length > 20 ? `${value.length} bytes` : value;
      return `${xid} put ${reader.treeId} ${slice(reader.keyStart, reader.keyEnd)}=${shown}`;
    }
    case WalRecordKind.delete:
      return `${xid} delete ${reader.treeId} ${slice(reader.keyStart, reader.keyEnd)}`;
    case WalRecordKind.batch: {
      const entries: string[] = [];
      while (reader.nextEntry()) {
        const key = slice(reader.keyStart, reader.keyEnd);
        const value = slice(reader.valueStart, reader.valueEnd);
        entries.push(reader.isDeletion ? `-${key}` : `${key}=${value}`);
      }
      return `${xid} batch ${reader.treeId} ${entries.join(' ')}`;
    }
    case WalRecordKind.createTree:
      return `${xid} createTree ${reader.treeId}`;
    case WalRecordKind.dropTree:
      return `${xid} dropTree ${reader.treeId}`;
    case WalRecordKind.commit: {
      const subs = Array.from({ length: reader.subXidCount }, (_, i) => reader.subXid(i));
      const payload = new TextDecoder().decode(reader.commitPayload());
      return `${xid} commit ${reader.timestampMs} [${subs.join(' ')}] ${payload}`;
    }
    case WalRecordKind.abort:
      return `${xid} abort`;
    case WalRecordKind.mark:
      return 'mark';
  }
}

describe('records', () => {
  it('are read as they were written', () => {
    const log = new Log();
    const writer = log.writer();
    const big = 2 ** 45 + 12345;
    writer.createTree(5, TREE);
    writer.put(5, TREE, text('key'), text('value'));
    writer.put(big, big as TreeId, text(''), text(''));
    writer.delete(6, TREE, text('another'));
    writer.beginBatch(5, TREE);
    for (const each of ['a', 'bb', 'ccc']) {
      writer.batchEntry(text(each), 0, each.length, text('0123'), 0, each.length);
    }
    writer.batchDeletion(text('.dd.'), 1, 3);
    writer.finishBatch();
    writer.dropTree(5, TREE);
    writer.abort(6);
    writer.mark();
    writer.commit(5, 1234.5, [7, big], text('note'));
    expect(log.read().lines).toEqual([]);
    writer.flush();
    expect(writer.syncedLsn).toBe(writer.appendedLsn);
    const { lines, end } = log.read();
    expect(lines).toEqual([
      '5 createTree 7',
      '5 put 7 key=value',
      `${big} put ${big} =`,
      '6 delete 7 another',
      '5 batch 7 a=0 bb=01 ccc=012 -dd',
      '5 dropTree 7',
      '6 abort',
      'mark',
      `5 commit 1234.5 [7 ${big}] note`,
    ]);
    expect(end).toBe(writer.appendedLsn);
  });

  it('run across segments, even when longer than several', () => {
    const log = new Log();
    const writer = log.writer();
    const lengths = [1, 3000, 100, 20_000, 5, 4096, 300_000, 17, 2_000_000, 3];
    for (const length of lengths) writer.put(1, TREE, text('k'), new Uint8Array(length).fill(120));
    writer.flush();
    const expected = lengths.map((n) => `1 put 7 k=${n > 20 ? `${n} bytes` : 'x'.repeat(n)}`);
    expect(log.read().lines).toEqual(expected);
  });
});

describe('a key that no tree would take', () => {
  it('is refused before it is in the log', () => {
    const log = new Log();
    const writer = log.writer();
    const longKey = new Uint8Array(KEY_LENGTH_MAX + 1);
    expect(() => writer.put(1, TREE, longKey, text('v'))).toThrow(
      'index row size 2001 exceeds maximum 2000',
    );
    writer.beginBatch(1, TREE);
    expect(() => writer.batchEntry(longKey, 0, longKey.length, longKey, 0, 1)).toThrow(PgError);
    writer.put(1, TREE, longKey.subarray(1), text('v'));
    writer.flush();
    expect(log.read().lines).toHaveLength(1);
  });
});

describe('a crash', () => {
  it('loses nothing that was synced and leaves a valid beginning', () => {
    for (let seed = 0; seed < 300; seed++) {
      const log = new Log(seed);
      const random = new SeededRandom(seed);
      const writer = log.writer();
      let acknowledged = 0;
      let appended = 0;
      log.disk.cutPowerAt(log.disk.operations + 5 + random.below(60));
      try {
        for (;;) {
          const count = 1 + random.below(5);
          for (let i = 0; i < count; i++) {
            writer.put(appended, TREE, text('k'), new Uint8Array(random.below(1500)));
            appended++;
          }
          writer.flush();
          acknowledged = appended;
        }
      } catch {
        expect(log.disk.powerIsCut).toBe(true);
      }
      log.disk.restartAfterPowerCut();
      const { lines, end, reader } = log.read();
      reader.verifyEnd(START);
      expect(lines.length).toBeGreaterThanOrEqual(acknowledged);
      expect(lines.length).toBeLessThanOrEqual(appended);
      lines.forEach((line, i) => {
        expect(line.startsWith(`${i} put`)).toBe(true);
      });

      // Records that the crash left behind the end must not be taken for the new log's.
      log.epoch = 2;
      const again = log.writer(end);
      for (let i = 0; i < 3; i++) again.put(1000 + i, TREE, text('k'), new Uint8Array(200));
      again.flush();
      const second = log.read();
      second.reader.verifyEnd(again.syncedLsn);
      expect(second.lines.slice(lines.length).map((line) => line.split(' ')[0])).toEqual([
        '1000',
        '1001',
        '1002',
      ]);
    }
  });

  it('does not take remains with a valid checksum for the continuation', () => {
    const log = new Log();
    const writer = log.writer();
    writer.put(1, TREE, text('a'), text('first'));
    const second = writer.put(2, TREE, text('b'), text('stale'));
    writer.flush();
    // The first record is lost; a new opening writes one of the same length in its place.
    log.disk.corrupt('wal/0000000000001000', 0, new Uint8Array(32));
    log.epoch = 2;
    const again = log.writer();
    again.put(3, TREE, text('a'), text('fresh'));
    again.flush();
    expect(again.appendedLsn).toBe(second);
    expect(log.read().lines).toEqual(['3 put 7 a=fresh']);
  });
});

describe('damage', () => {
  function damaged(at: (records: Lsn[]) => number): Log {
    const log = new Log();
    const writer = log.writer();
    const records: Lsn[] = [];
    for (let i = 0; i < 8; i++) {
      records.push(writer.put(i, TREE, text('key'), new Uint8Array(1000)));
      writer.flush();
    }
    const lsn = at(records);
    const index = Math.floor(lsn / SEGMENT_SIZE);
    const name = (index * SEGMENT_SIZE).toString(16).padStart(16, '0');
    log.disk.corrupt(`wal/${name}`, lsn - index * SEGMENT_SIZE, text('damage'));
    return log;
  }

  it('in the middle of the log is reported with file and offset', () => {
    for (const offset of [0, 8, 16, 400]) {
      const log = damaged((records) => records[2]! + offset);
      const { lines, reader } = log.read();
      expect(lines).toHaveLength(2);
      try {
        reader.verifyEnd(START);
        expect.unreachable();
      } catch (thrown) {
        const { fields } = thrown as PgError;
        expect(fields.sqlstate).toBe('XX001');
        expect(fields.message).toMatch(
          /^invalid log record in file "disk:\/wal\/0000000000001000" at offset 2096: expected .*, found /,
        );
      }
    }
  });

  it('before a position that is known to be synced is reported too', () => {
    const log = damaged((records) => records[7]!);
    const { reader, end } = log.read();
    reader.verifyEnd(START);
    expect(() => reader.verifyEnd((end + 8) as Lsn)).toThrow('invalid log record in file');
  });

  it('of a whole missing segment is reported', () => {
    const log = new Log();
    const writer = log.writer();
    for (let i = 0; i < 12; i++) {
      writer.put(i, TREE, text('key'), new Uint8Array(1000));
      writer.flush();
    }
    log.disk.directory().makeDirectory('wal').remove('0000000000002000');
    const { reader } = log.read();
    expect(() => reader.verifyEnd(START)).toThrow(PgError);
  });

  it('of the last segment is reported, whether it is missing or short', () => {
    for (const last of [2, 3]) {
      const make = () => {
        const log = new Log();
        const writer = log.writer();
        while (writer.appendedLsn < last * SEGMENT_SIZE + 100) {
          writer.put(1, TREE, text('key'), new Uint8Array(1000));
          writer.flush();
        }
        return log;
      };
      const name = (last * SEGMENT_SIZE).toString(16).padStart(16, '0');
      const gone = make();
      gone.disk.directory().makeDirectory('wal').remove(name);
      // Its last record began in the segment before.
      expect(() => gone.read().reader.verifyEnd(START)).toThrow(
        `log file "disk:/wal/${name}" is missing`,
      );
      const from = (last * SEGMENT_SIZE + 80) as Lsn;
      expect(() => gone.read(from).reader.verifyEnd(from)).toThrow(
        `log file "disk:/wal/${name}" is missing`,
      );
      const short = make();
      const file = short.disk.directory().makeDirectory('wal').open(name, 'write');
      file.truncate(50);
      expect(() => short.read().reader.verifyEnd(START)).toThrow(
        `log file "disk:/wal/${name}" is too short`,
      );
    }
  });

  it('is not there where no segment follows what was written', () => {
    const log = new Log();
    const writer = log.writer();
    // To the very end of the segment.
    writer.put(1, TREE, text('key'), new Uint8Array(SEGMENT_SIZE - 32 - 16));
    writer.flush();
    const { reader, end } = log.read();
    expect(end).toBe(2 * SEGMENT_SIZE);
    reader.verifyEnd(START);
  });
});

describe('segments', () => {
  it('are reused by renaming, and what they held is not read again', () => {
    const log = new Log();
    const writer = log.writer();
    let lastHalf = START;
    for (let i = 0; i < 100; i++) {
      if (i === 50) lastHalf = writer.appendedLsn;
      writer.put(i, TREE, text('key'), new Uint8Array(1000));
    }
    writer.flush();
    writer.recycle(lastHalf, 4);
    const names = log.disk.directory().makeDirectory('wal').list();
    const inUse =
      Math.floor((writer.appendedLsn - 1) / SEGMENT_SIZE) - Math.floor(lastHalf / SEGMENT_SIZE) + 1;
    expect(names).toHaveLength(inUse + 4);
    const { lines, reader, end } = log.read(lastHalf);
    expect(lines).toHaveLength(50);
    expect(end).toBe(writer.appendedLsn);
    reader.verifyEnd(lastHalf);
    const syncs = log.disk.operations;
    for (let i = 0; i < 8; i++) writer.put(i, TREE, text('key'), new Uint8Array(1000));
    writer.flush();
    // Two writes, syncs and opens at most for each of three segments: none had to be made.
    expect(log.disk.operations - syncs).toBeLessThan(12);
    expect(log.read(lastHalf).lines).toHaveLength(58);
  });
});

describe('a failing disk', () => {
  it('that is full costs one transaction and leaves the log usable', () => {
    const log = new Log(1, 3 * SEGMENT_SIZE);
    const writer = log.writer();
    writer.put(1, TREE, text('a'), new Uint8Array(2000));
    writer.commit(1, 0);
    writer.flush();
    try {
      writer.put(2, TREE, text('b'), new Uint8Array(20_000));
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).not.toBeInstanceOf(LogFailure);
      expect((thrown as PgError).fields.message).toBe(
        'could not write to file "disk:/wal/new": No space left on device',
      );
      expect((thrown as PgError).sqlstate).toBe('53100');
    }
    writer.put(3, TREE, text('c'), text('small'));
    writer.commit(3, 0);
    writer.flush();
    expect(log.read().lines.map((line) => line.split(' ')[0])).toEqual(['1', '1', '3', '3']);
    log.disk.limitCapacity(1e6);
    writer.put(4, TREE, text('b'), new Uint8Array(20_000));
    writer.flush();
    expect(log.read().lines).toHaveLength(5);
  });

  it('that fails a write or sync stops the writer for good', () => {
    for (const distance of [1, 2]) {
      const log = new Log();
      const writer = log.writer();
      writer.put(1, TREE, text('a'), text('1'));
      writer.flush();
      writer.put(2, TREE, text('b'), text('2'));
      log.disk.failAt(log.disk.operations + distance);
      let failure: unknown;
      try {
        writer.flush();
      } catch (thrown) {
        failure = thrown;
      }
      expect(failure).toBeInstanceOf(LogFailure);
      expect((failure as LogFailure).fields).toMatchObject({
        severity: 'PANIC',
        sqlstate: '58030',
      });
      expect(() => writer.flush()).toThrow(failure as LogFailure);
      expect(() => writer.put(3, TREE, text('c'), text('3'))).toThrow(failure as LogFailure);
      expect(log.disk.errors).toBe(1);
    }
  });
});

describe('a block of entries', () => {
  it('is a record like a batch, and can be read back from buffer and segments', () => {
    const log = new Log();
    const writer = log.writer();
    const blocks: { position: number; entries: Uint8Array }[] = [];
    const lines: string[] = [];
    for (let i = 0; i < 12; i++) {
      const pairs = [1, 2, 3].map((n) => [`key ${i}.${n}`, 'v'.repeat(100 * n + i)] as const);
      const entries = blockOf(pairs);
      const position = writer.appendBlock(4, TREE, pairs.length, entries, entries.length);
      blocks.push({ position, entries });
      lines.push(`4 batch ${TREE} ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`);
      if (i === 9) writer.write();
    }
    for (const { position, entries } of blocks) {
      const target = new Uint8Array(entries.length + 1);
      writer.read(position, entries.length, target, 1);
      expect(target.subarray(1)).toEqual(entries);
    }
    writer.flush();
    expect(log.read().lines).toEqual(lines);
  });
});

function blockOf(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const parts = pairs.flatMap(([key, value]) => {
    const header = new Uint8Array(new Uint32Array([key.length, value.length]).buffer);
    return [header, text(key), text(value)];
  });
  return new Uint8Array(Buffer.concat(parts));
}

describe('segments that are made elsewhere', () => {
  it('are taken when they are whole; until then those that are needed are made here', () => {
    const log = new Log();
    const directory = log.disk.directory().makeDirectory('wal');
    const segments = log.segments();
    const writer = new WalWriter(segments, START, 1);
    const filler = { state: 'idle' as 'idle' | 'busy' | 'done' | 'failed', begin, end };
    let asked = 0;
    function begin(size: number): void {
      expect(size).toBe(SEGMENT_SIZE);
      filler.state = 'busy';
      asked++;
    }
    function end(): void {
      filler.state = 'idle';
    }
    function finish(): void {
      const file = directory.open(AHEAD_NAME, 'create');
      file.writeAt(new Uint8Array(SEGMENT_SIZE), 0);
      file.sync();
      file.close();
      filler.state = 'done';
    }
    const fill = () => writer.put(1, TREE, text('k'), new Uint8Array(SEGMENT_SIZE - 200));
    writer.fillSegmentsWith(filler);
    fill();
    expect(writer.prepareNextSegment()).toBe(false);
    expect(asked).toBe(1);
    // Not whole yet.
    fill();
    expect(writer.prepareNextSegment()).toBe(false);
    finish();
    expect(writer.prepareNextSegment()).toBe(false);
    expect([asked, filler.state]).toEqual([1, 'idle']);
    fill();
    expect(writer.prepareNextSegment()).toBe(false);
    finish();
    // Needed now.
    fill();
    fill();
    expect([asked, filler.state]).toEqual([2, 'idle']);
    // Failed there, and made here.
    expect(writer.prepareNextSegment()).toBe(false);
    filler.state = 'failed';
    while (writer.prepareNextSegment()) {}
    fill();
    writer.commit(1, 0);
    writer.flush();
    expect(log.read().lines).toHaveLength(7);
    segments.close();
  });
});
