/** Tokens of JSON, with PostgreSQL's errors. */
import { countWork, TextBuilder } from '../../base/index.ts';
import { type JsonFault, jsonError } from './fault.ts';

export const TOKEN = {
  end: 0,
  objectStart: 1,
  objectEnd: 2,
  arrayStart: 3,
  arrayEnd: 4,
  comma: 5,
  colon: 6,
  string: 7,
  number: 8,
  true: 9,
  false: 10,
  null: 11,
} as const;

export type Token = (typeof TOKEN)[keyof typeof TOKEN];

const PUNCTUATION: ReadonlyMap<number, Token> = new Map([
  [0x7b, TOKEN.objectStart],
  [0x7d, TOKEN.objectEnd],
  [0x5b, TOKEN.arrayStart],
  [0x5d, TOKEN.arrayEnd],
  [0x2c, TOKEN.comma],
  [0x3a, TOKEN.colon],
]);

const WORDS: ReadonlyMap<string, Token> = new Map([
  ['true', TOKEN.true],
  ['false', TOKEN.false],
  ['null', TOKEN.null],
]);

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** What is done for a token, in units of work. */
const TOKEN_WORK = 8;
/** Strings count their work at every multiple of this. */
const PIECE = 1 << 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}/;

export class JsonLexer {
  readonly text: string;
  /** Whether strings are wanted: if not, their escapes are read over, whatever they stand for. */
  private readonly decode: boolean;
  token: Token = TOKEN.end;
  start = 0;
  end = 0;
  /** Where the token before this one ended. */
  previousEnd = 0;
  private decoded: string | undefined;

  constructor(text: string, decode: boolean) {
    this.text = text;
    this.decode = decode;
    this.next();
  }

  /** The value of a string token. */
  get string(): string {
    return this.decoded ?? this.text.slice(this.start + 1, this.end - 1);
  }

  /** The text of the token. */
  get source(): string {
    return this.text.slice(this.start, this.end);
  }

