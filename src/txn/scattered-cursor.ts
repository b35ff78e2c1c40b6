import type { ScatteredEntries } from './scattered-entries.ts';
import type { KeyCursor } from './write-cursor.ts';

/** Walks the keys of a level of scattered changes in either direction. */
export class ScatteredCursor implements KeyCursor {
  readonly source: Int32Array;
  isValid = false;
  bytes: Uint8Array = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  isDeletion = false;
  private readonly entries: ScatteredEntries;
  /** Of the newest change of the key, which is the first. */
  private at = 0;

  constructor(entries: ScatteredEntries, level: Int32Array) {
    this.entries = entries;
    this.source = level;
  }

  first(): void {
    this.standOnFirst(0);
  }

  last(): void {
    this.standOnLast(this.source.length - 1);
  }

  seek(key: Uint8Array, start: number, end: number, isForward: boolean, exclusive: boolean): void {
    const { entries, source } = this;
    let low = 0;
    let high = source.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries.compareKey(source[middle]!, key, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    const isFound = low < source.length && entries.compareKey(source[low]!, key, start, end) === 0;
    if (isFound && !exclusive) this.standOnFirst(low);
    else if (!isForward) this.standOnLast(low - 1);
    else this.standOnFirst(isFound ? this.endOf(low) : low);
  }

  next(): void {
    this.standOnFirst(this.endOf(this.at));
  }

  prev(): void {
    this.standOnLast(this.at - 1);
  }

  /** Finds the newest change of the key that a command before `command` made. */
  findVersion(command: number): boolean {
    const { entries, source } = this;
    const end = this.endOf(this.at);
    for (let at = this.at; at < end; at++) {
      const number = source[at]!;
      if (command !== Number.POSITIVE_INFINITY && entries.commandOf(number) >= command) continue;
      this.bytes = entries.bytesOf(number);
      this.keyStart = entries.keyStartOf(number);
      this.keyEnd = entries.keyEndOf(number);
      this.valueStart = this.keyEnd;
      this.valueEnd = entries.valueEndOf(number);
      this.isDeletion = entries.isDeletion(number);
      return true;
    }
    return false;
  }

  /** Behind the last change of the key. */
  private endOf(at: number): number {
    const { entries, source } = this;
    const first = source[at]!;
    let end = at + 1;
    while (end < source.length && entries.isSameKey(first, source[end]!)) end++;
    return end;
  }

  private standOnFirst(at: number): void {
    this.at = at;
    this.isValid = at < this.source.length;
    if (this.isValid) this.expose();
  }

  private standOnLast(at: number): void {
    this.isValid = at >= 0;
    if (!this.isValid) return;
    const { entries, source } = this;
    let first = at;
    while (first > 0 && entries.isSameKey(source[first - 1]!, source[at]!)) first--;
    this.at = first;
    this.expose();
  }

  private expose(): void {
    const number = this.source[this.at]!;
    this.bytes = this.entries.bytesOf(number);
    this.keyStart = this.entries.keyStartOf(number);
    this.keyEnd = this.entries.keyEndOf(number);
  }
}

const NOTHING = new Uint8Array(0);
