/** PostgreSQL's advanced regular expressions (ARE), parsed. Character classes are those of collation
 * C: letters, digits and blanks are ASCII. What JavaScript cannot express answers 0A000. */

import { notSupported, pgError } from '../../errors/index.ts';

/** Inclusive code point ranges, flat: low, high, low, high, … */
export type Ranges = readonly number[];

export type RegexNode =
  | { readonly kind: 'set'; readonly ranges: Ranges; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'alternatives'; readonly branches: readonly RegexNode[] }
  | { readonly kind: 'group'; readonly capture: number; readonly body: RegexNode }
  | {
      readonly kind: 'repeat';
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
      /** {m} or {m}?, which is as greedy as what it repeats. */
      readonly fixed: boolean;
    }
  /** A constraint of width zero; `looksAhead` when it reads what follows. */
  | { readonly kind: 'constraint'; readonly source: string; readonly looksAhead: boolean }
  | {
      readonly kind: 'look';
      readonly opener: '(?=' | '(?!' | '(?<=' | '(?<!';
      readonly body: RegexNode;
    }
  | { readonly kind: 'backreference'; readonly group: number };

export interface ParsedRegex {
  readonly root: RegexNode;
  readonly captureCount: number;
  readonly hasBackreferences: boolean;
  readonly ignoreCase: boolean;
}

export interface RegexOptions {
  readonly ignoreCase: boolean;
  /** `.` and `[^…]` do not match a newline. */
  readonly newlineStops: boolean;
  /** `^` and `$` match at lines. */
  readonly newlineAnchors: boolean;
  readonly expanded: boolean;
  readonly literal: boolean;
}

export const DEFAULT_OPTIONS: RegexOptions = {
  ignoreCase: false,
  newlineStops: false,
  newlineAnchors: false,
  expanded: false,
  literal: false,
};

/** Applies one option letter; undefined for a letter that is none. */
export function withOption(options: RegexOptions, letter: string): RegexOptions | undefined {
  switch (letter) {
    case 'b':
      throw notSupported('a basic regular expression (option b)');
    case 'e':
    case 't':
      return letter === 't' ? { ...options, expanded: false } : options;
    case 'c':
      return { ...options, ignoreCase: false };
    case 'i':
      return { ...options, ignoreCase: true };
    case 'm':
    case 'n':
      return { ...options, newlineStops: true, newlineAnchors: true };
    case 'p':
      return { ...options, newlineStops: true, newlineAnchors: false };
    case 's':
      return { ...options, newlineStops: false, newlineAnchors: false };
    case 'w':
      return { ...options, newlineStops: false, newlineAnchors: true };
    case 'x':
      return { ...options, expanded: true };
    case 'q':
      return { ...options, literal: true };
    default:
      return undefined;
  }
}

export function invalidRegex(reason: string) {
  return pgError('invalid_regular_expression', `invalid regular expression: ${reason}`);
}

const DIGIT: Ranges = [48, 57];
const WORD: Ranges = [48, 57, 65, 90, 95, 95, 97, 122];
const SPACE: Ranges = [9, 13, 32, 32];
const LETTERS: Ranges = [65, 90, 97, 122];
const CLASSES: Readonly<Record<string, Ranges>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: LETTERS,
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: DIGIT,
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: SPACE,
  upper: [65, 90],
  word: WORD,
  xdigit: [48, 57, 65, 70, 97, 102],
};
const WORD_SOURCE = '[0-9A-Z_a-z]';
const REPEAT_MAX = 255;
const CODE_POINT_MAX = 0x10ffff;

export function isInSet(
  { ranges, negated }: { readonly ranges: Ranges; readonly negated: boolean },
  code: number,
): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= ranges[i]! && code <= ranges[i + 1]!) return !negated;
  }
  return negated;
}

/** Whether an index of a text lies within a character of two code units. */
export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** The nodes right below a node. */
export function childrenOf(node: RegexNode): readonly RegexNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.items;
    case 'alternatives':
      return node.branches;
    case 'group':
    case 'repeat':
    case 'look':
      return [node.body];
    default:
      return [];
  }
}

