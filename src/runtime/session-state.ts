import type {
  ActivityFacts,
  CursorFacts,
  PreparedStatementFacts,
} from '../catalog/system/index.ts';
import type { ThreadFacts } from './system-views.ts';

/** Who knows of sessions: of a session its own, of all what they do. */
interface SessionStateSource {
  preparedStatements(): Iterable<PreparedStatementFacts>;
  cursors(): Iterable<CursorFacts>;
  activity(): Iterable<ActivityFacts>;
}

/** What views of sessions show, on its way from the main thread to the writer. */
export interface SessionState {
  readonly preparedStatements: readonly PreparedStatementFacts[];
  readonly cursors: readonly CursorFacts[];
  readonly activity: readonly ActivityFacts[];
}

export function takeSessionState(source: SessionStateSource): SessionState {
  return {
    preparedStatements: [...source.preparedStatements()],
    cursors: [...source.cursors()],
    activity: [...source.activity()],
  };
}

/** For the thread that has the sessions. */
export function factsOfSessions(source: SessionStateSource | undefined): ThreadFacts {
  if (source === undefined) return {};
  return {
    preparedStatements: () => source.preparedStatements(),
    cursors: () => source.cursors(),
    activity: () => source.activity(),
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
