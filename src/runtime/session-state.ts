import type {
  ActivityFacts,
  CursorFacts,
  PreparedStatementFacts,
} from '../catalog/system/index.ts';
import type { SessionControl } from '../session/index.ts';
import type { ThreadFacts } from './system-views.ts';

/** What views of sessions show, on its way from the main thread to the writer. */
export interface SessionState {
  readonly preparedStatements: readonly PreparedStatementFacts[];
  readonly cursors: readonly CursorFacts[];
  readonly activity: readonly ActivityFacts[];
}

export function takeSessionState(control: SessionControl): SessionState {
  return {
    preparedStatements: [...control.preparedStatements()],
    cursors: [...control.cursors()],
    activity: [...control.activity()],
  };
}

/** For the thread that has the sessions. */
export function factsOfSessions(control: SessionControl | undefined): ThreadFacts {
  if (control === undefined) return {};
  return {
    preparedStatements: () => control.preparedStatements(),
    cursors: () => control.cursors(),
    activity: () => control.activity(),
  };
}

/** For the writer, which was told of them. */
export function factsOfState(state: SessionState | null): ThreadFacts {
  if (state === null) return {};
  return {
    preparedStatements: () => state.preparedStatements,
    cursors: () => state.cursors,
    activity: () => state.activity,
  };
}
