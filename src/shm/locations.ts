import type { SharedMemory } from './shared-memory.ts';

/** Where versions of pages are: the page table and the links from a version to the one before.
 *
 * A location word is
 *   w > 0  frame w - 1
 *   w = 0  the page's home in the data file
 *   w < 0  slot -w - 1 of the spill file
 * A link word is 0 when there is no older version, else a frame or a slot, never a home.
 *
 * (L1) Words are written with Atomics after the version they name is complete, so who loads a word
 *      sees the version's bytes, LSN and page number. The writer replaces a frame word by a store,
 *      any other by compare-and-exchange; a reader only ever exchanges a home or a slot for a frame
 *      into which it has loaded that very page. Links are written by the writer alone, once linked.
 * (L2) A home is written only while the word names something else, and the word names the home again
 *      only when the page has no older version that a held snapshot needs. So a reader that finds
 *      0, reads the file, and then finds or exchanges 0 has read what the word meant: had the page
 *      changed in between, the version that the reader's snapshot needs would stand behind the
 *      new one, and the word could not be 0 again before the reader lets go of its snapshot.
 *      The same holds for a slot, which is not reused before the reader leaves its epoch.
 * (L3) The bytes of a version whose LSN is at or below the commit LSN never change. Those of the open
 *      group's versions change, and readers, whose snapshots are older, follow the link past them.
 */
export const HOME_LOCATION = 0;

export function frameLocation(frame: number): number {
  return frame + 1;
}

export function spillLocation(slot: number): number {
  return -slot - 1;
}

export function isSpilled(location: number): boolean {
  return location < 0;
}

export function spillSlotOf(location: number): number {
  return -location - 1;
}

export class Locations {
  readonly #memory: SharedMemory;
  readonly #pageTable: Int32Array;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#pageTable = memory.pageTable;
  }

  /** The newest version of a page. */
  load(page: number): number {
    return Atomics.load(this.#pageTable, page);
  }

  store(page: number, location: number): void {
    Atomics.store(this.#pageTable, page, location);
  }

  exchange(page: number, expected: number, location: number): boolean {
    return Atomics.compareExchange(this.#pageTable, page, expected, location) === expected;
  }

  /** LSN of the version at a frame or slot. */
  lsnOf(location: number): number {
    return location > 0
      ? this.#memory.frameLsn[location - 1]!
      : this.#memory.spillLsn[-location - 1]!;
  }

  /** Location of the version before the one at a frame or slot, or 0. */
  previousOf(location: number): number {
    return location > 0
      ? Atomics.load(this.#memory.framePrevious, location - 1)
      : Atomics.load(this.#memory.spillPrevious, -location - 1);
  }

  setPrevious(location: number, previous: number): void {
    if (location > 0) Atomics.store(this.#memory.framePrevious, location - 1, previous);
    else Atomics.store(this.#memory.spillPrevious, -location - 1, previous);
  }
}
