import type { ClosePortalStmt, DeclareCursorStmt, FetchStmt, Node } from '@pgsql/types';
import { notSupported, pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import type { Plan } from '../sql/plan/plan.ts';
import { CursorFetch } from './cursor-fetch.ts';
import { cursorStart, fetchCursor } from './cursor-run.ts';
import { cannotRun, Portal } from './portal.ts';
import type { ClientSession } from './session.ts';

/** DECLARE, FETCH, MOVE and CLOSE. A cursor is a portal that FETCH goes on with. */

/** Bits of DeclareCursorStmt.options. */
const CURSOR = { binary: 1, scroll: 2, noScroll: 4, insensitive: 8, hold: 32 } as const;

export function runDeclare(
  session: ClientSession,
  statement: DeclareCursorStmt,
  parsed: ParsedStatement,
  through: Portal | null,
): void {
  const { block } = session;
  const name = statement.portalname ?? '';
  const options = statement.options ?? 0;
  const isHoldable = (options & CURSOR.hold) !== 0;
  if (block.state === 'idle' && !isHoldable) {
    throw pgError(
      'no_active_sql_transaction',
      'DECLARE CURSOR can only be used in transaction blocks',
    );
  }
  if (name === '') throw pgError('invalid_cursor_name', 'invalid cursor name: must not be empty');
  if (session.portals.find(name) !== undefined) {
    throw pgError('duplicate_cursor', `cursor "${name}" already exists`);
  }
  refuseInto(session, statement.query!);
  const prepared =
    through?.prepared.inner ?? session.statements.prepareWithin(statement.query!, parsed, null);
  const plan = prepared.planned!.plan;
  if (plan.changes.length > 0) {
    throw pgError(
      'feature_not_supported',
      'DECLARE CURSOR must not contain data-modifying statements in WITH',
    );
  }
  const locking = lockingStrength(statement.query!);
  if (locking !== null) checkLocking(locking, options);
  if (isHoldable) refuseUnholdable(session, plan);
  const isBinary = (options & CURSOR.binary) !== 0;
  const formats = new Uint8Array(plan.output.length).fill(isBinary ? 1 : 0);
  const portal = new Portal(name, prepared, through?.parameters ?? [], formats);
  portal.cursor = {
    ...cursorStart(session, isHoldable || locking !== null),
    isHoldable,
    isHeld: false,
    scrollable: !plan.needsWriter && (options & CURSOR.noScroll) === 0,
    isBinary,
    statement: session.queryText,
    createTime: session.environment.now(),
    position: 0,
    runPosition: 0,
    total: null,
  };
  session.portals.add(portal);
  session.sink.commandComplete('DECLARE CURSOR');
}

/** A cursor that outlives its transaction goes on reading at its snapshot, which holds what was
 * committed: no change of its own transaction, nothing that is computed but once, no state of the
 * server. */
function refuseUnholdable({ block }: ClientSession, plan: Plan): void {
  if (block.inWriter) {
    throw notSupported('DECLARE CURSOR WITH HOLD after changes or savepoints of its transaction');
  }
  if (block.recordsReads) {
    throw notSupported('DECLARE CURSOR WITH HOLD in a SERIALIZABLE transaction that may write');
  }
  if (plan.needsWriter) throw notSupported('DECLARE CURSOR WITH HOLD of a query that writes');
  if (plan.needsCatalog) throw notSupported('DECLARE CURSOR WITH HOLD over system views');
}

/** SELECT … INTO makes a table and is no query. */
function refuseInto(session: ClientSession, query: Node): void {
  const into = 'SelectStmt' in query ? query.SelectStmt.intoClause : undefined;
  if (into === undefined) return;
  throw pgError(
    'syntax_error',
    'SELECT ... INTO is not allowed here',
    session.position(into.rel?.location),
  );
}

/** FOR UPDATE or one of its kin, where the query locks its rows. */
function lockingStrength(query: Node): string | null {
  const [clause] = ('SelectStmt' in query ? query.SelectStmt.lockingClause : undefined) ?? [];
  if (clause === undefined || !('LockingClause' in clause)) return null;
  return STRENGTHS[clause.LockingClause.strength ?? ''] ?? 'FOR UPDATE';
}

/** Rows are locked as they are fetched, so such a cursor goes forward and sees them as they are. */
function checkLocking(strength: string, options: number): void {
  if ((options & CURSOR.hold) !== 0) {
    throw pgError(
      'feature_not_supported',
      `DECLARE CURSOR WITH HOLD ... ${strength} is not supported`,
      { detail: 'Holdable cursors must be READ ONLY.' },
    );
  }
  if ((options & CURSOR.scroll) !== 0) {
    throw pgError(
      'feature_not_supported',
      `DECLARE SCROLL CURSOR ... ${strength} is not supported`,
      { detail: 'Scrollable cursors must be READ ONLY.' },
    );
  }
  if ((options & CURSOR.insensitive) !== 0) {
    throw pgError(
      'invalid_cursor_definition',
      `DECLARE INSENSITIVE CURSOR ... ${strength} is not valid`,
      { detail: 'Insensitive cursors must be READ ONLY.' },
    );
  }
}

const STRENGTHS: Readonly<Record<string, string>> = {
  LCS_FORKEYSHARE: 'FOR KEY SHARE',
  LCS_FORSHARE: 'FOR SHARE',
  LCS_FORNOKEYUPDATE: 'FOR NO KEY UPDATE',
  LCS_FORUPDATE: 'FOR UPDATE',
};

export function runFetch(
  session: ClientSession,
  statement: FetchStmt,
  through: Portal | null,
): void {
  const cursor = requireCursor(session, statement.portalname ?? '');
  if (cursor.cursor === null) throw notSupported('FETCH from a portal of the extended protocol');
  if (cursor.hasFailed) throw cannotRun(cursor);
  const fetch = new CursorFetch(cursor, statement);
  try {
    fetch.aim();
  } catch (error) {
    cursor.hasFailed = true;
    throw error;
  }
  if (!fetch.isMove) {
    if (through === null) session.sink.rowDescription(cursor.columns()!);
    else useFormats(cursor, through.formats);
  }
  fetchCursor(session, fetch);
}

/** Gives a cursor's rows the formats of the portal that FETCH runs in, from here on. */
function useFormats(cursor: Portal, formats: Uint8Array): void {
  if (formats.every((format, i) => format === cursor.formats[i])) return;
  cursor.formats = formats;
  // The rows that are left are read by a new run.
  if (cursor.state !== 'ready') cursor.close();
}

/** CLOSE, which takes any portal, except the one that it runs in. */
export function runClosePortal(session: ClientSession, { portalname }: ClosePortalStmt): void {
  const { executing, portals, sink } = session;
  if (portalname === undefined) {
    portals.closeAll();
    sink.commandComplete('CLOSE CURSOR ALL');
    return;
  }
  const portal = requireCursor(session, portalname);
  if (portal === executing) {
    throw pgError('invalid_cursor_state', `cannot drop active portal "${portalname}"`);
  }
  portals.close(portalname);
  sink.commandComplete('CLOSE CURSOR');
}

function requireCursor({ portals }: ClientSession, name: string): Portal {
  const portal = portals.find(name);
  if (portal !== undefined) return portal;
  throw pgError('invalid_cursor_name', `cursor "${name}" does not exist`);
}
