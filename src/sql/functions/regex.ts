/** Regular expressions: PostgreSQL's AREs run on JavaScript's RegExp.
 *
 * Both find the leftmost match, but where several matches start there POSIX takes the longest (or
 * the shortest, when the expression as a whole is non-greedy), while JavaScript takes the first in
 * the order of its alternatives. `lengthRule` recognises the expressions for which the two agree;
 * for the others `exec` tries the other ends of the match. Where backtracking could take long an
 * automaton finds the extent (see regex-automaton.ts). Among matches of equal extent, which differ in
 * what the groups capture, the first in JavaScript's order counts. Expressions with back references are
 * matched by regex-backtrack.ts. */

import { characterCount } from '../../types/index.ts';
import {
  backtrackingDegree,
  type LengthRule,
  lengthRule,
  needsAutomaton,
  preference,
  readsBeyondEnd,
} from './regex-analysis.ts';
import { buildAutomaton } from './regex-automaton.ts';
import { Backtracker } from './regex-backtrack.ts';
import { groupBounds } from './regex-groups.ts';
import {
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

/** JavaScript's RegExp is the fastest, and cannot be interrupted: it gets the texts in which its backtracking
 * has to end soon. */
function makeRegex(parsed: ParsedRegex): Regex {
  const rule = lengthRule(parsed.root);
  if (needsAutomaton(parsed.root)) return automatonRegex(parsed);
  const degree = backtrackingDegree(parsed.root) + (rule === 'same' ? 0 : 1);
  const direct = directRegex(parsed, rule);
  if (degree <= 1) return direct;
  const lengthMax = BACKTRACKS_MAX ** (1 / degree);
  let automaton: Regex | undefined;
  const fit = (text: string): Regex => {
    if (text.length <= lengthMax) return direct;
    automaton ??= automatonRegex(parsed);
    return automaton;
  };
  return {
    captureCount: parsed.captureCount,
    test: (text) => fit(text).test(text),
    exec: (text, from) => fit(text).exec(text, from),
  };
}

/** Tenths of a second. */
const BACKTRACKS_MAX = 1e8;

function automatonRegex(parsed: ParsedRegex): Regex {
  const { root, captureCount } = parsed;
  const automaton = buildAutomaton(root, (node) => toSource(node, false), longestFirst);
  if (automaton === undefined) throw tooComplex();
  const shortest = preference(root) === 'lazy';
  return {
    captureCount,
    test: (text) => automaton.test(text, 0),
    exec(text, from) {
      if (!automaton.test(text, from)) return null;
      for (let start = from; start <= text.length; start++) {
        if (isLowSurrogate(text.charCodeAt(start))) continue;
        const end = automaton.matchEnd(text, start, shortest);
        if (end < 0) continue;
        if (captureCount === 0) return plainMatch(text, start, end);
        return boundedMatch(text, groupBounds(automaton.program, captureCount, text, start, end));
      }
      return null;
    },
  };
}

function directRegex(parsed: ParsedRegex, rule: LengthRule): Regex {
  const source = toSource(parsed.root, false);
  const tester = compileTester(source);
  const searcher = new RegExp(source, 'dgu');
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
    if (thrown instanceof SyntaxError) throw tooComplex();
    throw thrown;
  }
}

function tooComplex() {
  return invalidRegex('regular expression is too complex');
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