export function complement(ranges: Ranges): Ranges {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i]!, ranges[i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const result: number[] = [];
  let next = 0;
  for (const [low, high] of pairs) {
    if (low > next) result.push(next, low - 1);
    next = Math.max(next, high + 1);
  }
  if (next <= CODE_POINT_MAX) result.push(next, CODE_POINT_MAX);
  return result;
}

/** Adds the other case of every ASCII letter. */
function withBothCases(ranges: Ranges): Ranges {
  const result = [...ranges];
  for (let i = 0; i < ranges.length; i += 2) {
    addShifted(result, ranges[i]!, ranges[i + 1]!, 65, 90, 32);
    addShifted(result, ranges[i]!, ranges[i + 1]!, 97, 122, -32);
  }
  return result;
}

function addShifted(
  result: number[],
  low: number,
  high: number,
  first: number,
  last: number,
  by: number,
): void {
  const from = Math.max(low, first);
  const to = Math.min(high, last);
  if (from <= to) result.push(from + by, to + by);
}

/** Parses a pattern under options that its own prefix may change. */
export function parseRegex(pattern: string, given: RegexOptions): ParsedRegex {
  let options = given;
  let text = pattern;
  if (text.startsWith('***=')) {
    options = { ...options, literal: true };
    text = text.slice(4);
  } else if (text.startsWith('***:')) text = text.slice(4);
  else if (text.startsWith('***')) throw invalidRegex('invalid regexp (reg version 0.8)');
  if (!options.literal) {
    const embedded = /^\(\?([A-Za-z]+)\)/.exec(text);
    if (embedded) {
      for (const letter of embedded[1]!) {
        const changed = withOption(options, letter);
        if (changed === undefined) throw invalidRegex('invalid embedded option');
        options = changed;
      }
      text = text.slice(embedded[0].length);
    }
  }
  return new RegexParser(text, options).parse();
}

class RegexParser {
  private readonly characters: readonly string[];
  private readonly options: RegexOptions;
  private at = 0;
  private captureCount = 0;
  private lookDepth = 0;
  private hasBackreferences = false;
  private readonly closedGroups = new Set<number>();

  constructor(text: string, options: RegexOptions) {
    this.characters = Array.from(text);
    this.options = options;
  }

  parse(): ParsedRegex {
    if (this.options.literal) {
      const items = this.characters.map((character) => this.literal(character.codePointAt(0)!));
      return this.parsed({ kind: 'sequence', items });
    }
    const root = this.alternatives();
    if (this.at < this.characters.length) throw invalidRegex('parentheses () not balanced');
    return this.parsed(root);
  }

  private parsed(root: RegexNode): ParsedRegex {
    const { captureCount, hasBackreferences } = this;
    return { root, captureCount, hasBackreferences, ignoreCase: this.options.ignoreCase };
  }

  private peek(offset = 0): string {
    return this.characters[this.at + offset] ?? '';
  }

