/** A failed assertion is a bug in Heddle, never a mistake of the user; it stays on in production. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Closes a `switch` over a union: it does not compile when an alternative is missing. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected alternative ${JSON.stringify(value)}`);
}
