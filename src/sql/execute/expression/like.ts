import {
  type BytesVector,
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import type { SqlType } from '../../../types/index.ts';
import { combineValidity, Evaluator } from './evaluator.ts';

const PERCENT = 37;
const UNDERSCORE = 95;
const BACKSLASH = 92;

/** LIKE over UTF-8 bytes: `_` takes one character, `%` any number, `\` makes the next one plain. */
export class LikeEvaluator extends Evaluator {
  readonly #left: Evaluator;
  readonly #right: Evaluator;
  readonly #negated: boolean;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    left: Evaluator,
    right: Evaluator,
    negated: boolean,
  ) {
    super(type);
    this.#left = left;
    this.#right = right;
    this.#negated = negated;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const text = this.#left.evaluate(rows) as BytesVector;
    const pattern = this.#right.evaluate(rows) as BytesVector;
    const out = this.#out;
    combineValidity(out, text, pattern, rows);
    const yes = this.#negated ? 0 : 1;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!out.allValid && out.valid[row] === 0) continue;
      const from = text.start[row]!;
      const start = pattern.start[row]!;
      const matches = likeMatches(
        text.buffer,
        from,
        from + text.length[row]!,
        pattern.buffer,
        start,
        start + pattern.length[row]!,
      );
      out.values[row] = matches ? yes : 1 - yes;
    }
    return out;
  }
}

/** Greedy matching that goes back to the last `%` only: a later `%` can take whatever an earlier could. */
export function likeMatches(
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
): boolean {
  let t = textStart;
  let p = patternStart;
  let percentAfter = -1;
  let resume = 0;
  for (;;) {
    if (p < patternEnd && pattern[p] === PERCENT) {
      percentAfter = ++p;
      resume = t;
      if (p === patternEnd) return true;
      continue;
    }
    if (t >= textEnd) break;
    const step = p < patternEnd ? matchOne(text, t, textEnd, pattern, p, patternEnd) : 0;
    if (step !== 0) {
      t += step >> 2;
      p += step & 3;
      continue;
    }
    if (percentAfter < 0) return false;
    resume = nextCandidate(text, resume, textEnd, pattern[percentAfter]!);
    t = resume;
    p = percentAfter;
  }
  while (p < patternEnd && pattern[p] === PERCENT) p++;
  return p === patternEnd;
}

/** The next place where what follows a `%` may match, given its first byte. */
function nextCandidate(text: Uint8Array, at: number, end: number, first: number): number {
  let next = nextCharacter(text, at, end);
  if (first !== UNDERSCORE && first !== BACKSLASH)
    while (next < end && text[next] !== first) next++;
  return next;
}

/** 0 for no match, else bytes of text taken times 4 plus bytes of pattern taken. */
function matchOne(
  text: Uint8Array,
  t: number,
  textEnd: number,
  pattern: Uint8Array,
  p: number,
  patternEnd: number,
): number {
  const code = pattern[p]!;
  if (code === UNDERSCORE) return ((nextCharacter(text, t, textEnd) - t) << 2) | 1;
  if (code !== BACKSLASH) return text[t] === code ? 5 : 0;
  if (p + 1 === patternEnd) {
    throw pgError('invalid_escape_sequence', 'LIKE pattern must not end with escape character');
  }
  return text[t] === pattern[p + 1] ? 6 : 0;
}

function nextCharacter(text: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && (text[next]! & 0xc0) === 0x80) next++;
  return next;
}