  private startsWith(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.peek(i) !== text[i]) return false;
    return true;
  }

  /** Blanks and comments of the expanded syntax, and (?#comments) of any. */
  private skipIgnored(): void {
    for (;;) {
      if (this.startsWith('(?#')) {
        while (this.at < this.characters.length && this.peek() !== ')') this.at++;
        this.at++;
      } else if (this.options.expanded && /^[ \t-\r]$/.test(this.peek())) this.at++;
      else if (this.options.expanded && this.peek() === '#') {
        while (this.at < this.characters.length && this.peek() !== '\n') this.at++;
      } else return;
    }
  }

  private alternatives(): RegexNode {
    const branches = [this.branch()];
    while (this.peek() === '|') {
      this.at++;
      branches.push(this.branch());
    }
    return branches.length === 1 ? branches[0]! : { kind: 'alternatives', branches };
  }

  private branch(): RegexNode {
    const items: RegexNode[] = [];
    for (;;) {
      this.skipIgnored();
      const next = this.peek();
      if (next === '' || next === '|' || next === ')') break;
      const atom = this.atom();
      this.skipIgnored();
      items.push(this.quantified(atom));
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  private quantified(atom: RegexNode): RegexNode {
    let min: number;
    let max: number;
    let fixed = false;
    const next = this.peek();
    if (next === '*') [min, max] = [0, Infinity];
    else if (next === '+') [min, max] = [1, Infinity];
    else if (next === '?') [min, max] = [0, 1];
    else if (next === '{' && /^[0-9]$/.test(this.peek(1))) {
      this.at++;
      min = this.repeatCount();
      max = min;
      fixed = true;
      if (this.peek() === ',') {
        this.at++;
        fixed = false;
        max = this.peek() === '}' ? Infinity : this.repeatCount();
      }
      if (this.peek() === '') throw invalidRegex('braces {} not balanced');
      if (this.peek() !== '}' || min > max) throw invalidRegex('invalid repetition count(s)');
    } else return atom;
    if (atom.kind === 'constraint' || atom.kind === 'look') {
      throw invalidRegex('quantifier operand invalid');
    }
    this.at++;
    const lazy = this.peek() === '?';
    if (lazy) this.at++;
    this.skipIgnored();
    if (/^[*+?]$/.test(this.peek()) || (this.peek() === '{' && /^[0-9]$/.test(this.peek(1)))) {
      throw invalidRegex('quantifier operand invalid');
    }
    // Where no round is needed but an empty one is possible, groups match the empty string.
    if (min === 0 && max > 0 && holdsGroup(atom) && canBeEmpty(atom)) min = 1;
    return { kind: 'repeat', body: atom, min, max, lazy, fixed };
  }

  private repeatCount(): number {
    let digits = '';
    while (/^[0-9]$/.test(this.peek())) {
      digits += this.peek();
      this.at++;
    }
    if (digits === '' || Number(digits) > REPEAT_MAX) {
      throw invalidRegex('invalid repetition count(s)');
    }
    return Number(digits);
  }

  private atom(): RegexNode {
    const character = this.peek();
    this.at++;
    switch (character) {
      case '(':
        return this.parenthesis();
      case '[':
        return this.bracket();
      case '.':
        return this.options.newlineStops
          ? { kind: 'set', ranges: [10, 10], negated: true }
          : { kind: 'set', ranges: [], negated: true };
      case '^':
        return constraint(this.options.newlineAnchors ? '(?:^|(?<=\\n))' : '^', false);
      case '$':
        return constraint(this.options.newlineAnchors ? '(?:$|(?=\\n))' : '$', true);
      case '\\':
        return this.escaped();
      case '*':
      case '+':
      case '?':
        throw invalidRegex('quantifier operand invalid');
      case '{':
        if (/^[0-9]$/.test(this.peek())) throw invalidRegex('quantifier operand invalid');
        return this.literal(123);
      default:
        return this.literal(character.codePointAt(0)!);
    }
  }

  private literal(code: number): RegexNode {
    const ranges = this.options.ignoreCase ? withBothCases([code, code]) : [code, code];
    return { kind: 'set', ranges, negated: false };
  }

  private set(ranges: Ranges, negated: boolean): RegexNode {
    return {
      kind: 'set',
      ranges: this.options.ignoreCase ? withBothCases(ranges) : ranges,
      negated,
    };
  }

  private parenthesis(): RegexNode {
    for (const opener of ['(?=', '(?!', '(?<=', '(?<!'] as const) {
      if (!this.startsWith(opener.slice(1))) continue;
      this.at += opener.length - 1;
      this.lookDepth++;
      const body = this.alternatives();
      this.lookDepth--;
      this.close();
      return { kind: 'look', opener, body };
    }
    let capture = 0;
    if (this.startsWith('?:')) this.at += 2;
    else if (this.peek() === '?') throw invalidRegex('quantifier operand invalid');
    else if (this.lookDepth === 0) capture = ++this.captureCount;
    const body = this.alternatives();
    this.close();
    this.closedGroups.add(capture);
    return { kind: 'group', capture, body };
  }

  private close(): void {
    if (this.peek() !== ')') throw invalidRegex('parentheses () not balanced');
    this.at++;
  }

  private escaped(): RegexNode {
    const letter = this.peek();
    if (letter === '') throw invalidRegex('invalid escape \\ sequence');
    const before = `(?<!${WORD_SOURCE})`;
    const after = `(?!${WORD_SOURCE})`;
    const wordBefore = `(?<=${WORD_SOURCE})`;
    const wordAfter = `(?=${WORD_SOURCE})`;
    switch (letter) {
      case 'd':
      case 'D':
      case 's':
      case 'S':
      case 'w':
      case 'W':
        this.at++;
        return { kind: 'set', ranges: shorthand(letter), negated: letter < 'a' };
      case 'A':
        this.at++;
        return constraint('^', false);
      case 'Z':
        this.at++;
        return constraint('$', true);
      case 'm':
        this.at++;
        return constraint(before + wordAfter, true);
      case 'M':
        this.at++;
        return constraint(wordBefore + after, true);
      case 'y':
        this.at++;
        return constraint(`(?:${before}${wordAfter}|${wordBefore}${after})`, true);
      case 'Y':
        this.at++;
        return constraint(`(?:${before}${after}|${wordBefore}${wordAfter})`, true);
      default:
    }
    const reference = this.backreference();
    if (reference !== 0) {
      this.hasBackreferences = true;
      return { kind: 'backreference', group: reference };
    }
    return this.literal(this.characterEscape());
  }

  /** The group of a back reference at the cursor; 0 where the digits are an octal character. */
  private backreference(): number {
    const digits = this.characters
      .slice(this.at, this.at + 3)
      .join('')
      .match(/^[1-9][0-9]*/)?.[0];
    if (digits === undefined) return 0;
    const group = Number(digits);
    if (digits.length > 1 && group > this.captureCount) return 0;
    if (this.lookDepth > 0 || !this.closedGroups.has(group)) {
      throw invalidRegex('invalid backreference number');
    }
    this.at += digits.length;
    return group;
  }

  /** Reads a character escape after its backslash. */
  private characterEscape(): number {
    const letter = this.peek();
    this.at++;
    if (!/^[A-Za-z0-9]$/.test(letter)) return letter.codePointAt(0)!;
    switch (letter) {
      case 'a':
        return 7;
      case 'b':
        return 8;
      case 'B':
        return 92;
      case 'c': {
        const control = this.peek();
        if (control === '') throw invalidRegex('invalid escape \\ sequence');
        this.at++;
        return control.codePointAt(0)! & 31;
      }
      case 'e':
        return 27;
      case 'f':
        return 12;
      case 'n':
        return 10;
      case 'r':
        return 13;
      case 't':
        return 9;
      case 'v':
        return 11;
      case 'u':
        return this.digits(16, 4, 4);
      case 'U':
        return this.digits(16, 8, 8);
      case 'x':
        return this.digits(16, 1, 255);
      case '0':
        this.at--;
        return this.digits(8, 1, 3);
      default:
        if (letter >= '1' && letter <= '7') {
          this.at--;
          return this.digits(8, 1, 3);
        }
        throw invalidRegex('invalid escape \\ sequence');
    }
  }

  private digits(base: 8 | 16, min: number, max: number): number {
    const allowed = base === 8 ? /^[0-7]$/ : /^[0-9A-Fa-f]$/;
    let digits = '';
    while (digits.length < max && allowed.test(this.peek())) {
      digits += this.peek();
      this.at++;
    }
    const code = Number.parseInt(digits, base);
    if (digits.length < min || !(code <= CODE_POINT_MAX)) {
      throw invalidRegex('invalid escape \\ sequence');
    }
    return code;
  }

  private bracket(): RegexNode {
    if (this.startsWith('[:<:]]') || this.startsWith('[:>:]]')) {
      const start = this.peek(2) === '<';
      this.at += 6;
      return start
        ? constraint(`(?<!${WORD_SOURCE})(?=${WORD_SOURCE})`, true)
        : constraint(`(?<=${WORD_SOURCE})(?!${WORD_SOURCE})`, true);
    }
    const negated = this.peek() === '^';
    if (negated) this.at++;
    const ranges: number[] = [];
    let first = true;
    for (;;) {
      const character = this.peek();
      if (character === '') throw invalidRegex('brackets [] not balanced');
      if (character === ']' && !first) break;
      first = false;
      this.bracketItem(ranges);
    }
    this.at++;
    if (negated && this.options.newlineStops) ranges.push(10, 10);
    return this.set(ranges, negated);
  }

  private bracketItem(ranges: number[]): void {
    if (this.startsWith('[:')) {
      const name = this.delimited(':');
      const known = CLASSES[name];
      if (known === undefined) throw invalidRegex('invalid character class');
      const cased = this.options.ignoreCase && (name === 'lower' || name === 'upper');
      ranges.push(...(cased ? LETTERS : known));
      return;
    }
    if (this.peek() === '\\' && /^[dswDSW]$/.test(this.peek(1))) {
      const letter = this.peek(1);
      this.at += 2;
      ranges.push(...(letter < 'a' ? complement(shorthand(letter)) : shorthand(letter)));
      return;
    }
    const low = this.bracketCharacter();
    let high = low;
    if (this.peek() === '-' && this.peek(1) !== ']' && this.peek(1) !== '') {
      this.at++;
      high = this.bracketCharacter();
    }
    if (high < low) throw invalidRegex('invalid character range');
    ranges.push(low, high);
  }

  private bracketCharacter(): number {
    if (this.startsWith('[.') || this.startsWith('[=')) {
      const element = Array.from(this.delimited(this.peek(1)));
      if (element.length !== 1) throw invalidRegex('invalid collating element');
      return element[0]!.codePointAt(0)!;
    }
    const character = this.peek();
    this.at++;
    if (character !== '\\') return character.codePointAt(0)!;
    if (this.peek() === '') throw invalidRegex('brackets [] not balanced');
    return this.characterEscape();
  }

  /** The text of `[:text:]`, `[.text.]` or `[=text=]` at the cursor. */
  private delimited(delimiter: string): string {
    this.at += 2;
    let text = '';
    while (!(this.peek() === delimiter && this.peek(1) === ']')) {
      if (this.peek() === '') throw invalidRegex('brackets [] not balanced');
      text += this.peek();
      this.at++;
    }
    this.at += 2;
    return text;
  }
}

function holdsGroup(node: RegexNode): boolean {
  switch (node.kind) {
    case 'group':
      return node.capture > 0 || holdsGroup(node.body);
    case 'repeat':
      return holdsGroup(node.body);
    case 'sequence':
      return node.items.some(holdsGroup);
    case 'alternatives':
      return node.branches.some(holdsGroup);
    default:
      return false;
  }
}

/** Whether the node matches the empty string wherever it stands. */
function canBeEmpty(node: RegexNode): boolean {
  switch (node.kind) {
    case 'group':
      return canBeEmpty(node.body);
    case 'repeat':
      return (node.min === 0 && node.body.kind !== 'backreference') || canBeEmpty(node.body);
    case 'sequence':
      return node.items.every(canBeEmpty);
    case 'alternatives':
      return node.branches.some(canBeEmpty);
    default:
      return false;
  }
}

function constraint(source: string, looksAhead: boolean): RegexNode {
  return { kind: 'constraint', source, looksAhead };
}

function shorthand(letter: string): Ranges {
  const lower = letter.toLowerCase();
  return lower === 'd' ? DIGIT : lower === 's' ? SPACE : WORD;
}
