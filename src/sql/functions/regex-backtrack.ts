/** Matching with back references, which neither an automaton nor JavaScript's RegExp can do as
 * PostgreSQL does: there a reference to a group that has matched nothing fails, in JavaScript it
 * matches the empty string. */

import { checkInterrupt } from '../../base/index.ts';
import {
  childrenOf,
  invalidRegex,
  isInSet,
  isLowSurrogate,
  type RegexNode,
} from './regex-parse.ts';

/** A part of the expression: tries its ways to match at `at`, each time asking `next` whether what
 * follows matches from there on. */
type Part = (at: number, next: (at: number) => boolean) => boolean;

/** Steps after which a search is given up. */
const STEPS_MAX = 50_000_000;
const UNINTERRUPTED_STEPS = 1 << 16;

export class Backtracker {
  private readonly match: Part;
  /** Start and end of each group; -1 while it has matched nothing. */
  private readonly bounds: Int32Array;
  private readonly sourceOf: (node: RegexNode) => string;
  private text = '';
  private steps = 0;

  /** `sourceOf` gives JavaScript's form of a constraint, which is tested where it stands. */
  constructor(root: RegexNode, captureCount: number, sourceOf: (node: RegexNode) => string) {
    this.bounds = new Int32Array(2 * (captureCount + 1)).fill(-1);
    this.sourceOf = sourceOf;
    this.match = this.part(root, false);
  }

  /** The first match from `from` on, and of those that start there the longest (or shortest): bounds of
   * the whole and of its groups, or null. */
  search(text: string, from: number, shortest: boolean): Int32Array | null {
    this.text = text;
    this.steps = 0;
    try {
      for (let start = from; start <= text.length; start++) {
        if (isLowSurrogate(text.charCodeAt(start))) continue;
        const found = this.matchAt(start, shortest);
        if (found !== null) return found;
      }
      return null;
    } catch (thrown) {
      if (thrown instanceof RangeError) throw invalidRegex('regular expression is too complex');
      throw thrown;
    }
  }

  /** Among matches of one extent the first in the order of the alternatives counts. */
  private matchAt(start: number, shortest: boolean): Int32Array | null {
    const { bounds } = this;
    const ideal = shortest ? start : this.text.length;
    let best: Int32Array | null = null;
    bounds.fill(-1);
    this.match(start, (end) => {
      if (best === null || (shortest ? end < best[1]! : end > best[1]!)) {
        best = bounds.slice();
        best[0] = start;
        best[1] = end;
      }
      return end === ideal;
    });
    return best;
  }

  private part(node: RegexNode, shortest: boolean): Part {
    switch (node.kind) {
      case 'set':
        return (at, next) => {
          const after = this.readCharacter(node, at);
          return after >= 0 && next(after);
        };
      case 'sequence':
        return this.sequence(node.items.map((item) => this.part(item, shortest)));
      case 'alternatives': {
        const branches = node.branches.map((branch) => this.part(branch, shortest));
        return (at, next) => branches.some((branch) => branch(at, next));
      }
      case 'group':
        return this.group(this.part(node.body, shortest), node.capture);
      case 'repeat': {
        const single = node.min === 1 && node.max === 1;
        const lazy = node.lazy || shortest;
        const body = this.part(node.body, shortest || (single && node.lazy && !node.fixed));
        if (single) return body;
        if (node.body.kind === 'set') return this.repeatCharacter(node.body, node, lazy);
        const repeat = this.repeat(body, node, lazy, capturesOf(node.body));
        return node.body.kind === 'backreference' ? this.whereSet(node.body.group, repeat) : repeat;
      }
      case 'constraint':
      case 'look': {
        const regExp = new RegExp(this.sourceOf(node), 'uy');
        return (at, next) => {
          regExp.lastIndex = at;
          return regExp.test(this.text) && next(at);
        };
      }
      case 'backreference':
        return this.backreference(node.group);
    }
  }

