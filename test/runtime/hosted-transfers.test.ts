import { beforeEach, describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/index.ts';
import type { PgErrorFields } from '../../src/errors/index.ts';
import { encodeCommit, encodeTransfer, type Transfer } from '../../src/runtime/transfer.ts';
import {
  type CommitAnswer,
  HostedTransfers,
  type TransferHost,
} from '../../src/runtime/worker/hosted-transfers.ts';
import { OpenTransaction } from '../../src/runtime/worker/writer-session.ts';
import type { TreeId } from '../../src/storage/index.ts';
import { LockTable, ROW_LOCK, rowLockTag, Transaction, WriteSet } from '../../src/txn/index.ts';

const TREE = 7 as TreeId;
const KEY = Uint8Array.of(1);
const ROW = rowLockTag(TREE, KEY, 0, 1);
const DISK_FULL = { sqlstate: '53100', message: 'No space left on device' } as PgErrorFields;

/** A writer that leaves it to the test when commits end, and how. */
class Host implements TransferHost {
  readonly granted: Transaction[] = [];
  readonly locks = new LockTable<Transaction>((owner) => this.granted.push(owner));
  readonly rowIds = { next: () => 1 };
  readonly reader = { enter() {}, leave() {} };
  readonly answers: string[] = [];
  readonly port = {
    complete: (request: number) => void this.answers.push(`${request} done`),
    error: (request: number, { sqlstate }: PgErrorFields) =>
      void this.answers.push(`${request} ${sqlstate}`),
  };
  readonly commits: { open: OpenTransaction; answer: CommitAnswer }[] = [];
  readonly blocks = new Map<number, OpenTransaction>();

  newTransaction(session: number): OpenTransaction {
    return new OpenTransaction(new Transaction(session, 'read committed', 0));
  }

  transactionFor(session: number): OpenTransaction {
    const open = this.newTransaction(session);
    this.blocks.set(session, open);
    return open;
  }

  setSnapshot(): void {}

  commit(open: OpenTransaction, _asynchronous: boolean, answer: CommitAnswer): void {
    this.commits.push({ open, answer });
  }

  abort(open: OpenTransaction): void {
    this.locks.releaseTo(open.transaction, 0);
  }

  /** The oldest commit is on the pages. */
  publish(): void {
    const { open, answer } = this.commits.shift()!;
    this.locks.releaseTo(open.transaction, 0);
    answer.done();
  }
}

let host: Host;
let transfers: HostedTransfers;

beforeEach(() => {
  host = new Host();
  transfers = new HostedTransfers(host);
});

function message(session: number, argument: number) {
  return {
    session: () => session,
    request: () => session,
    argument: () => argument,
    flags: () => 0,
  };
}

function transfer(after: Transfer['predecessors'], rows: Transfer['rows'] = new Map()): Transfer {
  const writes = new WriteSet(null);
  writes.put(TREE, KEY, 0, 1, KEY, 0, 1, 1);
  return { predecessors: after, tables: new Set(), rows, writes, keyless: new Set() };
}

function numbers(...commits: number[]): Transfer['predecessors'] {
  return commits.map((commitNumber) => ({ commitNumber, outcome: 'open' }));
}

function commit(number: number, after: Transfer['predecessors'] = []): void {
  const out = new ByteWriter();
  encodeCommit(transfer(after), out);
  transfers.commit(message(number, number), out.bytes, 0, out.position);
}

function handOver(session: number, after: Transfer['predecessors']): OpenTransaction {
  const out = new ByteWriter();
  encodeTransfer(transfer(after, new Map([[ROW, ROW_LOCK.noKeyUpdate]])), out);
  transfers.takeOver(message(session, 0), out.bytes, 0, out.position);
  return host.blocks.get(session)!;
}

describe('commits that build upon others', () => {
  it('are refused when one of those has failed, and so is what builds upon them', () => {
    commit(1);
    commit(2, numbers(1));
    commit(3, numbers(2));
    const [first, second, third] = host.commits;
    transfers.verify(second!.open);
    first!.answer.failed(DISK_FULL);
    expect(() => transfers.verify(second!.open)).toThrow(/could not serialize access/);
    second!.answer.failed({ ...DISK_FULL, sqlstate: '40001' });
    expect(() => transfers.verify(third!.open)).toThrow(/could not serialize access/);
    expect(host.answers).toEqual(['1 53100', '2 40001']);
  });

  it('are refused when that was known on the main thread already', () => {
    commit(2, [{ commitNumber: 1, outcome: 'failed' }]);
    expect(() => transfers.verify(host.commits[0]!.open)).toThrow(/could not serialize access/);
  });

  it('forget a failure that nobody can name any more', () => {
    commit(1);
    host.commits[0]!.answer.failed(DISK_FULL);
    transfers.failureSeen(1);
    commit(2, numbers(1));
    transfers.verify(host.commits[1]!.open);
  });

  it('keep what they have, when they fail, until those are on the pages', () => {
    commit(1);
    commit(2, numbers(1));
    commit(3);
    const [, second, third] = host.commits;
    second!.answer.failed(DISK_FULL);
    third!.answer.failed(DISK_FULL);
    expect(host.answers).toEqual(['3 53100']);
    host.publish();
    expect(host.answers).toEqual(['3 53100', '1 done', '2 53100']);
  });
});

describe('a transaction that goes on in the writer', () => {
  it('runs nothing before the commits that it builds upon are over', () => {
    commit(1);
    const open = handOver(9, numbers(1));
    expect(transfers.awaitPredecessors(open)).toBe(false);
    expect(host.granted).toEqual([]);
    host.publish();
    expect(host.granted).toEqual([open.transaction]);
    expect(transfers.awaitPredecessors(open)).toBe(true);
  });

  it('fails at its next statement when one of those has failed', () => {
    commit(1);
    const open = handOver(9, numbers(1));
    expect(transfers.awaitPredecessors(open)).toBe(false);
    host.commits[0]!.answer.failed(DISK_FULL);
    expect(host.granted).toEqual([open.transaction]);
    expect(() => transfers.awaitPredecessors(open)).toThrow(/could not serialize access/);
  });

  it('leaves its rows locked for those when it is rolled back', () => {
    commit(1);
    const open = handOver(9, numbers(1));
    const other = host.newTransaction(10).transaction;
    const ask = () => host.locks.acquire(other, 'row', ROW, ROW_LOCK.noKeyUpdate, true);
    expect(ask()).toBe('waiting');
    host.abort(open);
    expect(host.granted).toEqual([]);
    host.publish();
    expect(host.granted).toEqual([other]);
    expect(ask()).toBe('granted');
  });
});
