import { connect, type Socket } from 'node:net';

/** A bare client of the PostgreSQL protocol, for tests: it sends what it is told to and hands back
 * the messages that come, without a mind of its own. */

export interface BackendMessage {
  /** The type byte as a character: 'D', 'Z', … */
  readonly type: string;
  readonly body: Buffer;
}

export interface WireError {
  readonly [field: string]: string;
}

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly tags: readonly string[];
  /** Fields by code, `C` the SQLSTATE, `M` the message; null when all went well. */
  readonly error: WireError | null;
  readonly notices: readonly WireError[];
  readonly status: string;
  /** Types of all messages in order, 'TDDCZ'. */
  readonly trace: string;
}

export class WireClient {
  readonly socket: Socket;
  readonly parameters = new Map<string, string>();
  processId = 0;
  secretKey = 0;
  closed = false;
  private received: Buffer = Buffer.alloc(0);
  private readonly messages: BackendMessage[] = [];
  private waiting: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.split();
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
    socket.on('end', () => this.wake());
  }

  /** Connects without a word. */
  static open(port: number, host = '127.0.0.1'): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new WireClient(socket));
      });
    });
  }

  /** Connects and starts up; fails with the server's message when refused. */
  static async start(
    port: number,
    settings: Readonly<Record<string, string>> = {},
    host = '127.0.0.1',
  ): Promise<WireClient> {
    const client = await WireClient.open(port, host);
    client.send(startupMessage({ user: 'postgres', database: 'postgres', ...settings }));
    const messages = await client.until('Z');
    const error = messages.find((message) => message.type === 'E');
    if (error !== undefined) throw new Error(readFields(error.body).M);
    return client;
  }

  send(...parts: readonly (Buffer | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next message, or null when the server has closed. */
  async next(timeoutMs = 5000): Promise<BackendMessage | null> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        this.note(message);
        return message;
      }
      if (this.closed || this.socket.readableEnded) return null;
      await this.wait(deadline - Date.now());
    }
  }

  /** Messages up to and including the first of that type, or to the end of the connection. */
  async until(type: string, timeoutMs = 5000): Promise<BackendMessage[]> {
    const found: BackendMessage[] = [];
    for (;;) {
      const message = await this.next(timeoutMs);
      if (message === null) return found;
      found.push(message);
      if (message.type === type) return found;
    }
  }

  /** Messages up to and including the `count`th ReadyForQuery. */
  async untilReady(count = 1, timeoutMs = 5000): Promise<BackendMessage[]> {
    const found: BackendMessage[] = [];
    for (let i = 0; i < count; i++) found.push(...(await this.until('Z', timeoutMs)));
    return found;
  }

  /** Runs a simple query. */
  async query(text: string, timeoutMs = 5000): Promise<QueryResult> {
    this.send(query(text));
    return summarize(await this.until('Z', timeoutMs));
  }

  /** Runs Parse, Bind, Describe, Execute and Sync with text parameters. */
  async execute(
    text: string,
    parameters: readonly (string | Uint8Array | null)[] = [],
    timeoutMs = 5000,
  ): Promise<QueryResult> {
    this.send(parse('', text), bind('', '', parameters), describe('P', ''), execute(''), sync());
    return summarize(await this.until('Z', timeoutMs));
  }

  /** Sends a COPY … FROM STDIN and its data. */
  async copyIn(text: string, chunks: readonly (string | Uint8Array)[]): Promise<QueryResult> {
    this.send(query(text));
    const opening: BackendMessage[] = [];
    for (;;) {
      const message = await this.next();
      if (message === null) return summarize(opening);
      opening.push(message);
      if (message.type === 'Z') return summarize(opening);
      if (message.type === 'G') break;
    }
    this.send(...chunks.map((chunk) => copyData(chunk)), copyDone());
    return summarize([...opening, ...(await this.until('Z'))]);
  }

  /** Sends a COPY … TO STDOUT; resolves to its data. */
  async copyOut(text: string): Promise<QueryResult & { readonly data: Buffer }> {
    this.send(query(text));
    const messages = await this.until('Z');
    const data = messages.filter((message) => message.type === 'd').map((message) => message.body);
    return { ...summarize(messages), data: Buffer.concat(data) };
  }

  /** Says goodbye and waits for the socket to close. */
  async end(): Promise<void> {
    if (this.closed) return;
    this.send(terminate());
    this.socket.end();
    while (!this.closed) await this.wait(5000);
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Waits for the server to close the connection. */
  async untilClosed(timeoutMs = 5000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.closed && !this.socket.readableEnded) await this.wait(deadline - Date.now());
  }

  private note(message: BackendMessage): void {
    if (message.type === 'S') {
      const [name, value] = message.body.toString('utf8').split('\0');
      if (name !== undefined && value !== undefined) this.parameters.set(name, value);
    } else if (message.type === 'K') {
      this.processId = message.body.readInt32BE(0);
      this.secretKey = message.body.readInt32BE(4);
    }
  }

  private split(): void {
    let at = 0;
    while (this.received.length - at >= 5) {
      const length = this.received.readInt32BE(at + 1);
      if (this.received.length - at < length + 1) break;
      this.messages.push({
        type: String.fromCharCode(this.received[at]!),
        body: Buffer.from(this.received.subarray(at + 5, at + 1 + length)),
      });
      at += length + 1;
    }
    this.received = this.received.subarray(at);
  }

  private wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting = null;
        reject(new Error('timed out waiting for the server'));
      }, timeoutMs);
      this.waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.();
  }
}

