/** JSON texts: checked, read as trees, and taken apart one level at a time. */
import { pgError } from '../../errors/index.ts';
import { pushElement } from '../array-elements.ts';
import type { FiniteNumeric } from '../datum.ts';
import { parseNumeric } from '../numeric/text.ts';
import type { JsonFault } from './fault.ts';
import { JsonLexer, TOKEN, type Token } from './lexer.ts';
import { quoteJson } from './text.ts';
import { type JsonbKind, type JsonbValue, jsonbObject } from './value.ts';

/** Checks that a text is JSON. Escapes may stand for what no text can hold. */
export function checkJson(text: string): void {
  const lexer = new JsonLexer(text, false);
  skipValue(lexer);
  expectEnd(lexer);
}

/** The tree of a JSON text. */
export function parseJsonb(text: string): JsonbValue {
  const lexer = new JsonLexer(text, true);
  const value = readValue(lexer);
  expectEnd(lexer);
  return value;
}

/** A value inside of a JSON text: text[start, end), and what it is if it is a string. */
export interface JsonSpan {
  readonly token: Token;
  readonly start: number;
  readonly end: number;
  readonly string?: string;
}

/** One level of a JSON text: the fields of an object as they are written, or the elements of an
 * array; both are absent of a scalar. */
interface JsonOutline {
  readonly value: JsonSpan;
  readonly fields?: readonly (readonly [name: string, value: JsonSpan])[];
  readonly elements?: readonly JsonSpan[];
}

/** Takes a JSON text apart. With `decode` all of its strings must be such as a text can hold; without
 * it they are left as they are written. */
export function outlineJson(text: string, decode: boolean): JsonOutline {
  const lexer = new JsonLexer(text, decode);
  const { token, start } = lexer;
  const fields: (readonly [string, JsonSpan])[] = [];
  const elements: JsonSpan[] = [];
  if (token === TOKEN.objectStart) {
    readFields(lexer, (name) => {
      pushElement(fields, [name, readSpan(lexer)]);
    });
  } else if (token === TOKEN.arrayStart) {
    readElements(lexer, () => {
      pushElement(elements, readSpan(lexer));
    });
  } else {
    const value = readSpan(lexer);
    expectEnd(lexer);
    return { value };
  }
  const value: JsonSpan = { token, start, end: lexer.previousEnd };
  expectEnd(lexer);
  return token === TOKEN.objectStart ? { value, fields } : { value, elements };
}

/** What kind of value a valid JSON text is; it reads no further than it must. */
export function kindOfJson(text: string): JsonbKind {
  return kindOfToken(new JsonLexer(text, false).token);
}

/** What kind of value begins with a token. */
export function kindOfToken(token: Token): JsonbKind {
  switch (token) {
    case TOKEN.objectStart:
      return 'object';
    case TOKEN.arrayStart:
      return 'array';
    case TOKEN.string:
      return 'string';
    case TOKEN.number:
      return 'number';
    case TOKEN.null:
      return 'null';
    default:
      return 'boolean';
  }
}

/** A JSON text without the fields that are null, and without blanks. */
export function stripNulls(text: string): string {
  return stripValue(new JsonLexer(text, true));
}

function stripValue(lexer: JsonLexer): string {
  const parts: string[] = [];
  switch (lexer.token) {
    case TOKEN.objectStart:
      readFields(lexer, (name) => {
        if (!accept(lexer, TOKEN.null)) parts.push(`${quoteJson(name)}:${stripValue(lexer)}`);
      });
      return `{${parts.join(',')}}`;
    case TOKEN.arrayStart:
      readElements(lexer, () => {
        parts.push(stripValue(lexer));
      });
      return `[${parts.join(',')}]`;
    default: {
      const text = lexer.token === TOKEN.string ? quoteJson(lexer.string) : lexer.source;
      lexer.next();
      return text;
    }
  }
}

function readSpan(lexer: JsonLexer): JsonSpan {
  const { token, start } = lexer;
  if (token === TOKEN.string) {
    const { end, string } = lexer;
    lexer.next();
    return { token, start, end, string };
  }
  skipValue(lexer);
  return { token, start, end: lexer.previousEnd };
}

