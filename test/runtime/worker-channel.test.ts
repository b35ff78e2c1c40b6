import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { CancelWords } from '../../src/runtime/cancel-words.ts';
import { WorkerChannel } from '../../src/runtime/main/worker-channel.ts';
import { REQUEST } from '../../src/runtime/messages.ts';
import type { PlanRun, StatementSettings } from '../../src/session/index.ts';
import {
  createRing,
  Doorbell,
  RingConsumer,
  SharedMemory,
  WRITER_THREAD,
} from '../../src/shm/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What a run must have to be sent. */
function runWith(settings: StatementSettings): PlanRun {
  return {
    settings,
    session: 1,
    plan: { id: 1, plan: { parameterTypes: [] } },
    parameters: [],
    formats: new Uint8Array(0),
    explain: null,
    copy: null,
    isolation: 'read committed',
    inBlock: false,
    asynchronousCommit: false,
    rowLimit: 0,
    snapshot: null,
    deadlineMs: 0,
    statementTimestamp: 0,
    transactionTimestamp: 0,
  } as unknown as PlanRun;
}

test('settings that no session has any more are forgotten by the worker', async () => {
  const memory = SharedMemory.create({ frameCount: 32, threadCount: 3 });
  const requests = createRing(1 << 16);
  const channel = new WorkerChannel(
    memory,
    WRITER_THREAD,
    requests,
    createRing(1 << 16),
    CancelWords.create(),
  );
  const worker = new RingConsumer(requests, new Doorbell(memory, WRITER_THREAD));
  const { buffer, byteOffset } = worker.bytes;
  const view = new DataView(buffer, byteOffset);
  const known = new Set<number>();
  const receive = (): void => {
    for (let at = worker.peek(); at >= 0; at = worker.peek()) {
      const argument = view.getUint32(at + 12, true);
      if (worker.bytes[at] === REQUEST.context) known.add(argument);
      if (worker.bytes[at] === REQUEST.forgetContext) known.delete(argument);
      worker.release();
    }
  };
  const kept = { name: 'kept' } as unknown as StatementSettings;
  channel.execute(1, runWith(kept), 0);
  channel.execute(2, runWith(kept), 0);
  for (let i = 0; i < 20; i++) channel.execute(3 + i, runWith({ name: i } as never), 0);
  receive();
  expect(known.size).toBe(21);
  for (let i = 0; i < 50 && known.size > 1; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
    receive();
  }
  expect([...known]).toEqual([1]);
  channel.execute(100, runWith(kept), 0);
});
