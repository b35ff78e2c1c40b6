/** LIKE and ILIKE. A pattern is compiled once and kept; the plain shapes (equal, prefix, suffix,
 * contains) need no matcher and work on stored bytes too. In collation C only ASCII has case. */

import { countWork, decodeUtf8 } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import { registerFunctions } from './implementations.ts';
import type { Scalars } from './order.ts';
import { asciiLower } from './text.ts';

/** A compiled LIKE pattern. */
interface LikeMatcher {
  matches(text: string): boolean;
  /** The same for UTF-8 bytes. */
  matchesBytes(bytes: Uint8Array, start: number, end: number): boolean;
  /** What every match begins with, for a range on an index; empty when that is nothing. */
  readonly prefix: string;
  /** True when the pattern has no wildcard: only `prefix` itself matches. */
  readonly exact: boolean;
}

const CACHE_SIZE_MAX = 256;
const CACHED_LENGTH_MAX = 4096;
const sensitive = new Map<string, LikeMatcher>();
const insensitive = new Map<string, LikeMatcher>();

/** The matcher of a pattern whose escape character is the backslash. */
export function likeMatcher(pattern: string, ignoreCase = false): LikeMatcher {
  const cache = ignoreCase ? insensitive : sensitive;
  let matcher = cache.get(pattern);
  if (matcher === undefined) {
    matcher = compile(pattern, ignoreCase);
    if (pattern.length > CACHED_LENGTH_MAX) return matcher;
    if (cache.size >= CACHE_SIZE_MAX) cache.clear();
    cache.set(pattern, matcher);
  }
  return matcher;
}

type Shape = 'equal' | 'prefix' | 'suffix' | 'contains' | 'general';

interface Analysis {
  readonly shape: Shape;
  /** The literal of a plain shape; for the general one, what the pattern begins with. */
  readonly literal: string;
}

function compile(pattern: string, ignoreCase: boolean): LikeMatcher {
  const { shape, literal } = analyze(pattern);
  const prefix = ignoreCase || shape === 'suffix' || shape === 'contains' ? '' : literal;
  const exact = shape === 'equal' && !ignoreCase;
  const folded = ignoreCase ? asciiLower(literal) : literal;
  const foldedPattern = ignoreCase ? asciiLower(pattern) : pattern;

  const matchText = textTest(shape, folded, foldedPattern);
  const matches = ignoreCase ? (text: string) => matchText(asciiLower(text)) : matchText;
  const matchesBytes =
    ignoreCase || shape === 'general'
      ? (bytes: Uint8Array, start: number, end: number) => matches(decodeUtf8(bytes, start, end))
      : bytesTest(shape, new TextEncoder().encode(literal));
  return { matches, matchesBytes, prefix, exact };
}

function analyze(pattern: string): Analysis {
  let literal = '';
  let at = 0;
  const leading = pattern.startsWith('%');
  while (pattern[at] === '%') at++;
  for (; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '%' || character === '_') break;
    if (character === '\\') {
      at++;
      if (at === pattern.length) return { shape: 'general', literal: '' };
    }
    literal += pattern.charAt(at);
  }
  const rest = pattern.slice(at);
  if (rest === '') return { shape: leading ? 'suffix' : 'equal', literal };
  if (/^%+$/.test(rest)) return { shape: leading ? 'contains' : 'prefix', literal };
  return { shape: 'general', literal: leading ? '' : literal };
}

function textTest(shape: Shape, literal: string, pattern: string): (text: string) => boolean {
  switch (shape) {
    case 'equal':
      return (text) => text === literal;
    case 'prefix':
      return (text) => text.startsWith(literal);
    case 'suffix':
      return (text) => text.endsWith(literal);
    case 'contains':
      return (text) => {
        countWork(text.length);
        return text.includes(literal);
      };
    case 'general':
      return (text) => matchFrom(text, 0, pattern, 0) === MATCH;
  }
}

function bytesTest(
  shape: Exclude<Shape, 'general'>,
  literal: Uint8Array,
): (bytes: Uint8Array, start: number, end: number) => boolean {
  const { length } = literal;
  switch (shape) {
    case 'equal':
      return (bytes, start, end) => end - start === length && equalAt(bytes, start, literal);
    case 'prefix':
      return (bytes, start, end) => end - start >= length && equalAt(bytes, start, literal);
    case 'suffix':
      return (bytes, start, end) => end - start >= length && equalAt(bytes, end - length, literal);
    case 'contains':
      return (bytes, start, end) => contains(bytes, start, end, literal);
  }
}

function equalAt(bytes: Uint8Array, at: number, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i++) if (bytes[at + i]! !== literal[i]!) return false;
  return true;
}

function contains(bytes: Uint8Array, start: number, end: number, literal: Uint8Array): boolean {
  countWork(end - start);
  const last = end - literal.length;
  if (literal.length === 0) return true;
  if (end - start > LONG) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).indexOf(literal) >= 0;
  }
  const first = literal[0]!;
  for (let at = start; at <= last; at++) {
    if (bytes[at]! === first && equalAt(bytes, at, literal)) return true;
  }
  return false;
}

