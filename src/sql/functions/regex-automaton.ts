/** A regular expression as an automaton that is run over the text in step with all its states, so
 * that time grows with text times expression. JavaScript's backtracking takes exponential time where
 * repetitions nest, `(a+)+b`, and a statement could not be cancelled in the middle of it. */

import { checkInterrupt } from '../../base/index.ts';
import { childrenOf, isInSet, type Ranges, type RegexNode } from './regex-parse.ts';

/** Of the two ways of a split the first is preferred, which only tells groups apart. */
export type Instruction =
  | { readonly kind: 'set'; readonly ranges: Ranges; readonly negated: boolean }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'constraint'; readonly regExp: RegExp }
  /** A group begins or ends here: 2 * group, or one more. */
  | { readonly kind: 'save'; readonly bound: number }
  /** Another round begins: what these groups have matched before is forgotten. */
  | { readonly kind: 'forget'; readonly groups: readonly number[] }
  | { readonly kind: 'match' };

const INSTRUCTIONS_MAX = 20_000;

/** Builds the automaton; undefined when the expression has back references or is too large.
 * `sourceOf` gives JavaScript's form of a constraint, which is tested where it stands; `branchesOf` the
 * branches of alternatives in their order. */
export function buildAutomaton(
  root: RegexNode,
  sourceOf: (node: RegexNode) => string,
  branchesOf: (branches: readonly RegexNode[]) => readonly RegexNode[],
): Automaton | undefined {
  const program: Instruction[] = [];

  /** `shortest`: all repetitions are lazy, as within {1,1}?. */
  const emit = (node: RegexNode, shortest: boolean): boolean => {
    if (program.length > INSTRUCTIONS_MAX) return false;
    switch (node.kind) {
      case 'set':
        program.push({ kind: 'set', ranges: node.ranges, negated: node.negated });
        return true;
      case 'sequence':
        return node.items.every((item) => emit(item, shortest));
      case 'group':
        return emitGroup(node.body, node.capture, shortest);
      case 'alternatives':
        return emitBranches(branchesOf(node.branches), shortest);
      case 'repeat': {
        const single = node.min === 1 && node.max === 1;
        if (single) return emit(node.body, shortest || (node.lazy && !node.fixed));
        return emitRepeat(node, shortest);
      }
      case 'constraint':
      case 'look':
        program.push({ kind: 'constraint', regExp: new RegExp(sourceOf(node), 'uy') });
        return true;
      case 'backreference':
        return false;
    }
  };

  const emitGroup = (body: RegexNode, capture: number, shortest: boolean): boolean => {
    if (capture === 0) return emit(body, shortest);
    program.push({ kind: 'save', bound: 2 * capture });
    if (!emit(body, shortest)) return false;
    program.push({ kind: 'save', bound: 2 * capture + 1 });
    return true;
  };

  const emitBranches = (branches: readonly RegexNode[], shortest: boolean): boolean => {
    const jumps: { to: number }[] = [];
    for (const [i, branch] of branches.entries()) {
      const isLast = i === branches.length - 1;
      const split = { kind: 'split' as const, first: program.length + 1, second: 0 };
      if (!isLast) program.push(split);
      if (!emit(branch, shortest)) return false;
      if (isLast) break;
      const jump = { kind: 'jump' as const, to: 0 };
      program.push(jump);
      jumps.push(jump);
      split.second = program.length;
    }
    for (const jump of jumps) jump.to = program.length;
    return true;
  };

  const emitRepeat = (node: Extract<RegexNode, { kind: 'repeat' }>, shortest: boolean): boolean => {
    const { body, min, max } = node;
    const lazy = node.lazy || shortest;
    const groups = groupsWithin(body);
    const emitRound = (): boolean => {
      if (groups.length > 0) program.push({ kind: 'forget', groups });
      return emit(body, shortest);
    };
    const splits: { first: number; second: number }[] = [];
    const emitSplit = (): void => {
      const split = { kind: 'split' as const, first: program.length + 1, second: 0 };
      program.push(split);
      splits.push(split);
    };
    for (let i = 0; i < min; i++) if (!emitRound()) return false;
    if (max === Number.POSITIVE_INFINITY) {
      const start = program.length;
      emitSplit();
      if (!emitRound()) return false;
      program.push({ kind: 'jump', to: start });
    } else {
      for (let i = min; i < max; i++) {
        emitSplit();
        if (!emitRound()) return false;
      }
    }
    for (const split of splits) {
      split.second = program.length;
      if (lazy) [split.first, split.second] = [split.second, split.first];
    }
    return true;
  };

  if (!emit(root, false)) return undefined;
  program.push({ kind: 'match' });
  return new Automaton(program);
}

