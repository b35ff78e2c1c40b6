import { ByteWriter } from '../../base/index.ts';
import type { LiftedLiteral, LiftedText } from './literals.ts';

/** The rows of an INSERT … VALUES, taken out of its text.
 *
 * Most INSERTs of many rows have rows that differ in their literals alone, or that are of a few kinds. Of each kind one
 * row stays in the text, which is parsed, bound and planned; all rows go to the plan as bytes:
 *
 *   2 bytes kind of the row, counted from 0 in the order of the text, then for each literal of it
 *     4 bytes position in the whole text, in characters from 1
 *     4 bytes length, 0xffffffff for NULL, then the literal as text, in UTF-8
 *
 * Integers are little-endian.
 */
export interface LiftedRows {
  /** The statement with one row of each kind. Its literals are those of `LiftedText`. */
  readonly text: string;
  /** For each kind, its literals: from `start` up to before `end`. */
  readonly kinds: readonly LiteralRange[];
  readonly bytes: Uint8Array;
}

export interface LiteralRange {
  readonly start: number;
  readonly end: number;
}

export const NULL_LITERAL = 0xffff_ffff;

const KINDS_MAX = 64;
/** Rows that take more are left to the grammar, which refuses what is too long for it. */
const BYTES_MAX = 1 << 30;
/** What no text has: behind the shape of one whose rows were lifted. */
const ROWS_MARKER = '\u0005';

interface RowKind extends LiteralRange {
  readonly number: number;
  /** Where the row that stays stands in the text. */
  readonly textStart: number;
  readonly textEnd: number;
}

/** Hears of the parentheses and words of an INSERT, from its beginning. */
export class RowLifter {
  /** It is no list of rows that can be lifted. */
  isRefused = false;
  private readonly text: string;
  private readonly kinds = new Map<string, RowKind>();
  private phase: 'before' | 'rows' | 'after' = 'before';
  private depth = 0;
  private count = 0;
  /** Of the present row: in the text, in the shape, and its first literal. */
  private textStart = 0;
  private shapeStart = 0;
  private firstLiteral = 0;
  /** Where the last row ended, and where the last one that was kept did in the shape. */
  private textEnd = 0;
  private shapeEnd = 0;
  private bytes: ByteWriter | null = null;
  private characters: CharacterCount | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Hears of a word; whether it is a NULL that is a value of a row, from the second one on. */
  takesNull(start: number, end: number): boolean {
    const length = end - start;
    if (this.phase === 'before') {
      if (this.depth === 0 && length === 6 && this.is(start, end, 'values')) this.phase = 'rows';
    } else if (this.phase === 'rows') {
      if (this.depth === 0) this.phase = 'after';
      else if (this.depth === 1 && this.count > 0 && length === 4 && this.isValue(start, end)) {
        return this.is(start, end, 'null');
      }
    }
    return false;
  }

  /** Whether a parenthesis begins a row. */
  opens(): boolean {
    return this.depth++ === 0 && this.phase === 'rows';
  }

  /** Whether it ends one. */
  closes(): boolean {
    return --this.depth === 0 && this.phase === 'rows';
  }

  begin(at: number, shapeLength: number, literals: readonly LiftedLiteral[]): void {
    const before = this.text.slice(this.textEnd, at).trim();
    if (this.count > 0 && before !== ',') this.isRefused = true;
    if (this.count === 1) {
      this.bytes = new ByteWriter(1024);
      this.characters = new CharacterCount(this.text);
      this.encode(this.kinds.values().next().value!, literals, this.firstLiteral);
    }
    this.textStart = at;
    this.shapeStart = shapeLength;
    this.firstLiteral = literals.length;
  }

  /** Returns the shape, and cuts the literals, without the row where one of its kind stays. */
  end(at: number, shape: string, literals: LiftedLiteral[]): string {
    const key = shape.slice(this.shapeStart);
    const start = this.firstLiteral;
    let kind = this.kinds.get(key);
    const isKept = kind === undefined;
    if (kind === undefined) {
      const number = this.kinds.size;
      const { textStart } = this;
      kind = { number, start, end: literals.length, textStart, textEnd: at };
      this.kinds.set(key, kind);
      if (this.kinds.size > KINDS_MAX) this.isRefused = true;
    }
    if (this.count > 0) this.encode(kind, literals, start);
    this.count++;
    this.textEnd = at;
    if (isKept) {
      this.shapeEnd = shape.length;
      return shape;
    }
    literals.length = start;
    return shape.slice(0, this.shapeEnd);
  }

  /** The text without the rows; null when it has but one. */
  lifted(
    shape: string,
    literals: readonly LiftedLiteral[],
    parameterCount: number,
  ): LiftedText | null {
    if (this.bytes === null) return null;
    const kinds = [...this.kinds.values()];
    let text = this.text.slice(0, kinds[0]!.textStart);
    const moved: LiftedLiteral[] = [];
    const take = (from: number, to: number, textFrom: number): void => {
      const by = text.length - textFrom;
      for (const literal of literals.slice(from, to)) {
        moved.push({ ...literal, start: literal.start + by, end: literal.end + by });
      }
    };
    take(0, kinds[0]!.start, text.length);
    for (const kind of kinds) {
      if (kind.number > 0) text += ',';
      take(kind.start, kind.end, kind.textStart);
      text += this.text.slice(kind.textStart, kind.textEnd);
    }
    take(kinds.at(-1)!.end, literals.length, this.textEnd);
    text += this.text.slice(this.textEnd);
    return {
      shape: shape + ROWS_MARKER,
      literals: moved,
      parameterCount,
      rows: {
        text,
        kinds: kinds.map(({ start, end }) => ({ start, end })),
        bytes: this.bytes.written(),
      },
    };
  }

  private encode(kind: RowKind, literals: readonly LiftedLiteral[], first: number): void {
    const out = this.bytes!;
    if (out.position > BYTES_MAX) this.isRefused = true;
    out.u16le(kind.number);
    for (let i = first; i < first + kind.end - kind.start; i++) {
      const { start, text, isNull } = literals[i]!;
      out.u32le(this.characters!.before(start) + 1);
      const at = out.position;
      out.u32le(NULL_LITERAL);
      if (isNull === true) continue;
      out.utf8(text);
      out.view.setUint32(at, out.position - at - 4, true);
    }
  }

  private is(start: number, end: number, word: string): boolean {
    return this.text.slice(start, end).toLowerCase() === word;
  }

  /** Whether a word is all of a value: it stands between commas and parentheses. */
  private isValue(start: number, end: number): boolean {
    const { text } = this;
    let before = start - 1;
    while (text.charCodeAt(before) <= 32) before--;
    let after = end;
    while (text.charCodeAt(after) <= 32) after++;
    return (
      (text[before] === '(' || text[before] === ',') && (text[after] === ')' || text[after] === ',')
    );
  }
}

/** Counts the characters of a text before ever later indexes. */
class CharacterCount {
  private readonly text: string;
  private readonly hasPairs: boolean;
  private at = 0;
  private count = 0;

  constructor(text: string) {
    this.text = text;
    this.hasPairs = /[\ud800-\udbff]/.test(text);
  }

  before(index: number): number {
    if (!this.hasPairs) return index;
    for (; this.at < index; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code < 0xdc00 || code > 0xdfff) this.count++;
    }
    return this.count;
  }
}
