import { hashBytes, hashString } from '../base/index.ts';
import { SharedWords } from '../shm/index.ts';

/** Tables, and rows, are spread over so many words by their hash; two that share a word disturb one
 * another no more than by a trip to the writer. Powers of two. */
const TABLE_WORDS = 256;
const ROW_WORDS = 65_536;

const CATALOG_VERSION = 0;
const HOSTED = 1;
const STRONG_TABLES = 2;
const USED_TABLES = STRONG_TABLES + TABLE_WORDS;
const HELD_ROWS = USED_TABLES + TABLE_WORDS;
const LOCKED_ROWS = HELD_ROWS + ROW_WORDS;
const WORD_COUNT = LOCKED_ROWS + ROW_WORDS;

/** What the main thread and the lock table tell one another, so that the main thread can lock rows and
 * tables for a transaction without asking the lock table. The idea is PostgreSQL's (fast-path locking,
 * src/backend/storage/lmgr/README): who takes a weak lock leaves a mark and looks whether anybody is
 * interested in a strong one; who wants a strong one says so and looks for marks.
 *
 *   words          written by             what it says
 *   catalog        writer                 version of the catalog that was committed last
 *   hosted         main                   how many transactions the main thread has
 *   strong tables  writer                 locks and requests of SHARE and above on tables of this hash
 *   used tables    main adds, both take   transactions of the main thread that change such tables
 *   held rows      main sets, both clear  session of the main thread that has locked a row of this hash
 *   locked rows    writer                 rows of this hash that the lock table has entries for
 *
 * All are Atomics operations, in one total order.
 *
 * (F1) At most one side has a row. The main thread stores its mark, then loads `locked rows`; the writer
 *      adds to `locked rows`, then loads the mark. Whichever comes second in the total order sees the
 *      other: the main thread then takes its mark back; the writer keeps its request waiting until the mark
 *      is gone, or the main thread has handed the transaction over. If both come second for each other, both
 *      give way, and the writer, whose request stays, has it.
 * (F2) The same goes for tables: `used tables` against `strong tables`.
 * (F3) A transaction that is handed over has its locks in the lock table, and so in `locked rows`, before
 *      the writer clears its marks; so in between nobody finds the row free.
 * (F4) The writer stores the catalog's version before it lets go of the locks under which the catalog was
 *      changed, by lowering `strong tables`. A main thread that finds `strong tables` zero after marking
 *      a table sees the version of all changes that were made under such locks, and can tell whether
 *      it has heard of them.
 * (F5) A row that goes from one transaction of the main thread to another is marked all the time: one store puts
 *      the one session in the place of the other. The writer, which may have read either of them and asked
 *      for that session's transaction, looks at the mark again when it has been told that it was handed over.
 *      Who gets the row loads `locked rows` after the store, as in F1, and gives it back where the writer wants it.
 */
