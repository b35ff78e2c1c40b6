import { isSpace } from './lexer.ts';

/** Templates of to_char, to_date and to_timestamp, cut into nodes: patterns (`YYYY`) with their
 * modifiers (FM, TM, TH), separators, spaces and other characters. */

export type LetterCase = 'upper' | 'capital' | 'lower';

export interface PatternNode {
  readonly kind: 'pattern';
  /** Upper-case name. */
  readonly id: string;
  /** As the template has it; error messages quote it. */
  readonly name: string;
  readonly letterCase: LetterCase;
  readonly fill: boolean;
  readonly ordinal: 'upper' | 'lower' | null;
  /** The TM modifier. */
  readonly translated: boolean;
}

export interface TextNode {
  readonly kind: 'separator' | 'space' | 'text';
  readonly character: string;
  /** It stood in double quotes. */
  readonly quoted: boolean;
}

export type FormatNode = PatternNode | TextNode;

const UPPER_PATTERNS =
  'A.D. A.M. AD AM B.C. BC CC DAY DDD DD DY D FF1 FF2 FF3 FF4 FF5 FF6 FX HH24 HH12 HH IDDD ID IW ' +
  'IYYY IYY IY I J MI MM MONTH MON MS OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY ' +
  'YYY YY Y';

function loadPatterns(): ReadonlyMap<string, LetterCase> {
  const patterns = new Map<string, LetterCase>();
  for (const name of UPPER_PATTERNS.split(' ')) {
    patterns.set(name, 'upper');
    patterns.set(name.toLowerCase(), 'lower');
  }
  for (const name of ['Day', 'Dy', 'Month', 'Mon']) patterns.set(name, 'capital');
  return patterns;
}

const PATTERNS = loadPatterns();
const PATTERN_LENGTH_MAX = 5;
const TEMPLATE_CACHE_MAX = 200;
const templates = new Map<string, readonly FormatNode[]>();

export function parseTemplate(template: string): readonly FormatNode[] {
  const known = templates.get(template);
  if (known !== undefined) return known;
  const nodes = cutTemplate(template);
  if (templates.size >= TEMPLATE_CACHE_MAX) templates.clear();
  templates.set(template, nodes);
  return nodes;
}

function cutTemplate(template: string): FormatNode[] {
  const nodes: FormatNode[] = [];
  let at = 0;
  while (at < template.length) {
    const prefix = template.slice(at, at + 2);
    const fill = prefix === 'FM' || prefix === 'fm';
    const translated = prefix === 'TM' || prefix === 'tm';
    if (fill || translated) at += 2;
    const name = patternAt(template, at);
    if (name !== null) {
      at += name.length;
      const suffix = template.slice(at, at + 2);
      if (suffix === 'TH' || suffix === 'th' || suffix === 'SP') at += 2;
      nodes.push({
        kind: 'pattern',
        id: name.toUpperCase(),
        name,
        letterCase: PATTERNS.get(name) ?? 'upper',
        fill,
        ordinal: suffix === 'TH' ? 'upper' : suffix === 'th' ? 'lower' : null,
        translated,
      });
    } else if (template.charAt(at) === '"') {
      at = cutQuoted(template, at + 1, nodes);
    } else if (at < template.length) {
      if (template.startsWith('\\"', at)) at++;
      const character = String.fromCodePoint(template.codePointAt(at) ?? 0);
      nodes.push({ kind: textKind(character), character, quoted: false });
      at += character.length;
    }
  }
  return nodes;
}

function patternAt(template: string, at: number): string | null {
  for (let length = PATTERN_LENGTH_MAX; length > 0; length--) {
    const name = template.slice(at, at + length);
    if (name.length === length && PATTERNS.has(name)) return name;
  }
  return null;
}

/** Text in double quotes stands for itself; a backslash quotes the next character. */
function cutQuoted(template: string, start: number, nodes: FormatNode[]): number {
  let at = start;
  while (at < template.length) {
    if (template.charAt(at) === '"') return at + 1;
    if (template.charAt(at) === '\\' && at + 1 < template.length) at++;
    const character = String.fromCodePoint(template.codePointAt(at) ?? 0);
    nodes.push({ kind: 'text', character, quoted: true });
    at += character.length;
  }
  return at;
}

function textKind(character: string): TextNode['kind'] {
  if (isSeparator(character)) return 'separator';
  return character.length === 1 && isSpace(character.charCodeAt(0)) ? 'space' : 'text';
}

export function isSeparator(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character);
}
