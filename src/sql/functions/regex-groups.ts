/** What the groups of a match captured whose extent an automaton has found: of all ways to match it the one
 * that backtracking would come upon first. No instruction is tried twice at one place of the text, so that
 * time and memory grow with text times expression. */

import { checkInterrupt } from '../../base/index.ts';
import type { Instruction } from './regex-automaton.ts';
import { invalidRegex, isInSet } from './regex-parse.ts';

/** Places times instructions; an eighth of it in bytes. */
const VISITS_MAX = 2 ** 30;
const UNINTERRUPTED_STEPS = 1 << 16;

/** Start and end of each group of the match text[start, end), the whole first; -1 for a group without a match. */
export function groupBounds(
  program: readonly Instruction[],
  captureCount: number,
  text: string,
  start: number,
  end: number,
): Int32Array {
  const size = program.length * (end - start + 1);
  if (size > VISITS_MAX) throw invalidRegex('regular expression is too complex');
  const visited = new Uint8Array((size >>> 3) + 1);
  const bounds = new Int32Array(2 * (captureCount + 1)).fill(-1);
  bounds[0] = start;
  bounds[1] = end;
  // What is left to try, in pairs: an instruction and a place, or a bound (as -1 - bound) and what it was.
  const left: number[] = [0, start];
  let steps = 0;
  while (left.length > 0) {
    let at = left.pop()!;
    let state = left.pop()!;
    if (state < 0) {
      bounds[-1 - state] = at;
      continue;
    }
    for (;;) {
      if ((++steps & (UNINTERRUPTED_STEPS - 1)) === 0) checkInterrupt();
      const visit = (at - start) * program.length + state;
      const bit = 1 << (visit & 7);
      if ((visited[visit >>> 3]! & bit) !== 0) break;
      visited[visit >>> 3]! |= bit;
      const instruction = program[state]!;
      if (instruction.kind === 'match') {
        if (at === end) return bounds;
        break;
      }
      if (instruction.kind === 'set') {
        if (at >= end) break;
        const code = text.codePointAt(at)!;
        if (!isInSet(instruction, code)) break;
        at += code > 0xffff ? 2 : 1;
        state++;
      } else if (instruction.kind === 'split') {
        left.push(instruction.second, at);
        state = instruction.first;
      } else if (instruction.kind === 'jump') {
        state = instruction.to;
      } else if (instruction.kind === 'constraint') {
        instruction.regExp.lastIndex = at;
        if (!instruction.regExp.test(text)) break;
        state++;
      } else {
        const changed =
          instruction.kind === 'save'
            ? [instruction.bound]
            : instruction.groups.flatMap((group) => [2 * group, 2 * group + 1]);
        for (const bound of changed) {
          left.push(-1 - bound, bounds[bound]!);
          bounds[bound] = instruction.kind === 'save' ? at : -1;
        }
        state++;
      }
    }
  }
  return bounds;
}
