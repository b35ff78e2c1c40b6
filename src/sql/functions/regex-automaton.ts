/** A regular expression as an automaton that is run over the text in step with all its states, so
 * that time grows with text times expression. JavaScript's backtracking takes exponential time where
 * repetitions nest, `(a+)+b`, and a statement could not be cancelled in the middle of it. */

import { childrenOf, isInSet, type Ranges, type RegexNode } from './regex-parse.ts';

type Instruction =
  | { readonly kind: 'set'; readonly ranges: Ranges; readonly negated: boolean }
  | { readonly kind: 'split'; readonly first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'constraint'; readonly regExp: RegExp }
  | { readonly kind: 'match' };

const INSTRUCTIONS_MAX = 20_000;

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

/** Builds the automaton; undefined when the expression has back references or is too large.
 * `sourceOf` gives JavaScript's form of a constraint, which is tested where it stands. */
export function buildAutomaton(
  root: RegexNode,
  sourceOf: (node: RegexNode) => string,
): Automaton | undefined {
  const program: Instruction[] = [];

  const emit = (node: RegexNode): boolean => {
    if (program.length > INSTRUCTIONS_MAX) return false;
    switch (node.kind) {
      case 'set':
        program.push({ kind: 'set', ranges: node.ranges, negated: node.negated });
        return true;
      case 'sequence':
        return node.items.every(emit);
      case 'group':
        return emit(node.body);
      case 'alternatives':
        return emitBranches(node.branches);
      case 'repeat':
        return emitRepeat(node.body, node.min, node.max);
      case 'constraint':
      case 'look':
        program.push({ kind: 'constraint', regExp: new RegExp(sourceOf(node), 'uy') });
        return true;
      case 'backreference':
        return false;
    }
  };

  const emitBranches = (branches: readonly RegexNode[]): boolean => {
    const jumps: { to: number }[] = [];
    for (const [i, branch] of branches.entries()) {
      const isLast = i === branches.length - 1;
      const split = { kind: 'split' as const, first: program.length + 1, second: 0 };
      if (!isLast) program.push(split);
      if (!emit(branch)) return false;
      if (isLast) break;
      const jump = { kind: 'jump' as const, to: 0 };
      program.push(jump);
      jumps.push(jump);
      split.second = program.length;
    }
    for (const jump of jumps) jump.to = program.length;
    return true;
  };

  const emitRepeat = (body: RegexNode, min: number, max: number): boolean => {
    for (let i = 0; i < min; i++) if (!emit(body)) return false;
    if (max === Number.POSITIVE_INFINITY) {
      const start = program.length;
      const split = { kind: 'split' as const, first: start + 1, second: 0 };
      program.push(split);
      if (!emit(body)) return false;
      program.push({ kind: 'jump', to: start });
      split.second = program.length;
      return true;
    }
    const splits: { second: number }[] = [];
    for (let i = min; i < max; i++) {
      const split = { kind: 'split' as const, first: program.length + 1, second: 0 };
      program.push(split);
      splits.push(split);
      if (!emit(body)) return false;
    }
    for (const split of splits) split.second = program.length;
    return true;
  };

  if (!emit(root)) return undefined;
  program.push({ kind: 'match' });
  return new Automaton(program);
}

class Automaton {
  private readonly program: readonly Instruction[];
  /** The step at which an instruction was last added, so that it is added once a step. */
  private readonly addedAt: Float64Array;
  private step = 0;
  private current: number[] = [];
  private following: number[] = [];
  private readonly pending: number[] = [];
  private matched = false;

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
        case 'match':
          this.matched = true;
          break;
      }
    }
  }
}