function groupsWithin(node: RegexNode): number[] {
  const inner = childrenOf(node).flatMap(groupsWithin);
  return node.kind === 'group' && node.capture > 0 ? [node.capture, ...inner] : inner;
}

/** Steps between looks at whether the statement was cancelled. */
const UNINTERRUPTED_STEPS = 1 << 16;

export class Automaton {
  readonly program: readonly Instruction[];
  /** The step at which an instruction was last added, so that it is added once a step. */
  private readonly addedAt: Float64Array;
  private step = 0;
  private current: number[] = [];
  private following: number[] = [];
  private readonly pending: number[] = [];
  private matched = false;
  private uninterrupted = 0;

  constructor(program: readonly Instruction[]) {
    this.program = program;
    this.addedAt = new Float64Array(program.length);
  }

  /** Whether there is a match that starts at `from` or later. */
  test(text: string, from: number): boolean {
    this.begin();
    for (let at = from; ; ) {
      this.add(this.current, 0, text, at);
      if (this.matched) return true;
      if (at >= text.length) return false;
      at = this.advance(text, at);
      if (this.matched) return true;
    }
  }

  /** End of the longest (or shortest) match that starts exactly at `start`; -1 for none. */
  matchEnd(text: string, start: number, shortest: boolean): number {
    this.begin();
    this.add(this.current, 0, text, start);
    let end = -1;
    for (let at = start; ; ) {
      if (this.matched) {
        end = at;
        if (shortest) return end;
      }
      if (at >= text.length || this.current.length === 0) return end;
      at = this.advance(text, at);
    }
  }

  private begin(): void {
    this.current.length = 0;
    // A search that was cancelled has left them.
    this.pending.length = 0;
    this.step++;
    this.matched = false;
  }

  /** Reads one character in all states; the index behind it. */
  private advance(text: string, at: number): number {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    const { current, following } = this;
    following.length = 0;
    this.step++;
    this.matched = false;
    this.uninterrupted += 1 + current.length;
    if (this.uninterrupted > UNINTERRUPTED_STEPS) {
      this.uninterrupted = 0;
      checkInterrupt();
    }
    for (const state of current) {
      const instruction = this.program[state]!;
      if (instruction.kind === 'set' && isInSet(instruction, code)) {
        this.add(following, state + 1, text, next);
      }
    }
    this.current = following;
    this.following = current;
    return next;
  }

  /** Adds a state and all that it reaches without reading. */
  private add(states: number[], from: number, text: string, at: number): void {
    const { pending, addedAt, program, step } = this;
    pending.push(from);
    while (pending.length > 0) {
      const state = pending.pop()!;
      if (addedAt[state] === step) continue;
      addedAt[state] = step;
      const instruction = program[state]!;
      switch (instruction.kind) {
        case 'set':
          states.push(state);
          break;
        case 'split':
          pending.push(instruction.second, instruction.first);
          break;
        case 'jump':
          pending.push(instruction.to);
          break;
        case 'constraint':
          instruction.regExp.lastIndex = at;
          if (instruction.regExp.test(text)) pending.push(state + 1);
          break;
        case 'save':
        case 'forget':
          pending.push(state + 1);
          break;
        case 'match':
          this.matched = true;
          break;
      }
    }
  }
}
