import { ByteWriter } from '../base/index.ts';
import type { ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import { rowsTag } from './command-tag.ts';
import { HeldRows, tooManyKept } from './held-rows.ts';
import type { Portal } from './portal.ts';
import { describeColumns, writeTextRow } from './result-columns.ts';
import type { ClientSession } from './session.ts';

/** Rows that a command of the session answers with: they go to the client, or, where its Execute has a row
 * limit, to the portal, which hands them out. */

/** Whole DataRow messages. */
export function sendRows(
  session: ClientSession,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): boolean {
  const portal = session.executing;
  if (portal === null || !holdsRows(portal)) return session.sink.dataRows(bytes, start, end, count);
  portal.held ??= new HeldRows();
  portal.held.add(bytes, start, end);
  return true;
}

/** Sends rows of text that this thread made; in the simple protocol with their description. */
export function sendTextRows(
  session: ClientSession,
  columns: readonly PlanColumn[],
  rows: readonly (readonly string[])[],
  portal: Portal | null,
): void {
  if (portal === null) session.sink.rowDescription(describeColumns(columns, null));
  const out = new ByteWriter(1024);
  for (const row of rows) writeTextRow(row, out);
  sendRows(session, out.bytes, 0, out.position, rows.length);
}

/** All rows were made. */
export function finishRows(session: ClientSession, tag: string): void {
  const portal = session.executing;
  if (portal === null || !holdsRows(portal)) {
    session.sink.commandComplete(tag);
    return;
  }
  const held = portal.held ?? new HeldRows();
  if (held.isFull) throw tooManyKept('portal', 'Ask for all rows at once.');
  sendHeldRows(session, portal, held);
}

/** Hands out as many rows as the portal may send now. */
export function sendHeldRows(session: ClientSession, portal: Portal, held: HeldRows): void {
  const { sink } = session;
  const { rowLimit } = portal;
  const count = held.send(rowLimit, sink);
  const isSuspended = rowLimit > 0 && count === rowLimit;
  portal.held = isSuspended ? held : null;
  if (isSuspended) sink.portalSuspended();
  else sink.commandComplete(rowsTag(portal.prepared.statement!, count)!);
}

/** Its statement makes all rows at once, and the client wants a few. */
function holdsRows({ rowLimit, prepared }: Portal): boolean {
  return rowLimit > 0 && rowsTag(prepared.statement!, 0) !== null;
}
