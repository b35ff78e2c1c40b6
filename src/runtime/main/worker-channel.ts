import { serialize } from 'node:v8';
import { ByteWriter } from '../../base/index.ts';
import type { PlanRun, RunBase, StatementSettings } from '../../session/index.ts';
import { Doorbell, RingConsumer, RingProducer, type SharedMemory } from '../../shm/index.ts';
import { CancelWords } from '../cancel-words.ts';
import { HeadScratch, PartBuffer, RecordSender, recordBuffer } from '../channel.ts';
import { copyFormatText } from '../copy-format-text.ts';
import { ControlMessage } from '../generated/control-message.ts';
import { ExecuteMessage } from '../generated/execute-message.ts';
import { ReplyMessage } from '../generated/reply-message.ts';
import { EXECUTE_FLAGS, ISOLATION, REPLY, REQUEST } from '../messages.ts';
import { encodeParameters } from '../parameters.ts';

const EXECUTE_LAYOUT = { size: ExecuteMessage.sizeOf(), requestOffset: 8 };
/** A worker gives each of its statements its turn in far less. */
const SILENCE_MS = 20;
const CONTROL_LAYOUT = { size: ControlMessage.sizeOf(), requestOffset: 8 };

/** What the main thread does with a worker's replies. Payload bytes are valid during the call. */
export interface ReplyHandler {
  reply(message: ReplyMessage, payload: Uint8Array, start: number, end: number): void;
}

/** Fields of a control message; the payload is separate. */
export interface Control {
  readonly kind: number;
  readonly operation?: number;
  readonly isolation?: number;
  readonly flags?: number;
  readonly session?: number;
  readonly request?: number;
  readonly argument?: number;
}

/** The main thread's end of a worker's rings. */
export class WorkerChannel {
  /** Statements under way, to share work out evenly. */
  load = 0;
  /** performance.now() when it last answered, or was given something to do when it had nothing. */
  private heardAt = 0;
  private readonly sender: RecordSender;
  private readonly cancels: CancelWords;
  private readonly replies: RingConsumer;
  private readonly parts = new PartBuffer();
  private readonly message = new ReplyMessage();
  private readonly replyBuffer;
  private readonly executeScratch = new HeadScratch(ExecuteMessage.sizeOf());
  private readonly controlScratch = new HeadScratch(ControlMessage.sizeOf());
  private readonly executeHead = new ExecuteMessage();
  private readonly controlHead = new ControlMessage();
  private readonly payload = new ByteWriter(1024);
  private readonly knownPlans = new Set<number>();
  private readonly knownContexts = new WeakMap<StatementSettings, number>();
  private nextContext = 1;
  /** Settings that no session has any more are forgotten by the worker, too. No message that names them
   * follows the one that says so: whoever sent it would still hold them. */
  private readonly unusedContexts = new FinalizationRegistry<number>((id) =>
    this.control({ kind: REQUEST.forgetContext, argument: id }),
  );

  constructor(
    memory: SharedMemory,
    thread: number,
    requestRing: SharedArrayBuffer,
    replyRing: SharedArrayBuffer,
    cancels: SharedArrayBuffer,
  ) {
    const bell = new Doorbell(memory, thread);
    const producer = new RingProducer(requestRing, bell);
    this.sender = new RecordSender(producer, { kind: REQUEST.part, requestOffset: 8 }, null);
    this.replies = new RingConsumer(replyRing, bell);
    this.replyBuffer = recordBuffer(this.replies);
    this.cancels = new CancelWords(cancels);
    this.executeHead.__init(0, this.executeScratch.buffer);
    this.controlHead.__init(0, this.controlScratch.buffer);
  }

  /** A statement is under way that may be one long computation: nothing has come for a while. */
  get isSilent(): boolean {
    return this.load > 0 && performance.now() - this.heardAt > SILENCE_MS;
  }

  /** One more statement is under way. */
  begin(): void {
    if (this.load++ === 0) this.heardAt = performance.now();
  }

  receive(handler: ReplyHandler): number {
    if (this.sender.backlogBytes > 0) this.sender.flushBacklog();
    const { replies, message } = this;
    let count = 0;
    for (let at = replies.peek(); at >= 0; at = replies.peek()) {
      const end = at + replies.length;
      message.__init(at, this.replyBuffer);
      const from = at + ReplyMessage.sizeOf();
      if (message.kind() === REPLY.part) {
        this.parts.add(message.request(), replies.bytes, from, end);
      } else {
        const whole = this.parts.take(message.request(), replies.bytes, from, end);
        if (whole === null) handler.reply(message, replies.bytes, from, end);
        else handler.reply(message, whole, 0, whole.length);
      }
      replies.release();
      count++;
    }
    if (count > 0) this.heardAt = performance.now();
    return count;
  }