  next(): void {
    countWork(TOKEN_WORK);
    const { text } = this;
    let at = this.end;
    let code = text.charCodeAt(at);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++at);
    this.previousEnd = this.end;
    this.start = at;
    if (at >= text.length) {
      this.end = at;
      this.token = TOKEN.end;
    } else if (code === QUOTE) this.readString();
    else if (code === MINUS || isDigit(code)) this.readNumber();
    else this.readPunctuationOrWord(code);
  }

  fail(fault: JsonFault): never {
    throw jsonError(this.text, this.start, this.end, fault);
  }

  private failAt(end: number, fault: JsonFault): never {
    this.end = end;
    return this.fail(fault);
  }

  private readPunctuationOrWord(code: number): void {
    const mark = PUNCTUATION.get(code);
    if (mark !== undefined) {
      this.end = this.start + 1;
      this.token = mark;
      return;
    }
    const end = this.wordEnd(this.start);
    if (end === this.start) this.failAt(end + 1, 'invalidToken');
    this.end = end;
    const word = WORDS.get(this.source);
    if (word === undefined) this.fail('invalidToken');
    this.token = word;
  }

  private wordEnd(from: number): number {
    let at = from;
    while (at < this.text.length && isWordPart(this.text.charCodeAt(at))) at++;
    return at;
  }

  private readNumber(): void {
    let at = this.start;
    let valid = true;
    if (this.text.charCodeAt(at) === MINUS) at++;
    if (this.text.charCodeAt(at) === 48) at++;
    else {
      const digits = at;
      at = this.digitsEnd(at);
      valid = at > digits;
    }
    if (this.text.charCodeAt(at) === 46) {
      const digits = at + 1;
      at = this.digitsEnd(digits);
      valid &&= at > digits;
    }
    if ((this.text.charCodeAt(at) | 0x20) === 0x65) {
      at++;
      const sign = this.text.charCodeAt(at);
      const digits = sign === 43 || sign === MINUS ? at + 1 : at;
      at = this.digitsEnd(digits);
      valid &&= at > digits;
    }
    this.end = this.wordEnd(at);
    if (!valid || this.end !== at) this.fail('invalidToken');
    this.token = TOKEN.number;
  }

  private digitsEnd(from: number): number {
    let at = from;
    while (isDigit(this.text.charCodeAt(at))) at++;
    return at;
  }

  private readString(): void {
    const { text } = this;
    this.decoded = undefined;
    let at = this.start + 1;
    for (; at < text.length; at++) {
      if ((at & (PIECE - 1)) === 0) countWork(PIECE);
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.end = at + 1;
        this.token = TOKEN.string;
        return;
      }
      if (code < 32) this.failAt(at, 'unescaped');
      if (code === BACKSLASH) {
        this.readEscapedString(at);
        return;
      }
    }
    this.failAt(at, 'invalidToken');
  }

  /** Goes on with a string from its first escape. */
  private readEscapedString(from: number): void {
    const { text, decode } = this;
    const decoded = new TextBuilder();
    if (decode) decoded.add(text.slice(this.start + 1, from));
    let highSurrogate = 0;
    let at = from;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code < 32) this.failAt(at, 'unescaped');
      let piece = text[at]!;
      let unit = code;
      if (code === BACKSLASH) {
        at++;
        if (at >= text.length) break;
        if (text[at] === 'u') {
          at = this.hexEnd(at + 1) - 1;
          unit = Number.parseInt(text.slice(at - 3, at + 1), 16);
          piece = String.fromCharCode(unit);
        } else {
          if (highSurrogate !== 0) this.failAt(at + 1, 'lowSurrogate');
          piece = this.shortEscape(at);
          unit = 0x20;
        }
        if (decode) highSurrogate = this.checkUnit(unit, highSurrogate, at + 1);
      } else if (highSurrogate !== 0) {
        this.failAt(at + characterLength(text, at), 'lowSurrogate');
      } else if (code === QUOTE) {
        this.decoded = decoded.toString();
        this.end = at + 1;
        this.token = TOKEN.string;
        return;
      }
      if (decode) decoded.add(piece);
      else countWork(1);
      at++;
    }
    this.failAt(text.length, 'invalidToken');
  }

  private shortEscape(at: number): string {
    const escaped = ESCAPES.get(this.text[at]!);
    if (escaped !== undefined) return escaped;
    this.start = at;
    return this.failAt(at + characterLength(this.text, at), 'escape');
  }

  /** The end of the four digits of a \u escape. */
  private hexEnd(from: number): number {
    const { text } = this;
    if (FOUR_HEX_DIGITS.test(text.slice(from, from + 4))) return from + 4;
    let at = from;
    while (at < text.length && isHexDigit(text.charCodeAt(at))) at++;
    if (at >= text.length) this.failAt(at, 'invalidToken');
    return this.failAt(at + characterLength(text, at), 'unicodeEscape');
  }

  /** Checks a decoded UTF-16 unit against the one before it; gives it back when it is a high
   * surrogate, which needs a low one after it, else 0. */
  private checkUnit(unit: number, highSurrogate: number, end: number): number {
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (highSurrogate !== 0) this.failAt(end, 'highSurrogate');
      return unit;
    }
    const isLow = unit >= 0xdc00 && unit < 0xe000;
    if (isLow !== (highSurrogate !== 0)) this.failAt(end, 'lowSurrogate');
    if (unit === 0) this.failAt(end, 'zero');
    return 0;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isHexDigit(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 97 && (code | 0x20) <= 102);
}

/** What PostgreSQL takes as part of a word in its errors: letters, digits, _ and all beyond ASCII. */
function isWordPart(code: number): boolean {
  const letter = code | 0x20;
  return code >= 0x80 || isDigit(code) || (letter >= 97 && letter <= 122) || code === 0x5f;
}

function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
