import type { Int8 } from '../../types/index.ts';
import type { SequenceOperations } from './environment.ts';
import type { Run } from './run.ts';

/** What nextval() gives for the rows of a batch while it is computed, so that an INSERT which fails at one
 * of them can put back what it drew for those behind, as if it had drawn row by row. */
export class SequenceDraws {
  private readonly run: Run;
  /** Rows come with what they draw; else only what they lack is drawn, when they have come. */
  readonly ofInput: boolean;
  /** By sequence, in the order of the rows. */
  private readonly drawn = new Map<number, Int8[]>();

  constructor(run: Run, ofInput: boolean) {
    this.run = run;
    this.ofInput = ofInput;
  }

  /** A batch is computed from here on. */
  begin(): void {
    this.drawn.clear();
    this.run.draws = this;
  }

  end(): void {
    this.run.draws = null;
  }

  note(relation: number, value: Int8): void {
    const values = this.drawn.get(relation);
    if (values === undefined) this.drawn.set(relation, [value]);
    else values.push(value);
  }

  /** Row `row` of `count` has failed. What was not drawn once for each row is not known by row, and is kept. */
  putBack(sequences: SequenceOperations, row: number, count: number): void {
    for (const [relation, values] of this.drawn) {
      if (values.length === count) sequences.putBack(relation, values[count - 1]!, values[row]!);
    }
  }
}
