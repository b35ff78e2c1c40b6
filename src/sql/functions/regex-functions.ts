/** The SQL functions and operators on regular expressions, and SIMILAR TO. */

import { checkInterrupt } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  characterCount,
  characterOffset,
  type Datum,
  OID,
} from '../../types/index.ts';
import type { SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { invalidEscapeString } from './like.ts';
import type { Scalars } from './order.ts';
import { compileRegex, type Regex, type RegexMatch } from './regex.ts';
import { DEFAULT_OPTIONS, type RegexOptions, withOption } from './regex-parse.ts';

const IGNORE_CASE: RegexOptions = { ...DEFAULT_OPTIONS, ignoreCase: true };

interface Flags {
  readonly options: RegexOptions;
  readonly global: boolean;
}

function parseFlags(flags: string): Flags {
  let options = DEFAULT_OPTIONS;
  let global = false;
  for (const letter of flags) {
    if (letter === 'g') {
      global = true;
      continue;
    }
    const changed = withOption(options, letter);
    if (changed === undefined) {
      throw pgError('invalid_parameter_value', `invalid regular expression option: "${letter}"`);
    }
    options = changed;
  }
  return { options, global };
}

/** Flags of a function that has no global form. */
function parseFlagsOf(name: string, flags: string): RegexOptions {
  const { options, global } = parseFlags(flags);
  if (global) {
    throw pgError('invalid_parameter_value', `${name}() does not support the "global" option`);
  }
  return options;
}

function invalidParameter(name: string, value: number) {
  return pgError('invalid_parameter_value', `invalid value for parameter "${name}": ${value}`);
}

/** All matches from an offset on. `skipDegenerate` leaves out empty matches at the start, at the
 * end and right after another match, which would split nothing. */
function* allMatches(
  regex: Regex,
  text: string,
  from: number,
  skipDegenerate: boolean,
): Generator<RegexMatch> {
  let previousEnd = 0;
  let at = from;
  let count = 0;
  while (at <= text.length) {
    if ((++count & 0xfff) === 0) checkInterrupt();
    const match = regex.exec(text, at);
    if (match === null) return;
    const degenerate = match.start >= text.length || match.end <= previousEnd;
    if (!skipDegenerate || !degenerate) yield match;
    previousEnd = match.end;
    at = match.start === match.end ? nextCharacter(text, match.end) : match.end;
  }
}

function nextCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return at + (unit >= 0xd800 && unit < 0xdc00 ? 2 : 1);
}

function textArray(elements: readonly Datum[]): ArrayDatum {
  return elements.length === 0
    ? { elementType: OID.text, dimensions: [], lowerBounds: [], elements }
    : { elementType: OID.text, dimensions: [elements.length], lowerBounds: [1], elements };
}

/** The groups of a match, or the whole match when the expression has none. */
function groupsOf(regex: Regex, match: RegexMatch): ArrayDatum {
  const { groups } = match;
  if (regex.captureCount === 0) return textArray([groups[0]!]);
  return textArray(Array.from({ length: regex.captureCount }, (_, i) => groups[i + 1] ?? null));
}

function regexpMatch(text: string, pattern: string, flags: string): Datum {
  const { options, global } = parseFlags(flags);
  if (global) {
    throw pgError(
      'invalid_parameter_value',
      'regexp_match() does not support the "global" option',
      {
        hint: 'Use the regexp_matches function instead.',
      },
    );
  }
  const regex = compileRegex(pattern, options);
  const match = regex.exec(text, 0);
  return match === null ? null : groupsOf(regex, match);
}

function* regexpMatches(text: string, pattern: string, flags: string): Generator<Datum> {
  const { options, global } = parseFlags(flags);
  const regex = compileRegex(pattern, options);
  for (const match of allMatches(regex, text, 0, false)) {
    yield groupsOf(regex, match);
    if (!global) return;
  }
}

function* regexpSplit(text: string, pattern: string, options: RegexOptions): Generator<string> {
  const regex = compileRegex(pattern, options);
  let from = 0;
  for (const match of allMatches(regex, text, 0, true)) {
    yield text.slice(from, match.start);
    from = match.end;
  }
  yield text.slice(from);
}

/** The first group of the first match, or the match when there is no group. */
function regexSubstring(text: string, pattern: string): Datum {
  const regex = compileRegex(pattern);
  const match = regex.exec(text, 0);
  if (match === null) return null;
  return match.groups[regex.captureCount > 0 ? 1 : 0] ?? null;
}

/** Replaces the nth match from a character position on; all of them when n is 0. */
function replace(
  text: string,
  pattern: string,
  replacement: string,
  start: number,
  n: number,
  options: RegexOptions,
): string {
  const regex = compileRegex(pattern, options);
  let result = '';
  let from = 0;
  let count = 0;
  for (const match of allMatches(regex, text, characterOffset(text, start - 1), false)) {
    count++;
    if (n > 0 && count < n) continue;
    result += text.slice(from, match.start) + expand(replacement, match);
    from = match.end;
    if (n > 0) break;
  }
  return result + text.slice(from);
}

