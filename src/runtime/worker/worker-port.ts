import { ByteWriter } from '../../base/index.ts';
import type { PgErrorFields } from '../../errors/index.ts';
import { Doorbell, RingConsumer, RingProducer, type SharedMemory } from '../../shm/index.ts';
import { HeadScratch, PartBuffer, RecordSender, recordBuffer } from '../channel.ts';
import { ControlMessage } from '../generated/control-message.ts';
import { ExecuteMessage } from '../generated/execute-message.ts';
import { ReplyMessage } from '../generated/reply-message.ts';
import { REPLY, REQUEST } from '../messages.ts';

const REPLY_LAYOUT = { size: ReplyMessage.sizeOf(), requestOffset: 4 };
/** How long to sleep while the reply ring is full, if no bell rings. */
const FULL_SLEEP_MS = 100;

/** What a worker does with the messages it gets. Payload bytes are valid during the call. */
export interface RequestHandler {
  execute(message: ExecuteMessage, payload: Uint8Array, start: number, end: number): void;
  control(message: ControlMessage, payload: Uint8Array, start: number, end: number): void;
  /** What cannot wait until all messages that have come are handled. */
  afterMessage(): void;
}

/** A worker's end of its two rings. */
export class WorkerPort {
  readonly bell: Doorbell;
  private readonly requests: RingConsumer;
  private readonly sender: RecordSender;
  private readonly parts = new PartBuffer();
  private readonly executeMessage = new ExecuteMessage();
  private readonly controlMessage = new ControlMessage();
  private readonly requestBuffer;
  private readonly scratch = new HeadScratch(ReplyMessage.sizeOf());
  private readonly reply = new ReplyMessage();
  private readonly text = new ByteWriter(512);
  private unpublished = false;

  constructor(
    memory: SharedMemory,
    thread: number,
    mainThread: number,
    requestRing: SharedArrayBuffer,
    replyRing: SharedArrayBuffer,
  ) {
    this.bell = new Doorbell(memory, thread);
    const mainBell = new Doorbell(memory, mainThread);
    this.requests = new RingConsumer(requestRing, mainBell);
    this.requestBuffer = recordBuffer(this.requests);
    this.sender = new RecordSender(
      new RingProducer(replyRing, mainBell),
      { kind: REPLY.part, requestOffset: REPLY_LAYOUT.requestOffset },
      () => this.bell.sleep(this.bell.listen(), FULL_SLEEP_MS),
    );
    this.reply.__init(0, this.scratch.buffer);
  }

  /** Hands all messages that have come to the handler; returns how many. */
  receive(handler: RequestHandler): number {
    const { requests } = this;
    let count = 0;
    for (let at = requests.peek(); at >= 0; at = requests.peek()) {
      this.dispatch(handler, at, at + requests.length);
      requests.skip();
      count++;
      handler.afterMessage();
    }
    if (count > 0) requests.releaseSkipped();
    return count;
  }

  rows(request: number, count: number, bytes: Uint8Array, start: number, end: number): void {
    this.send(REPLY.rows, 0, request, count, bytes, start, end);
  }

  copyOutData(request: number, bytes: Uint8Array, start: number, end: number): void {
    this.send(REPLY.copyData, 0, request, 0, bytes, start, end);
  }

  complete(request: number, rowCount: number, tag: string | null): void {
    if (tag === null) this.send(REPLY.complete, 0, request, rowCount, NOTHING, 0, 0);
    else this.sendText(REPLY.complete, 1, request, rowCount, tag);
  }

  suspended(request: number): void {
    this.send(REPLY.suspended, 0, request, 0, NOTHING, 0, 0);
  }

  error(request: number, fields: PgErrorFields): void {
    this.sendText(REPLY.error, 0, request, 0, JSON.stringify(fields));
  }

  notice(request: number, fields: PgErrorFields): void {
    this.sendText(REPLY.notice, 0, request, 0, JSON.stringify(fields));
  }

  /** A message whose payload is serialised data or nothing. */
  message(kind: number, request: number, status: number, count: number, payload: Uint8Array): void {
    this.send(kind, status, request, count, payload, 0, payload.length);
  }

  stopped(reason: PgErrorFields | null): void {
    this.sendText(REPLY.stopped, 0, 0, 0, reason === null ? '' : JSON.stringify(reason));
    this.publish();
  }

  /** Lets the main thread see what was sent. */
  publish(): void {
    if (!this.unpublished) return;
    this.unpublished = false;
    this.sender.publish();
  }

  private sendText(
    kind: number,
    status: number,
    request: number,
    count: number,
    text: string,
  ): void {
    const out = this.text.reset();
    out.utf8(text);
    this.send(kind, status, request, count, out.bytes, 0, out.position);
  }

  private send(
    kind: number,
    status: number,
    request: number,
    count: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { reply } = this;
    reply.mutate_kind(kind);
    reply.mutate_status(status);
    reply.mutate_request(request);
    reply.mutate_count(count);
    this.sender.send(this.scratch.bytes, REPLY_LAYOUT, bytes, start, end);
    this.unpublished = true;
  }

  private dispatch(handler: RequestHandler, at: number, end: number): void {
    const { bytes } = this.requests;
    const kind = bytes[at]!;
    if (kind === REQUEST.execute) {
      const message = this.executeMessage.__init(at, this.requestBuffer);
      const from = at + ExecuteMessage.sizeOf();
      const whole = this.parts.take(message.request(), bytes, from, end);
      if (whole === null) handler.execute(message, bytes, from, end);
      else handler.execute(message, whole, 0, whole.length);
      return;
    }
    const message = this.controlMessage.__init(at, this.requestBuffer);
    const from = at + ControlMessage.sizeOf();
    if (kind === REQUEST.part) {
      this.parts.add(message.request(), bytes, from, end);
      return;
    }
    const whole = this.parts.take(message.request(), bytes, from, end);
    if (whole === null) handler.control(message, bytes, from, end);
    else handler.control(message, whole, 0, whole.length);
  }
}

const NOTHING = new Uint8Array(0);
