/** Text forms: strings with JSON's escapes, and jsonb's canonical text, `{"a": [1, 2], "b": null}`. */
import { countWork, inPieces } from '../../base/index.ts';
import { formatNumeric } from '../numeric/text.ts';
import { isArray, isObject, type JsonbScalar, type JsonbValue } from './value.ts';

const ESCAPED = /["\\\u0000-\u001f]/;
const EACH_ESCAPED = /["\\\u0000-\u001f]/g;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A text as a JSON string, with its quotes. */
export function quoteJson(text: string): string {
  return `"${inPieces(text, escapePiece)}"`;
}

function escapePiece(text: string): string {
  return ESCAPED.test(text) ? text.replace(EACH_ESCAPED, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export function formatScalar(value: JsonbScalar): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoteJson(value);
  return typeof value === 'boolean' ? String(value) : formatNumeric(value);
}

/** The canonical text of a value. */
export function formatJsonb(value: JsonbValue): string {
  countWork(VALUE_WORK);
  if (isArray(value)) return `[${value.map(formatJsonb).join(', ')}]`;
  if (!isObject(value)) return formatScalar(value);
  const fields: string[] = [];
  for (const [name, field] of value) fields.push(`${quoteJson(name)}: ${formatJsonb(field)}`);
  return `{${fields.join(', ')}}`;
}

/** What is done for a value, in units of work. */
const VALUE_WORK = 16;

const INDENT = '    ';

/** The text of jsonb_pretty: a line for each element and field. */
export function formatPretty(value: JsonbValue, indent = ''): string {
  countWork(VALUE_WORK + indent.length);
  const inner = indent + INDENT;
  if (isArray(value)) {
    const elements = value.map((element) => `${inner}${formatPretty(element, inner)}`);
    return `[\n${elements.join(',\n')}${elements.length > 0 ? '\n' : ''}${indent}]`;
  }
  if (!isObject(value)) return formatScalar(value);
  const fields: string[] = [];
  for (const [name, field] of value) {
    fields.push(`${inner}${quoteJson(name)}: ${formatPretty(field, inner)}`);
  }
  return `{\n${fields.join(',\n')}${fields.length > 0 ? '\n' : ''}${indent}}`;
}
