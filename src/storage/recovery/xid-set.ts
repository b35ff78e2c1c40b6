const CHUNK_BITS = 15;
const CHUNK_SIZE = 1 << CHUNK_BITS;

/** A set of transaction ids. They are handed out in sequence, so a bit for each is small: the ids of
 * five million transactions take 640 KiB. */
export class XidSet {
  readonly #chunks = new Map<number, Uint32Array>();
  size = 0;

  add(xid: number): void {
    const index = Math.floor(xid / CHUNK_SIZE);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Uint32Array(CHUNK_SIZE / 32);
      this.#chunks.set(index, chunk);
    }
    const bit = xid % CHUNK_SIZE;
    chunk[bit >>> 5] = chunk[bit >>> 5]! | (1 << (bit & 31));
    this.size++;
  }

  has(xid: number): boolean {
    const chunk = this.#chunks.get(Math.floor(xid / CHUNK_SIZE));
    if (chunk === undefined) return false;
    const bit = xid % CHUNK_SIZE;
    return (chunk[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }
}
