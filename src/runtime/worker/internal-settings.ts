import type { StatementSettings } from '../../session/index.ts';
import { DEFAULT_TYPE_CONTEXT } from '../../types/index.ts';

/** What the server's own statements run with, whose session is over or has not asked for them. */
export const INTERNAL_SETTINGS: StatementSettings = {
  user: 'postgres',
  sessionUser: 'postgres',
  database: 'postgres',
  searchPath: [],
  serverStartTimestamp: 0,
  types: DEFAULT_TYPE_CONTEXT,
  workMem: 4 * 1024 * 1024,
  lockTimeoutMs: 0,
  deadlockTimeoutMs: 1000,
  settings: {},
};