function readValue(lexer: JsonLexer): JsonbValue {
  switch (lexer.token) {
    case TOKEN.objectStart: {
      const fields: [string, JsonbValue][] = [];
      readFields(lexer, (name) => {
        if (fields.length === PAIRS_MAX) throw tooMany('object pairs', PAIRS_MAX);
        fields.push([name, readValue(lexer)]);
      });
      return jsonbObject(fields);
    }
    case TOKEN.arrayStart: {
      const elements: JsonbValue[] = [];
      readElements(lexer, () => {
        if (elements.length === ELEMENTS_MAX) throw tooMany('array elements', ELEMENTS_MAX);
        elements.push(readValue(lexer));
      });
      return elements;
    }
    default:
      return readScalar(lexer);
  }
}

/** Elements of an array, as in PostgreSQL; and fields of an object, which are a Map: PostgreSQL has 19173961. */
const ELEMENTS_MAX = 44739242;
const PAIRS_MAX = 1 << 24;

function tooMany(what: string, max: number): Error {
  return pgError(
    'program_limit_exceeded',
    `number of jsonb ${what} exceeds the maximum allowed (${max})`,
  );
}

function readScalar(lexer: JsonLexer): JsonbValue {
  const value = scalarOf(lexer);
  lexer.next();
  return value;
}

function scalarOf(lexer: JsonLexer): JsonbValue {
  switch (lexer.token) {
    case TOKEN.string:
      return lexer.string;
    case TOKEN.number:
      return parseNumeric(lexer.source) as FiniteNumeric;
    case TOKEN.true:
      return true;
    case TOKEN.false:
      return false;
    case TOKEN.null:
      return null;
    default:
      return failParse(lexer, 'value');
  }
}

function skipValue(lexer: JsonLexer): void {
  switch (lexer.token) {
    case TOKEN.objectStart:
      readFields(lexer, () => skipValue(lexer));
      return;
    case TOKEN.arrayStart:
      readElements(lexer, () => skipValue(lexer));
      return;
    case TOKEN.string:
    case TOKEN.number:
    case TOKEN.true:
    case TOKEN.false:
    case TOKEN.null:
      lexer.next();
      return;
    default:
      failParse(lexer, 'value');
  }
}

/** Reads an object; the callback reads the value of each field. */
function readFields(lexer: JsonLexer, readField: (name: string) => void): void {
  lexer.next();
  if (lexer.token !== TOKEN.string) {
    expect(lexer, TOKEN.objectEnd, 'objectFirst');
    return;
  }
  do readNamed(lexer, readField);
  while (accept(lexer, TOKEN.comma));
  expect(lexer, TOKEN.objectEnd, 'objectNext');
}

function readNamed(lexer: JsonLexer, readField: (name: string) => void): void {
  if (lexer.token !== TOKEN.string) failParse(lexer, 'name');
  const name = lexer.string;
  lexer.next();
  expect(lexer, TOKEN.colon, 'colon');
  readField(name);
}

/** Reads an array; the callback reads each element. */
function readElements(lexer: JsonLexer, readElement: () => void): void {
  lexer.next();
  if (lexer.token !== TOKEN.arrayEnd) {
    do readElement();
    while (accept(lexer, TOKEN.comma));
  }
  expect(lexer, TOKEN.arrayEnd, 'arrayNext');
}

function accept(lexer: JsonLexer, token: Token): boolean {
  if (lexer.token !== token) return false;
  lexer.next();
  return true;
}

function expect(lexer: JsonLexer, token: Token, fault: JsonFault): void {
  if (lexer.token !== token) failParse(lexer, fault);
  lexer.next();
}

function expectEnd(lexer: JsonLexer): void {
  if (lexer.token !== TOKEN.end) failParse(lexer, 'end');
}

function failParse(lexer: JsonLexer, fault: JsonFault): never {
  return lexer.fail(lexer.token === TOKEN.end ? 'more' : fault);
}
