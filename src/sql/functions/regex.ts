/** Regular expressions: PostgreSQL's AREs run on JavaScript's RegExp.
 *
 * Both find the leftmost match, but where several matches start there POSIX takes the longest (or
 * the shortest, when the expression as a whole is non-greedy), while JavaScript takes the first in
 * the order of its alternatives. `lengthRule` recognises the expressions for which the two agree;
 * for the others `exec` tries the other ends of the match. Where backtracking could take exponential
 * time an automaton finds the extent (see regex-automaton.ts). Only the choice among matches of equal
 * extent, which decides what the groups capture, then remains JavaScript's. Expressions with back
 * references are matched by regex-backtrack.ts. */

import { characterCount } from '../../types/index.ts';
import { buildAutomaton, needsAutomaton } from './regex-automaton.ts';
import { Backtracker } from './regex-backtrack.ts';
import {
  childrenOf,
  complement,
  DEFAULT_OPTIONS,
  invalidRegex,
  isLowSurrogate,
  type ParsedRegex,
  parseRegex,
  type Ranges,
  type RegexNode,
  type RegexOptions,
} from './regex-parse.ts';
import { asciiLower } from './text.ts';

/** One match; indices are UTF-16 code units. groups[0] is the whole; undefined where not matched. */
export interface RegexMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  /** Start and end of each group, or undefined. */
  groupBounds(group: number): readonly [number, number] | undefined;
}

export interface Regex {
  readonly captureCount: number;
  test(text: string): boolean;
  exec(text: string, from: number): RegexMatch | null;
}

const CACHE_SIZE_MAX = 256;
const cache = new Map<string, Regex>();

export function compileRegex(pattern: string, options: RegexOptions = DEFAULT_OPTIONS): Regex {
  const key = `${optionBits(options)}/${pattern}`;
  let regex = cache.get(key);
  if (regex === undefined) {
    const parsed = parseRegex(pattern, options);
    regex = parsed.hasBackreferences ? backtrackingRegex(parsed) : makeRegex(parsed);
    if (cache.size >= CACHE_SIZE_MAX) cache.clear();
    cache.set(key, regex);
  }
  return regex;
}

function optionBits(options: RegexOptions): number {
  return (
    Number(options.ignoreCase) |
    (Number(options.newlineStops) << 1) |
    (Number(options.newlineAnchors) << 2) |
    (Number(options.expanded) << 3) |
    (Number(options.literal) << 4)
  );
}

function makeRegex(parsed: ParsedRegex): Regex {
  const source = toSource(parsed.root, false);
  const tester = compileTester(source);
  const searcher = new RegExp(source, 'dgu');
  const rule = lengthRule(parsed.root);
  const looksAhead = readsBeyondEnd(parsed.root);
  let sliced: RegExp | undefined;

  /** The match from `start` to exactly `end`, if there is one. */
  const matchExactly = (text: string, start: number, end: number): RegexMatch | null => {
    if (isLowSurrogate(text.charCodeAt(end))) return null;
    if (looksAhead) {
      const distance = characterCount(text.slice(end));
      const bounded = new RegExp(`(?:${source})(?=[^]{${distance}}(?![^]))`, 'duy');
      return execAt(bounded, text, start);
    }
    sliced ??= new RegExp(`(?:${source})(?![^])`, 'duy');
    return execAt(sliced, text.slice(0, end), start);
  };

  const automaton = needsAutomaton(parsed.root)
    ? buildAutomaton(parsed.root, (node) => toSource(node, false))
    : undefined;
  if (automaton !== undefined) {
    const shortest = preference(parsed.root) === 'lazy';
    return {
      captureCount: parsed.captureCount,
      test: (text) => automaton.test(text, 0),
      exec(text, from) {
        if (!automaton.test(text, from)) return null;
        for (let start = from; start <= text.length; start++) {
          if (isLowSurrogate(text.charCodeAt(start))) continue;
          const end = automaton.matchEnd(text, start, shortest);
          if (end < 0) continue;
          const grouped = parsed.captureCount > 0 ? matchExactly(text, start, end) : null;
          return grouped ?? plainMatch(text, start, end);
        }
        return null;
      },
    };
  }

  return {
    captureCount: parsed.captureCount,
    test: (text) => tester.test(text),
    exec(text, from) {
      const first = execAt(searcher, text, from);
      if (first === null || rule === 'same') return first;
      if (rule === 'longest') {
        for (let end = text.length; end > first.end; end--) {
          const match = matchExactly(text, first.start, end);
          if (match !== null) return match;
        }
      } else {
        for (let end = first.start; end < first.end; end++) {
          const match = matchExactly(text, first.start, end);
          if (match !== null) return match;
        }
      }
      return first;
    },
  };
}

