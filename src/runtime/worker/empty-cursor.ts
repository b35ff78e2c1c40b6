import type { Cursor } from '../../storage/index.ts';

/** Cursor over a tree that does not exist yet in the pages: its transaction has not committed. */
export class EmptyCursor implements Cursor {
  readonly keyBytes = new Uint8Array(0);
  readonly keyStart = 0;
  readonly keyEnd = 0;
  readonly valueBytes = new Uint8Array(0);
  readonly valueStart = 0;
  readonly valueEnd = 0;
  readonly rowLsn = 0;
  seek(): boolean {
    return false;
  }
  first(): boolean {
    return false;
  }
  last(): boolean {
    return false;
  }
  next(): boolean {
    return false;
  }
  prev(): boolean {
    return false;
  }
  refresh(): void {}
  reset(): void {}
}

export const EMPTY_CURSOR = new EmptyCursor();
