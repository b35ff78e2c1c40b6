import { pgError } from '../errors/index.ts';
import type { ResultSink } from './session-port.ts';

/** LISTEN, UNLISTEN and NOTIFY. All sessions are on one thread, so a notification goes straight from
 * the session that committed it to the inboxes of those that listen:
 *
 *   NOTIFY ──commit──> NotificationHub ──> inbox of each listener ──when it waits for a command──> sink
 *
 * What a transaction asks for waits until its commit. Notifications leave in the order in which the
 * commits are acknowledged, so a client that is notified finds what the transaction has written. */

interface Notification {
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

type ListenAction =
  | { readonly kind: 'listen' | 'unlisten'; readonly channel: string }
  | { readonly kind: 'unlisten all' };

/** Bytes of a payload and of a channel's name must be fewer, as in PostgreSQL. */
const PAYLOAD_BYTES_END = 8000;
const CHANNEL_BYTES_END = 64;

/** Bytes of all notifications that wait for a commit or for their listeners. */
const QUEUE_BYTES_MAX = 64 << 20;
/** What a notification takes besides its texts. */
const NOTIFICATION_OVERHEAD = 100;

/** Who listens to what, in the whole server. */
export class NotificationHub {
  private readonly listeners = new Map<string, Set<SessionNotifications>>();
  private queuedBytes = 0;

  /** Part of the queue that is full, between 0 and 1. */
  get usage(): number {
    return this.queuedBytes / QUEUE_BYTES_MAX;
  }

  /** Takes room for a notification that a statement asks for. */
  reserve(bytes: number): void {
    if (this.queuedBytes + bytes > QUEUE_BYTES_MAX) {
      throw pgError('program_limit_exceeded', 'too many notifications in the NOTIFY queue');
    }
    this.queuedBytes += bytes;
  }

  /** What is committed reaches its listeners however full the queue is. */
  hold(bytes: number): void {
    this.queuedBytes += bytes;
  }

  release(bytes: number): void {
    this.queuedBytes -= bytes;
  }

  listen(database: string, channel: string, session: SessionNotifications): void {
    const place = placeOf(database, channel);
    const known = this.listeners.get(place);
    if (known === undefined) this.listeners.set(place, new Set([session]));
    else known.add(session);
  }

  unlisten(database: string, channel: string, session: SessionNotifications): void {
    const place = placeOf(database, channel);
    const known = this.listeners.get(place);
    known?.delete(session);
    if (known?.size === 0) this.listeners.delete(place);
  }

  publish(database: string, notification: Notification): void {
    const listeners = this.listeners.get(placeOf(database, notification.channel));
    for (const session of listeners ?? []) session.receive(notification);
  }
}

/** Channels of one database are no other's. */
function placeOf(database: string, channel: string): string {
  return `${database}\0${channel}`;
}

function sizeOf({ channel, payload }: Notification): number {
  return channel.length + payload.length + NOTIFICATION_OVERHEAD;
}

/** How much a transaction has asked for, for a savepoint to go back to. */
export interface NotificationMark {
  readonly actions: number;
  readonly notifications: number;
}

/** What one session listens to, what its transaction has asked for, and what it has been sent. */
export class SessionNotifications {
  private readonly hub: NotificationHub;
  private readonly processId: number;
  private readonly database: string;
  private readonly sink: ResultSink;
  /** Whether the client waits for nothing, so that a notification may come; rule of the protocol. */
  private readonly isWaiting: () => boolean;
  private readonly channels = new Set<string>();
  private actions: ListenAction[] = [];
  private pending: Notification[] = [];
  /** The pending notifications, each of which is sent but once. */
  private readonly pendingKeys = new Set<string>();
  private inbox: Notification[] = [];
  /** The client is slow: nothing is sent until it has caught up. */
  private isBlocked = false;