/** Where case is ignored the sets hold both cases, and a text in lower case makes back references
 * ignore it too. */
function backtrackingRegex(parsed: ParsedRegex): Regex {
  const backtracker = new Backtracker(parsed.root, parsed.captureCount, (node) =>
    toSource(node, false),
  );
  const shortest = preference(parsed.root) === 'lazy';
  const exec = (text: string, from: number): RegexMatch | null => {
    const bounds = backtracker.search(parsed.ignoreCase ? asciiLower(text) : text, from, shortest);
    return bounds === null ? null : boundedMatch(text, bounds);
  };
  return {
    captureCount: parsed.captureCount,
    test: (text) => exec(text, 0) !== null,
    exec,
  };
}

function boundedMatch(text: string, bounds: Int32Array): RegexMatch {
  const groupBounds = (group: number): [number, number] | undefined => {
    const start = bounds[2 * group]!;
    return start < 0 ? undefined : [start, bounds[2 * group + 1]!];
  };
  const groups = Array.from({ length: bounds.length / 2 }, (_, group) => {
    const found = groupBounds(group);
    return found && text.slice(...found);
  });
  return { start: bounds[0]!, end: bounds[1]!, groups, groupBounds };
}

/** JavaScript compiles an expression when it is first run; that is where a too large one fails. */
function compileTester(source: string): RegExp {
  try {
    const tester = new RegExp(source, 'u');
    tester.test('');
    return tester;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw invalidRegex('regular expression is too complex');
    throw thrown;
  }
}

function plainMatch(text: string, start: number, end: number): RegexMatch {
  return {
    start,
    end,
    groups: [text.slice(start, end)],
    groupBounds: (group) => (group === 0 ? [start, end] : undefined),
  };
}

function execAt(regExp: RegExp, text: string, from: number): RegexMatch | null {
  regExp.lastIndex = from;
  const match = regExp.exec(text);
  if (match === null) return null;
  return {
    start: match.index,
    end: match.index + match[0].length,
    groups: match,
    groupBounds: (group) => match.indices?.[group],
  };
}

/** JavaScript's form of a node, under the u flag. `shortest` makes all its repetitions lazy, as
 * {1,1}? around a group does. */
function toSource(node: RegexNode, shortest: boolean): string {
  switch (node.kind) {
    case 'set':
      return setSource(node.ranges, node.negated);
    case 'sequence':
      return node.items.map((item) => toSource(item, shortest)).join('');
    case 'alternatives':
      return `(?:${longestFirst(node.branches)
        .map((branch) => toSource(branch, shortest))
        .join('|')})`;
    case 'group':
      return `${node.capture > 0 ? '(' : '(?:'}${toSource(node.body, shortest)})`;
    case 'repeat': {
      const single = node.min === 1 && node.max === 1;
      const body = toSource(node.body, shortest || (single && node.lazy && !node.fixed));
      if (single) return body;
      const max = node.max === Infinity ? '' : String(node.max);
      return `(?:${body}){${node.min},${max}}${node.lazy || shortest ? '?' : ''}`;
    }
    case 'constraint':
      return node.source;
    case 'look':
      return `${node.opener}${toSource(node.body, shortest)})`;
    case 'backreference':
      return `(?:\\${node.group})`;
  }
}

/** Branches of known lengths, the longest first, as POSIX prefers them. Those with groups stay in
 * their order, which numbers the groups. */
function longestFirst(branches: readonly RegexNode[]): readonly RegexNode[] {
  const lengths = new Map(branches.map((branch) => [branch, fixedLength(branch)]));
  if (branches.some((branch) => lengths.get(branch) === undefined)) return branches;
  return [...branches].sort((a, b) => (lengths.get(b) ?? 0) - (lengths.get(a) ?? 0));
}

/** Characters that every match of a node without groups has; undefined when that varies. */
function fixedLength(node: RegexNode): number | undefined {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'constraint':
    case 'look':
      return 0;
    case 'repeat': {
      const length = fixedLength(node.body);
      return node.min === node.max && length !== undefined ? length * node.min : undefined;
    }
    case 'group':
      return node.capture > 0 ? undefined : fixedLength(node.body);
    case 'sequence': {
      let total = 0;
      for (const item of node.items) {
        const length = fixedLength(item);
        if (length === undefined) return undefined;
        total += length;
      }
      return total;
    }
    default:
      return undefined;
  }
}

function setSource(ranges: Ranges, negated: boolean): string {
  let source = negated ? '[^' : '[';
  for (let i = 0; i < ranges.length; i += 2) {
    const low = ranges[i]!;
    const high = ranges[i + 1]!;
    source += codeSource(low);
    if (high > low) source += `-${codeSource(high)}`;
  }
  return `${source}]`;
}

