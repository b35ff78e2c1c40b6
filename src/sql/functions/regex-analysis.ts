/** What is known of a regular expression before it meets a text: which of several matches it takes, and how
 * long JavaScript's backtracking may look for it. */

import { childrenOf, complement, type Ranges, type RegexNode } from './regex-parse.ts';

/** Whether backtracking may take exponential time: a repetition without bound of something that
 * repeats, branches or can be empty. */
export function needsAutomaton(node: RegexNode): boolean {
  if (node.kind === 'repeat' && node.max > 8 && varies(node.body)) return true;
  return childrenOf(node).some(needsAutomaton);
}

function varies(node: RegexNode): boolean {
  if (node.kind === 'alternatives' || (node.kind === 'repeat' && node.min !== node.max))
    return true;
  return node.kind !== 'look' && childrenOf(node).some(varies);
}

/** Repetitions with less room are constant factors. */
const ROOM_MIN = 8;

/** The power of the text's length with which the time of backtracking may grow, where no repetitions nest:
 * a match may begin anywhere, and each repetition whose end what follows does not decide tries all its ends. */
export function backtrackingDegree(root: RegexNode): number {
  const undecided = undecidedEnds(root, true);
  const scans = hasRoom(root) ? 1 : 0;
  return (isAnchored(root) ? 0 : 1) + Math.max(scans, undecided);
}

function undecidedEnds(node: RegexNode, isLast: boolean): number {
  switch (node.kind) {
    case 'sequence': {
      let count = 0;
      for (const [i, item] of node.items.entries()) {
        const next = node.items[i + 1];
        const decided = next === undefined ? isLast : decides(item, next);
        count += undecidedEnds(item, decided);
      }
      return count;
    }
    case 'alternatives':
      return Math.max(...node.branches.map((branch) => undecidedEnds(branch, isLast)));
    case 'repeat':
      return (
        Number(!isLast && node.max - node.min > ROOM_MIN) + undecidedEnds(node.body, node.max <= 1)
      );
    default:
      return childrenOf(node).reduce((sum, child) => sum + undecidedEnds(child, isLast), 0);
  }
}

/** Whether a repetition must end where `next` begins: at a character that it cannot take. */
function decides(node: RegexNode, next: RegexNode): boolean {
  const first = firstOf(next);
  return !first.nullable && !overlap(charactersOf(node), first.ranges);
}

/** All characters that a match of the node can hold. */
function charactersOf(node: RegexNode): Ranges {
  if (node.kind === 'set') return positive(node);
  return node.kind === 'backreference' ? ANY : childrenOf(node).flatMap(charactersOf);
}

function hasRoom(node: RegexNode): boolean {
  return (
    (node.kind === 'repeat' && node.max - node.min > ROOM_MIN) || childrenOf(node).some(hasRoom)
  );
}

/** Whether all matches begin at the start of the text. */
function isAnchored(node: RegexNode): boolean {
  switch (node.kind) {
    case 'constraint':
      return node.source === '^';
    case 'group':
      return isAnchored(node.body);
    case 'sequence':
      return node.items.length > 0 && isAnchored(node.items[0]!);
    case 'alternatives':
      return node.branches.every(isAnchored);
    default:
      return false;
  }
}

export type LengthRule = 'same' | 'longest' | 'shortest';

export function lengthRule(root: RegexNode): LengthRule {
  const facts = { greedy: false, lazy: false, ambiguous: false };
  inspect(root, facts, []);
  const shortest = preference(root) === 'lazy';
  if (facts.greedy && facts.lazy) return shortest ? 'shortest' : 'longest';
  if (!facts.ambiguous) return 'same';
  return shortest ? 'shortest' : 'longest';
}

/** What PostgreSQL calls the greediness of an expression: that of its first repetition that has
 * one, and greedy for alternatives. */
export function preference(node: RegexNode): 'greedy' | 'lazy' | undefined {
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

export function readsBeyondEnd(node: RegexNode): boolean {
  if (node.kind === 'look' || (node.kind === 'constraint' && node.looksAhead)) return true;
  return childrenOf(node).some(readsBeyondEnd);
}
