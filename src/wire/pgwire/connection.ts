import {
  notSupported,
  PgError,
  type PgErrorFields,
  pgError,
  toErrorFields,
} from '../../errors/index.ts';
import type {
  Format,
  ResultColumn,
  ResultSink,
  Session,
  SessionHost,
  StartupRequest,
  TransactionStatus,
} from '../../session/index.ts';
import type { ClientSocket } from './client-socket.ts';
import { type BindMessage, type MessageReader, protocolViolation } from './message-reader.ts';
import { Backend, Frontend, MESSAGE_LENGTH_MAX, STARTUP_PACKET_MAX } from './message-types.ts';
import { OUTPUT_BUFFER_SIZE, type OutputBuffer, type OutputPool } from './output-buffer.ts';
import { readStartupPacket, type StartupMessage, unsupportedProtocol } from './startup-packet.ts';

/** One client of the PostgreSQL protocol: a socket, and the session that answers it.
 *
 *   startup ──StartupMessage──> opening ──session──> ready ──┐
 *      └─────────────────────────── any failure, end ────────┴──> closed
 *
 * Input: messages are handled where they were received; only what is incomplete, or held back
 * because the session is busy (rule 1 of the session port), is copied to `pending`. While the
 * session is busy the socket is read up to INPUT_PENDING_MAX, so that a client that goes away is
 * noticed, and then no further. The same holds while a client does not read what it was answered:
 * otherwise one that asks on and on would fill the memory with answers. Clients take turns: who has
 * sent much at once waits after TURN_MS until the others were served.
 *
 * Output: answers gather in one buffer and are written when the client waits for them
 * (ReadyForQuery, Flush, errors, notices) or when there are many: once for everything that one
 * turn of the event loop produced. An idle connection owns no buffer.
 */

/** Received but not yet handled bytes at which the socket is no longer read. */
const INPUT_PENDING_MAX = 64 * 1024;
const INPUT_PENDING_MIN = 512;
/** Bytes the socket has yet to send at which a session is asked to wait, and nothing more is handled. */
const OUTPUT_UNSENT_MAX = 256 * 1024;
/** Results at which they are sent at the end of the turn though more are to come. */
const OUTPUT_EAGER_SIZE = 8 * 1024;
/** How long a closing connection waits for the client to read the last message and close. */
const LINGER_MS = 1000;
const TLS_HANDSHAKE = 0x16;
/** How long one client's messages are handled while others wait. */
const TURN_MS = 2;
/** The clock is looked at when so many of them, a power of two, have been handled. */
const TURN_MESSAGES = 8;

/** What connections of one server share. */
export interface ConnectionContext {
  readonly host: SessionHost;
  readonly reader: MessageReader;
  readonly bind: BindMessage;
  readonly outputs: OutputPool;
  readonly startupTimeoutMs: number;
  /** Counts a client in, or says why it may not come in. */
  admit(connection: PgConnection, message: StartupMessage): PgError | null;
  /** Calls `flush` at the end of this turn of the event loop. */
  flushLater(connection: PgConnection): void;
  /** Something was sent. */
  answered(): void;
  /** A session threw, which is a bug. */
  internalError(error: unknown): void;
  closed(connection: PgConnection): void;
}

/** Buffers of the least size that no connection needs now. Every COMMIT needs one, for the Sync that comes
 * with it, and memory outside of the heap is dear to get and to give back. */
const IDLE_INPUTS: Buffer[] = [];
const IDLE_INPUTS_MAX = 64;

function inputBuffer(capacity: number): Buffer {
  const idle = capacity === INPUT_PENDING_MIN ? IDLE_INPUTS.pop() : undefined;
  return idle ?? Buffer.allocUnsafeSlow(capacity);
}

function giveInputBuffer(buffer: Buffer): void {
  if (buffer.length === INPUT_PENDING_MIN && IDLE_INPUTS.length < IDLE_INPUTS_MAX) {
    IDLE_INPUTS.push(buffer);
  }
}

type State = 'startup' | 'opening' | 'ready' | 'closed';

export class PgConnection implements ResultSink {
  readonly peer: StartupRequest['peer'];
  /** Whether the server counts it as a client that has come in. */
  admitted = false;
  private readonly socket: ClientSocket;
  private readonly context: ConnectionContext;
  private session: Session | null = null;
  private state: State = 'startup';
  private timer: NodeJS.Timeout | null;

