import type { PgErrorFields } from '../../src/errors/index.ts';
import type {
  BindValues,
  Format,
  ResultColumn,
  ResultSink,
  Session,
  SessionHost,
  StartupRequest,
  TransactionStatus,
} from '../../src/session/session-port.ts';

/** What the scripted session answers to a statement. */
export type FakeAnswer =
  | {
      readonly kind: 'rows';
      readonly columns: readonly ResultColumn[];
      /** Encoded DataRow messages, and how many. */
      readonly bytes: Uint8Array;
      readonly count: number;
      readonly tag: string;
    }
  | { readonly kind: 'tag'; readonly tag: string; readonly status?: TransactionStatus }
  | { readonly kind: 'error'; readonly error: PgErrorFields }
  | { readonly kind: 'copy-in'; readonly columnCount: number }
  | { readonly kind: 'copy-out'; readonly bytes: Uint8Array; readonly tag: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'throw'; readonly thrown: unknown }
  /** Answers like `answer` after so many milliseconds. */
  | { readonly kind: 'later'; readonly delayMs: number; readonly answer: FakeAnswer }
  /** Never ends until it is cancelled. */
  | { readonly kind: 'hang' };

export type FakeScript = (text: string, parameters: readonly (string | null)[]) => FakeAnswer;

interface Portal {
  readonly text: string;
  readonly parameters: (string | null)[];
}

/** A session that answers from a script; it keeps the rules of the session port. */
export class FakeSession implements Session {
  readonly processId: number;
  readonly secretKey: number;
  readonly request: StartupRequest;
  readonly sink: ResultSink;
  readonly calls: string[] = [];
  readonly copied: Buffer[] = [];
  terminated = false;
  drainedCount = 0;
  cancelCount = 0;
  private readonly script: FakeScript;
  private readonly statements = new Map<string, string>();
  private readonly portals = new Map<string, Portal>();
  private skipping = false;
  private status: TransactionStatus = 'I';
  private copying: 'no' | 'simple' | 'extended' = 'no';
  private cancelHang: (() => void) | null = null;
  private rest: { bytes: Uint8Array; at: number; done: () => void } | null = null;

  constructor(
    processId: number,
    secretKey: number,
    request: StartupRequest,
    sink: ResultSink,
    script: FakeScript,
  ) {
    this.processId = processId;
    this.secretKey = secretKey;
    this.request = request;
    this.sink = sink;
    this.script = script;
  }

  simpleQuery(text: string): void {
    this.log('query', text);
    if (this.skipping) return;
    this.run(this.script(text, []), 'simple', true, () => this.sink.readyForQuery(this.status));
  }

  parse(name: string, text: string, parameterTypes: readonly number[]): void {
    this.log('parse', name, text, parameterTypes.join());
    if (this.skipping) return;
    this.statements.set(name, text);
    this.sink.parseComplete();
  }

  bind(portal: string, statement: string, values: BindValues): void {
    if (this.skipping) return;
    const text = this.statements.get(statement);
    if (text === undefined) {
      this.fail(undefinedStatement(statement));
      return;
    }
    const parameters: (string | null)[] = [];
    for (let i = 0; i < values.count; i++) {
      const start = values.starts[i]!;
      const length = values.lengths[i]!;
      const view = Buffer.from(
        values.bytes.buffer,
        values.bytes.byteOffset + start,
        Math.max(length, 0),
      );
      parameters.push(length < 0 ? null : view.toString(values.formats[i] === 1 ? 'hex' : 'utf8'));
    }
    this.log('bind', portal, statement, parameters.map(String).join());
    this.portals.set(portal, { text, parameters });
    this.sink.bindComplete();
  }

  describeStatement(name: string): void {
    this.log('describeStatement', name);
    if (this.skipping) return;
    const text = this.statements.get(name);
    if (text === undefined) {
      this.fail(undefinedStatement(name));
      return;
    }
    this.sink.parameterDescription([]);
    this.describe(this.script(text, []));
  }

