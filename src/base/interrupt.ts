/** How a long computation hears that its statement was cancelled, though nobody hands it the statement: the
 * thread says whose turn it is, as its statements run one at a time. */

let check: () => void = () => {};

/** What `checkInterrupt` asks from now on. Returns what it asked before. */
export function useInterruptCheck(next: () => void): () => void {
  const before = check;
  check = next;
  return before;
}

/** Throws when the statement that runs is to end. To be called every few milliseconds of a computation. */
export function checkInterrupt(): void {
  check();
}
