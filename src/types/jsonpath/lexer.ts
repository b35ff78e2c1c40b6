/** Words of a jsonpath text, by the rules of PostgreSQL's jsonpath_scan.l. */
import { pgError } from '../../errors/index.ts';

/** `word` is a name or keyword without quotes; `symbol` an operator or a special character. */
type TokenKind = 'word' | 'string' | 'variable' | 'integer' | 'decimal' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** What a word, string or variable says with its escapes replaced, or the text itself. */
  readonly text: string;
  /** What PostgreSQL's scanner has last read when it hands the token over, which errors show;
   * empty where they say "at end". */
  readonly shown: string;
}

const SPECIAL = '?%$.[]{}()|&!=<>@#,*:-+/';
const OTHER = '[^?%$.\\[\\]{}()|&!=<>@#,*:\\-+/\\\\" \\t\\n\\r\\f]';
const OPERATORS = ['&&', '||', '**', '<=', '==', '<>', '!=', '>='];
const OTHER_RUN = new RegExp(`${OTHER}+`, 'uy');
const INTEGER = '(?:0|[1-9][0-9]*)';
const DECIMAL = `(?:${INTEGER}\\.[0-9]*|\\.[0-9]+)`;
const BLANK = /[ \t\n\r\f]+/y;

/** The scanner's rules for what begins with a digit, or with a dot and one; the longest match counts,
 * of equals the first. */
const NUMBER_RULES: readonly (readonly [rule: RegExp, meaning: 'decimal' | 'integer' | string])[] =
  [
    [new RegExp(`(?:${DECIMAL}|${INTEGER})[Ee][-+]?[0-9]+`, 'y'), 'decimal'],
    [new RegExp(DECIMAL, 'y'), 'decimal'],
    [new RegExp(INTEGER, 'y'), 'integer'],
    [new RegExp(`(?:${DECIMAL}|${INTEGER})[Ee][-+]`, 'y'), 'invalid numeric literal'],
    [new RegExp(`${INTEGER}${OTHER}`, 'uy'), 'trailing junk after numeric literal'],
    [new RegExp(`${DECIMAL}${OTHER}`, 'uy'), 'trailing junk after numeric literal'],
    [
      new RegExp(`(?:${DECIMAL}|${INTEGER})[Ee][-+]?[0-9]+${OTHER}`, 'uy'),
      'trailing junk after numeric literal',
    ],
  ];

/** 42601 at a token, or at the end. */
export function jsonpathSyntaxError(message: string, shown: string) {
  const place = shown === '' ? 'at end' : `at or near "${shown}"`;
  return pgError('syntax_error', `${message} ${place} of jsonpath input`);
}

