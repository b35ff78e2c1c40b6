import type {
  ActivityFacts,
  CursorFacts,
  PreparedStatementFacts,
} from '../catalog/system/index.ts';
import type { NotificationHub } from './notifications.ts';
import type { StartupRequest } from './session-port.ts';

/** What a statement on the main thread may do to its session and to others, and learn of them: the
 * functions set_config, pg_notify, pg_cancel_backend and pg_terminate_backend, inet_client_addr
 * and its kin, and views of the server's state. */
export interface SessionControl {
  /** A setting as it is now; null for an unknown name. */
  setting(name: string): string | null;
  /** Sets it and returns the value that SHOW prints. */
  setSetting(name: string, value: string | null, local: boolean): string;
  /** False when there is no such session. */
  signal(processId: number, signal: SessionSignal): boolean;
  notify(channel: string, payload: string): void;
  listeningChannels(): Iterable<string>;
  /** Part of the queue of notifications that is full. */
  notificationQueueUsage(): number;
  preparedStatements(): Iterable<PreparedStatementFacts>;
  cursors(): Iterable<CursorFacts>;
  activity(): Iterable<ActivityFacts>;
  /** The ends of its connection; null for a Unix socket. */
  readonly connection: StartupRequest['peer'];
}

export type SessionSignal = 'cancel' | 'terminate';

/** All sessions of the server, as one of them sees them. */
export interface SessionPeers {
  readonly notifications: NotificationHub;
  signal(processId: number, signal: SessionSignal): boolean;
  activity(): Iterable<ActivityFacts>;
}
