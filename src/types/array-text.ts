/** Text form of arrays: `{1,2,NULL,"a b"}`, nested for more dimensions, and before it the bounds where
 * they are not from 1 on: `[0:1]={1,2}`. */
import { countWork, TextBuilder } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { ARRAY_ELEMENTS_MAX, mapElements, pushElement, tooManyElements } from './array-elements.ts';
import type { ArrayDatum, Datum } from './datum.ts';
import { INT4_MAX } from './integer.ts';
import { escapeQuotes } from './quoting.ts';
import { isSpace, skipSpace } from './scalar.ts';
import type { SqlType, TypeContext } from './sql-type.ts';

const DIMENSIONS_MAX = 6;

const COMMA = 44;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

function malformed(text: string, detail: string): Error {
  return pgError('invalid_text_representation', `malformed array literal: "${text}"`, { detail });
}

function tooManyDimensions(count: number): Error {
  return pgError(
    'program_limit_exceeded',
    `number of array dimensions (${count}) exceeds the maximum allowed (${DIMENSIONS_MAX})`,
  );
}

export function checkDimensionCount(count: number): void {
  if (count > DIMENSIONS_MAX) throw tooManyDimensions(count);
}

/** Checks the number of elements that dimensions announce. */
export function checkElementCount(dimensions: readonly number[]): number {
  let count = dimensions.length === 0 ? 0 : 1;
  for (const length of dimensions) count *= length;
  if (count > ARRAY_ELEMENTS_MAX) throw tooManyElements();
  return count;
}

/** Checks the size of an array and that its subscripts, and the one after the last, are integers. */
export function checkArrayShape(
  dimensions: readonly number[],
  lowerBounds: readonly number[],
): void {
  checkElementCount(dimensions);
  for (let i = 0; i < dimensions.length; i++) {
    const lower = lowerBounds[i]!;
    if (lower + dimensions[i]! <= INT4_MAX) continue;
    throw pgError('program_limit_exceeded', `array lower bound is too large: ${lower}`);
  }
}

export function parseArray(
  text: string,
  element: SqlType,
  context: TypeContext,
  typmod: number,
): ArrayDatum {
  const bounds = parseBounds(text);
  const body = new BodyParser(text.slice(bounds.end));
  body.parse();
  const dimensions = body.items.length === 0 ? [] : body.dimensions;
  if (bounds.lower !== null) {
    const matches =
      bounds.lengths.length === dimensions.length &&
      bounds.lengths.every((length, i) => length === dimensions[i]);
    if (!matches) {
      throw malformed(text, 'Specified array dimensions do not match array contents.');
    }
  }
  const lowerBounds = bounds.lower ?? dimensions.map(() => 1);
  checkArrayShape(dimensions, lowerBounds);
  return {
    elementType: element.oid,
    dimensions,
    lowerBounds,
    elements: mapElements(body.items, (item) =>
      item === null ? null : element.input(item, context, typmod),
    ),
  };
}

interface Bounds {
  readonly lower: readonly number[] | null;
  readonly lengths: readonly number[];
  /** Where the braces begin. */
  readonly end: number;
}

/** Reads `[l:u][l:u]…=`, where there is one, up to the opening brace. */
function parseBounds(text: string): Bounds {
  let at = skipSpace(text, 0);
  const lower: number[] = [];
  const lengths: number[] = [];
  while (text[at] === '[') {
    if (lower.length >= DIMENSIONS_MAX) throw tooManyDimensions(lower.length + 1);
    const match = /^\[([+-]?\d+)(?::([+-]?\d*))?/.exec(text.slice(at));
    if (match === null) {
      throw malformed(text, '"[" must introduce explicitly-specified array dimensions.');
    }
    if (match[2] === '') throw malformed(text, 'Missing array dimension value.');
    at += match[0].length;
    if (text[at] !== ']') throw malformed(text, 'Missing "]" after array dimensions.');
    at = skipSpace(text, at + 1);
    const first = match[2] === undefined ? 1 : Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) {
      throw pgError('array_subscript_error', 'upper bound cannot be less than lower bound');
    }
    lower.push(first);
    lengths.push(last - first + 1);
  }
  if (lower.length === 0) {
    if (text.charCodeAt(at) !== OPEN) {
      throw malformed(text, 'Array value must start with "{" or dimension information.');
    }
    return { lower: null, lengths, end: at };
  }
  if (text[at] !== '=') throw malformed(text, 'Missing "=" after array dimensions.');
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) !== OPEN) throw malformed(text, 'Array contents must start with "{".');
  return { lower, lengths, end: at };
}

/** What stands before the next character, which decides what it may be.
 *
 *   start    nothing            -> open
 *   open     `{`                -> open (nested), item, or close of the outermost
 *   item     an element         -> delimited, close
 *   close    `}` of a sub-array -> levelDelimited, close
 *   itemNext / levelNext        a delimiter after an element, after a sub-array
 */
type State = 'start' | 'open' | 'item' | 'close' | 'itemNext' | 'levelNext';

/** Reads everything from the first brace on; its text is also what its errors quote. */
class BodyParser {
  /** The texts of the elements, null for NULL. */
  readonly items: (string | null)[] = [];
  /** Length of each dimension, -1 until the first of its sub-arrays is closed. */
  readonly dimensions: number[] = [];
  private readonly counts: number[] = [];
  private state: State = 'start';
  private at = 0;
  private readonly text: string;
  /** Depth at which elements stand; all of them must stand there. */
  private itemDepth = 0;
  private uniform = true;

  constructor(text: string) {
    this.text = text;
  }