  describePortal(name: string): void {
    this.log('describePortal', name);
    if (this.skipping) return;
    const portal = this.portals.get(name);
    if (portal === undefined) {
      this.fail(undefinedPortal(name));
      return;
    }
    this.describe(this.script(portal.text, portal.parameters));
  }

  execute(name: string, rowCountMax: number): void {
    this.log('execute', name, String(rowCountMax));
    if (this.skipping) return;
    const portal = this.portals.get(name);
    if (portal === undefined) {
      this.fail(undefinedPortal(name));
      return;
    }
    this.run(this.script(portal.text, portal.parameters), 'extended', false, () => {});
  }

  closeStatement(name: string): void {
    this.log('closeStatement', name);
    if (this.skipping) return;
    this.statements.delete(name);
    this.sink.closeComplete();
  }

  closePortal(name: string): void {
    this.log('closePortal', name);
    if (this.skipping) return;
    this.portals.delete(name);
    this.sink.closeComplete();
  }

  sync(): void {
    this.log('sync');
    this.skipping = false;
    this.sink.readyForQuery(this.status);
  }

  reject(error: PgErrorFields, extended: boolean): void {
    this.log('reject', error.sqlstate, error.message, String(extended));
    if (this.skipping) return;
    this.sink.error(error);
    if (extended) this.skipping = true;
    else this.sink.readyForQuery(this.status);
  }

  copyData(bytes: Uint8Array, start: number, end: number): void {
    this.copied.push(Buffer.from(bytes.subarray(start, end)));
    if (this.copied.at(-1)?.includes('bad row')) {
      this.endCopy({
        severity: 'ERROR',
        sqlstate: '22P04',
        message: 'extra data after last expected column',
      });
    }
  }

  copyDone(): void {
    this.log('copyDone');
    this.endCopy(null);
  }

  copyFail(message: string): void {
    this.log('copyFail', message);
    this.endCopy({
      severity: 'ERROR',
      sqlstate: '57014',
      message: `COPY from stdin failed: ${message}`,
    });
  }

  cancel(): void {
    this.cancelCount++;
    this.cancelHang?.();
  }

  drained(): void {
    this.drainedCount++;
    this.pump();
  }

  terminate(): void {
    this.log('terminate');
    this.terminated = true;
  }

  private endCopy(error: PgErrorFields | null): void {
    const mode = this.copying;
    this.copying = 'no';
    if (error === null) this.sink.commandComplete(`COPY ${this.copied.length}`);
    else this.sink.error(error);
    if (mode === 'simple') this.sink.readyForQuery(this.status);
    else if (error !== null) this.skipping = true;
  }

  private run(
    answer: FakeAnswer,
    mode: 'simple' | 'extended',
    withColumns: boolean,
    done: () => void,
  ): void {
    const { sink } = this;
    switch (answer.kind) {
      case 'rows':
        if (withColumns) sink.rowDescription(answer.columns);
        sink.dataRows(answer.bytes, 0, answer.bytes.length, answer.count);
        sink.commandComplete(answer.tag);
        break;
      case 'tag':
        this.status = answer.status ?? this.status;
        sink.commandComplete(answer.tag);
        break;
      case 'error':
        if (mode === 'extended') this.fail(answer.error);
        else sink.error(answer.error);
        break;
      case 'empty':
        sink.emptyQuery();
        break;
      case 'copy-in':
        this.copying = mode;
        this.copied.length = 0;
        sink.copyIn(0, answer.columnCount);
        return;
      case 'copy-out':
        sink.copyOut(0, 1);
        sink.pauseInput();
        this.rest = {
          bytes: answer.bytes,
          at: 0,
          done: () => {
            sink.copyDone();
            sink.commandComplete(answer.tag);
            done();
            sink.resumeInput();
          },
        };
        this.pump();
        return;
      case 'throw':
        throw answer.thrown;
      case 'later':
        sink.pauseInput();
        setTimeout(() => {
          this.run(answer.answer, mode, withColumns, done);
          sink.resumeInput();
        }, answer.delayMs);
        return;
      case 'hang':
        sink.pauseInput();
        this.cancelHang = () => {
          this.cancelHang = null;
          const error: PgErrorFields = {
            severity: 'ERROR',
            sqlstate: '57014',
            message: 'canceling statement due to user request',
          };
          if (mode === 'extended') this.fail(error);
          else sink.error(error);
          done();
          sink.resumeInput();
        };
        return;
    }
    done();
  }