/** Texts beyond this are searched by the engine, which is fast in the long run. */
const LONG = 1024;

const MATCH = 1;
const MISMATCH = 0;
/** The text ended before the pattern: no later start can match either. */
const EXHAUSTED = -1;

const PERCENT = 37;
const UNDERSCORE = 95;
const BACKSLASH = 92;

/** PostgreSQL's MatchText over UTF-16 code units; `_` takes a whole character. */
function matchFrom(
  text: string,
  textStart: number,
  pattern: string,
  patternStart: number,
): typeof MATCH | typeof MISMATCH | typeof EXHAUSTED {
  let t = textStart;
  let p = patternStart;
  while (t < text.length && p < pattern.length) {
    countWork(1);
    let unit = pattern.charCodeAt(p);
    if (unit === PERCENT) {
      p++;
      while (p < pattern.length) {
        const next = pattern.charCodeAt(p);
        countWork(1);
        if (next === UNDERSCORE) {
          if (t >= text.length) return EXHAUSTED;
          t += characterWidth(text, t);
        } else if (next !== PERCENT) break;
        p++;
      }
      if (p >= pattern.length) return MATCH;
      let first = pattern.charCodeAt(p);
      if (first === BACKSLASH) {
        if (p + 1 >= pattern.length) throw endsWithEscape();
        first = pattern.charCodeAt(p + 1);
      }
      for (; t < text.length; t++) {
        countWork(1);
        if (text.charCodeAt(t) !== first) continue;
        const matched = matchFrom(text, t, pattern, p);
        if (matched !== MISMATCH) return matched;
      }
      return EXHAUSTED;
    }
    if (unit === UNDERSCORE) {
      t += characterWidth(text, t);
      p++;
      continue;
    }
    if (unit === BACKSLASH) {
      p++;
      if (p >= pattern.length) throw endsWithEscape();
      unit = pattern.charCodeAt(p);
    }
    if (unit !== text.charCodeAt(t)) return MISMATCH;
    t++;
    p++;
  }
  if (t < text.length) return MISMATCH;
  while (p < pattern.length && pattern.charCodeAt(p) === PERCENT) p++;
  return p >= pattern.length ? MATCH : EXHAUSTED;
}

function characterWidth(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
}

function endsWithEscape() {
  return pgError('invalid_escape_sequence', 'LIKE pattern must not end with escape character');
}

/** Rewrites a pattern with another escape character (or none) to one with the backslash. */
function likeEscape(pattern: string, escapeCharacter: string): string {
  if (escapeCharacter === '') return pattern.replaceAll('\\', '\\\\');
  if (Array.from(escapeCharacter).length !== 1) throw invalidEscapeString();
  if (escapeCharacter === '\\') return pattern;
  let result = '';
  let escaped = false;
  for (const character of pattern) {
    if (character === escapeCharacter && !escaped) {
      result += '\\';
      escaped = true;
    } else if (character === '\\') {
      result += '\\';
      if (!escaped) result += '\\';
      escaped = false;
    } else {
      result += character;
      escaped = false;
    }
  }
  return result;
}

export function invalidEscapeString() {
  return pgError('invalid_escape_sequence', 'invalid escape string', {
    hint: 'Escape string must be empty or one character.',
  });
}

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

const like = (_c: unknown, text: string, pattern: string) => likeMatcher(pattern).matches(text);
const notLike = (_c: unknown, text: string, pattern: string) => !likeMatcher(pattern).matches(text);
const ilike = (_c: unknown, text: string, pattern: string) =>
  likeMatcher(pattern, true).matches(text);
const notIlike = (_c: unknown, text: string, pattern: string) =>
  !likeMatcher(pattern, true).matches(text);

const scalars: Scalars = {
  textlike: like,
  textnlike: notLike,
  namelike: like,
  namenlike: notLike,
  texticlike: ilike,
  texticnlike: notIlike,
  nameiclike: ilike,
  nameicnlike: notIlike,
  like_escape: (_c, pattern: string, escapeCharacter: string) =>
    likeEscape(pattern, escapeCharacter),
  // As characters of one byte each, so that `_` takes a byte.
  bytealike: (_c, bytes: Uint8Array, pattern: Uint8Array) =>
    likeMatcher(latin1(pattern)).matches(latin1(bytes)),
  byteanlike: (_c, bytes: Uint8Array, pattern: Uint8Array) =>
    !likeMatcher(latin1(pattern)).matches(latin1(bytes)),
  like_escape_bytea: (_c, pattern: Uint8Array, escapeByte: Uint8Array) =>
    Uint8Array.from(Buffer.from(likeEscape(latin1(pattern), latin1(escapeByte)), 'latin1')),
};

registerFunctions({ scalars });