  constructor(options: {
    hub: NotificationHub;
    processId: number;
    database: string;
    sink: ResultSink;
    isWaiting: () => boolean;
  }) {
    this.hub = options.hub;
    this.processId = options.processId;
    this.database = options.database;
    this.sink = options.sink;
    this.isWaiting = options.isWaiting;
  }

  listen(channel: string): void {
    this.actions.push({ kind: 'listen', channel });
  }

  unlisten(channel: string): void {
    this.actions.push({ kind: 'unlisten', channel });
  }

  unlistenAll(): void {
    this.actions.push({ kind: 'unlisten all' });
  }

  notify(channel: string, payload: string): void {
    if (channel === '') {
      throw pgError('invalid_parameter_value', 'channel name cannot be empty');
    }
    if (Buffer.byteLength(channel) >= CHANNEL_BYTES_END) {
      throw pgError('invalid_parameter_value', 'channel name too long');
    }
    if (Buffer.byteLength(payload) >= PAYLOAD_BYTES_END) {
      throw pgError('invalid_parameter_value', 'payload string too long');
    }
    const notification = { processId: this.processId, channel, payload };
    const key = keyOf(notification);
    if (this.pendingKeys.has(key)) return;
    this.hub.reserve(sizeOf(notification));
    this.pendingKeys.add(key);
    this.pending.push(notification);
  }

  /** pg_listening_channels() */
  listening(): Iterable<string> {
    return this.channels;
  }

  mark(): NotificationMark {
    return { actions: this.actions.length, notifications: this.pending.length };
  }

  /** Forgets what was asked for since the mark. */
  rollback(mark: NotificationMark = { actions: 0, notifications: 0 }): void {
    this.actions.length = mark.actions;
    for (const notification of this.pending.splice(mark.notifications)) {
      this.pendingKeys.delete(keyOf(notification));
      this.hub.release(sizeOf(notification));
    }
  }

  /** Does what the transaction asked for: first it listens, so that it hears itself. */
  commit(): void {
    if (this.actions.length > 0) {
      for (const action of this.actions) this.act(action);
      this.actions = [];
    }
    if (this.pending.length === 0) return;
    const { pending } = this;
    this.pending = [];
    this.pendingKeys.clear();
    for (const notification of pending) {
      this.hub.release(sizeOf(notification));
      this.hub.publish(this.database, notification);
    }
  }

  /** A notification that was committed: it is sent on at once, or waits for its client. */
  receive(notification: Notification): void {
    this.inbox.push(notification);
    this.hub.hold(sizeOf(notification));
    if (this.isWaiting()) this.deliver();
  }

  /** Sends what has come, as long as the client takes it. */
  deliver(): void {
    let sent = 0;
    while (!this.isBlocked && sent < this.inbox.length) {
      const { processId, channel, payload } = this.inbox[sent]!;
      this.hub.release(sizeOf(this.inbox[sent]!));
      sent++;
      // UNLISTEN may have come after it.
      if (!this.channels.has(channel)) continue;
      this.isBlocked = !this.sink.notification(processId, channel, payload);
    }
    this.inbox.splice(0, sent);
  }

  /** The client has caught up. */
  drained(): void {
    this.isBlocked = false;
    if (this.isWaiting()) this.deliver();
  }

  /** The session is over. */
  end(): void {
    this.rollback();
    this.act({ kind: 'unlisten all' });
    for (const notification of this.inbox) this.hub.release(sizeOf(notification));
    this.inbox = [];
  }

  private act(action: ListenAction): void {
    switch (action.kind) {
      case 'listen':
        this.channels.add(action.channel);
        this.hub.listen(this.database, action.channel, this);
        return;
      case 'unlisten':
        this.channels.delete(action.channel);
        this.hub.unlisten(this.database, action.channel, this);
        return;
      case 'unlisten all':
        for (const channel of this.channels) this.hub.unlisten(this.database, channel, this);
        this.channels.clear();
    }
  }
}

function keyOf({ channel, payload }: Notification): string {
  return `${channel}\0${payload}`;
}