  /** Bytes pendingStart .. pendingEnd are received and not yet handled. */
  private pending: Buffer | null = null;
  private pendingStart = 0;
  private pendingEnd = 0;
  private inputPaused = false;
  private inputEnded = false;
  /** Others have their turn; this client's next one is on its way. */
  private turnOver = false;
  /** True while messages are handled: answers are flushed afterwards. */
  private handling = false;
  private encryptionRefused = 0;
  private inCopy = false;
  /** Bytes still to come of a CopyData message that was passed on in part. */
  private copyDataLeft = 0;
  /** The message after the present one has come, and is a Sync. */
  private syncFollows = false;

  private output: OutputBuffer | null = null;
  private flushWanted = false;
  private flushQueued = false;
  private outputBlocked = false;

  constructor(socket: ClientSocket, context: ConnectionContext) {
    this.socket = socket;
    this.context = context;
    this.peer =
      socket.remoteAddress === undefined
        ? null
        : {
            address: socket.remoteAddress,
            port: socket.remotePort ?? 0,
            serverAddress: socket.localAddress ?? '',
            serverPort: socket.localPort ?? 0,
          };
    this.timer = setTimeout(() => this.close(), context.startupTimeoutMs);
    socket.onReceive = (bytes, length) => this.receive(bytes, length);
    socket.on('drain', () => this.onDrain());
    socket.on('end', () => this.onEnd());
    socket.on('error', () => this.onClose());
    socket.on('close', () => this.onClose());
  }

  /** Sends a last error and closes. */
  fail(error: PgErrorFields): void {
    if (this.state === 'closed') return;
    this.out().report(Backend.errorResponse, { ...error, severity: 'FATAL' });
    this.close();
  }

  /** Gives what has gathered to the socket. */
  flush(): void {
    this.flushQueued = false;
    this.flushWanted = false;
    const output = this.output;
    if (output === null) return;
    this.output = null;
    if (this.state === 'closed') {
      this.context.outputs.give(output);
      return;
    }
    // What the kernel did not take at once the socket holds, and with it the buffer.
    if (this.socket.send(output.bytes, 0, output.position)) this.context.outputs.give(output);
    this.noteUnsent();
    this.context.answered();
  }

  // ---- input ----

  private receive(bytes: Buffer, length: number): void {
    if (this.state === 'closed') return;
    if (this.pending === null && !this.isHeldBack) {
      const at = this.handle(bytes, 0, length);
      if (at < length) this.hold(bytes, at, length);
    } else {
      this.hold(bytes, 0, length);
      this.handlePending();
    }
    this.afterInput();
  }

  /** No message is handled now: the session is busy, the client slow, or it is the turn of others. */
  private get isHeldBack(): boolean {
    return this.inputPaused || this.outputBlocked || this.turnOver;
  }

  private afterInput(): void {
    if (this.flushWanted) {
      this.flushWanted = false;
      this.requestFlush();
    }
    this.throttle();
  }

  /** Keeps bytes[from, end) behind what is pending. */
  private hold(bytes: Buffer, from: number, end: number): void {
    if (this.state === 'closed') return;
    const count = end - from;
    const kept = this.pendingEnd - this.pendingStart;
    let pending = this.pending;
    if (pending === null || this.pendingEnd + count > pending.length) {
      const needed = kept + count;
      let target = pending;
      if (target === null || needed > target.length) {
        let capacity = INPUT_PENDING_MIN;
        while (capacity < needed) capacity *= 2;
        target = inputBuffer(capacity);
      }
      pending?.copy(target, 0, this.pendingStart, this.pendingEnd);
      this.pending = pending = target;
      this.pendingStart = 0;
      this.pendingEnd = kept;
    }
    bytes.copy(pending, this.pendingEnd, from, end);
    this.pendingEnd += count;
  }

  private handlePending(): void {
    const pending = this.pending;
    if (pending === null) return;
    const at = this.handle(pending, this.pendingStart, this.pendingEnd);
    if (at === this.pendingEnd || this.state === 'closed') {
      if (this.pending === pending) giveInputBuffer(pending);
      this.pending = null;
      this.pendingStart = 0;
      this.pendingEnd = 0;
    } else {
      this.pendingStart = at;
    }
  }

