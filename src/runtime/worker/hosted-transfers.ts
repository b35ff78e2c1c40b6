import { encodeRowId } from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import { type PgError, type PgErrorFields, pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import {
  COMMIT_LOCK,
  commitLockTag,
  type LockTable,
  TABLE_LOCK,
  type Transaction,
  tableLockTag,
} from '../../txn/index.ts';
import type { ControlMessage } from '../generated/control-message.ts';
import { EXECUTE_FLAGS, ISOLATION } from '../messages.ts';
import { decodeTransfer, type TransferTarget } from '../transfer.ts';
import type { OpenTransaction } from './writer-session.ts';

type TransferMessage = Pick<ControlMessage, 'session' | 'request' | 'argument' | 'flags'>;

/** What is needed of the writer. */
export interface TransferHost {
  readonly locks: LockTable<Transaction>;
  readonly rowIds: { next(tree: TreeId): number };
  readonly reader: { enter(): void; leave(): void };
  readonly port: {
    complete(request: number, rowCount: number, tag: string | null): void;
    error(request: number, fields: PgErrorFields): void;
  };
  newTransaction(session: number): OpenTransaction;
  transactionFor(
    session: number,
    inBlock: boolean,
    isolation: number,
    snapshotSlot: number,
  ): OpenTransaction;
  setSnapshot(transaction: Transaction, snapshot: number): void;
  commit(open: OpenTransaction, asynchronous: boolean, answer: CommitAnswer): void;
  abort(open: OpenTransaction): void;
}

/** Who is told what has become of a commit. One that failed is the caller's to abort. */
export interface CommitAnswer {
  done(): void;
  failed(fields: PgErrorFields): void;
}

/** Transactions that come from the main thread: to go on here, or to be committed (main/fast-path.ts).
 *
 * One that has taken rows over from others that are being committed depends on those: it is appended to the log behind
 * them, is not committed when one of them could not be, and runs nothing here before they are on the pages. Where it
 * fails, it keeps what it has until they are: the rows that it lets go of are theirs.
 */
export class HostedTransfers implements TransferTarget {
  private readonly writer: TransferHost;
  /** Commits on their way, oldest first. */
  private readonly pending = new Map<number, HostedCommit>();
  /** Those that failed and that messages may still name. */
  private readonly failed = new Set<number>();
  private readonly rowIdKey = new ByteWriter(8);
  /** The transaction that is being taken in. */
  private open!: OpenTransaction;

  constructor(writer: TransferHost) {
    this.writer = writer;
  }

  /** A transaction goes on here, with its locks and changes. */
  takeOver(message: TransferMessage, payload: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const { readCommitted } = ISOLATION;
    this.open = writer.transactionFor(message.session(), true, readCommitted, message.argument());
    const { transaction, predecessors } = this.open;
    writer.setSnapshot(transaction, -1);
    this.decode(payload, start, end);
    transaction.command++;
    for (const number of predecessors) {
      const commit = this.pending.get(number);
      if (commit === undefined) continue;
      const { hold } = COMMIT_LOCK;
      writer.locks.acquire(commit.open.transaction, 'commit', commitLockTag(number), hold, false);
    }
  }

  commit(message: TransferMessage, payload: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const number = message.argument();
    const request = message.request();
    const open = writer.newTransaction(message.session());
    this.open = open;
    this.decode(payload, start, end);
    const asynchronous = (message.flags() & EXECUTE_FLAGS.asynchronousCommit) !== 0;
    const commit: HostedCommit = { open, request, failure: null };
    this.pending.set(number, commit);
    writer.commit(open, asynchronous, {
      done: () => {
        this.pending.delete(number);
        writer.port.complete(request, 0, null);
        if (this.failed.size > 0) this.answerFailures();
      },
      failed: (fields) => {
        commit.failure = fields;
        this.failed.add(number);
        this.answerFailures();
      },
    });
  }

  /** No message will name a failed commit any more. */
  failureSeen(number: number): void {
    this.failed.delete(number);
  }

  /** Throws when a commit has failed that the transaction depends on. */
  verify({ predecessors }: OpenTransaction): void {
    for (const number of predecessors) {
      if (number === FAILED || this.failed.has(number)) throw predecessorFailed();
    }
  }

  /** Whether the commits that the transaction depends on are over; it waits for a lock where they are not. */
  awaitPredecessors(open: OpenTransaction): boolean {
    if (open.predecessors.length === 0) return true;
    const { locks } = this.writer;
    const { transaction } = open;
    for (const number of open.predecessors) {
      const tag = commitLockTag(number);
      const { await: mode } = COMMIT_LOCK;
      if (locks.acquire(transaction, 'commit', tag, mode, true) === 'waiting') return false;
    }
    this.verify(open);
    open.predecessors.length = 0;
    return true;
  }

  private decode(payload: Uint8Array, start: number, end: number): void {
    const { reader } = this.writer;
    reader.enter();
    try {
      decodeTransfer(payload, start, end, this);
    } finally {
      reader.leave();
    }
  }

  /** Answers the failed commits that depend on none which is on its way. */
  private answerFailures(): void {
    for (const [number, { open, request, failure }] of this.pending) {
      if (failure === null || this.hasPending(open)) continue;
      this.pending.delete(number);
      this.writer.abort(open);
      this.writer.port.error(request, failure);
    }
  }

  private hasPending({ predecessors }: OpenTransaction): boolean {
    return predecessors.some((number) => this.pending.has(number));
  }

  // ---------------------------------------------------------------- TransferTarget

  predecessor(number: number): void {
    this.open.predecessors.push(number);
  }

  table(oid: number): void {
    const { locks } = this.writer;
    locks.adopt(this.open.transaction, 'table', tableLockTag(oid), TABLE_LOCK.rowExclusive);
  }

  /** What is undone of the transaction are the predecessors' rows again, so they have them locked as well. */
  row(tag: string, mode: number): void {
    const { locks } = this.writer;
    const { transaction, predecessors } = this.open;
    locks.adopt(transaction, 'row', tag, mode);
    for (const number of predecessors) {
      const commit = this.pending.get(number);
      if (commit !== undefined) locks.adopt(commit.open.transaction, 'row', tag, mode);
    }
  }

  put(
    tree: TreeId,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { writes, command } = this.open.transaction;
    if (keyEnd > 0) {
      writes.put(tree, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, command);
      return;
    }
    const key = this.rowIdKey.reset();
    encodeRowId(this.writer.rowIds.next(tree), key);
    writes.put(tree, key.bytes, 0, key.position, bytes, valueStart, valueEnd, command);
  }

  delete(tree: TreeId, bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    const { writes, command } = this.open.transaction;
    writes.delete(tree, bytes, keyStart, keyEnd, command);
  }
}

/** A COMMIT on its way. */
interface HostedCommit {
  readonly open: OpenTransaction;
  readonly request: number;
  /** Why it will not be committed; not answered yet. */
  failure: PgErrorFields | null;
}

/** In the place of the number of a commit that has failed. */
const FAILED = 0;

function predecessorFailed(): PgError {
  return pgError('serialization_failure', 'could not serialize access due to a failed commit', {
    detail: 'A transaction whose changes this one has built upon could not be committed.',
    hint: 'The transaction might succeed if retried.',
  });
}
