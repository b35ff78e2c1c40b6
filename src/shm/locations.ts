import type { SharedMemory } from './shared-memory.ts';

/** Where versions of pages are: the page table and the links from a version to the one before.
 *
 * A location word is
 *      w > 0        frame w - 1
 *   -2^30 < w <= 0  the page's home in the data file; the number is a generation, see (L2)
 *      w <= -2^30   slot -2^30 - w of the spill file
 * A link word is 0 when there is no older version, else a frame or a slot, never a home.
 *
 * (L1) Words are written with Atomics after the version they name is complete, so who loads a word
 *      sees the version's bytes, LSN and page number. The writer replaces a frame word by a store,
 *      any other by compare-and-exchange; a reader only ever exchanges a home or a slot for a frame
 *      into which it has loaded that very page. Links are written by the writer alone, once linked.
 * (L2) A home is written only while the word names something else, and the word that then names the
 *      home has a generation not used before (2^30 of them). So a reader that loaded a home word,
 *      read the file and finds the same word, or exchanges it, has read what the word meant.
 * (L3) The bytes of a version whose LSN is at or below the commit LSN never change. Those of the open
 *      group's versions change, and readers, whose snapshots are older, follow the link past them.
 */
const SPILL_BASE = -0x40000000;
const GENERATION_MAX = 0x3fffffff;

export function frameLocation(frame: number): number {
  return frame + 1;
}

export function spillLocation(slot: number): number {
  return SPILL_BASE - slot;
}

export function isSpilled(location: number): boolean {
  return location <= SPILL_BASE;
}

export function spillSlotOf(location: number): number {
  return SPILL_BASE - location;
}

/** The home word of a generation; the writer counts generations. */
export function homeLocation(generation: number): number {
  return -(generation % GENERATION_MAX);
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
      : this.#memory.spillLsn[SPILL_BASE - location]!;
  }

  /** Location of the version before the one at a frame or slot, or 0. */
  previousOf(location: number): number {
    return location > 0
      ? Atomics.load(this.#memory.framePrevious, location - 1)
      : Atomics.load(this.#memory.spillPrevious, SPILL_BASE - location);
  }

  setPrevious(location: number, previous: number): void {
    if (location > 0) Atomics.store(this.#memory.framePrevious, location - 1, previous);
    else Atomics.store(this.#memory.spillPrevious, SPILL_BASE - location, previous);
  }
}
