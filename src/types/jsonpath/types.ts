/** The type jsonpath. A value is the canonical text, in memory and stored; what runs it parses it and
 * remembers (`parsedPath`). The binary form is a version, 1, and that text. */
import type { SqlType } from '../sql-type.ts';
import { receiveVersioned, STRING, WIRE_VERSION } from '../text.ts';
import { verifyText } from '../utf8.ts';
import type { JsonPath, PathItem } from './item.ts';
import { parseJsonPath } from './parser.ts';
import { formatJsonPath } from './text.ts';

/** Throws what is wrong with a pattern of like_regex. */
type PatternCheck = (pattern: string, flags: string) => void;

let checkPattern: PatternCheck | null = null;

/** Regular expressions are compiled above this layer, which lends its check for values that are
 * entered. */
export function usePatternCheck(check: PatternCheck): void {
  checkPattern = check;
}

/** Texts that were parsed of late: the same few paths are run over many rows. */
const parsed = new Map<string, JsonPath>();
const PARSED_MAX = 256;

export function parsedPath(text: string): JsonPath {
  let path = parsed.get(text);
  if (path === undefined) {
    path = parseJsonPath(text);
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(text, path);
  }
  return path;
}

function canonical(text: string): string {
  const path = parseJsonPath(verifyText(text));
  checkPatterns(path.root);
  return formatJsonPath(path);
}

function checkPatterns(item: PathItem): void {
  if (item.kind === 'likeRegex') checkPattern?.(item.pattern, item.flags);
  for (const part of partsOf(item)) checkPatterns(part);
}

function partsOf(item: PathItem): PathItem[] {
  const parts: (PathItem | null)[] = [item.next];
  if ('argument' in item) parts.push(item.argument);
  if ('left' in item) parts.push(item.left, item.right);
  if (item.kind === 'subscript') {
    for (const { from, to } of item.subscripts) parts.push(from, to);
  }
  return parts.filter((part) => part !== null);
}

function receive(bytes: Uint8Array, start: number, end: number): string {
  return canonical(receiveVersioned(bytes, start, end, 'unsupported jsonpath version number:'));
}

export const jsonpathType: SqlType = {
  ...STRING,
  oid: 4072,
  name: 'jsonpath',
  sqlName: 'jsonpath',
  arrayOid: 4073,
  category: 'U',
  input: canonical,
  receive,
  send(value, out) {
    out.u8(WIRE_VERSION);
    out.utf8(value as string);
  },
  binaryFromBytes(bytes, start, end, out) {
    out.u8(WIRE_VERSION);
    out.raw(bytes.subarray(start, end));
  },
};
