import type { ExecuteStmt } from '@pgsql/types';
import type { Datum } from '../types/index.ts';
import type { Continuation } from './current-run.ts';
import type { CursorFetch } from './cursor-fetch.ts';
import { fetchAgain } from './cursor-run.ts';
import type { ClientSession } from './session.ts';
import type { ResultColumn } from './session-port.ts';

/** How often a statement is planned anew because its tables change while it waits for them. */
const RERUN_COUNT_MAX = 10;

/** What is known of a message's statement in case that it is run again, because its tables changed while it
 * waited for their locks. What the client was told by then it is not told twice, and arguments are not
 * computed twice. */
export class Rerun {
  count = 0;
  /** The statement is run again. */
  isOn = false;
  /** Begins the statement anew. */
  begin: Continuation | null = null;
  /** What the client was last told of a statement's columns. */
  private described: readonly ResultColumn[] = NO_COLUMNS;
  /** The arguments of the EXECUTE that runs. */
  private executed: ExecuteStmt | null = null;
  private values: readonly Datum[] = [];

  get isAllowed(): boolean {
    return this.count < RERUN_COUNT_MAX;
  }

  beginMessage(): void {
    this.count = 0;
    this.executed = null;
  }

  /** Whether the client is to be told of the columns: it may be told of others than those announced. */
  describes(columns: readonly ResultColumn[]): boolean {
    const isKnown = this.isOn && sameColumns(this.described, columns);
    this.described = columns;
    return !isKnown;
  }

  /** The arguments that were computed before. */
  argumentsOf(statement: ExecuteStmt): readonly Datum[] | null {
    return this.isOn && this.executed === statement ? this.values : null;
  }

  keepArguments(statement: ExecuteStmt, values: readonly Datum[]): void {
    this.executed = statement;
    this.values = values;
  }
}

const NO_COLUMNS: readonly ResultColumn[] = [];

/** Plans and runs again what was out of date: a step of a FETCH, or a statement. */
export function runAgain(session: ClientSession, fetch: CursorFetch | null): void {
  const { rerun } = session;
  rerun.count++;
  rerun.isOn = true;
  try {
    if (fetch !== null) fetchAgain(session, fetch);
    else rerun.begin?.(session);
  } finally {
    rerun.isOn = false;
  }
}

function sameColumns(a: readonly ResultColumn[], b: readonly ResultColumn[]): boolean {
  return (
    a.length === b.length &&
    a.every((column, i) => column.name === b[i]!.name && column.typeOid === b[i]!.typeOid)
  );
}
