import { PgError, type PgErrorFields, reportedErrorFields } from '../errors/index.ts';
import { withTypes } from '../types/index.ts';
import { IdleWatch } from './idle-watch.ts';
import type { ClientSession } from './session.ts';

/** Thrown to leave out what would follow a statement whose error the client has been told. */
export const ANSWERED = Symbol('answered');

/** Part of what a message asks for. A function of its own and not a closure, as there are several for each
 * statement. */
type Step<A, B, C> = (session: ClientSession, a: A, b: B, c: C) => void;

/** The client's messages, one at a time: when the door waits, what an error does to them, and when the client
 * may send its next command.
 *
 * All that a message does is done in steps under `guard`, within a call from the door or one that brings the answer
 * of a run. Both end with `settle`, which holds the door as long as a statement runs. */
export class MessageFlow {
  private readonly session: ClientSession;
  /** The message is one of the extended protocol, which answers with ReadyForQuery to Sync alone. */
  private isExtended = false;
  /** After an error in the extended protocol nothing is done until Sync. */
  private skipsToSync = false;
  /** The door is held: it sends no message. */
  private isHeld = false;
  /** The client knows that it is outside of a transaction, and may send a command. */
  awaitsCommand = false;
  /** Settings to tell the client of with the next ReadyForQuery, and what it was told before. */
  private reports: Map<string, string> | null = null;
  private readonly idle: IdleWatch;

  constructor(session: ClientSession) {
    this.session = session;
    this.idle = new IdleWatch((error) => session.sink.error(error));
  }

  /** Handles a message that ReadyForQuery answers. */
  simple<A>(step: Step<A, null, null>, argument: A): void {
    if (this.skipsToSync) return;
    this.begin(false);
    this.guard(step, argument, null, null);
    this.settle();
  }

  /** Handles a message of the extended protocol. */
  extended<A, B, C>(step: Step<A, B, C>, a: A, b: B, c: C): void {
    if (this.skipsToSync) return;
    this.begin(true);
    this.guard(step, a, b, c);
    this.settle();
  }

  sync(step: Step<null, null, null>): void {
    this.skipsToSync = false;
    this.simple(step, null);
  }

  private begin(isExtended: boolean): void {
    const { session } = this;
    session.run.beginMessage();
    session.rerun.beginMessage();
    session.executing = null;
    this.isExtended = isExtended;
    this.awaitsCommand = false;
    this.idle.stop();
  }

  /** Takes a step. False when it has thrown, and the client has been told. */
  guard<A, B, C>(step: Step<A, B, C>, a: A, b: B, c: C): boolean {
    const { session } = this;
    try {
      const { catalog } = session;
      if (catalog.hasTypes) {
        withTypes(session.environment.namesOf(catalog), () => step(session, a, b, c));
      } else step(session, a, b, c);
      return true;
    } catch (thrown) {
      if (thrown !== ANSWERED) {
        session.run.drop();
        this.fail(reportedErrorFields(thrown), false);
      }
      return false;
    }
  }

  /** A statement or a message has failed: tells the client, and takes the transaction block along.
   * `writerKnows`: it failed in the writer. */
  fail(fields: PgErrorFields, writerKnows: boolean): void {
    const { sink, executing, transactions } = this.session;
    sink.error(fields);
    executing?.fail(fields);
    transactions.fail(writerKnows);
    if (this.isExtended) this.skipsToSync = true;
    else this.ready();
  }

  /** The end of a call: the door is held while a statement runs that takes nothing from the client. */
  settle(): void {
    const { isRunning, takesData } = this.session.run;
    if (isRunning && !takesData) this.hold();
    else this.letGo();
  }

  /** Nothing more comes until `settle`. */
  hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.session.sink.pauseInput();
  }

  /** The last act of a call, as the door goes on with the next message inside of it. */
  private letGo(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.session.sink.resumeInput();
  }

  /** The client may send its next command. */
  ready(): void {
    const { session } = this;
    const { block, environment, sink } = session;
    const { status } = block;
    if (status === 'I') session.deliverNotifications();
    if (this.reports !== null) this.reportSettings(this.reports);
    sink.readyForQuery(status);
    this.awaitsCommand = status === 'I';
    session.forgetQuery();
    const timeoutMs = status === 'I' ? environment.idleTimeoutMs : environment.idleInBlockTimeoutMs;
    this.idle.start(timeoutMs, status !== 'I');
  }

  /** A setting that the client is told of has changed; it had the value `before`. */
  reportLater(name: string, before: string): void {
    this.reports ??= new Map();
    if (!this.reports.has(name)) this.reports.set(name, before);
  }

  private reportSettings(reports: ReadonlyMap<string, string>): void {
    this.reports = null;
    const { environment, sink } = this.session;
    for (const [name, before] of reports) {
      const value = environment.settings.get(name);
      if (value !== before) sink.parameterStatus(name, value);
    }
  }

  /** The session is over. */
  end(): void {
    this.idle.stop();
  }
}

/** The step of a message that the door could not read. */
export function refuse(_session: ClientSession, error: PgErrorFields): void {
  throw new PgError(error);
}