/** Puts the groups of a match where a replacement names them: \1 .. \9, \& for the whole. */
function expand(replacement: string, match: RegexMatch): string {
  if (!replacement.includes('\\')) return replacement;
  return replacement.replace(/\\([1-9&\\])/g, (_whole, what: string) => {
    if (what === '\\') return '\\';
    return match.groups[what === '&' ? 0 : Number(what)] ?? '';
  });
}

function regexpReplace(text: string, pattern: string, replacement: string, flags: string): string {
  if (/^[0-9]/.test(flags)) {
    throw pgError(
      'invalid_parameter_value',
      `invalid regular expression option: "${Array.from(flags)[0]}"`,
      {
        hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
      },
    );
  }
  const { options, global } = parseFlags(flags);
  return replace(text, pattern, replacement, 1, global ? 0 : 1, options);
}

function regexpReplaceExtended(
  text: string,
  pattern: string,
  replacement: string,
  start: number,
  n: number,
  flags: string,
): string {
  if (start <= 0) throw invalidParameter('start', start);
  if (n < 0) throw invalidParameter('n', n);
  return replace(text, pattern, replacement, start, n, parseFlags(flags).options);
}

function regexpCount(text: string, pattern: string, start: number, flags: string): number {
  if (start <= 0) throw invalidParameter('start', start);
  const regex = compileRegex(pattern, parseFlagsOf('regexp_count', flags));
  if (start > characterCount(text) + 1) return 0;
  let count = 0;
  for (const _ of allMatches(regex, text, characterOffset(text, start - 1), false)) count++;
  return count;
}

/** The nth match from a character position on, or null. */
function nthMatch(regex: Regex, text: string, start: number, n: number): RegexMatch | null {
  if (start > characterCount(text) + 1) return null;
  let count = 0;
  for (const match of allMatches(regex, text, characterOffset(text, start - 1), false)) {
    if (++count === n) return match;
  }
  return null;
}

function regexpInstr(
  text: string,
  pattern: string,
  start: number,
  n: number,
  endOption: number,
  flags: string,
  group: number,
): number {
  if (start <= 0) throw invalidParameter('start', start);
  if (n <= 0) throw invalidParameter('n', n);
  if (endOption !== 0 && endOption !== 1) throw invalidParameter('endoption', endOption);
  const options = parseFlagsOf('regexp_instr', flags);
  if (group < 0) throw invalidParameter('subexpr', group);
  const regex = compileRegex(pattern, options);
  if (group > regex.captureCount) return 0;
  const bounds = nthMatch(regex, text, start, n)?.groupBounds(group);
  if (bounds === undefined) return 0;
  return characterCount(text.slice(0, bounds[endOption])) + 1;
}

function regexpSubstr(
  text: string,
  pattern: string,
  start: number,
  n: number,
  flags: string,
  group: number,
): Datum {
  if (start <= 0) throw invalidParameter('start', start);
  if (n <= 0) throw invalidParameter('n', n);
  const options = parseFlagsOf('regexp_substr', flags);
  if (group < 0) throw invalidParameter('subexpr', group);
  const regex = compileRegex(pattern, options);
  if (group > regex.captureCount) return null;
  return nthMatch(regex, text, start, n)?.groups[group] ?? null;
}

/** Rewrites a SIMILAR TO pattern as an ARE. Two escaped double quotes mark the part that
 * `substring(… similar … escape …)` returns. */
function similarToRegex(pattern: string, escapeCharacter: string): string {
  if (Array.from(escapeCharacter).length > 1) throw invalidEscapeString();
  let result = '^(?:';
  let escaped = false;
  let inBrackets = false;
  let quotes = 0;
  for (const character of pattern) {
    if (escaped) {
      if (character === '"' && !inBrackets) {
        if (quotes === 0) result += '){1,1}?(';
        else if (quotes === 1) result += '){1,1}(?:';
        else {
          throw pgError(
            'invalid_use_of_escape_character',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          );
        }
        quotes++;
      } else result += `\\${character}`;
      escaped = false;
    } else if (character === escapeCharacter) escaped = true;
    else if (inBrackets) {
      result += character === '\\' ? '\\\\' : character;
      if (character === ']') inBrackets = false;
    } else if (character === '[') {
      result += '[';
      inBrackets = true;
    } else if (character === '%') result += '.*';
    else if (character === '_') result += '.';
    else if (character === '(') result += '(?:';
    else if ('\\.^$'.includes(character)) result += `\\${character}`;
    else result += character;
  }
  return `${result})$`;
}

const matches =
  (options: RegexOptions, wanted: boolean) => (_c: unknown, text: string, pattern: string) =>
    compileRegex(pattern, options).test(text) === wanted;

