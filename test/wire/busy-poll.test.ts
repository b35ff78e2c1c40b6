import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BusyPoll } from '../../src/wire/pgwire/busy-poll.ts';

/** An event loop and a clock that move when they are told to. */
let immediates: (() => void)[] = [];
let nowMs = 0;

beforeEach(() => {
  immediates = [];
  nowMs = 1_000_000;
  vi.stubGlobal('setImmediate', (callback: () => void) => immediates.push(callback));
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function turn(afterMicros: number): void {
  nowMs += afterMicros / 1000;
  for (const callback of immediates.splice(0)) callback();
}

/** Has the loop make the few looks that it makes in any case. */
function lookAround(): void {
  for (let i = 0; i < 4; i++) turn(0);
}

const isAwake = () => immediates.length > 0;
/** It is still awake after the few looks of any answer. */
function isPolling(): boolean {
  lookAround();
  return isAwake();
}

test('polls for its time after an answer, then sleeps', () => {
  const poll = new BusyPoll(50);
  expect(isPolling()).toBe(false);
  poll.answered();
  for (let i = 0; i < 9; i++) turn(5);
  expect(isPolling()).toBe(true);
  poll.answered();
  expect(immediates).toHaveLength(1);
  for (let i = 0; i < 9; i++) turn(5);
  expect(isPolling()).toBe(true);
  turn(6);
  expect(isPolling()).toBe(false);
});

test('never polls when told so', () => {
  const poll = new BusyPoll(0);
  poll.answered();
  expect(isPolling()).toBe(false);
});

test('polls ever more rarely while it does not pay, and again when it does', () => {
  const poll = new BusyPoll(50);
  let polled = 0;
  for (let i = 0; i < 1000; i++) {
    poll.answered();
    if (isPolling()) {
      polled++;
      turn(60);
    }
  }
  expect(polled).toBeLessThan(30);
  // One message in time, and polling is the rule again.
  while (!isPolling()) poll.answered();
  poll.answered();
  turn(60);
  poll.answered();
  expect(isPolling()).toBe(true);
});

test('leaves a scarce processor to others, for longer each time', () => {
  const poll = new BusyPoll(50);
  const restsMs: number[] = [];
  for (let i = 0; i < 4; i++) {
    poll.answered();
    turn(3000);
    expect(isPolling()).toBe(false);
    const from = nowMs;
    while (!isPolling()) {
      nowMs += 10;
      poll.answered();
    }
    restsMs.push(nowMs - from);
    turn(60);
  }
  expect(restsMs).toEqual([50, 100, 200, 400]);
});

test('looks a few more times before it sleeps even when polling is left out', () => {
  const calls: string[] = [];
  const come: number[] = [];
  const poll = new BusyPoll(50, {
    begin: () => calls.push('begin'),
    poll: () => {
      calls.push('poll');
      return come.shift() ?? 0;
    },
    end: () => calls.push('end'),
  });
  poll.answered();
  turn(3000);
  lookAround();
  expect(isAwake()).toBe(false);
  calls.length = 0;
  come.push(0, 0, 1);
  poll.answered();
  lookAround();
  // What came with the third look counts as an answer of its own.
  expect(isAwake()).toBe(true);
  lookAround();
  expect(calls).toEqual(['begin', ...Array(7).fill('poll'), 'end']);
});
