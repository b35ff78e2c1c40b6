export type {
  HeldSnapshot,
  PlannedStatement,
  PlanRun,
  PointReadRun,
  RunBase,
  RunHandle,
  RunListener,
  StatementBackend,
  StatementSettings,
  TransactionOperation,
  UtilityRun,
} from './backend.ts';
export { isDiscard, STALE_PLAN_SQLSTATE } from './backend.ts';
export { readOnlyTransaction } from './command-tag.ts';
export { NotificationHub } from './notifications.ts';
export { ANSWERED_RUN, IGNORE_ANSWER } from './run-stubs.ts';
export { ClientSession } from './session.ts';
export type { SessionControl, SessionPeers, SessionSignal } from './session-control.ts';
export { SessionEnvironment } from './session-environment.ts';
export type * from './session-port.ts';
export { SETTING_DEFINITIONS, type SettingDefinition } from './setting-definitions.ts';
export { canonicalSetting, initialSetting, Settings, type SettingValues } from './settings.ts';
export { StatementCache } from './statement-cache.ts';