const codeSource = (code: number) => `\\u{${code.toString(16)}}`;

type LengthRule = 'same' | 'longest' | 'shortest';

function lengthRule(root: RegexNode): LengthRule {
  const facts = { greedy: false, lazy: false, ambiguous: false };
  inspect(root, facts, []);
  const shortest = preference(root) === 'lazy';
  if (facts.greedy && facts.lazy) return shortest ? 'shortest' : 'longest';
  if (!facts.ambiguous) return 'same';
  return shortest ? 'shortest' : 'longest';
}

/** What PostgreSQL calls the greediness of an expression: that of its first repetition that has
 * one, and greedy for alternatives. */
function preference(node: RegexNode): 'greedy' | 'lazy' | undefined {
  switch (node.kind) {
    case 'alternatives':
      return 'greedy';
    case 'group':
      return preference(node.body);
    case 'repeat':
      return node.fixed ? preference(node.body) : node.lazy ? 'lazy' : 'greedy';
    case 'sequence':
      for (const item of node.items) {
        const found = preference(item);
        if (found !== undefined) return found;
      }
      return undefined;
    default:
      return undefined;
  }
}

interface LengthFacts {
  greedy: boolean;
  lazy: boolean;
  /** JavaScript's choice may differ in extent from the longest (or shortest). */
  ambiguous: boolean;
}

/** Walks the expression in order. `taken` collects the characters that repetitions so far may have
 * taken: a later repetition of more than a character that may begin with one of them could give a
 * longer match if they had not. */
function inspect(node: RegexNode, facts: LengthFacts, taken: number[]): void {
  switch (node.kind) {
    case 'sequence':
      for (const item of node.items) inspect(item, facts, taken);
      return;
    case 'group':
      inspect(node.body, facts, taken);
      return;
    case 'alternatives': {
      facts.greedy = true;
      const seen: number[] = [];
      for (const branch of node.branches) {
        const first = firstOf(branch);
        if (first.nullable || overlap(seen, first.ranges)) facts.ambiguous = true;
        seen.push(...first.ranges);
        inspect(branch, facts, taken);
      }
      return;
    }
    case 'repeat': {
      const variable = node.min !== node.max;
      if (!node.fixed) {
        if (node.lazy) facts.lazy = true;
        else facts.greedy = true;
      }
      if (node.body.kind === 'set') {
        if (variable) taken.push(...positive(node.body));
        return;
      }
      if (variable) {
        const first = firstOf(node.body);
        if (first.nullable || node.lazy || overlap(taken, first.ranges)) facts.ambiguous = true;
        taken.push(...first.ranges);
      }
      inspect(node.body, facts, taken);
      return;
    }
    default:
      return;
  }
}

function positive(set: { readonly ranges: Ranges; readonly negated: boolean }): Ranges {
  return set.negated ? complement(set.ranges) : set.ranges;
}

const ANY: Ranges = [0, 0x10ffff];

/** The characters that a match of the node can begin with, and whether it can be empty. */
function firstOf(node: RegexNode): { readonly ranges: Ranges; readonly nullable: boolean } {
  switch (node.kind) {
    case 'set':
      return { ranges: positive(node), nullable: false };
    case 'group':
      return firstOf(node.body);
    case 'repeat': {
      const first = firstOf(node.body);
      return { ranges: first.ranges, nullable: first.nullable || node.min === 0 };
    }
    case 'alternatives': {
      const firsts = node.branches.map(firstOf);
      return {
        ranges: union(firsts.flatMap((first) => first.ranges)),
        nullable: firsts.some((first) => first.nullable),
      };
    }
    case 'sequence': {
      const ranges: number[] = [];
      for (const item of node.items) {
        const first = firstOf(item);
        ranges.push(...first.ranges);
        if (!first.nullable) return { ranges: union(ranges), nullable: false };
      }
      return { ranges: union(ranges), nullable: true };
    }
    case 'constraint':
    case 'look':
      return { ranges: [], nullable: true };
    case 'backreference':
      return { ranges: ANY, nullable: true };
  }
}

/** The same characters in as few ranges as can be. */
function union(ranges: Ranges): Ranges {
  return ranges.length <= 2 ? ranges : complement(complement(ranges));
}

function overlap(a: Ranges, b: Ranges): boolean {
  for (let i = 0; i < a.length; i += 2) {
    for (let j = 0; j < b.length; j += 2) {
      if (a[i]! <= b[j + 1]! && b[j]! <= a[i + 1]!) return true;
    }
  }
  return false;
}

function readsBeyondEnd(node: RegexNode): boolean {
  if (node.kind === 'look' || (node.kind === 'constraint' && node.looksAhead)) return true;
  return childrenOf(node).some(readsBeyondEnd);
}