export class FastPathWords {
  readonly #words: SharedWords;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new SharedWords(buffer);
  }

  static create(): SharedArrayBuffer {
    return SharedWords.create(WORD_COUNT);
  }

  // ---------------------------------------------------------------- the main thread's part

  get catalogVersion(): number {
    return this.#words.load(CATALOG_VERSION);
  }

  set hostedCount(count: number) {
    this.#words.store(HOSTED, count);
  }

  /** Marks a table as changed by one more transaction; false when somebody wants it for himself. */
  useTable(relation: number): boolean {
    const word = tableWord(relation);
    this.#words.add(USED_TABLES + word, 1);
    if (this.#words.load(STRONG_TABLES + word) === 0) return true;
    this.#words.add(USED_TABLES + word, -1);
    return false;
  }

  /** Marks a row as locked by a session; false when the lock table, or another session here, has it or
   * one of the same hash. */
  holdRow(word: number, session: number): boolean {
    const holder = this.#words.load(HELD_ROWS + word);
    if (holder === session) return true;
    return holder === 0 && this.passRow(word, 0, session);
  }

  /** Marks a row as another session's, where it was `from`'s (0: nobody's); false when it was not, or the
   * lock table wants it. */
  passRow(word: number, from: number, to: number): boolean {
    if (this.#words.load(HELD_ROWS + word) !== from) return false;
    this.#words.store(HELD_ROWS + word, to);
    if (this.#words.load(LOCKED_ROWS + word) === 0) return true;
    this.#words.store(HELD_ROWS + word, from);
    return false;
  }

  /** Gives a row back to the session that it was taken over from. */
  returnRow(word: number, to: number): void {
    this.#words.store(HELD_ROWS + word, to);
  }

  /** Takes a session's mark away; true when the lock table waits for that. */
  releaseRow(word: number, session: number): boolean {
    if (this.#words.load(HELD_ROWS + word) !== session) return false;
    this.#words.store(HELD_ROWS + word, 0);
    return this.#words.load(LOCKED_ROWS + word) !== 0;
  }

  /** Ends the use of a table by a transaction; true when the lock table waits for that. */
  releaseTable(relation: number): boolean {
    const word = tableWord(relation);
    this.#words.add(USED_TABLES + word, -1);
    return this.#words.load(STRONG_TABLES + word) !== 0;
  }

  /** Whether `holdRow` would succeed now. */
  isRowFree(word: number, session: number): boolean {
    const holder = this.#words.load(HELD_ROWS + word);
    if (holder === session) return true;
    return holder === 0 && this.#words.load(LOCKED_ROWS + word) === 0;
  }

  /** The session of the main thread that has marked a row of this hash, or 0. */
  rowHolder(word: number): number {
    return this.#words.load(HELD_ROWS + word);
  }

  // ---------------------------------------------------------------- the writer's part

  /** Takes away the mark of a table, and of a row, that have come into the lock table. */
  freeTable(relation: number): void {
    this.#words.add(USED_TABLES + tableWord(relation), -1);
  }

  freeRow(word: number): void {
    this.#words.store(HELD_ROWS + word, 0);
  }

  /** Whether transactions of the main thread may be changing the table. */
  isTableUsed(relation: number): boolean {
    return this.#words.load(USED_TABLES + tableWord(relation)) !== 0;
  }

  get hostedCount(): number {
    return this.#words.load(HOSTED);
  }

  publishCatalog(version: number): void {
    this.#words.store(CATALOG_VERSION, version);
  }

  /** A lock that keeps changes away is asked for; true when transactions of the main thread may be
   * changing the table. */
  raiseTable(relation: number): boolean {
    this.#words.add(STRONG_TABLES + tableWord(relation), 1);
    return this.isTableUsed(relation);
  }

  lowerTable(relation: number): void {
    this.#words.add(STRONG_TABLES + tableWord(relation), -1);
  }

  /** The lock table makes an entry for a row. Returns the session of the main thread that has marked the
   * row, or one of the same hash; 0 when none has. */
  raiseRow(word: number): number {
    this.#words.add(LOCKED_ROWS + word, 1);
    return this.#words.load(HELD_ROWS + word);
  }

  lowerRow(word: number): void {
    this.#words.add(LOCKED_ROWS + word, -1);
  }

  /** Whether the lock table has an entry for a row of this hash. */
  isRowLocked(word: number): boolean {
    return this.#words.load(LOCKED_ROWS + word) !== 0;
  }
}

function tableWord(relation: number): number {
  return relation & (TABLE_WORDS - 1);
}

/** The word of a row, by its name in the lock table. */
export function rowWord(tag: string): number {
  return wordOfHash(hashString(tag));
}

/** The same of a row that has yet to be named: `treeName` is what the names of its tree begin with. */
export function rowWordOfKey(
  treeName: string,
  key: Uint8Array,
  start: number,
  end: number,
): number {
  return wordOfHash(hashBytes(key, start, end, hashString(treeName)));
}

function wordOfHash(hash: number): number {
  return (hash ^ (hash >>> 16)) & (ROW_WORDS - 1);
}
