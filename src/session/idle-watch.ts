import { type PgErrorFields, pgError } from '../errors/index.ts';

/** Ends a session whose client leaves it idle for too long. */
export class IdleWatch {
  private readonly end: (error: PgErrorFields) => void;
  private timer: NodeJS.Timeout | null = null;

  constructor(end: (error: PgErrorFields) => void) {
    this.end = end;
  }

  /** The client may send a command from now on. 0 ms is for ever. */
  start(timeoutMs: number, inBlock: boolean): void {
    if (timeoutMs === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.end(inBlock ? idleInBlock() : idle());
    }, timeoutMs);
  }

  stop(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
  }
}

function idleInBlock(): PgErrorFields {
  return pgError(
    'idle_in_transaction_session_timeout',
    'terminating connection due to idle-in-transaction timeout',
    { severity: 'FATAL' },
  ).fields;
}

function idle(): PgErrorFields {
  return pgError('idle_session_timeout', 'terminating connection due to idle-session timeout', {
    severity: 'FATAL',
  }).fields;
}
