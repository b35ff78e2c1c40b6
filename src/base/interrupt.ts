/** How a long computation hears that its statement is to end, though nobody hands it the statement: the thread
 * says whose turn it is, as its statements run one at a time.
 *
 * What takes time in proportion to its input, or may be long for another reason, says so by `countWork`: loops as they
 * go, calls of the engine on whole values before they are made. A thread that must not be held up runs what it cannot
 * judge `withinLimit`. */

type Check = (work: number) => void;

let check: Check = () => {};
/** Work that nobody has been asked about. */
let pending = 0;

/** Units of work between two questions: one or two milliseconds of a loop. */
const UNASKED_WORK = 1 << 18;

/** What is asked from now on. Returns what was asked before. */
export function useInterruptCheck(next: Check): Check {
  const before = check;
  check = next;
  return before;
}

/** Throws when the statement that runs is to end. To be called every few milliseconds of a computation. */
export function checkInterrupt(): void {
  countWork(UNASKED_WORK);
}

/** Counts work that is done next, or has been: a unit is a character, a byte, an element, a step. Now and then throws
 * as `checkInterrupt`. */
export function countWork(units: number): void {
  pending += units;
  if (pending >= UNASKED_WORK) ask();
}

function ask(): void {
  const work = pending;
  pending = 0;
  check(work);
}

/** Thrown by `withinLimit`: the computation has to be made where it holds nobody up. */
export class TakesLong extends Error {}

/** Units of work, and milliseconds, that a limited computation may take. */
const LIMIT_WORK = 4 << 20;
const LIMIT_MS = 10;

let workLeft = 0;
let limitEnd = 0;

/** Runs a computation on a thread that everybody waits for; throws TakesLong when it is not a short one. */
export function withinLimit<Result>(compute: () => Result): Result {
  const before = beginLimit();
  try {
    return compute();
  } finally {
    endLimit(before);
  }
}

/** The same where a function to be called would be one too many; `endLimit` is to be told of what it returns. */
export function beginLimit(): Check {
  pending = 0;
  workLeft = LIMIT_WORK;
  // The clock is not read for what is short.
  limitEnd = Number.POSITIVE_INFINITY;
  return useInterruptCheck(checkLimit);
}

export function endLimit(before: Check): void {
  check = before;
}

function checkLimit(work: number): void {
  const now = performance.now();
  if (limitEnd === Number.POSITIVE_INFINITY) limitEnd = now + LIMIT_MS;
  workLeft -= work;
  if (workLeft < 0 || now > limitEnd) throw new TakesLong('the computation takes long');
}
