import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type PgError, pgError } from '../../errors/index.ts';
import { removeSocketFile } from '../../io/index.ts';
import type { SessionHost } from '../../session/index.ts';
import { BusyPoll, type PollSource } from './busy-poll.ts';
import { ClientSocket } from './client-socket.ts';
import { type ConnectionContext, PgConnection } from './connection.ts';
import type { ConnectionOutput } from './connection-output.ts';
import { BindMessage, MessageReader } from './message-reader.ts';
import { OutputPool, POOL_SIZE_MAX } from './output-buffer.ts';
import type { StartupMessage } from './startup-packet.ts';

export interface PgServerOptions {
  /** Clients beyond this are refused with 53300. */
  readonly connectionCountMax: number;
  /** A client must have sent its start-up packet by then. */
  readonly authenticationTimeoutMs: number;
  /** How long to poll for the next message before sleeping; 0 saves processor time. */
  readonly busyPollMicros?: number;
  /** What else is looked at while the server polls. */
  readonly pollSource?: PollSource;
  /** Is told of exceptions that only a bug can cause. */
  readonly onInternalError: (error: unknown) => void;
  /** Whether a client may come in without authentication; by default one on this machine. */
  readonly trusts?: (peer: PgConnection['peer']) => boolean;
}

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** Serves the PostgreSQL protocol on any number of addresses. */
export class PgServer {
  private readonly options: PgServerOptions;
  private readonly context: ConnectionContext;
  private readonly busyPoll: BusyPoll;
  private readonly listeners: Server[] = [];
  private readonly connections = new Set<PgConnection>();
  private toFlush: ConnectionOutput[] = [];
  /** What else is to be done at the end of the turn; and whether that is under way. */
  private turnWork: (() => void) | null = null;
  private turnEnds = false;
  private admittedCount = 0;
  private closing = false;
  private onEmpty: (() => void) | null = null;

  constructor(host: SessionHost, options: PgServerOptions) {
    this.options = options;
    const busyPoll = new BusyPoll(
      options.busyPollMicros ?? BUSY_POLL_MICROS,
      options.pollSource ?? null,
    );
    this.busyPoll = busyPoll;
    this.context = {
      host,
      reader: new MessageReader(),
      bind: new BindMessage(),
      outputs: new OutputPool(),
      startupTimeoutMs: options.authenticationTimeoutMs,
      admit: (connection, message) => this.admit(connection, message),
      flushLater: (output) => this.flushLater(output),
      answered: () => busyPoll.answered(),
      internalError: options.onInternalError,
      closed: (connection) => this.forget(connection),
    };
  }

  /** Something has been asked of another thread that will be answered soon. */
  expectSoon(): void {
    this.busyPoll.answered();
  }

  /** Clients that have a session, or are about to. */
  get sessionCount(): number {
    return this.admittedCount;
  }

  /** Sockets, those included that have not said yet who they are. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Listens on one more address; resolves to the port (0 for a Unix socket), fails as
   * `net.Server.listen` does. */
  async listen(address: ListenAddress): Promise<number> {
    try {
      return await this.listenOnce(address);
    } catch (error) {
      const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!inUse || !('path' in address)) throw error;
      // The file of a server that was killed stays behind, and nobody answers on it.
      if ((await isAnswered(address.path)) || !removeSocketFile(address.path)) throw error;
      return this.listenOnce(address);
    }
  }

  private listenOnce(address: ListenAddress): Promise<number> {
    const listener = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true },
      (socket) => this.accept(socket),
    );
    const where =
      'path' in address ? { ...address, readableAll: true, writableAll: true } : address;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ ...where, backlog: LISTEN_BACKLOG }, () => {
        listener.off('error', reject);
        listener.on('error', this.options.onInternalError);
        this.listeners.push(listener);
        const bound = listener.address() as AddressInfo | string;
        resolve(typeof bound === 'string' ? 0 : bound.port);
      });
    });
  }

  /** Stops listening, tells every client 57P01, and resolves when the last socket is closed. */
  async close(): Promise<void> {
    this.closing = true;
    const closed = this.listeners.map(
      (listener) => new Promise<void>((resolve) => listener.close(() => resolve())),
    );
    const emptied = new Promise<void>((resolve) => {
      if (this.connections.size === 0) resolve();
      else this.onEmpty = resolve;
    });
    for (const connection of [...this.connections]) {
      connection.fail(
        pgError('admin_shutdown', 'terminating connection due to administrator command').fields,
      );
    }
    await Promise.all([...closed, emptied]);
  }

  private accept(socket: Socket): void {
    const connection = new PgConnection(new ClientSocket(socket), this.context);
    this.connections.add(connection);
    // Half-open clients are bounded too, by as many again.
    if (this.connections.size > 2 * this.options.connectionCountMax) {
      connection.fail(tooManyClients().fields);
    }
  }

  private forget(connection: PgConnection): void {
    if (this.connections.delete(connection) && connection.admitted) this.admittedCount--;
    if (this.connections.size === 0) this.onEmpty?.();
  }

  private admit(connection: PgConnection, message: StartupMessage): PgError | null {
    if (this.closing) {
      return pgError('cannot_connect_now', 'the database system is shutting down');
    }
    if (message.replication !== null) {
      return pgError('feature_not_supported', 'replication connections are not supported');
    }
    if (!(this.options.trusts ?? isLocal)(connection.peer)) {
      const host = connection.peer === null ? '[local]' : connection.peer.address;
      return pgError(
        'invalid_authorization_specification',
        `no pg_hba.conf entry for host "${host}", user "${message.user}", ` +
          `database "${message.database}", no encryption`,
      );
    }
    if (this.admittedCount >= this.options.connectionCountMax) return tooManyClients();
    this.admittedCount++;
    return null;
  }

  /** Has something done when all messages that have come are handled and answered. */
  atTurnEnd(work: () => void): void {
    this.turnWork = work;
    this.endTurnLater();
  }

  /** Answers are written together when all that has come is handled: a client program with several
   * connections wakes once for many of them, and meanwhile leaves its processor to others (32 clients
   * of one pgbench: a fifth of its processor time). */
  private flushLater(output: ConnectionOutput): void {
    const count = this.toFlush.push(output);
    // Each holds a buffer until then.
    if (count === POOL_SIZE_MAX) this.flushAll();
    else this.endTurnLater();
  }

  /** A lone client need not wait for others. */
  private endTurnLater(): void {
    if (this.turnEnds) return;
    this.turnEnds = true;
    if (this.connections.size === 1) process.nextTick(this.endTurn);
    else setImmediate(this.endTurn);
  }

  private readonly endTurn = (): void => {
    this.turnEnds = false;
    this.flushAll();
    const work = this.turnWork;
    this.turnWork = null;
    work?.();
  };

  private flushAll(): void {
    const outputs = this.toFlush;
    this.toFlush = [];
    for (const output of outputs) output.flush();
  }
}

/** As long as a commit takes, its sync included: a lone client of TPC-B-like pgbench got a seventh more
 * transactions a second than with 50 µs; several clients as many as before. */
const BUSY_POLL_MICROS = 400;
const LISTEN_BACKLOG = 4096;

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(!('code' in error && error.code === 'ECONNREFUSED')));
  });
}

function tooManyClients(): PgError {
  return pgError('too_many_connections', 'sorry, too many clients already');
}

function isLocal(peer: PgConnection['peer']): boolean {
  if (peer === null) return true;
  const address = peer.address.startsWith('::ffff:') ? peer.address.slice(7) : peer.address;
  return address === '::1' || address.startsWith('127.');
}
