import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BusyPoll } from '../../src/wire/pgwire/busy-poll.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, and the event loop turn. */
function pass(micros: number): void {
  vi.advanceTimersByTime(micros / 1000);
}

test('polls for its time after an answer, then sleeps', () => {
  const poll = new BusyPoll(5000);
  expect(vi.getTimerCount()).toBe(0);
  poll.answered();
  expect(vi.getTimerCount()).toBe(1);
  pass(6000);
  pass(6000);
  expect(vi.getTimerCount()).toBe(0);
});

test('never polls when told so', () => {
  const poll = new BusyPoll(0);
  poll.answered();
  expect(vi.getTimerCount()).toBe(0);
});

test('polls ever more rarely while it does not pay, and again when it does', () => {
  const poll = new BusyPoll(1000);
  let polled = 0;
  for (let i = 0; i < 1000; i++) {
    poll.answered();
    if (vi.getTimerCount() > 0) {
      polled++;
      pass(2000);
      pass(2000);
    }
  }
  expect(polled).toBeLessThan(30);
  // One message in time, and polling is the rule again.
  while (vi.getTimerCount() === 0) poll.answered();
  poll.answered();
  pass(2000);
  pass(2000);
  poll.answered();
  expect(vi.getTimerCount()).toBe(1);
});
