import type { PageNumber } from '../page/index.ts';

/** A set of page numbers, one bit per page; walks in ascending order, the order of the file. */
export class PageSet {
  #words = new Uint32Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(page: number): boolean {
    return ((this.#words[page >>> 5] ?? 0) & (1 << (page & 31))) !== 0;
  }

  add(page: number): void {
    const word = page >>> 5;
    if (word >= this.#words.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2));
      grown.set(this.#words);
      this.#words = grown;
    }
    const bits = this.#words[word]!;
    const bit = 1 << (page & 31);
    if ((bits & bit) !== 0) return;
    this.#words[word] = bits | bit;
    this.#size++;
  }

  addAll(pages: PageSet): void {
    for (const page of pages) this.add(page);
  }

  *[Symbol.iterator](): Generator<PageNumber, void, undefined> {
    const words = this.#words;
    for (let word = 0; word < words.length; word++) {
      let bits = words[word]!;
      while (bits !== 0) {
        const bit = bits & -bits;
        yield (word * 32 + 31 - Math.clz32(bit)) as PageNumber;
        bits ^= bit;
      }
    }
  }
}
