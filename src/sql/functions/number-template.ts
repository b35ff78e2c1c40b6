/** The templates of to_char and to_number for numbers, parsed and kept. */

import { pgError } from '../../errors/index.ts';

export type TokenId =
  | ','
  | '.'
  | '0'
  | '9'
  | 'B'
  | 'C'
  | 'D'
  | 'EEEE'
  | 'FM'
  | 'G'
  | 'L'
  | 'MI'
  | 'PL'
  | 'PR'
  | 'RN'
  | 'SG'
  | 'SP'
  | 'S'
  | 'TH'
  | 'V';

type Token =
  | { readonly kind: 'action'; readonly id: TokenId; readonly lower: boolean }
  | { readonly kind: 'text'; readonly text: string };

/** What a format asks for, gathered over its tokens. */
export interface Description {
  readonly tokens: readonly Token[];
  pre: number;
  post: number;
  /** Digits behind V. */
  multiply: number;
  hasV: boolean;
  fill: boolean;
  zero: boolean;
  zeroStart: number;
  zeroEnd: number;
  decimal: boolean;
  blank: boolean;
  /** Where S writes the sign. */
  localeSign: 'none' | 'pre' | 'post';
  hasLocaleSign: boolean;
  preSignDigits: number;
  plus: boolean;
  minus: boolean;
  bracket: boolean;
  roman: boolean;
  exponent: boolean;
}

const TOKENS: readonly TokenId[] = [
  'EEEE',
  'FM',
  'MI',
  'PL',
  'PR',
  'RN',
  'SG',
  'SP',
  'TH',
  ',',
  '.',
  '0',
  '9',
  'B',
  'C',
  'D',
  'G',
  'L',
  'S',
  'V',
];

const CACHE_SIZE_MAX = 128;
const cache = new Map<string, Description>();

/** A fresh copy of the description: the steps below change it. */
export function describe(format: string): Description {
  let known = cache.get(format);
  if (known === undefined) {
    known = analyze(tokenize(format));
    if (cache.size >= CACHE_SIZE_MAX) cache.clear();
    cache.set(format, known);
  }
  return { ...known };
}

function tokenize(format: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < format.length) {
    const start = at;
    const id = TOKENS.find(
      (token) => format.startsWith(token, start) || format.startsWith(token.toLowerCase(), start),
    );
    if (id !== undefined) {
      const lower = !format.startsWith(id, at);
      tokens.push({ kind: 'action', id, lower });
      at += id.length;
    } else if (format[at] === '"') {
      at++;
      while (at < format.length && format[at] !== '"') {
        if (format[at] === '\\' && at + 1 < format.length) at++;
        at = pushCharacter(tokens, format, at);
      }
      at++;
    } else {
      if (format[at] === '\\' && format[at + 1] === '"') at++;
      at = pushCharacter(tokens, format, at);
    }
  }
  return tokens;
}

function pushCharacter(tokens: Token[], format: string, at: number): number {
  const text = String.fromCodePoint(format.codePointAt(at)!);
  tokens.push({ kind: 'text', text });
  return at + text.length;
}

function formatError(message: string) {
  return pgError('syntax_error', message);
}

function analyze(tokens: readonly Token[]): Description {
  const d: Description = {
    tokens,
    pre: 0,
    post: 0,
    multiply: 0,
    hasV: false,
    fill: false,
    zero: false,
    zeroStart: 0,
    zeroEnd: 0,
    decimal: false,
    blank: false,
    localeSign: 'none',
    hasLocaleSign: false,
    preSignDigits: 0,
    plus: false,
    minus: false,
    bracket: false,
    roman: false,
    exponent: false,
  };
  for (const token of tokens) if (token.kind === 'action') addToken(d, token.id);
  return d;
}

function addToken(d: Description, id: TokenId): void {
  if (d.exponent && id !== 'EEEE') throw formatError('"EEEE" must be the last pattern used');
  switch (id) {
    case '9':
      if (d.bracket) throw formatError('"9" must be ahead of "PR"');
      if (d.hasV) d.multiply++;
      else if (d.decimal) d.post++;
      else d.pre++;
      return;
    case '0':
      if (d.bracket) throw formatError('"0" must be ahead of "PR"');
      if (!d.zero && !d.decimal) {
        d.zero = true;
        d.zeroStart = d.pre + 1;
      }
      if (d.decimal) d.post++;
      else d.pre++;
      d.zeroEnd = d.pre + d.post;
      return;
    case 'B':
      if (d.pre === 0 && d.post === 0 && !d.zero) d.blank = true;
      return;
    case 'D':
    case '.':
      if (d.decimal) throw formatError('multiple decimal points');
      if (d.hasV) throw formatError('cannot use "V" and decimal point together');
      d.decimal = true;
      return;
    case 'FM':
      d.fill = true;
      return;
    case 'S':
      if (d.hasLocaleSign) throw formatError('cannot use "S" twice');
      if (d.plus || d.minus || d.bracket) {
        throw formatError('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
      }
      d.hasLocaleSign = true;
      if (d.decimal) d.localeSign = 'post';
      else {
        d.localeSign = 'pre';
        d.preSignDigits = d.pre;
      }
      return;
    case 'MI':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "MI" together');
      d.minus = true;
      return;
    case 'PL':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "PL" together');
      d.plus = true;
      return;
    case 'SG':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "SG" together');
      d.minus = true;
      d.plus = true;
      return;
    case 'PR':
      if (d.hasLocaleSign || d.plus || d.minus) {
        throw formatError('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      }
      d.bracket = true;
      return;
    case 'RN':
      d.roman = true;
      return;
    case 'V':
      if (d.decimal) throw formatError('cannot use "V" and decimal point together');
      d.hasV = true;
      return;
    case 'EEEE':
      if (d.exponent) throw formatError('cannot use "EEEE" twice');
      if (
        d.blank ||
        d.fill ||
        d.hasLocaleSign ||
        d.bracket ||
        d.minus ||
        d.plus ||
        d.roman ||
        d.hasV
      ) {
        throw pgError('syntax_error', '"EEEE" is incompatible with other formats', {
          detail: '"EEEE" may only be used together with digit and decimal point patterns.',
        });
      }
      d.exponent = true;
      return;
    default:
  }
}
