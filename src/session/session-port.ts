import type { PgErrorFields } from '../errors/index.ts';

/** The port between a session and its door: pgwire, the native protocol, the embedded API.
 *
 * A door hands a session one message at a time and the session answers through its sink, during
 * the call or later. Rules that both sides rely on:
 *
 *   (1) One message at a time. A session that has not finished a message when the call returns has
 *       called `sink.pauseInput()` before; when it has finished it calls `sink.resumeInput()` as
 *       its last act, because the door goes on with the next message inside that call. So a
 *       session needs no queue, and everything a client pipelines waits in the door, bounded.
 *       `cancel`, `drained` and `terminate` alone may come while input is paused.
 *   (2) Bytes handed over in either direction are valid only during the call.
 *   (3) Neither side throws at the other. What a session throws by mistake ends its connection.
 *   (4) After an error in an extended-protocol message the session ignores everything but `sync`
 *       until `sync`; the door does not filter.
 *   (5) `sink.copyIn` puts the door in COPY mode: it passes only `copyData`, `copyDone`, `copyFail`
 *       and `reject`, until one of the last three, or until the session reports
 *       `error` or `commandComplete`. COPY messages outside of COPY are dropped by the door.
 *   (6) `sink.error` of severity FATAL or PANIC ends the connection; the door calls `terminate`.
 *       After `terminate` a session may still call its sink; nothing happens.
 */

/** 0 text, 1 binary. */
export type Format = 0 | 1;

/** Where a session stands: idle, in a transaction block, in a failed transaction block. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** One column of a result, as RowDescription has it. */
export interface ResultColumn {
  readonly name: string;
  /** 0 when the column is not simply a column of a table; likewise the column number. */
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  readonly typeLength: number;
  readonly typmod: number;
  readonly format: Format;
}

/** The values of a Bind message, in place. Value i is NULL when lengths[i] is -1, else the bytes
 * from starts[i]. Only the first `count` entries count; the arrays are reused. Text values are
 * valid UTF-8 without NUL. */
export interface BindValues {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** One format for each value. */
  readonly formats: Uint8Array;
  /** As sent: none means all text, one is for all columns, else one for each column. */
  readonly resultFormatCount: number;
  readonly resultFormats: Uint8Array;
}

/** What a session tells its door. */
export interface ResultSink {
  rowDescription(columns: readonly ResultColumn[]): void;
  parameterDescription(typeOids: readonly number[]): void;
  noData(): void;
  /** `count` whole DataRow messages ('D', length, …), bytes[start, end). False when the client is
   * slow: the session sends no more until `drained`. */
  dataRows(bytes: Uint8Array, start: number, end: number, count: number): boolean;
  commandComplete(tag: string): void;
  emptyQuery(): void;
  portalSuspended(): void;
  parseComplete(): void;
  bindComplete(): void;
  closeComplete(): void;
  error(fields: PgErrorFields): void;
  notice(fields: PgErrorFields): void;
  parameterStatus(name: string, value: string): void;
  /** May come while no message is being handled. False as of `dataRows`. */
  notification(processId: number, channel: string, payload: string): boolean;
  copyIn(format: Format, columnCount: number): void;
  copyOut(format: Format, columnCount: number): void;
  /** Whole CopyData messages ('d', length, …), otherwise as `dataRows`. */
  copyData(bytes: Uint8Array, start: number, end: number): boolean;
  copyDone(): void;
  readyForQuery(status: TransactionStatus): void;
  /** Rule (1): the door holds back further messages. */
  pauseInput(): void;
  resumeInput(): void;
}

/** What a door asks of a session. */
export interface Session {
  /** Number of the session, pg_backend_pid(), and the key that a CancelRequest must show (int4). */
  readonly processId: number;
  readonly secretKey: number;

  simpleQuery(text: string): void;
  /** A parameter type of 0 is to be inferred. */
  parse(name: string, text: string, parameterTypes: readonly number[]): void;
  bind(portal: string, statement: string, values: BindValues): void;
  describeStatement(name: string): void;
  describePortal(name: string): void;
  /** `rowCountMax` 0 means all rows. `syncFollows`: the door has the next message, and it is a Sync,
   * so that the statement is a transaction of its own if no block is open. */
  execute(portal: string, rowCountMax: number, syncFollows: boolean): void;
  closeStatement(name: string): void;
  closePortal(name: string): void;
  sync(): void;
  /** A message that the door could not read or does not know fails with `error` as a statement
   * would: it fails the transaction block; afterwards an extended message is followed by rule (4),
   * any other by ReadyForQuery. */
  reject(error: PgErrorFields, extended: boolean): void;

  copyData(bytes: Uint8Array, start: number, end: number): void;
  copyDone(): void;
  copyFail(message: string): void;

  /** Ends the running statement with 57014; nothing happens when none runs. */
  cancel(): void;
  /** The client has caught up after `dataRows`, `copyData` or `notification` returned false. */
  drained(): void;
  /** The door is gone: end the running statement, roll back, free everything. Called once. */
  terminate(): void;
}

/** What a client asks for when it connects. */
export interface StartupRequest {
  readonly user: string;
  /** The user's name when the client named none. */
  readonly database: string;
  /** Settings in the order in which they apply: first those of `options`, then the others. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The ends of the connection, the client's first; null for a Unix socket. */
  readonly peer: {
    readonly address: string;
    readonly port: number;
    readonly serverAddress: string;
    readonly serverPort: number;
  } | null;
}

/** Opens sessions for doors; the runtime implements it. */
export interface SessionHost {
  /** Opens a session that answers to `sink`. It reports its parameters (`sink.parameterStatus`)
   * meanwhile. What it throws (3D000, 28000, 57P03, a bad setting, …) refuses the client. */
  openSession(request: StartupRequest, sink: ResultSink): Session | Promise<Session>;
  /** Cancels what the session runs, if there is such a session and the key is its key. */
  cancel(processId: number, secretKey: number): void;
}