  parse(): void {
    const { text } = this;
    do {
      this.at = skipSpace(text, this.at);
      if (this.at >= text.length) throw malformed(text, 'Unexpected end of input.');
      const code = text.charCodeAt(this.at);
      if (code === OPEN) this.open();
      else if (code === CLOSE) this.close();
      else if (code === COMMA) this.delimit();
      else this.item();
    } while (this.counts.length > 0);
    if (skipSpace(text, this.at) < text.length) {
      throw malformed(text, 'Junk after closing right brace.');
    }
    if (!this.uniform) throw this.mismatch();
  }

  private unexpected(character: string): Error {
    return malformed(this.text, `Unexpected "${character}" character.`);
  }

  private mismatch(): Error {
    return malformed(
      this.text,
      'Multidimensional arrays must have sub-arrays with matching dimensions.',
    );
  }

  private open(): void {
    const { state, counts } = this;
    if (state !== 'start' && state !== 'open' && state !== 'levelNext') throw this.unexpected('{');
    if (counts.length >= DIMENSIONS_MAX) throw tooManyDimensions(counts.length + 1);
    counts.push(0);
    if (this.dimensions.length < counts.length) this.dimensions.push(-1);
    this.state = 'open';
    this.at++;
  }

  private close(): void {
    const { state, counts, dimensions } = this;
    const empty = state === 'open' && counts.length === 1;
    if (state !== 'item' && state !== 'close' && !empty) throw this.unexpected('}');
    const depth = counts.length - 1;
    const count = empty ? 0 : counts[depth]! + 1;
    if (dimensions[depth]! >= 0 && dimensions[depth] !== count) throw this.mismatch();
    dimensions[depth] = count;
    counts.pop();
    this.state = 'close';
    this.at++;
  }

  private delimit(): void {
    if (this.state !== 'item' && this.state !== 'close') throw this.unexpected(',');
    this.counts[this.counts.length - 1]!++;
    this.state = this.state === 'close' ? 'levelNext' : 'itemNext';
    this.at++;
  }

  private item(): void {
    if (this.state !== 'open' && this.state !== 'itemNext') {
      throw this.text.charCodeAt(this.at) === BACKSLASH
        ? this.unexpected('\\')
        : malformed(this.text, 'Unexpected array element.');
    }
    const depth = this.counts.length;
    if (this.itemDepth !== 0 && this.itemDepth !== depth) this.uniform = false;
    this.itemDepth = depth;
    const isQuoted = this.text.charCodeAt(this.at) === QUOTE;
    pushElement(this.items, isQuoted ? this.quotedItem() : this.plainItem());
    this.state = 'item';
  }

  private quotedItem(): string {
    const { text } = this;
    let value = '';
    let from = ++this.at;
    for (; ; this.at++) {
      countWork(1);
      if (this.at >= text.length) throw malformed(text, 'Unexpected end of input.');
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        value += text.slice(from, this.at);
        from = ++this.at;
      }
    }
    return value + text.slice(from, this.at++);
  }

  /** An item without quotes: ends at a delimiter or brace, without the blanks around it. */
  private plainItem(): string | null {
    const { text } = this;
    let value = '';
    let from = this.at;
    let keep = 0;
    let escaped = false;
    for (; ; this.at++) {
      countWork(1);
      if (this.at >= text.length) throw malformed(text, 'Unexpected end of input.');
      const code = text.charCodeAt(this.at);
      if (code === COMMA || code === CLOSE) break;
      if (code === OPEN) throw this.unexpected('{');
      if (code === QUOTE) throw malformed(text, 'Unexpected array element.');
      if (code === BACKSLASH) {
        value += text.slice(from, this.at);
        from = ++this.at;
        if (this.at >= text.length) throw malformed(text, 'Unexpected end of input.');
        keep = value.length + 1;
        escaped = true;
      }
    }
    value += text.slice(from, this.at);
    let end = value.length;
    while (end > keep && isSpace(value.charCodeAt(end - 1))) end--;
    value = value.slice(0, end);
    if (!escaped && isNullWord(value)) return null;
    return value;
  }
}

export function formatArray(array: ArrayDatum, element: SqlType, context: TypeContext): string {
  if (array.elements.length === 0) return '{}';
  const text = new TextBuilder();
  if (array.lowerBounds.some((bound) => bound !== 1)) {
    array.dimensions.forEach((length, i) => {
      const lower = array.lowerBounds[i] ?? 1;
      text.add(`[${lower}:${lower + length - 1}]`);
    });
    text.add('=');
  }
  formatLevel(array, element, context, 0, 0, array.elements.length, text);
  return text.toString();
}

/** One dimension: `count` elements from `start` on, in as many sub-arrays as it is long. */
function formatLevel(
  array: ArrayDatum,
  element: SqlType,
  context: TypeContext,
  dimension: number,
  start: number,
  count: number,
  text: TextBuilder,
): void {
  const length = array.dimensions[dimension]!;
  const isLast = dimension === array.dimensions.length - 1;
  const step = count / length;
  for (let i = 0; i < length; i++) {
    text.add(i === 0 ? '{' : ',');
    if (isLast) text.add(formatElement(array.elements[start + i] ?? null, element, context));
    else formatLevel(array, element, context, dimension + 1, start + i * step, step, text);
  }
  text.add('}');
}

/** Braces, quotes, backslashes, delimiters, and blanks as C knows them. */
const SPECIAL = /[{}",\\ \t\n\v\f\r]/;

function formatElement(value: Datum, element: SqlType, context: TypeContext): string {
  if (value === null) return 'NULL';
  const text = element.output(value, context);
  const quoted = text.length === 0 || isNullWord(text) || SPECIAL.test(text);
  return quoted ? `"${escapeQuotes(text, '\\$&')}"` : text;
}

function isNullWord(text: string): boolean {
  return text.length === 4 && text.toUpperCase() === 'NULL';
}
