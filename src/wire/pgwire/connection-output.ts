import type { PgErrorFields } from '../../errors/index.ts';
import type { Format, ResultColumn, ResultSink, TransactionStatus } from '../../session/index.ts';
import type { ClientSocket } from './client-socket.ts';
import { Backend } from './message-types.ts';
import { OUTPUT_BUFFER_SIZE, type OutputBuffer, type OutputPool } from './output-buffer.ts';
import type { StartupMessage } from './startup-packet.ts';

/** Bytes the socket has yet to send at which a session is asked to wait. */
const UNSENT_MAX = 256 * 1024;
/** Results at which they are sent at the end of the turn though more are to come. */
const EAGER_SIZE = 8 * 1024;

/** What the outputs of one server share. */
export interface OutputContext {
  readonly outputs: OutputPool;
  /** Calls `flush` at the end of this turn of the event loop. */
  flushLater(output: ConnectionOutput): void;
  /** Something was sent. */
  answered(): void;
}

/** What the output of a connection asks of its input. */
export interface InputControl {
  pauseInput(): void;
  resumeInput(): void;
  /** The session has come to its end. */
  fail(error: PgErrorFields): void;
}

/** What a client is told, above all by its session.
 *
 * Answers gather in one buffer and are written when the client waits for them (ReadyForQuery, Flush,
 * errors, notices) or when there are many: once for everything that one turn of the event loop
 * produced. An idle connection owns no buffer. */
export class ConnectionOutput implements ResultSink {
  private readonly socket: ClientSocket;
  private readonly context: OutputContext;
  private readonly input: InputControl;
  private buffer: OutputBuffer | null = null;
  /** Messages are being handled, and their answers leave together. */
  private isGathering = false;
  private flushWanted = false;
  private flushQueued = false;
  private isClosed = false;
  /** The client reads more slowly than it is answered; until the socket has nothing left to send, as then the
   * session is told. */
  isBlocked = false;
  /** The client sends COPY data. */
  inCopy = false;

  constructor(socket: ClientSocket, context: OutputContext, input: InputControl) {
    this.socket = socket;
    this.context = context;
    this.input = input;
  }

  // ---- sending ----

  /** Gives what has gathered to the socket. */
  flush(): void {
    this.flushQueued = false;
    this.flushWanted = false;
    const { buffer } = this;
    if (buffer === null) return;
    this.buffer = null;
    if (this.isClosed) {
      this.context.outputs.give(buffer);
      return;
    }
    // What the kernel did not take at once the socket holds, and with it the buffer.
    if (this.socket.send(buffer.bytes, 0, buffer.position)) this.context.outputs.give(buffer);
    this.noteUnsent();
    this.context.answered();
  }

  /** Has what has gathered sent soon. */
  requestFlush(): void {
    if (this.isGathering) this.flushWanted = true;
    else if (!this.flushQueued) {
      this.flushQueued = true;
      this.context.flushLater(this);
    }
  }

  /** Messages are about to be handled. */
  gather(): void {
    this.isGathering = true;
  }

  /** They have been. */
  gathered(): void {
    this.isGathering = false;
    if (!this.flushWanted) return;
    this.flushWanted = false;
    this.requestFlush();
  }

  /** The socket has sent everything. False when that had not been waited for. */
  drained(): boolean {
    if (!this.isBlocked) return false;
    this.isBlocked = false;
    return true;
  }

  /** Nothing is sent any more. */
  end(): void {
    this.isClosed = true;
    if (this.buffer !== null) this.context.outputs.give(this.buffer);
    this.buffer = null;
  }

  private noteUnsent(): void {
    if (this.socket.writableLength > UNSENT_MAX) this.isBlocked = true;
  }

  private out(): OutputBuffer {
    this.buffer ??= this.context.outputs.take();
    return this.buffer;
  }

  /** Sends whole messages, in writes of at most a buffer; false when the client reads slower than
   * they come. */
  private stream(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.isClosed) return true;
    let at = start;
    while (at < end) {
      const out = this.out();
      const next = Math.min(end, at + Math.max(0, OUTPUT_BUFFER_SIZE - out.position));
      out.messages(bytes, at, next);
      if (next < end) this.flush();
      at = next;
    }
    if (this.buffer !== null && this.buffer.position >= EAGER_SIZE) this.requestFlush();
    this.noteUnsent();
    return !this.isBlocked;
  }

  // ---- start-up and end ----

  authenticationOk({ negotiate }: StartupMessage): void {
    const out = this.out();
    if (negotiate !== null)
      out.negotiateProtocolVersion(negotiate.version, negotiate.unknownOptions);
    out.authenticationOk();
  }

  backendKeyData(processId: number, secretKey: number): void {
    this.out().backendKeyData(processId, secretKey);
  }

  /** An error after which the session, if there is one, goes on. */
  report(fields: PgErrorFields): void {
    this.inCopy = false;
    this.out().report(Backend.errorResponse, fields);
    this.requestFlush();
  }

  // ---- what the session says ----

  pauseInput(): void {
    this.input.pauseInput();
  }

  resumeInput(): void {
    this.input.resumeInput();
  }

  rowDescription(columns: readonly ResultColumn[]): void {
    this.out().rowDescription(columns);
  }

  parameterDescription(typeOids: readonly number[]): void {
    this.out().parameterDescription(typeOids);
  }

  noData(): void {
    this.out().bare(Backend.noData);
  }

  dataRows(bytes: Uint8Array, start: number, end: number, _count: number): boolean {
    return this.stream(bytes, start, end);
  }

  commandComplete(tag: string): void {
    this.inCopy = false;
    this.out().commandComplete(tag);
  }

  emptyQuery(): void {
    this.out().bare(Backend.emptyQueryResponse);
  }

  portalSuspended(): void {
    this.out().bare(Backend.portalSuspended);
  }

  parseComplete(): void {
    this.out().bare(Backend.parseComplete);
  }

  bindComplete(): void {
    this.out().bare(Backend.bindComplete);
  }

  closeComplete(): void {
    this.out().bare(Backend.closeComplete);
  }

  error(fields: PgErrorFields): void {
    if (fields.severity === 'FATAL' || fields.severity === 'PANIC') this.input.fail(fields);
    else this.report(fields);
  }

  notice(fields: PgErrorFields): void {
    this.out().report(Backend.noticeResponse, fields);
    this.requestFlush();
  }

  parameterStatus(name: string, value: string): void {
    this.out().parameterStatus(name, value);
  }

  notification(processId: number, channel: string, payload: string): boolean {
    if (this.isClosed) return true;
    const out = this.out();
    out.notification(processId, channel, payload);
    if (out.position >= OUTPUT_BUFFER_SIZE) this.flush();
    else this.requestFlush();
    this.noteUnsent();
    return !this.isBlocked;
  }

  copyIn(format: Format, columnCount: number): void {
    this.inCopy = true;
    this.out().copyResponse(Backend.copyInResponse, format, columnCount);
    this.requestFlush();
  }

  copyOut(format: Format, columnCount: number): void {
    this.out().copyResponse(Backend.copyOutResponse, format, columnCount);
  }

  copyData(bytes: Uint8Array, start: number, end: number): boolean {
    return this.stream(bytes, start, end);
  }

  copyDone(): void {
    this.out().bare(Backend.copyDone);
  }

  readyForQuery(status: TransactionStatus): void {
    this.out().readyForQuery(status);
    this.requestFlush();
  }
}