  /** Streams what is left of a COPY out in pieces until the sink is full. */
  private pump(): void {
    while (this.rest !== null && !this.terminated) {
      const { bytes, at, done } = this.rest;
      if (at === bytes.length) {
        this.rest = null;
        done();
        return;
      }
      const end = Math.min(bytes.length, at + 16 * 1024);
      this.rest.at = end;
      if (!this.sink.copyData(bytes, at, end)) return;
    }
  }

  private describe(answer: FakeAnswer): void {
    if (answer.kind === 'rows') this.sink.rowDescription(answer.columns);
    else this.sink.noData();
  }

  private fail(error: PgErrorFields): void {
    this.skipping = true;
    this.sink.error(error);
  }

  private log(...words: string[]): void {
    this.calls.push(words.join(' '));
  }
}

/** A host whose sessions answer from a script; `open` may refuse or delay. */
export class FakeHost implements SessionHost {
  readonly sessions: FakeSession[] = [];
  readonly script: FakeScript;
  readonly parameters: readonly (readonly [string, string])[];
  beforeOpen: (request: StartupRequest) => void | Promise<void> = () => {};

  constructor(
    script: FakeScript,
    parameters: readonly (readonly [string, string])[] = [
      ['server_version', '15.18'],
      ['server_encoding', 'UTF8'],
      ['client_encoding', 'UTF8'],
      ['standard_conforming_strings', 'on'],
      ['DateStyle', 'ISO, MDY'],
      ['TimeZone', 'UTC'],
      ['integer_datetimes', 'on'],
    ],
  ) {
    this.script = script;
    this.parameters = parameters;
  }

  openSession(request: StartupRequest, sink: ResultSink): Session | Promise<Session> {
    const opening = this.beforeOpen(request);
    const open = () => {
      for (const [name, value] of this.parameters) sink.parameterStatus(name, value);
      const processId = 1000 + this.sessions.length;
      const session = new FakeSession(processId, processId * 7 - 9000, request, sink, this.script);
      this.sessions.push(session);
      return session;
    };
    return opening instanceof Promise ? opening.then(open) : open();
  }

  cancel(processId: number, secretKey: number): void {
    const session = this.sessions.find((candidate) => candidate.processId === processId);
    if (session?.secretKey === secretKey) session.cancel();
  }
}

export function column(name: string, typeOid = 25, format: Format = 0): ResultColumn {
  return { name, tableOid: 0, columnNumber: 0, typeOid, typeLength: -1, typmod: -1, format };
}

/** Encodes DataRow messages of text values. */
export function dataRows(rows: readonly (readonly (string | null)[])[]): Buffer {
  const parts: Buffer[] = [];
  for (const row of rows) {
    const values = row.map((value) => (value === null ? null : Buffer.from(value)));
    const body = Buffer.concat(
      values.flatMap((value) => {
        const length = Buffer.alloc(4);
        length.writeInt32BE(value === null ? -1 : value.length);
        return value === null ? [length] : [length, value];
      }),
    );
    const head = Buffer.alloc(7);
    head.write('D', 'latin1');
    head.writeInt32BE(6 + body.length, 1);
    head.writeInt16BE(row.length, 5);
    parts.push(head, body);
  }
  return Buffer.concat(parts);
}

export function rows(
  columns: readonly ResultColumn[],
  values: readonly (readonly (string | null)[])[],
): FakeAnswer {
  return {
    kind: 'rows',
    columns,
    bytes: dataRows(values),
    count: values.length,
    tag: `SELECT ${values.length}`,
  };
}

function undefinedStatement(name: string): PgErrorFields {
  return {
    severity: 'ERROR',
    sqlstate: '26000',
    message: `prepared statement "${name}" does not exist`,
  };
}

function undefinedPortal(name: string): PgErrorFields {
  return { severity: 'ERROR', sqlstate: '34000', message: `portal "${name}" does not exist` };
}
