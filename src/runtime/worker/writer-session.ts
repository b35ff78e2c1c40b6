import type { Catalog, CatalogChange } from '../../catalog/index.ts';
import type { StatementSettings } from '../../session/index.ts';
import type {
  DeferredMark,
  ForeignKeyChecks,
  SequenceOperations,
} from '../../sql/execute/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { Transaction } from '../../txn/index.ts';
import type { Int8 } from '../../types/index.ts';
import type { SessionState } from '../session-state.ts';
import type { SequenceState } from './sequences.ts';

/** What the writer keeps of a session: its open transaction, and the sequence values it has seen. */
export class WriterSession {
  readonly id: number;
  open: OpenTransaction | null = null;
  /** currval() by sequence, and lastval(). */
  readonly currentValues = new Map<number, Int8>();
  lastSequence = 0;
  /** Commands of the open block that its cursors see what was changed before, by the number of their mark. */
  readonly changeMarks = new Map<number, number>();
  /** What its next statement shows of sessions, where it reads views of them. */
  shownSessions: SessionState | null = null;
  private lockOwner_: Transaction | null = null;
  private readOwner_: Transaction | null = null;

  constructor(id: number) {
    this.id = id;
  }

  /** The owner of locks that outlive transactions: a transaction that never begins nor ends. */
  lockOwner(): Transaction {
    this.lockOwner_ ??= new Transaction(this.id, 'read committed', 0);
    return this.lockOwner_;
  }

  /** The owner of the locks on what an open block has read outside of the writer. */
  get readOwner(): Transaction {
    this.readOwner_ ??= new Transaction(this.id, 'read committed', 0);
    return this.readOwner_;
  }

  discardSequences(): void {
    this.currentValues.clear();
    this.lastSequence = 0;
  }

  get holdsLocks(): boolean {
    return this.lockOwner_ !== null && this.lockOwner_.grants.length > 0;
  }
}

/** A transaction with the changes it made to the catalog and to the set of trees. */
export class OpenTransaction {
  readonly transaction: Transaction;
  /** The statement that failed undid all up to the innermost savepoint; only its end is awaited. */
  failed = false;
  /** It advanced a sequence, so its end waits for the log. */
  needsFlush = false;
  /** READ ONLY, as of its statement at hand. */
  readOnly = false;
  /** Commits of the main thread that are to be on the pages before anything is run, and without which it is
   * not to be committed (HostedTransfers); 0 stands for one that failed. */
  readonly predecessors: number[] = [];
  readonly catalogChanges: CatalogChange[] = [];
  /** One of them was of more than temporary objects, even if that has been rolled back. */
  changesShared = false;
  readonly createdTrees: TreeId[] = [];
  readonly droppedTrees: TreeId[] = [];
  /** What the sequences that it altered were before, oldest first. */
  readonly alteredSequences: AlteredSequence[] = [];
  /** Made when a statement of the transaction can use it. */
  sequences: SequenceOperations | null = null;
  /** Made when a statement changes a table with foreign keys. */
  foreignKeys: ForeignKeyChecks | null = null;
  /** Of the last statement that did so; the checks before the commit run with them. */
  settings: StatementSettings | null = null;
  /** The catalog with its changes; null without any. */
  catalog: Catalog | null = null;
  /** Version of the committed catalog that it lies over. */
  catalogBase = 0;
  private readonly marks: CatalogMark[] = [];

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  get hasChanges(): boolean {
    return (
      this.transaction.hasWrites ||
      this.catalogChanges.length > 0 ||
      this.createdTrees.length > 0 ||
      this.droppedTrees.length > 0
    );
  }

  /** The tree was created after the last savepoint. */
  isNewTree(tree: TreeId): boolean {
    return this.createdTrees.indexOf(tree) >= (this.marks.at(-1)?.created ?? 0);
  }

  /** Number of altered sequences at the last savepoint. */
  get sequenceMark(): number {
    return this.marks.at(-1)?.sequences ?? 0;
  }

  defineSavepoint(name: string): void {
    this.transaction.defineSavepoint(name);
    this.marks.push({
      changes: this.catalogChanges.length,
      created: this.createdTrees.length,
      dropped: this.droppedTrees.length,
      sequences: this.alteredSequences.length,
      deferred: this.foreignKeys?.deferred.mark ?? null,
    });
  }

  releaseSavepoint(name: string): void {
    this.transaction.releaseSavepoint(name);
    this.marks.length = this.transaction.savepoints.length;
  }

  /** Undoes changes; the caller releases the locks granted since the returned mark, and makes
   * `catalog` anew when this says that the catalog changed. */
  rollbackTo(name: string): { lockMark: number; catalogChanged: boolean } {
    const { lockMark } = this.transaction.rollbackToSavepoint(name);
    this.marks.length = this.transaction.savepoints.length;
    const mark = this.marks[this.marks.length - 1]!;
    const catalogChanged = this.catalogChanges.length > mark.changes;
    this.catalogChanges.length = mark.changes;
    this.createdTrees.length = mark.created;
    this.droppedTrees.length = mark.dropped;
    if (mark.deferred !== null) this.foreignKeys?.deferred.rollbackTo(mark.deferred);
    else this.foreignKeys = null;
    return { lockMark, catalogChanged };
  }
}

/** A sequence that a transaction created, restarted, altered or dropped. */
export interface AlteredSequence {
  readonly relation: number;
  readonly before: SequenceState | null;
}

interface CatalogMark {
  readonly changes: number;
  readonly created: number;
  readonly dropped: number;
  readonly sequences: number;
  /** Null: nothing had been done with foreign keys yet. */
  readonly deferred: DeferredMark | null;
}
