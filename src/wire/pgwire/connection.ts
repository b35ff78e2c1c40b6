import { PgError, type PgErrorFields, pgError, toErrorFields } from '../../errors/index.ts';
import type { Session, SessionHost, StartupRequest } from '../../session/index.ts';
import type { ClientSocket } from './client-socket.ts';
import { ConnectionOutput, type InputControl, type OutputContext } from './connection-output.ts';
import { type BindMessage, type MessageReader, protocolViolation } from './message-reader.ts';
import { Frontend, MESSAGE_LENGTH_MAX, STARTUP_PACKET_MAX } from './message-types.ts';
import { PendingInput } from './pending-input.ts';
import { tellSession } from './session-messages.ts';
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
 * Output: connection-output.ts.
 */

/** Received but not yet handled bytes at which the socket is no longer read. */
const INPUT_PENDING_MAX = 64 * 1024;
/** How long a closing connection waits for the client to read the last message and close. */
const LINGER_MS = 1000;
const TLS_HANDSHAKE = 0x16;
/** How long one client's messages are handled while others wait. */
const TURN_MS = 2;
/** The clock is looked at when so many of them, a power of two, have been handled. */
const TURN_MESSAGES = 8;

/** What connections of one server share. */
export interface ConnectionContext extends OutputContext {
  readonly host: SessionHost;
  readonly reader: MessageReader;
  readonly bind: BindMessage;
  readonly startupTimeoutMs: number;
  /** Counts a client in, or says why it may not come in. */
  admit(connection: PgConnection, message: StartupMessage): PgError | null;
  /** A session threw, which is a bug. */
  internalError(error: unknown): void;
  closed(connection: PgConnection): void;
}

type State = 'startup' | 'opening' | 'ready' | 'closed';

export class PgConnection implements InputControl {
  readonly peer: StartupRequest['peer'];
  /** Whether the server counts it as a client that has come in. */
  admitted = false;
  private readonly socket: ClientSocket;
  private readonly context: ConnectionContext;
  private readonly output: ConnectionOutput;
  private session: Session | null = null;
  private state: State = 'startup';
  private timer: NodeJS.Timeout | null;
  private readonly pending = new PendingInput();
  private inputPaused = false;
  private inputEnded = false;
  /** Others have their turn; this client's next one is on its way. */
  private turnOver = false;
  private handling = false;
  private encryptionRefused = 0;
  /** Bytes still to come of a CopyData message that was passed on in part. */
  private copyDataLeft = 0;
  /** The message after the present one has come, and is a Sync. */
  private syncFollows = false;

  constructor(socket: ClientSocket, context: ConnectionContext) {
    this.socket = socket;
    this.context = context;
    this.output = new ConnectionOutput(socket, context, this);
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

  private get isOpen(): boolean {
    return this.state !== 'closed';
  }

  /** Sends a last error and closes. */
  fail(error: PgErrorFields): void {
    if (this.state === 'closed') return;
    this.output.report({ ...error, severity: 'FATAL' });
    this.close();
  }

  // ---- input ----

  private receive(bytes: Buffer, length: number): void {
    if (this.state === 'closed') return;
    if (this.pending.length === 0 && !this.isHeldBack) {
      const at = this.handle(bytes, 0, length);
      if (at < length && this.isOpen) this.pending.add(bytes, at, length);
    } else {
      this.pending.add(bytes, 0, length);
      this.handlePending();
    }
    this.throttle();
  }

  /** No message is handled now: the session is busy, the client slow, or it is the turn of others. */
  private get isHeldBack(): boolean {
    return this.inputPaused || this.output.isBlocked || this.turnOver;
  }

  private handlePending(): void {
    const { pending } = this;
    const { bytes } = pending;
    if (bytes === null) return;
    const at = this.handle(bytes, pending.start, pending.end);
    if (this.isOpen) pending.advance(at);
  }

  /** Stops or starts reading the socket. */
  private throttle(): void {
    if (this.state === 'closed') return;
    const full = this.isHeldBack && this.pending.length >= INPUT_PENDING_MAX;
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
    this.output.gather();
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
    this.output.gathered();
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
    if (lengthMax === 0 || (this.output.inCopy && !isCopyMessage(type))) {
      return this.refuseType(type, end);
    }
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
      if (this.output.inCopy) this.dispatch(type, bytes, bodyStart, end);
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
    if (this.output.inCopy) this.dispatch(Frontend.copyData, bytes, at, next);
    return this.state === 'ready' ? next : end;
  }

  private refuseType(type: number, end: number): number {
    if (!this.output.inCopy) {
      this.fail(protocolViolation(`invalid frontend message type ${type}`).fields);
      return end;
    }
    const code = type.toString(16).toUpperCase().padStart(2, '0');
    this.output.report(
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
    const { context, output } = this;
    const reader = context.reader.open(bytes, start, end);
    switch (type) {
      case Frontend.sync:
        reader.close();
        if (!output.inCopy) session.sync();
        return;
      case Frontend.flush:
        reader.close();
        if (!output.inCopy) output.requestFlush();
        return;
      case Frontend.copyData:
        if (output.inCopy) session.copyData(bytes, start, end);
        return;
      case Frontend.copyDone:
        reader.close();
        if (!output.inCopy) return;
        output.inCopy = false;
        session.copyDone();
        return;
      case Frontend.copyFail: {
        if (!output.inCopy) return;
        const message = reader.text();
        reader.close();
        output.inCopy = false;
        session.copyFail(message);
        return;
      }
      case Frontend.terminate:
        this.close();
        return;
      default:
        tellSession(session, type, reader, context.bind, this.syncFollows);
    }
  }

  private onThrown(thrown: unknown, extended: boolean): void {
    if (!(thrown instanceof PgError)) {
      this.context.internalError(thrown);
      this.fail(toErrorFields(thrown));
    } else if (thrown.fields.severity === 'FATAL') {
      this.fail(thrown.fields);
    } else {
      this.output.inCopy = false;
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
    this.output.authenticationOk(message);
    const opened = context.host.openSession({ ...message, peer: this.peer }, this.output);
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
    this.output.backendKeyData(session.processId, session.secretKey);
    this.output.readyForQuery('I');
    this.resumeInput();
  }

  // ---- when messages are handled ----

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
    this.throttle();
    if (this.inputEnded && !this.isHeldBack) this.closeAtEnd();
  }

  private onDrain(): void {
    if (!this.output.drained()) return;
    this.session?.drained();
    if (this.state !== 'closed') this.goOn();
  }

  // ---- the end ----

  /** The client sends no more; what it has sent is still answered. */
  private onEnd(): void {
    this.inputEnded = true;
    if (!this.isHeldBack) this.closeAtEnd();
  }

  /** Whoever stops in the middle of a COPY may still be waiting to hear what became of it. */
  private closeAtEnd(): void {
    if (!this.output.inCopy) this.close();
    else this.fail(endInCopy().fields);
  }

  /** Sends what has gathered, and says goodbye. Input is dropped from here on. */
  private close(): void {
    if (this.state === 'closed') return;
    this.output.flush();
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
    this.pending.clear();
    this.output.end();
    const { session } = this;
    this.session = null;
    session?.terminate();
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

function endInCopy(): PgError {
  return pgError(
    'connection_failure',
    'unexpected EOF on client connection with an open transaction',
  );
}

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