export class Lexer {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): Token {
    this.skipBlanks();
    const { text, at } = this;
    if (at >= text.length) return { kind: 'end', text: '', shown: '' };
    const character = text[at]!;
    if (character === '"') return this.quoted('string', at + 1);
    if (/[0-9]/.test(character) || /^\.[0-9]/.test(text.slice(at, at + 2))) return this.number();
    if (character === '$') return this.dollar();
    const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
    if (operator !== undefined) return this.symbol(operator);
    if (SPECIAL.includes(character)) return this.symbol(character);
    return this.word();
  }

  private skipBlanks(): void {
    for (;;) {
      this.at += matchAt(BLANK, this.text, this.at)?.length ?? 0;
      if (!this.text.startsWith('/*', this.at)) return;
      this.skipComment();
    }
  }

  private skipComment(): void {
    const end = this.text.indexOf('*/', this.at + 2);
    if (end < 0) throw jsonpathSyntaxError('unexpected end of comment', '');
    this.at = end + 2;
  }

  private symbol(text: string): Token {
    this.at += text.length;
    return { kind: 'symbol', text, shown: text };
  }

  private dollar(): Token {
    const { text, at } = this;
    if (text[at + 1] === '"') return this.quoted('variable', at + 2);
    const name = matchAt(OTHER_RUN, text, at + 1);
    if (name === undefined) return this.symbol('$');
    this.at = at + 1 + name.length;
    return { kind: 'variable', text: name, shown: `$${name}` };
  }

  private number(): Token {
    let longest = '';
    let meaning = '';
    for (const [rule, candidate] of NUMBER_RULES) {
      const match = matchAt(rule, this.text, this.at) ?? '';
      if (match.length <= longest.length) continue;
      longest = match;
      meaning = candidate;
    }
    const word = matchAt(OTHER_RUN, this.text, this.at) ?? '';
    if (word.length > longest.length) return this.word();
    if (meaning !== 'integer' && meaning !== 'decimal') throw jsonpathSyntaxError(meaning, longest);
    this.at += longest.length;
    return { kind: meaning, text: longest, shown: longest };
  }

  /** A name without quotes: up to a blank, a special character or a quote. PostgreSQL's scanner loses
   * a name that a comment follows at once, and so does this one. */
  private word(): Token {
    let value = '';
    while (this.at < this.text.length) {
      const run = matchAt(OTHER_RUN, this.text, this.at);
      if (run !== undefined) {
        value += run;
        this.at += run.length;
      } else if (this.text[this.at] === '\\') value += this.escape();
      else break;
    }
    if (this.text.startsWith('/*', this.at)) return this.next();
    return { kind: 'word', text: value, shown: matchAt(BLANK, this.text, this.at) ?? '' };
  }

  private quoted(kind: 'string' | 'variable', from: number): Token {
    this.at = from;
    let value = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) {
        throw jsonpathSyntaxError('unexpected end of quoted string', '');
      }
      if (character === '"') break;
      if (character === '\\') value += this.escape();
      else {
        value += character;
        this.at++;
      }
    }
    this.at++;
    return { kind, text: value, shown: '"' };
  }

  /** What the escape at the present place stands for. */
  private escape(): string {
    const letter = this.text[this.at + 1];
    if (letter === undefined) throw jsonpathSyntaxError('unexpected end after backslash', '\\');
    if (letter === 'u') return this.unicodeEscapes();
    if (letter === 'x') return this.hexEscape();
    const character = String.fromCodePoint(this.text.codePointAt(this.at + 1)!);
    this.at += 1 + character.length;
    return CONTROL_ESCAPES[character] ?? character;
  }

  private hexEscape(): string {
    const digits = matchAt(/[0-9A-Fa-f]{1,2}/y, this.text, this.at + 2) ?? '';
    if (digits.length < 2) {
      throw jsonpathSyntaxError('invalid hex character sequence', `\\x${digits}`);
    }
    this.at += 4;
    return unicodeCharacter(Number.parseInt(digits, 16));
  }

  /** A run of \uXXXX and \u{X…}, in which surrogates make pairs. */
  private unicodeEscapes(): string {
    const start = this.at;
    let value = '';
    let high = 0;
    while (this.text.startsWith('\\u', this.at)) {
      const found = matchAt(/\\u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\})/y, this.text, this.at);
      if (found === undefined) {
        const part = matchAt(/\\u(?:\{[0-9A-Fa-f]{0,6}|[0-9A-Fa-f]{0,3})/y, this.text, this.at);
        const shown = this.text.slice(start, this.at + (part?.length ?? 0));
        throw jsonpathSyntaxError('invalid unicode sequence', shown);
      }
      this.at += found.length;
      const code = Number.parseInt(found.replace(/[\\u{}]/g, ''), 16);
      if (code >= 0xd800 && code < 0xdc00) {
        if (high !== 0) throw invalidSurrogate('high surrogate must not follow a high surrogate');
        high = code;
        continue;
      }
      const isLow = code >= 0xdc00 && code < 0xe000;
      if (isLow !== (high !== 0)) throw missingHalf();
      value += isLow ? String.fromCharCode(high, code) : unicodeCharacter(code);
      high = 0;
    }
    if (high !== 0) throw missingHalf();
    return value;
  }
}

const CONTROL_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function matchAt(rule: RegExp, text: string, at: number): string | undefined {
  rule.lastIndex = at;
  return rule.exec(text)?.[0];
}

function unicodeCharacter(code: number): string {
  if (code === 0) {
    throw pgError('untranslatable_character', 'unsupported Unicode escape sequence', {
      detail: '\\u0000 cannot be converted to text.',
    });
  }
  if (code > 0x10ffff) throw pgError('syntax_error', 'invalid Unicode code point');
  return String.fromCodePoint(code);
}

function missingHalf() {
  return invalidSurrogate('low surrogate must follow a high surrogate');
}

function invalidSurrogate(rule: string) {
  return pgError('invalid_text_representation', 'invalid input syntax for type jsonpath', {
    detail: `Unicode ${rule}.`,
  });
}
