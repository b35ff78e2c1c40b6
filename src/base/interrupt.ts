/** How a long computation hears that its statement was cancelled, though nobody hands it the statement: the
 * thread says whose turn it is, as its statements run one at a time. */

const NOTHING = (): void => {};

let check: () => void = NOTHING;

/** What `checkInterrupt` asks from now on; null: nothing. */
export function useInterruptCheck(next: (() => void) | null): void {
  check = next ?? NOTHING;
}

/** Throws when the statement that runs is to end. To be called every few milliseconds of a computation. */
export function checkInterrupt(): void {
  check();
}
