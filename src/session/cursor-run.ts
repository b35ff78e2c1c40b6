import { commandTag } from './command-tag.ts';
import { CursorFetch, type FetchStep, forwardFetch } from './cursor-fetch.ts';
import type { CursorState, Portal } from './portal.ts';
import type { ClientSession } from './session.ts';
import { finishRows, sendRows } from './session-rows.ts';
import { planRun, runBase, runsInWriter } from './statement-start.ts';

/** Running a cursor's plan, step by step of a FETCH. */

/** What a cursor reads at from its declaration on: the block's snapshot, or one of its own, and of the block's
 * changes those so far, unless it `seesAll`. */
export function cursorStart(
  session: ClientSession,
  seesAll: boolean,
): Pick<CursorState, 'snapshot' | 'seenChanges' | 'transactionTimestamp'> {
  const { backend, processId } = session;
  const { snapshot, transactionTimestamp } = runBase(session);
  session.transactions.beginReads();
  const seenChanges = seesAll ? 0 : backend.markChanges(processId);
  return { snapshot: snapshot ?? backend.holdSnapshot(), seenChanges, transactionTimestamp };
}

/** Takes the next step of a FETCH, or answers it. */
export function fetchCursor(session: ClientSession, fetch: CursorFetch): void {
  const step = fetch.next();
  if (step === null) endFetch(session, fetch);
  else takeStep(session, fetch, step);
}

/** Execute of a cursor: a FETCH of as many rows as it may send. */
export function fetchForward(session: ClientSession, portal: Portal): void {
  fetchCursor(session, new CursorFetch(portal, forwardFetch(portal.rowLimit)));
}

/** Takes a step again whose plan was out of date. */
export function fetchAgain(session: ClientSession, fetch: CursorFetch): void {
  const { portal } = fetch;
  portal.prepared = session.statements.currentVersion(portal.prepared, portal.cursor!.snapshot);
  takeStep(session, fetch, fetch.current!);
}

function takeStep(session: ClientSession, fetch: CursorFetch, { limit, restart }: FetchStep): void {
  const { portal } = fetch;
  if (restart) portal.rewind();
  if (portal.state === 'suspended') {
    session.run.resume(portal, limit, fetch);
    return;
  }
  const { parameters, formats } = portal;
  const planned = portal.prepared.planned!;
  const { isHoldable, snapshot, seenChanges, transactionTimestamp } = portal.cursor!;
  // What a holdable one reads was committed before its snapshot.
  const inWriter = !isHoldable && runsInWriter(session, planned);
  const run = planRun(session, planned, parameters, formats, limit, inWriter, true);
  session.run.executeStep({ ...run, snapshot, seenChanges, transactionTimestamp }, fetch);
}

function endFetch(session: ClientSession, fetch: CursorFetch): void {
  const { portal, rowCount } = fetch;
  const rows = fetch.reversedRows();
  if (rows !== null) sendRows(session, rows, 0, rows.length, rowCount);
  if (session.executing === portal) endExecute(session, portal, rowCount);
  else finishRows(session, fetch.tag);
}

/** A cursor that is run by an Execute message answers as other portals do. */
function endExecute({ sink }: ClientSession, portal: Portal, rowCount: number): void {
  const { rowLimit, prepared } = portal;
  if (rowLimit > 0 && rowCount === rowLimit) sink.portalSuspended();
  else sink.commandComplete(commandTag(prepared, rowCount));
}