  execute(request: number, run: PlanRun, snapshotSlot: number): void {
    const { plan } = run.plan;
    this.sendPlan(run.plan.id, plan);
    const context = this.sendContext(run.settings);
    const payload = this.payload.reset();
    encodeParameters(run.parameters, plan.parameterTypes, payload);
    const parameterBytes = payload.position;
    payload.raw(run.formats);
    if (run.explain !== null) payload.utf8(JSON.stringify(run.explain));
    if (run.copy !== null) payload.utf8(copyFormatText(run.copy));
    const head = this.executeHead;
    head.mutate_kind(REQUEST.execute);
    head.mutate_flags(planFlags(run));
    head.mutate_isolation(isolationNumber(run));
    head.mutate_session(run.session);
    head.mutate_request(request);
    head.mutate_plan(run.plan.id);
    head.mutate_context(context);
    head.mutate_snapshot_slot(snapshotSlot);
    head.mutate_row_limit(run.rowLimit);
    head.mutate_parameter_bytes(parameterBytes);
    head.mutate_seen_changes(run.seenChanges);
    head.mutate_snapshot(run.snapshot?.lsn ?? -1);
    head.mutate_deadline(run.deadlineMs);
    head.mutate_statement_timestamp(run.statementTimestamp);
    head.mutate_transaction_timestamp(run.transactionTimestamp);
    this.sender.send(this.executeScratch.bytes, EXECUTE_LAYOUT, payload.bytes, 0, payload.position);
    this.sender.publish();
  }

  control(control: Control, payload: Uint8Array = NOTHING, start = 0, end = payload.length): void {
    this.queue(control, payload, start, end);
    this.publish();
  }

  /** Has the worker see what was queued. */
  publish(): void {
    this.sender.publish();
  }

  /** The request has been answered for the last time. */
  ended(request: number): void {
    this.load--;
    this.cancels.withdraw(request);
  }

  cancel(request: number, reason: 'user' | 'timeout'): void {
    if (reason === 'user') this.cancels.post(request);
    this.control({ kind: REQUEST.cancel, request, operation: reason === 'timeout' ? 1 : 0 });
  }

  /** A message that the worker need not see before the next one, or `publish`. */
  queue(control: Control, payload: Uint8Array, start: number, end: number): void {
    const head = this.controlHead;
    head.mutate_kind(control.kind);
    head.mutate_operation(control.operation ?? 0);
    head.mutate_isolation(control.isolation ?? 0);
    head.mutate_flags(control.flags ?? 0);
    head.mutate_session(control.session ?? 0);
    head.mutate_request(control.request ?? 0);
    head.mutate_argument(control.argument ?? 0);
    this.sender.send(this.controlScratch.bytes, CONTROL_LAYOUT, payload, start, end);
  }

  forgetPlan(id: number): void {
    if (this.knownPlans.delete(id)) this.control({ kind: REQUEST.forgetPlan, argument: id });
  }

  private sendPlan(id: number, plan: unknown): void {
    if (this.knownPlans.has(id)) return;
    this.knownPlans.add(id);
    this.control({ kind: REQUEST.plan, argument: id }, serialize(plan));
  }

  private sendContext(settings: StatementSettings): number {
    let id = this.knownContexts.get(settings);
    if (id === undefined) {
      id = this.nextContext++;
      this.knownContexts.set(settings, id);
      this.unusedContexts.register(settings, id);
      this.control({ kind: REQUEST.context, argument: id }, serialize(settings));
    }
    return id;
  }
}

function planFlags(run: PlanRun): number {
  if (run.explain !== null) return executeFlags(run) | EXECUTE_FLAGS.explain;
  return run.copy === null ? executeFlags(run) : executeFlags(run) | EXECUTE_FLAGS.copyOut;
}

export function executeFlags(run: RunBase): number {
  return (
    (run.inBlock ? EXECUTE_FLAGS.inBlock : 0) |
    (run.readOnly ? EXECUTE_FLAGS.readOnly : 0) |
    (run.asynchronousCommit ? EXECUTE_FLAGS.asynchronousCommit : 0)
  );
}

export function isolationNumber({ isolation }: Pick<RunBase, 'isolation'>): number {
  if (isolation === 'serializable') return ISOLATION.serializable;
  return isolation === 'repeatable read' ? ISOLATION.repeatableRead : ISOLATION.readCommitted;
}

const NOTHING = new Uint8Array(0);