  private sequence(parts: readonly Part[]): Part {
    const from = (i: number, at: number, next: (at: number) => boolean): boolean => {
      const part = parts[i];
      return part === undefined ? next(at) : part(at, (after) => from(i + 1, after, next));
    };
    return (at, next) => from(0, at, next);
  }

  private group(body: Part, capture: number): Part {
    if (capture === 0) return body;
    const { bounds } = this;
    return (at, next) =>
      body(at, (after) => {
        const start = bounds[2 * capture]!;
        const end = bounds[2 * capture + 1]!;
        bounds[2 * capture] = at;
        bounds[2 * capture + 1] = after;
        if (next(after)) return true;
        bounds[2 * capture] = start;
        bounds[2 * capture + 1] = end;
        return false;
      });
  }

  /** Each round forgets what the groups within have matched in the round before. */
  private repeat(
    body: Part,
    { min, max }: { readonly min: number; readonly max: number },
    lazy: boolean,
    captures: readonly number[],
  ): Part {
    const { bounds } = this;
    const round = (count: number, at: number, next: (at: number) => boolean): boolean => {
      this.countStep();
      if (lazy && count >= min && next(at)) return true;
      if (count < max) {
        const saved = captures.map((capture) => bounds[capture]!);
        for (const capture of captures) bounds[capture] = -1;
        // Beyond the rounds that must be, one that reads nothing leads nowhere.
        const found = body(at, (after) =>
          after === at && count >= min ? false : round(count + 1, after, next),
        );
        if (found) return true;
        for (let i = 0; i < captures.length; i++) bounds[captures[i]!] = saved[i]!;
      }
      return !lazy && count >= min && next(at);
    };
    return (at, next) => round(0, at, next);
  }

  /** Repetitions of one character, the most frequent, take no stack. */
  private repeatCharacter(
    set: Extract<RegexNode, { kind: 'set' }>,
    { min, max }: { readonly min: number; readonly max: number },
    lazy: boolean,
  ): Part {
    return (start, next) => {
      const ends = [start];
      let at = start;
      if (lazy && min === 0 && next(start)) return true;
      while (ends.length <= max) {
        at = this.readCharacter(set, at);
        if (at < 0) break;
        ends.push(at);
        if (lazy && ends.length > min && next(at)) return true;
      }
      if (lazy) return false;
      for (let count = ends.length - 1; count >= min; count--) if (next(ends[count]!)) return true;
      return false;
    };
  }

  private backreference(group: number): Part {
    const { bounds } = this;
    return (at, next) => {
      this.countStep();
      const start = bounds[2 * group]!;
      if (start < 0) return false;
      const length = bounds[2 * group + 1]! - start;
      return this.text.startsWith(this.text.slice(start, start + length), at) && next(at + length);
    };
  }

  /** A repeated reference fails where its group has matched nothing, even for no round at all. */
  private whereSet(group: number, part: Part): Part {
    return (at, next) => this.bounds[2 * group]! >= 0 && part(at, next);
  }

  /** The index behind the character at `at` if it is of the set; -1 if not. */
  private readCharacter(set: Extract<RegexNode, { kind: 'set' }>, at: number): number {
    this.countStep();
    const code = this.text.codePointAt(at);
    if (code === undefined || !isInSet(set, code)) return -1;
    return at + (code > 0xffff ? 2 : 1);
  }

  private countStep(): void {
    if ((++this.steps & (UNINTERRUPTED_STEPS - 1)) !== 0) return;
    if (this.steps > STEPS_MAX) throw invalidRegex('regular expression is too complex');
    checkInterrupt();
  }
}

/** Positions in the bounds of the groups within a node. */
function capturesOf(node: RegexNode): number[] {
  const inner = childrenOf(node).flatMap(capturesOf);
  if (node.kind !== 'group' || node.capture === 0) return inner;
  return [2 * node.capture, 2 * node.capture + 1, ...inner];
}