const scalars: Scalars = {
  textregexeq: matches(DEFAULT_OPTIONS, true),
  textregexne: matches(DEFAULT_OPTIONS, false),
  texticregexeq: matches(IGNORE_CASE, true),
  texticregexne: matches(IGNORE_CASE, false),
  nameregexeq: matches(DEFAULT_OPTIONS, true),
  nameregexne: matches(DEFAULT_OPTIONS, false),
  nameicregexeq: matches(IGNORE_CASE, true),
  nameicregexne: matches(IGNORE_CASE, false),
  textregexsubstr: (_c, text: string, pattern: string) => regexSubstring(text, pattern),
  '2074': (_c, text: string, pattern: string, escapeCharacter: string) =>
    regexSubstring(text, similarToRegex(pattern, escapeCharacter)),
  similar_to_escape_1: (_c, pattern: string) => similarToRegex(pattern, '\\'),
  similar_to_escape_2: (_c, pattern: string, escapeCharacter: string) =>
    similarToRegex(pattern, escapeCharacter),
  similar_escape: (_c, pattern: string | null, escapeCharacter: string | null) =>
    pattern === null ? null : similarToRegex(pattern, escapeCharacter ?? '\\'),
  regexp_match_no_flags: (_c, text: string, pattern: string) => regexpMatch(text, pattern, ''),
  regexp_match: (_c, text: string, pattern: string, flags: string) =>
    regexpMatch(text, pattern, flags),
  regexp_split_to_array_no_flags: (_c, text: string, pattern: string) =>
    textArray([...regexpSplit(text, pattern, DEFAULT_OPTIONS)]),
  regexp_split_to_array: (_c, text: string, pattern: string, flags: string) =>
    textArray([...regexpSplit(text, pattern, parseFlagsOf('regexp_split_to_array', flags))]),
  textregexreplace_noopt: (_c, text: string, pattern: string, replacement: string) =>
    replace(text, pattern, replacement, 1, 1, DEFAULT_OPTIONS),
  textregexreplace: (_c, text: string, pattern: string, replacement: string, flags: string) =>
    regexpReplace(text, pattern, replacement, flags),
  textregexreplace_extended: (
    _c,
    text: string,
    pattern: string,
    replacement: string,
    start: number,
    n: number,
    flags: string,
  ) => regexpReplaceExtended(text, pattern, replacement, start, n, flags),
  textregexreplace_extended_no_flags: (
    _c,
    text: string,
    pattern: string,
    replacement: string,
    start: number,
    n: number,
  ) => regexpReplaceExtended(text, pattern, replacement, start, n, ''),
  textregexreplace_extended_no_n: (
    _c,
    text: string,
    pattern: string,
    replacement: string,
    start: number,
  ) => regexpReplaceExtended(text, pattern, replacement, start, 1, ''),
  regexp_like_no_flags: (_c, text: string, pattern: string) => compileRegex(pattern).test(text),
  regexp_like: (_c, text: string, pattern: string, flags: string) =>
    compileRegex(pattern, parseFlagsOf('regexp_like', flags)).test(text),
};

/** The shorter forms of a function share its code; missing arguments have these values. */
for (const name of ['regexp_count_no_start', 'regexp_count_no_flags', 'regexp_count']) {
  scalars[name] = (_c, text: string, pattern: string, start = 1, flags = '') =>
    regexpCount(text, pattern, start, flags);
}
for (const suffix of ['_no_start', '_no_n', '_no_endoption', '_no_flags', '_no_subexpr', '']) {
  scalars[`regexp_instr${suffix}`] = (
    _c,
    text: string,
    pattern: string,
    start = 1,
    n = 1,
    endOption = 0,
    flags = '',
    group = 0,
  ) => regexpInstr(text, pattern, start, n, endOption, flags, group);
}
for (const suffix of ['_no_start', '_no_n', '_no_flags', '_no_subexpr', '']) {
  scalars[`regexp_substr${suffix}`] = (
    _c,
    text: string,
    pattern: string,
    start = 1,
    n = 1,
    flags = '',
    group = 0,
  ) => regexpSubstr(text, pattern, start, n, flags, group);
}

const sets: Record<string, SetFunction> = {
  regexp_matches_no_flags: (_c, text: string, pattern: string) => regexpMatches(text, pattern, ''),
  regexp_matches: (_c, text: string, pattern: string, flags: string) =>
    regexpMatches(text, pattern, flags),
  regexp_split_to_table_no_flags: (_c, text: string, pattern: string) =>
    regexpSplit(text, pattern, DEFAULT_OPTIONS),
  regexp_split_to_table: (_c, text: string, pattern: string, flags: string) =>
    regexpSplit(text, pattern, parseFlagsOf('regexp_split_to_table', flags)),
};

registerFunctions({ scalars, sets });