/** Reads what answers one query out of its messages. */
export function summarize(messages: readonly BackendMessage[]): QueryResult {
  let columns: string[] = [];
  const rows: (string | null)[][] = [];
  const tags: string[] = [];
  const notices: WireError[] = [];
  let error: WireError | null = null;
  let status = '';
  for (const { type, body } of messages) {
    if (type === 'T') columns = readColumns(body);
    else if (type === 'D') rows.push(readRow(body));
    else if (type === 'C') tags.push(body.toString('utf8', 0, body.length - 1));
    else if (type === 'E') error ??= readFields(body);
    else if (type === 'N') notices.push(readFields(body));
    else if (type === 'Z') status = body.toString('latin1');
  }
  const trace = messages.map((message) => message.type).join('');
  return { columns, rows, tags, error, notices, status, trace };
}

/** Fields of an ErrorResponse or NoticeResponse by their codes. */
export function readFields(body: Buffer): WireError {
  const fields: Record<string, string> = {};
  for (const part of body.toString('utf8').split('\0')) {
    if (part !== '') fields[part.charAt(0)] = part.slice(1);
  }
  return fields;
}

export function readRow(body: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let i = body.readUInt16BE(0); i > 0; i--) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}

export function readColumns(body: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let i = body.readUInt16BE(0); i > 0; i--) {
    const end = body.indexOf(0, at);
    names.push(body.toString('utf8', at, end));
    at = end + 19;
  }
  return names;
}

// ---- frontend messages ----

/** Any message: a type and a body. */
export function message(type: string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? text(part) : part)));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function startupMessage(
  settings: Readonly<Record<string, string>>,
  version = 196608,
): Buffer {
  return packet(
    version,
    ...Object.entries(settings).flatMap(([name, value]) => [text(name), text(value)]),
    Buffer.of(0),
  );
}

/** A message without a type: start-up, SSLRequest, CancelRequest. */
export function packet(code: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;
export const CANCEL_REQUEST = 80877102;

export function query(sql: string): Buffer {
  return message('Q', sql);
}

export function parse(name: string, sql: string, types: readonly number[] = []): Buffer {
  return message('P', name, sql, int16(types.length), ...types.map(int32));
}

/** A Buffer is sent in binary format, a string as text. */
export function bind(
  portal: string,
  statement: string,
  parameters: readonly (string | Uint8Array | null)[] = [],
  resultFormats: readonly number[] = [],
): Buffer {
  return message(
    'B',
    portal,
    statement,
    int16(parameters.length),
    ...parameters.map((value) => int16(value instanceof Uint8Array ? 1 : 0)),
    int16(parameters.length),
    ...parameters.flatMap((value) => {
      if (value === null) return [int32(-1)];
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      return [int32(bytes.length), bytes];
    }),
    int16(resultFormats.length),
    ...resultFormats.map(int16),
  );
}

export function describe(kind: 'S' | 'P', name: string): Buffer {
  return message('D', Buffer.from(kind), name);
}

export function execute(portal: string, rowCountMax = 0): Buffer {
  return message('E', portal, int32(rowCountMax));
}

export function close(kind: 'S' | 'P', name: string): Buffer {
  return message('C', Buffer.from(kind), name);
}

export function sync(): Buffer {
  return message('S');
}

export function flush(): Buffer {
  return message('H');
}

export function copyData(data: string | Uint8Array): Buffer {
  return message('d', typeof data === 'string' ? Buffer.from(data) : data);
}

export function copyDone(): Buffer {
  return message('c');
}

export function copyFail(reason: string): Buffer {
  return message('f', reason);
}

export function terminate(): Buffer {
  return message('X');
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(value), Buffer.of(0)]);
}
