import { ByteWriter } from '../../../base/index.ts';
import type { Cursor } from '../../../storage/index.ts';
import type { Datum } from '../../../types/index.ts';
import type { FunctionContext } from '../../functions/index.ts';
import type { ExecutionEnvironment } from '../environment.ts';
import type { Reference } from './reference.ts';
import type { ForeignKeyServices, ForeignKeyWork } from './services.ts';

/** A row of the child. */
export interface ChildRow {
  readonly key: Uint8Array;
  readonly tuple: Uint8Array;
}

/** What the search asks of the statement that it is a part of. */
export type SearchEnvironment = Pick<
  ExecutionEnvironment,
  'functions' | 'shouldPause' | 'checkInterrupts'
>;

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 256;

/** Finds the rows of the child that refer to a key of the parent, some at a time, as the newest
 * commit and the transaction's own earlier commands left them. By an index over the referencing
 * columns if there is one; otherwise the table is read. */
export class ChildSearch {
  readonly #services: ForeignKeyServices;
  readonly #environment: SearchEnvironment;
  readonly #reference: Reference;
  readonly #key: readonly Datum[];
  /** What entries of the index begin with; null where the table is read. */
  readonly #prefix: Uint8Array | null;
  /** The commit as of which the last rows were read. */
  seenAt = 0;
  /** Key of the last entry looked at, empty before the first. */
  #place: Uint8Array = NOTHING;
  #isDone = false;

  constructor(
    services: ForeignKeyServices,
    environment: SearchEnvironment,
    reference: Reference,
    key: readonly Datum[],
  ) {
    this.#services = services;
    this.#environment = environment;
    this.#reference = reference;
    this.#key = key;
    this.#prefix = null;
    if (reference.childIndex === null) return;
    const out = new ByteWriter(64);
    if (reference.encodeChildPrefix(key, environment.functions, out)) this.#prefix = out.copy();
    else this.#isDone = true;
  }

  /** The next rows, at most `limit`; none when there are no more. */
  *next(limit: number): ForeignKeyWork<ChildRow[]> {
    const rows: ChildRow[] = [];
    if (this.#isDone) return rows;
    const { childIndex, child } = this.#reference;
    const tree = childIndex === null || childIndex.clustered ? child.tree : childIndex.tree;
    const services = this.#services;
    this.seenAt = services.newestCommit;
    const cursor = services.cursorAt(tree, this.seenAt, 'earlier');
    const lookup =
      tree === child.tree ? null : services.cursorAt(child.tree, this.seenAt, 'earlier');
    try {
      let found = this.#begin(cursor);
      for (let looked = 1; found && this.#isInside(cursor); looked++) {
        this.#add(rows, cursor, lookup);
        if (rows.length === limit) {
          this.#place = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
          return rows;
        }
        if (looked % ROWS_PER_LOOK === 0 && this.#isTimeUp()) {
          yield 'pause';
          cursor.refresh();
        }
        found = cursor.next();
      }
      this.#isDone = true;
      return rows;
    } finally {
      services.closeCursor(cursor);
      if (lookup !== null) services.closeCursor(lookup);
    }
  }

  #begin(cursor: Cursor): boolean {
    if (this.#place.length > 0) return cursor.seek(this.#place, this.#place.length, 'gt');
    const prefix = this.#prefix;
    return prefix === null ? cursor.first() : cursor.seek(prefix, prefix.length, 'ge');
  }

  #isInside(cursor: Cursor): boolean {
    return this.#prefix === null || startsWith(cursor, this.#prefix);
  }

  #isTimeUp(): boolean {
    this.#environment.checkInterrupts();
    return this.#environment.shouldPause();
  }

  #add(rows: ChildRow[], cursor: Cursor, lookup: Cursor | null): void {
    let row = cursor;
    if (lookup !== null) {
      const { valueBytes, valueStart, valueEnd } = cursor;
      const key = valueBytes.subarray(valueStart, valueEnd);
      if (!lookup.seek(key, key.length, 'ge')) return;
      row = lookup;
    }
    const { valueBytes, valueStart, valueEnd, keyBytes, keyStart, keyEnd } = row;
    const { functions } = this.#environment;
    if (!this.#reference.refersTo(valueBytes, valueStart, this.#key, functions)) return;
    rows.push({
      key: keyBytes.slice(keyStart, keyEnd),
      tuple: valueBytes.slice(valueStart, valueEnd),
    });
  }
}

/** Whether an index says at once that no row of the child refers to a key of the parent. `cursor` is
 * on the index and shows the transaction's own changes too. */
export function hasNoEntry(
  cursor: Cursor,
  reference: Reference,
  key: readonly Datum[],
  context: FunctionContext,
): boolean {
  const prefix = new ByteWriter(64);
  if (!reference.encodeChildPrefix(key, context, prefix)) return true;
  const bytes = prefix.bytes.subarray(0, prefix.position);
  return !cursor.seek(bytes, bytes.length, 'ge') || !startsWith(cursor, bytes);
}

function startsWith(cursor: Cursor, prefix: Uint8Array): boolean {
  const { keyBytes, keyStart, keyEnd } = cursor;
  if (keyEnd - keyStart < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (keyBytes[keyStart + i] !== prefix[i]) return false;
  return true;
}

const NOTHING = new Uint8Array(0);
