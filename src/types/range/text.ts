import { pgError } from '../../errors/index.ts';
import type { Datum, RangeDatum } from '../datum.ts';
import { escapeQuotes } from '../quoting.ts';
import { isSpace } from '../scalar.ts';
import type { TypeContext } from '../sql-type.ts';
import { emptyRange, makeRange, type RangeKind } from './value.ts';

/** Text form of ranges: `[1,5)`, `(,"2024-01-01 00:00:00"]`, `empty`. */

const EMPTY = /^[ \t\n\v\f\r]*empty/i;

export function parseRange(text: string, kind: RangeKind, context: TypeContext): RangeDatum {
  const empty = EMPTY.exec(text);
  if (empty !== null) {
    if (skipSpaces(text, empty[0].length) < text.length) {
      throw malformed(text, 'Junk after "empty" key word.');
    }
    return emptyRange(kind);
  }
  const parser = new RangeParser(text);
  const lowerInclusive = parser.open();
  const lower = parser.bound();
  parser.comma();
  const upper = parser.bound();
  const upperInclusive = parser.close();
  const read = (bound: string | null): Datum =>
    bound === null ? null : kind.subtype.input(bound, context, -1);
  return makeRange(
    kind,
    { value: read(lower), inclusive: lowerInclusive, isLower: true },
    { value: read(upper), inclusive: upperInclusive, isLower: false },
  );
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function malformed(text: string, detail: string): Error {
  return pgError('invalid_text_representation', `malformed range literal: "${text}"`, { detail });
}

class RangeParser {
  private readonly text: string;
  private at: number;

  constructor(text: string) {
    this.text = text;
    this.at = skipSpaces(text, 0);
  }

  /** Reads the opening bracket; true where the range has its lower bound. */
  open(): boolean {
    const bracket = this.text[this.at++];
    if (bracket === '[' || bracket === '(') return bracket === '[';
    throw malformed(this.text, 'Missing left parenthesis or bracket.');
  }

  comma(): void {
    if (this.text[this.at++] !== ',')
      throw malformed(this.text, 'Missing comma after lower bound.');
  }

  /** Reads the closing bracket and what follows; true where the range has its upper bound. */
  close(): boolean {
    const bracket = this.text[this.at++];
    if (bracket === ',') throw malformed(this.text, 'Too many commas.');
    if (skipSpaces(this.text, this.at) < this.text.length) {
      throw malformed(this.text, 'Junk after right parenthesis or bracket.');
    }
    return bracket === ']';
  }

  /** Reads a bound up to the comma or bracket behind it; null where there is none. */
  bound(): string | null {
    const { text } = this;
    if (this.isAtEndOfBound()) return null;
    let bound = '';
    let quoted = false;
    while (quoted || !this.isAtEndOfBound()) {
      const character = this.take();
      if (character === '\\') bound += this.take();
      else if (character !== '"') bound += character;
      else if (quoted && text[this.at] === '"') bound += this.take();
      else quoted = !quoted;
    }
    return bound;
  }

  private isAtEndOfBound(): boolean {
    const character = this.text[this.at];
    return character === ',' || character === ')' || character === ']';
  }

  private take(): string {
    const character = this.text[this.at++];
    if (character === undefined) throw malformed(this.text, 'Unexpected end of input.');
    return character;
  }
}

export function formatRange(range: RangeDatum, kind: RangeKind, context: TypeContext): string {
  if (range.empty) return 'empty';
  const { lower, upper, lowerInclusive, upperInclusive } = range;
  const show = (bound: Datum): string =>
    bound === null ? '' : quoteBound(kind.subtype.output(bound, context));
  return `${lowerInclusive ? '[' : '('}${show(lower)},${show(upper)}${upperInclusive ? ']' : ')'}`;
}

const NEEDS_QUOTES = /^$|["\\()[\], \t\n\v\f\r]/;

function quoteBound(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${escapeQuotes(text, '$&$&')}"` : text;
}