  /** Stops or starts reading the socket. */
  private throttle(): void {
    if (this.state === 'closed') return;
    const full = this.isHeldBack && this.pendingEnd - this.pendingStart >= INPUT_PENDING_MAX;
    if (full !== this.socket.isPaused()) {
      if (full) this.socket.pause();
      else this.socket.resume();
    }
  }

  /** Handles the messages of bytes[start, end) until one is incomplete or they are held back; returns
   * where it stopped. */
  private handle(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let count = 0;
    let turnEnd = Infinity;
    this.handling = true;
    while (at < end && !this.isHeldBack && this.state !== 'closed') {
      const next =
        this.state === 'ready'
          ? this.handleMessage(bytes, at, end)
          : this.handleStartup(bytes, at, end);
      if (next === at) break;
      at = next;
      if (++count % TURN_MESSAGES !== 0) continue;
      const now = performance.now();
      if (count === TURN_MESSAGES) turnEnd = now + TURN_MS;
      else if (now > turnEnd) this.endTurn();
    }
    this.handling = false;
    return at;
  }

  private endTurn(): void {
    this.turnOver = true;
    setImmediate(() => {
      this.turnOver = false;
      if (this.state !== 'closed') this.goOn();
    });
  }

  /** Handles the message at `at` and returns where it ends, or `at` if it is incomplete. */
  private handleMessage(bytes: Buffer, at: number, end: number): number {
    if (this.copyDataLeft > 0) return this.handleCopyRest(bytes, at, end);
    const type = bytes[at]!;
    const lengthMax = MESSAGE_LENGTH_MAX[type]!;
    if (lengthMax === 0 || (this.inCopy && !isCopyMessage(type))) return this.refuseType(type, end);
    if (end - at < 5) return at;
    const length =
      (bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (length < 4 || length > lengthMax) {
      this.fail(protocolViolation('invalid message length').fields);
      return end;
    }
    const bodyStart = at + 5;
    const bodyEnd = at + 1 + length;
    if (bodyEnd > end) {
      if (type !== Frontend.copyData || bodyStart === end) return at;
      this.copyDataLeft = bodyEnd - end;
      if (this.inCopy) this.dispatch(type, bytes, bodyStart, end);
      return end;
    }
    this.syncFollows = bodyEnd + 5 <= end && bytes[bodyEnd] === Frontend.sync;
    this.dispatch(type, bytes, bodyStart, bodyEnd);
    return this.state === 'ready' ? bodyEnd : end;
  }

  /** CopyData needs no assembly: its boundaries mean nothing. */
  private handleCopyRest(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.copyDataLeft);
    this.copyDataLeft -= next - at;
    if (this.inCopy) this.dispatch(Frontend.copyData, bytes, at, next);
    return this.state === 'ready' ? next : end;
  }

  private refuseType(type: number, end: number): number {
    if (!this.inCopy) {
      this.fail(protocolViolation(`invalid frontend message type ${type}`).fields);
      return end;
    }
    const code = type.toString(16).toUpperCase().padStart(2, '0');
    this.report(
      pgError('protocol_violation', `unexpected message type 0x${code} during COPY from stdin`)
        .fields,
    );
    this.fail(
      protocolViolation('terminating connection because protocol synchronization was lost').fields,
    );
    return end;
  }

  private dispatch(type: number, bytes: Buffer, start: number, end: number): void {
    try {
      this.handleBody(type, bytes, start, end);
    } catch (thrown) {
      this.onThrown(thrown, isExtended(type));
    }
  }

