import type { RowChanges } from '../../access/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import type { ForeignKeyServices, ReferenceCache } from '../../sql/execute/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import { OverlayCursor, type Transaction, tableLockTag } from '../../txn/index.ts';
import type { Writer } from './writer.ts';
import type { OpenTransaction } from './writer-session.ts';

/** The writer as the foreign keys of one transaction see it. */
export class TransactionForeignKeys implements ForeignKeyServices {
  readonly transaction: Transaction;
  readonly changes: RowChanges;
  readonly references: ReferenceCache;
  private readonly writer: Writer;
  private readonly open: OpenTransaction;

  constructor(writer: Writer, open: OpenTransaction) {
    this.writer = writer;
    this.open = open;
    this.transaction = open.transaction;
    this.changes = writer.changes;
    this.references = writer.references;
  }

  get catalog(): Catalog {
    return this.writer.catalogOf(this.open);
  }

  get newestCommit(): number {
    return this.writer.engine.commitLsn;
  }

  lockTable(relation: number, mode: number, wait: boolean): boolean {
    const { locks } = this.writer;
    const tag = tableLockTag(relation);
    return locks.acquire(this.transaction, 'table', tag, mode, wait) === 'granted';
  }

  nextCommand(): void {
    const { transaction } = this;
    transaction.command++;
    if (transaction.isolation === 'read committed') this.writer.setSnapshot(transaction, -1);
  }

  cursorAt(tree: TreeId, commit: number, own: 'none' | 'earlier' | 'all'): Cursor {
    const base = this.writer.committedCursor(tree, commit);
    const { writes, command } = this.transaction;
    if (own === 'none' || !writes.trees.has(tree)) return base;
    return new OverlayCursor(base, writes, tree, own === 'all' ? command + 1 : command);
  }

  closeCursor(cursor: Cursor): void {
    this.writer.closeCursor(cursor);
  }
}
