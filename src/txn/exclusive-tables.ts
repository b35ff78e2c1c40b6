import { SharedWords } from '../shm/index.ts';

/** Tables are spread over so many words by their oid; a false alarm costs a trip to the writer. */
const TABLE_WORDS = 63;

/** Which tables are, or are about to be, locked so that they may not even be read.
 *
 * Reading statements run without asking the lock table. They are safe but where somebody holds or
 * awaits ACCESS EXCLUSIVE, and these words, which the lock table's thread writes and the thread that
 * sends statements out reads, tell where that is. Word 0 counts such locks and requests in all, and
 * each of the others those of the tables that share it.
 *
 * The words are raised before the lock is granted and lowered after it is given up, so a statement
 * that is sent out on a zero was sent before the lock was granted, as if it had come before it: what
 * the holder changes is not visible before its commit, and a statement that takes its snapshot after
 * that finds its table changed and is planned again. One that sees a count goes to the writer and
 * queues there. Stores and loads are sequentially consistent; nothing else is published by them.
 */
export class ExclusiveTables {
  readonly #words: SharedWords;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new SharedWords(buffer);
  }

  static create(): SharedArrayBuffer {
    return SharedWords.create(1 + TABLE_WORDS);
  }

  /** Forgets the locks of a thread that is gone. */
  clear(): void {
    for (let word = 0; word <= TABLE_WORDS; word++) this.#words.store(word, 0);
  }

  raise(relation: number): void {
    this.#words.add(0, 1);
    this.#words.add(1 + (relation % TABLE_WORDS), 1);
  }

  lower(relation: number): void {
    this.#words.add(1 + (relation % TABLE_WORDS), -1);
    this.#words.add(0, -1);
  }

  /** Whether one of the tables may be locked. */
  concerns(tables: readonly { readonly oid: number }[]): boolean {
    if (this.#words.load(0) === 0) return false;
    return tables.some(({ oid }) => this.#words.load(1 + (oid % TABLE_WORDS)) !== 0);
  }
}
