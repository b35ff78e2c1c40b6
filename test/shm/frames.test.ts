import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  EpochClock,
  EpochSlot,
  FrameInHand,
  FreeFrames,
  frameLocation,
  HOME_LOCATION,
  isSpilled,
  Locations,
  SharedMemory,
  spillLocation,
  spillSlotOf,
} from '../../src/shm/index.ts';

const create = () =>
  SharedMemory.create({
    frameCount: 100,
    threadCount: 3,
    snapshotSlotCount: 2,
    pageCountMax: 64,
    spillSlotCountMax: 64,
  });

test('every frame is handed out once, and the last ones only to who may have them', () => {
  const memory = create();
  const free = new FreeFrames(memory);
  const taken = new Set<number>();
  for (let frame = free.take(10); frame >= 0; frame = free.take(10)) taken.add(frame);
  expect(taken.size).toBe(90);
  expect(free.count).toBe(10);
  for (let frame = free.take(0); frame >= 0; frame = free.take(0)) taken.add(frame);
  expect(taken.size).toBe(100);
  for (let round = 0; round < 1000; round++) {
    free.put(round % 100);
    expect(free.take(0)).toBe(round % 100);
  }
});

test('one reader is told to ring for frames', () => {
  const free = new FreeFrames(create());
  expect(free.wantReclaim()).toBe(true);
  expect(free.wantReclaim()).toBe(false);
  free.clearReclaimWanted();
  expect(free.wantReclaim()).toBe(true);
});

test('the frame in hand is a word of the thread', () => {
  const memory = create();
  const hand = new FrameInHand(memory, 2);
  expect(hand.get()).toBe(-1);
  hand.set(0);
  expect(new FrameInHand(memory, 2).get()).toBe(0);
  hand.clear();
  expect(hand.get()).toBe(-1);
});

test('what is unlinked is past when every thread has left or entered later', () => {
  const memory = create();
  const clock = new EpochClock(memory);
  const reader = EpochSlot.of(memory, 2);
  reader.enter();
  reader.enter();
  const unlinked = clock.current();
  clock.advance();
  expect(clock.isPast(unlinked, clock.oldestActive())).toBe(false);
  reader.leave();
  expect(clock.isPast(unlinked, clock.oldestActive())).toBe(false);
  reader.leave();
  expect(clock.isPast(unlinked, clock.oldestActive())).toBe(true);
  reader.enter();
  expect(clock.isPast(unlinked, clock.oldestActive())).toBe(true);
  expect(clock.isPast(clock.current(), clock.oldestActive())).toBe(false);
  clock.expel(2);
  clock.advance();
  expect(clock.oldestActive()).toBe(clock.current());
  expect(() => EpochSlot.of(memory, 1).leave()).toThrow('not entered');
});

test('epochs are compared across their wrap', () => {
  const clock = new EpochClock(create());
  expect(clock.isPast(0x7fffffff, 1)).toBe(true);
  expect(clock.isPast(1, 0x7fffffff)).toBe(false);
});

test('frames, slots and homes have location words of their own', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 24), (n) => {
      expect(frameLocation(n)).toBeGreaterThan(0);
      expect(isSpilled(spillLocation(n))).toBe(true);
      expect(spillSlotOf(spillLocation(n))).toBe(n);
      expect(spillLocation(n)).toBeLessThan(HOME_LOCATION);
    }),
  );
  const locations = new Locations(create());
  expect(locations.load(5)).toBe(HOME_LOCATION);
  expect(locations.exchange(5, 1, 2)).toBe(false);
  expect(locations.exchange(5, 0, spillLocation(3))).toBe(true);
  locations.setPrevious(spillLocation(3), frameLocation(9));
  expect(locations.previousOf(locations.load(5))).toBe(frameLocation(9));
});
