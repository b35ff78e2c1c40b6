/** What is wrong with a JSON text, in PostgreSQL's words. */
import { pgError } from '../../errors/index.ts';
import { utf8Length } from '../utf8.ts';

export type JsonFault =
  | 'invalidToken'
  | 'unescaped'
  | 'escape'
  | 'unicodeEscape'
  | 'highSurrogate'
  | 'lowSurrogate'
  | 'zero'
  | 'value'
  | 'end'
  | 'arrayNext'
  | 'objectFirst'
  | 'objectNext'
  | 'name'
  | 'colon'
  | 'more';

const EXPECTED: Partial<Readonly<Record<JsonFault, string>>> = {
  value: 'JSON value',
  end: 'end of input',
  arrayNext: '"," or "]"',
  objectFirst: 'string or "}"',
  objectNext: '"," or "}"',
  name: 'string',
  colon: '":"',
};

/** The error of a text at the token text[start, end). */
export function jsonError(text: string, start: number, end: number, fault: JsonFault): Error {
  const options = {
    detail: describe(fault, text.slice(start, end), text.charCodeAt(end)),
    where: contextOf(text, start, end),
  };
  return fault === 'zero'
    ? pgError('untranslatable_character', 'unsupported Unicode escape sequence', options)
    : pgError('invalid_text_representation', 'invalid input syntax for type json', options);
}

function describe(fault: JsonFault, token: string, next: number): string {
  switch (fault) {
    case 'invalidToken':
      return `Token "${token}" is invalid.`;
    case 'unescaped':
      return `Character with value 0x${next.toString(16).padStart(2, '0')} must be escaped.`;
    case 'escape':
      return `Escape sequence "\\${token}" is invalid.`;
    case 'unicodeEscape':
      return '"\\u" must be followed by four hexadecimal digits.';
    case 'highSurrogate':
      return 'Unicode high surrogate must not follow a high surrogate.';
    case 'lowSurrogate':
      return 'Unicode low surrogate must follow a high surrogate.';
    case 'zero':
      return '\\u0000 cannot be converted to text.';
    case 'more':
      return 'The input string ended unexpectedly.';
    default:
      return `Expected ${EXPECTED[fault]}, but found "${token}".`;
  }
}

/** Bytes of a line that an error shows, at most, before the place where it is. */
const SHOWN_BYTES_MAX = 49;

/** The line on which the token starts, up to the token's end, without its beginning when it is long. */
function contextOf(text: string, start: number, end: number): string {
  const lines = text.slice(0, start).split('\n');
  const line = lines.at(-1) + text.slice(start, end);
  const shown = lastBytes(line, SHOWN_BYTES_MAX);
  const next = text[end];
  const suffix = next !== undefined && next !== '\n' && next !== '\r' ? '...' : '';
  const isNearStart = utf8Length(line) - utf8Length(shown) <= 3;
  const excerpt = isNearStart ? line : `...${shown}`;
  return `JSON data, line ${lines.length}: ${excerpt}${suffix}`;
}

/** The longest end of a text that has at most so many bytes as UTF-8. */
function lastBytes(text: string, limit: number): string {
  let bytes = utf8Length(text);
  let at = 0;
  while (bytes > limit) {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    bytes -= utf8Length(character);
    at += character.length;
  }
  return text.slice(at);
}
