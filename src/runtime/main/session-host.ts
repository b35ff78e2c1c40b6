import type { ActivityFacts } from '../../catalog/system/index.ts';
import { type PgErrorFields, pgError } from '../../errors/index.ts';
import {
  ClientSession,
  NotificationHub,
  type ResultSink,
  type Session,
  SessionEnvironment,
  type SessionHost,
  type SessionPeers,
  type SessionSignal,
  type SettingValues,
  type StartupRequest,
  type StatementBackend,
  type StatementCache,
} from '../../session/index.ts';

/** Opens the sessions of all doors, and knows them by their process id. */
export class Sessions implements SessionHost, SessionPeers {
  readonly notifications = new NotificationHub();
  private readonly backend: () => Promise<StatementBackend> | StatementBackend;
  private readonly cache: StatementCache;
  private readonly defaults: SettingValues;
  private readonly sessions = new Map<number, ClientSession>();
  private nextProcessId = 1;

  constructor(options: {
    backend: () => Promise<StatementBackend> | StatementBackend;
    cache: StatementCache;
    defaults: SettingValues;
  }) {
    this.backend = options.backend;
    this.cache = options.cache;
    this.defaults = options.defaults;
  }

  get count(): number {
    return this.sessions.size;
  }

  openSession(request: StartupRequest, sink: ResultSink): Session | Promise<Session> {
    const backend = this.backend();
    if (backend instanceof Promise) {
      return backend.then((ready) => this.open(ready, request, sink));
    }
    return this.open(backend, request, sink);
  }

  /** Ends all sessions with an error of severity FATAL. */
  endAll(error: PgErrorFields): void {
    for (const session of [...this.sessions.values()]) session.sink.error(error);
  }

  cancel(processId: number, secretKey: number): void {
    const session = this.sessions.get(processId);
    if (session?.secretKey === secretKey) session.cancel();
  }

  signal(processId: number, signal: SessionSignal): boolean {
    const session = this.sessions.get(processId);
    if (session === undefined) return false;
    if (signal === 'cancel') session.cancel();
    else {
      session.end(
        pgError('admin_shutdown', 'terminating connection due to administrator command', {
          severity: 'FATAL',
        }).fields,
      );
    }
    return true;
  }

  *activity(): Iterable<ActivityFacts> {
    for (const session of this.sessions.values()) yield session.activityFacts();
  }

  private open(backend: StatementBackend, request: StartupRequest, sink: ResultSink): Session {
    const { user, database } = request;
    const { catalog } = backend;
    const role = catalog.roleByName(user);
    if (role === undefined || !role.login) {
      throw pgError('invalid_authorization_specification', `role "${user}" does not exist`, {
        severity: 'FATAL',
      });
    }
    if (catalog.databaseByName(database) === undefined) {
      throw pgError('invalid_catalog_name', `database "${database}" does not exist`, {
        severity: 'FATAL',
      });
    }
    let opened: TrackedSession | null = null;
    const processId = this.newProcessId();
    const environment = new SessionEnvironment({
      processId,
      user,
      database,
      peer: request.peer,
      defaults: this.defaults,
      serverStartTimestamp: backend.serverStartTimestamp,
      onReported: (name, before) => opened?.reportLater(name, before),
    });
    for (const [name, value] of request.settings) environment.settings.set(name, value, false);
    for (const name of REPORTED) sink.parameterStatus(name, environment.settings.get(name));
    const session = new TrackedSession(
      {
        processId,
        secretKey: crypto.getRandomValues(new Int32Array(1))[0]!,
        sink,
        backend,
        cache: this.cache,
        environment,
        peers: this,
      },
      () => this.sessions.delete(processId),
    );
    opened = session;
    session.adoptDefaults();
    this.sessions.set(processId, session);
    return session;
  }

  private newProcessId(): number {
    do {
      this.nextProcessId = this.nextProcessId >= 0x7fff_ffff ? 1 : this.nextProcessId + 1;
    } while (this.sessions.has(this.nextProcessId));
    return this.nextProcessId;
  }
}

class TrackedSession extends ClientSession {
  private readonly onEnd: () => void;

  constructor(options: ConstructorParameters<typeof ClientSession>[0], onEnd: () => void) {
    super(options);
    this.onEnd = onEnd;
  }

  override terminate(): void {
    super.terminate();
    this.onEnd();
  }
}

/** What PostgreSQL 15 tells a client at its start, in its order. */
const REPORTED = [
  'in_hot_standby',
  'integer_datetimes',
  'TimeZone',
  'IntervalStyle',
  'is_superuser',
  'application_name',
  'default_transaction_read_only',
  'server_encoding',
  'client_encoding',
  'standard_conforming_strings',
  'session_authorization',
  'DateStyle',
  'server_version',
];
