import type { Plan } from '../sql/plan/plan.ts';
import {
  type DiscardOperation,
  isDiscard,
  type RunHandle,
  type RunListener,
  type TransactionOperation,
} from './backend.ts';
import type { Continuation } from './current-run.ts';
import { IGNORE_ANSWER } from './run-stubs.ts';
import type { ClientSession } from './session.ts';

/** The beginning and the end of a session's transactions: all that goes with a transaction goes by here, in
 * the session and in the writer. Where the session stands is in `block`. */
export class Transactions {
  private readonly session: ClientSession;
  /** The block's commit or rollback is on its way, and what is to be done after it. */
  private ending: 'commit' | 'rollback' | null = null;
  private afterEnd: Continuation | null = null;

  constructor(session: ClientSession) {
    this.session = session;
  }

  /** BEGIN: a block of its own, or what an implicit one becomes. */
  open(): void {
    const { block, environment } = this.session;
    block.state = 'open';
    if (block.startTimestamp === 0) block.startTimestamp = environment.now();
  }

  /** What follows belongs to one transaction up to the end of the message, or Sync. */
  beginImplicit(): void {
    const { block } = this.session;
    if (block.state === 'idle') block.state = 'implicit';
  }

  /** The end of the message, or Sync. */
  endImplicit(then: Continuation): void {
    const { session } = this;
    const { block, environment, portals } = session;
    if (block.state === 'implicit') {
      this.end(true, then);
      return;
    }
    if (block.state === 'idle') {
      // Statements that were a transaction each.
      portals.settle(true);
      if (environment.settings.mark > 0) {
        environment.settings.commit();
        this.adoptDefaults();
      }
      block.startTimestamp = 0;
      block.hasRead = false;
    }
    then(session);
  }

  /** Ends the block: commits (or rolls back a failed one), then goes on with `then`. */
  end(commit: boolean, then: Continuation): void {
    const { session } = this;
    session.portals.beginSettling();
    if (!session.block.inWriter) {
      this.settle(commit);
      then(session);
      return;
    }
    this.ending = commit ? 'commit' : 'rollback';
    this.afterEnd = then;
    session.run.transaction(this.ending, '', ENDED);
  }

  /** The writer has ended the block. */
  ended(): void {
    const { afterEnd } = this;
    this.settle(this.ending === 'commit');
    afterEnd?.(this.session);
  }

  /** A statement has failed, or the block's end. */
  fail(writerKnows: boolean): void {
    const { block } = this.session;
    // A commit that fails has ended the block all the same.
    if (this.ending !== null) this.settle(false);
    else if (block.state === 'open') {
      block.state = 'failed';
      if (block.savepoints.length === 0) this.unlockReads();
      if (block.inWriter && !writerKnows) this.send('fail', '', IGNORE_ANSWER);
    } else if (block.state !== 'failed') {
      if (block.inWriter) this.send('rollback', '', IGNORE_ANSWER);
      this.settle(false);
    }
  }

  /** The transaction is over. */
  private settle(committed: boolean): void {
    const { session } = this;
    const { block, environment, portals } = session;
    this.ending = null;
    this.afterEnd = null;
    this.unlockReads();
    portals.settle(committed);
    this.releaseSnapshot();
    if (committed) environment.settings.commit();
    else environment.settings.rollback();
    session.settleNotifications(committed);
    block.reset();
    this.adoptDefaults();
  }

  /** Takes the defaults of new transactions over, when no block is open. */
  adoptDefaults(): void {
    const { block, environment } = this.session;
    if (block.state !== 'idle') return;
    block.isolation = environment.defaultIsolation;
    block.readOnly = environment.defaultReadOnly;
    block.deferrable = environment.defaultDeferrable;
  }

  /** SAVEPOINT and its kin, in the writer, where the transaction's changes are; and what it keeps of
   * the session besides. */
  operate(
    operation: 'savepoint' | 'release' | 'rollbackTo' | DiscardOperation,
    name: string,
    tag: string,
  ): void {
    const { session } = this;
    if (!isDiscard(operation)) session.block.inWriter = true;
    session.run.transaction(operation, name, ({ sink }) => sink.commandComplete(tag));
  }

  send(operation: TransactionOperation, name: string, listener: RunListener): RunHandle {
    const { backend, block, environment, processId } = this.session;
    return backend.transaction(processId, operation, name, listener, {
      isolation: block.isolation,
      asynchronousCommit: environment.asynchronousCommit,
    });
  }

  /** The writer takes the snapshot of a SERIALIZABLE transaction, and takes down what it reads. */
  beginReads(): void {
    const { block } = this.session;
    if (!block.recordsReads) return;
    block.inWriter = true;
    this.send('begin', '', IGNORE_ANSWER);
  }

  /** What a block reads is locked until its end, as in PostgreSQL, so that nobody drops it. */
  lockReads(plan: Plan): void {
    const { backend, block, processId } = this.session;
    for (const { oid } of plan.tables) {
      if (block.readTables.has(oid)) continue;
      block.readTables.add(oid);
      backend.lockRead(processId, oid);
    }
  }

  private unlockReads(): void {
    const { backend, block, processId } = this.session;
    if (block.readTables.size === 0) return;
    block.readTables.clear();
    backend.unlockReads(processId);
  }

  releaseSnapshot(): void {
    const { block, portals } = this.session;
    const { snapshot } = block;
    if (snapshot === null) return;
    block.snapshot = null;
    portals.releaseUnused(snapshot);
  }
}

const ENDED: Continuation = ({ transactions }) => transactions.ended();