  private handleBody(type: number, bytes: Buffer, start: number, end: number): void {
    const session = this.session!;
    const reader = this.context.reader.open(bytes, start, end);
    switch (type) {
      case Frontend.bind: {
        const portal = reader.name();
        const statement = reader.name();
        const values = this.context.bind;
        reader.bindValues(values);
        session.bind(portal, statement, values);
        return;
      }
      case Frontend.execute: {
        const portal = reader.name();
        const rowCountMax = reader.int32();
        reader.close();
        session.execute(portal, Math.max(rowCountMax, 0), this.syncFollows);
        return;
      }
      case Frontend.sync:
        reader.close();
        if (!this.inCopy) session.sync();
        return;
      case Frontend.describe: {
        const kind = reader.byte();
        const name = reader.name();
        reader.close();
        if (kind === STATEMENT) session.describeStatement(name);
        else if (kind === PORTAL) session.describePortal(name);
        else throw invalidSubtype('DESCRIBE', kind);
        return;
      }
      case Frontend.query: {
        const text = reader.text();
        reader.close();
        session.simpleQuery(text);
        return;
      }
      case Frontend.parse: {
        const name = reader.name();
        const text = reader.text();
        const types = reader.parameterTypes();
        reader.close();
        session.parse(name, text, types);
        return;
      }
      case Frontend.close: {
        const kind = reader.byte();
        const name = reader.name();
        reader.close();
        if (kind === STATEMENT) session.closeStatement(name);
        else if (kind === PORTAL) session.closePortal(name);
        else throw invalidSubtype('CLOSE', kind);
        return;
      }
      case Frontend.flush:
        reader.close();
        if (!this.inCopy) this.requestFlush();
        return;
      case Frontend.copyData:
        if (this.inCopy) session.copyData(bytes, start, end);
        return;
      case Frontend.copyDone:
        reader.close();
        if (!this.inCopy) return;
        this.inCopy = false;
        session.copyDone();
        return;
      case Frontend.copyFail: {
        if (!this.inCopy) return;
        const message = reader.text();
        reader.close();
        this.inCopy = false;
        session.copyFail(message);
        return;
      }
      case Frontend.functionCall:
        session.reject(notSupported('the function call message').fields, false);
        return;
      case Frontend.terminate:
        this.close();
        return;
    }
  }

  private onThrown(thrown: unknown, extended: boolean): void {
    if (!(thrown instanceof PgError)) {
      this.context.internalError(thrown);
      this.fail(toErrorFields(thrown));
    } else if (thrown.fields.severity === 'FATAL') {
      this.fail(thrown.fields);
    } else {
      this.inCopy = false;
      this.session!.reject(thrown.fields, extended);
    }
  }

  // ---- start-up ----

