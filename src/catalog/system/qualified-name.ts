import { pgError } from '../../errors/index.ts';
import { truncateName } from '../../types/index.ts';

/** One part of a dotted name, quoted or plain, and what follows it. */
const PART = /\s*(?:"((?:[^"]|"")*)"|([^\s".]+))\s*(\.|$)/y;

/** Reads `schema.name` as SQL would: parts in double quotes are kept as they are, others are folded to
 * lower case. Fails with 42602. */
export function parseQualifiedName(text: string): string[] {
  const names: string[] = [];
  PART.lastIndex = 0;
  for (;;) {
    const match = PART.exec(text);
    const name = match?.[1]?.replaceAll('""', '"') ?? match?.[2]?.toLowerCase() ?? '';
    if (match === null || name === '') throw pgError('invalid_name', 'invalid name syntax');
    names.push(truncateName(name));
    if (match[3] === '') return names;
  }
}

export interface Signature {
  readonly name: string;
  readonly args: readonly string[];
}

/** Splits `name(type, type)`; commas inside parentheses and quotes do not count. */
export function splitSignature(text: string): Signature {
  const open = openParenthesis(text);
  if (open < 0) throw pgError('invalid_text_representation', 'expected a left parenthesis');
  const end = text.trimEnd();
  if (!end.endsWith(')')) {
    throw pgError('invalid_text_representation', 'expected a right parenthesis');
  }
  const inner = end.slice(open + 1, -1);
  return { name: text.slice(0, open), args: inner.trim() === '' ? [] : splitTypes(inner) };
}

function openParenthesis(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === '(' && !quoted) return i;
  }
  return -1;
}

function splitTypes(text: string): string[] {
  const types: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (char === '(' || char === '[') depth++;
    else if (char === ')' || char === ']') depth--;
    else if (char === ',' && depth === 0) {
      types.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  types.push(text.slice(start).trim());
  return types;
}
