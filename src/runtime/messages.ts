/** Kinds of the messages between the main thread and its workers (layouts: schemas/messages.fbs). */

/** To a worker. */
export const REQUEST = {
  /** Payload: a piece of the payload of the next message of the same request (too long for a ring). */
  part: 1,
  /** argument: plan number. Payload: the plan, serialised. */
  plan: 2,
  /** argument: plan number; no message will name it again. */
  forgetPlan: 3,
  /** argument: context number. Payload: StatementSettings, serialised. */
  context: 4,
  execute: 5,
  /** argument: row limit. Goes on with a suspended statement. */
  fetch: 6,
  /** Ends a suspended statement. */
  close: 7,
  /** argument: bytes of rows that the client has taken. */
  credit: 8,
  /** Ends a running statement with 57014; operation 1: because of its statement_timeout. */
  cancel: 9,
  /** operation: TRANSACTION; payload: the savepoint's name. Writer only. */
  transaction: 10,
  /** Payload: UtilityRequest, serialised. Writer only. */
  utility: 11,
  copyData: 12,
  copyDone: 13,
  /** Payload: the client's message. */
  copyFail: 14,
  /** The session has ended: roll back, free everything. */
  endSession: 15,
  /** Finish what runs, write a checkpoint, and stop. */
  shutdown: 17,
  /** argument: a frame that a thread had in hand when it died. Writer only. */
  frameLeft: 18,
  /** argument: a relation that a transaction block has read in a reader. Writer only. */
  lockRead: 19,
  /** The transaction block that has read has ended. Writer only. */
  unlockReads: 20,
  /** argument: context number; no message will name it again. */
  forgetContext: 21,
  /** A transaction that was begun on the main thread goes on in the writer. argument: its snapshot slot.
   * Payload: see transfer.ts. Writer only. */
  transfer: 22,
  /** argument: number of a REPLY.surrender, which has been done. Writer only. */
  surrendered: 23,
  /** Types of users that have been committed. Payload: pairs of oid and definition (null: gone),
   * serialised. Readers only; the writer has the catalog. */
  types: 24,
  /** Has the pages on the way to a key of a tree in memory. argument: a snapshot slot. Payload: 4 bytes
   * little-endian, the tree; then the key. Readers only. */
  load: 25,
  /** COMMIT of a transaction that was begun on the main thread. argument: its number among those. Payload: see
   * transfer.ts. Writer only. */
  commit: 26,
  /** argument: number of such a COMMIT, which has failed and was answered; no message will name it again.
   * Writer only. */
  failureSeen: 27,
  /** Marks of the main thread are gone that a lock of the writer waits for (FastPathWords). Writer only. */
  marksFreed: 28,
  /** argument: a number for what the session's transaction has changed so far. Writer only. */
  markChanges: 29,
  /** argument: such a number, which no message will name again. Writer only. */
  forgetChanges: 30,
  /** What the session's next `execute` shows of sessions; no other message of the session comes between. Payload:
   * SessionState, serialised. Writer only. */
  sessionState: 31,
} as const;

/** Operations of REQUEST.transaction. */
export const TRANSACTION = {
  commit: 1,
  rollback: 2,
  savepoint: 3,
  release: 4,
  rollbackTo: 5,
  /** A statement of the block failed elsewhere: undo to the last savepoint, or all. */
  fail: 6,
  /** Forget currval() and lastval(). */
  discardSequences: 7,
  /** DISCARD ALL: that, and let go of the session's advisory locks. */
  discardAll: 8,
  /** Take the snapshot of a SERIALIZABLE transaction. */
  begin: 9,
} as const;

/** From a worker. */
export const REPLY = {
  part: 1,
  /** count: rows. Payload: DataRow messages. */
  rows: 2,
  /** count: rows processed. Payload: the command tag, when it is not that of the plan. */
  complete: 3,
  suspended: 4,
  /** Payload: PgErrorFields as JSON. */
  error: 5,
  /** Payload: PgErrorFields as JSON. */
  notice: 6,
  /** Committed changes of the catalog. Payload: CommittedUpdate, serialised. */
  catalog: 7,
  /** The catalog as the session's open transaction sees it. Payload: CatalogUpdate, serialised. */
  sessionCatalog: 8,
  /** count: columns; status: format. */
  copyIn: 9,
  copyOut: 10,
  /** Payload: CopyData messages. */
  copyData: 11,
  /** The worker stops. Payload: the reason, as PgErrorFields in JSON, or nothing. */
  stopped: 12,
  /** The worker is up. Payload, from the writer: its RecoveryReport, serialised. */
  ready: 13,
  /** count: bytes of COPY data that the statement has taken. */
  copyTaken: 14,
  /** Transactions of the main thread are to be transferred. request: number of this wish; count: the session,
   * or 0 for all. */
  surrender: 15,
} as const;

/** Flags of ExecuteMessage. */
export const EXECUTE_FLAGS = {
  /** Part of a transaction block: nothing is committed when it ends. */
  inBlock: 1,
  /** Run for EXPLAIN ANALYZE: rows are counted and thrown away, the plan with its actual figures is
   * the result. The payload ends with ExplainOptions as JSON. */
  explain: 2,
  /** The transaction is READ ONLY: permanent sequences are not to be advanced. */
  readOnly: 4,
  /** COPY TO: rows are CopyData messages. The payload ends with the CopyFormat as JSON. */
  copyOut: 16,
  /** synchronous_commit is off. */
  asynchronousCommit: 8,
} as const;

/** `isolation` of messages. */
export const ISOLATION = { readCommitted: 0, repeatableRead: 1, serializable: 2 } as const;