  private handleStartup(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] === TLS_HANDSHAKE) {
      this.close();
      return end;
    }
    if (end - at < 4) return at;
    const length = bytes.readInt32BE(at);
    if (length < 8 || length > STARTUP_PACKET_MAX + 4) {
      this.fail(protocolViolation('invalid length of startup packet').fields);
      return end;
    }
    if (end - at < length) return at;
    try {
      this.startUp(bytes, at + 4, at + length);
    } catch (thrown) {
      this.fail(toErrorFields(thrown));
    }
    return at + length;
  }

  private startUp(bytes: Buffer, start: number, end: number): void {
    const packet = readStartupPacket(bytes, start, end);
    switch (packet.kind) {
      case 'ssl-request':
      case 'gssenc-request':
        this.refuseEncryption(packet.kind === 'ssl-request' ? 1 : 2, bytes.readInt32BE(start));
        return;
      case 'cancel-request':
        this.context.host.cancel(packet.processId, packet.secretKey);
        this.close();
        return;
      case 'startup':
        this.open(packet);
        return;
    }
  }

  /** Each kind of encryption may be asked for once. */
  private refuseEncryption(kind: 1 | 2, code: number): void {
    if ((this.encryptionRefused & kind) !== 0) throw unsupportedProtocol(code);
    this.encryptionRefused |= kind;
    this.socket.write('N');
  }

  private open(message: StartupMessage): void {
    const { context } = this;
    const refusal = context.admit(this, message);
    if (refusal !== null) throw refusal;
    this.admitted = true;
    this.stopTimer();
    this.state = 'opening';
    this.inputPaused = true;
    const output = this.out();
    if (message.negotiate !== null) {
      output.negotiateProtocolVersion(message.negotiate.version, message.negotiate.unknownOptions);
    }
    output.authenticationOk();
    const opened = context.host.openSession({ ...message, peer: this.peer }, this);
    if (opened instanceof Promise) {
      opened.then(
        (session) => this.onOpened(session),
        (thrown) => this.fail(toErrorFields(thrown)),
      );
    } else {
      this.onOpened(opened);
    }
  }

  private onOpened(session: Session): void {
    if (this.state === 'closed') {
      session.terminate();
      return;
    }
    this.session = session;
    this.state = 'ready';
    this.out().backendKeyData(session.processId, session.secretKey);
    this.readyForQuery('I');
    this.resumeInput();
  }

  // ---- what the session says ----

  pauseInput(): void {
    this.inputPaused = true;
  }

  resumeInput(): void {
    if (!this.inputPaused || this.state === 'closed') return;
    this.inputPaused = false;
    // Inside of a message the loop that handles it goes on by itself.
    if (!this.handling) this.goOn();
  }

  /** Handles what was held back. */
  private goOn(): void {
    this.handlePending();
    this.afterInput();
    if (this.inputEnded && !this.isHeldBack) this.close();
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
    if (fields.severity === 'FATAL' || fields.severity === 'PANIC') {
      this.fail(fields);
      return;
    }
    this.report(fields);
  }

  notice(fields: PgErrorFields): void {
    this.out().report(Backend.noticeResponse, fields);
    this.requestFlush();
  }

  parameterStatus(name: string, value: string): void {
    this.out().parameterStatus(name, value);
  }

  notification(processId: number, channel: string, payload: string): boolean {
    if (this.state === 'closed') return true;
    const output = this.out();
    output.notification(processId, channel, payload);
    if (output.position >= OUTPUT_BUFFER_SIZE) this.flush();
    else this.requestFlush();
    this.noteUnsent();
    return !this.outputBlocked;
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

  // ---- output ----

  private report(fields: PgErrorFields): void {
    this.inCopy = false;
    this.out().report(Backend.errorResponse, fields);
    this.requestFlush();
  }

  private out(): OutputBuffer {
    this.output ??= this.context.outputs.take();
    return this.output;
  }

  private requestFlush(): void {
    if (this.handling) {
      this.flushWanted = true;
    } else if (!this.flushQueued) {
      this.flushQueued = true;
      this.context.flushLater(this);
    }
  }

  /** Sends whole messages, in writes of at most a buffer; false when the client reads slower than
   * they come. */
  private stream(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.state === 'closed') return true;
    let at = start;
    while (at < end) {
      const output = this.out();
      const next = Math.min(end, at + Math.max(0, OUTPUT_BUFFER_SIZE - output.position));
      output.messages(bytes, at, next);
      if (next < end) this.flush();
      at = next;
    }
    if (this.output !== null && this.output.position >= OUTPUT_EAGER_SIZE) this.requestFlush();
    this.noteUnsent();
    return !this.outputBlocked;
  }

  /** Once blocked it is so until the socket has nothing left to send, as then the session is told. */
  private noteUnsent(): void {
    if (this.socket.writableLength > OUTPUT_UNSENT_MAX) this.outputBlocked = true;
  }

  private onDrain(): void {
    if (!this.outputBlocked) return;
    this.outputBlocked = false;
    this.session?.drained();
    if (this.state !== 'closed') this.goOn();
  }

  // ---- the end ----

  /** The client sends no more; what it has sent is still answered. */
  private onEnd(): void {
    this.inputEnded = true;
    if (!this.isHeldBack) this.close();
  }

  /** Sends what has gathered, and says goodbye. Input is dropped from here on. */
  private close(): void {
    if (this.state === 'closed') return;
    this.flush();
    this.leave();
    this.socket.end();
    this.socket.resume();
    this.timer = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.timer.unref();
  }

  private onClose(): void {
    if (this.state !== 'closed') this.leave();
    this.stopTimer();
    this.context.closed(this);
  }

  private leave(): void {
    this.state = 'closed';
    this.stopTimer();
    this.pending = null;
    const { output, session } = this;
    if (output !== null) this.context.outputs.give(output);
    this.output = null;
    this.session = null;
    session?.terminate();
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

const STATEMENT = 0x53;
const PORTAL = 0x50;

function isExtended(type: number): boolean {
  switch (type) {
    case Frontend.parse:
    case Frontend.bind:
    case Frontend.describe:
    case Frontend.execute:
    case Frontend.close:
      return true;
    default:
      return false;
  }
}

function isCopyMessage(type: number): boolean {
  switch (type) {
    case Frontend.copyData:
    case Frontend.copyDone:
    case Frontend.copyFail:
    case Frontend.flush:
    case Frontend.sync:
      return true;
    default:
      return false;
  }
}

function invalidSubtype(message: string, kind: number): PgError {
  return pgError('protocol_violation', `invalid ${message} message subtype ${kind}`);
}
