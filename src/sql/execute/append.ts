import type { NodeInstrumentation } from './environment.ts';
import type { InputPruning } from './input-pruning.ts';
import { CHUNK, DONE, Operator, type Status } from './operator.ts';

/** The rows of its inputs, one input after the other. Where the inputs are partitions, the values of
 * parameters and slots may leave some of them out, anew in every run and rescan. */
export class Append extends Operator {
  readonly #inputs: readonly InputSource[];
  readonly #selection: InputSelection;
  #current = 0;
  #isReading = false;
  /** The inputs are read again and again: none is closed before the end. */
  #keepsOpen = false;
  #expected = Number.POSITIVE_INFINITY;
  /** Places of the inputs that are open. */
  readonly #open = new Set<number>();

  constructor(inputs: readonly InputSource[], pruning: InputPruning | null) {
    super();
    this.#inputs = inputs;
    this.#selection = new InputSelection(inputs.length, pruning);
  }

  set counters(counters: NodeInstrumentation | null) {
    this.#selection.counters = counters;
  }

  override open(): void {
    this.#keepsOpen = false;
    this.#begin();
  }

  override rescan(): void {
    this.#keepsOpen = true;
    this.#begin();
  }

  #begin(): void {
    this.#selection.forget();
    this.#current = 0;
    this.#isReading = false;
  }

  override next(): Status {
    const selected = this.#selection.inputs();
    while (this.#current < selected.length) {
      const index = selected[this.#current]!;
      const input = this.#inputs[index]!();
      if (!this.#isReading) this.#start(index, input);
      const status = input.next();
      if (status === CHUNK) this.chunk = input.chunk;
      if (status !== DONE) return status;
      if (!this.#keepsOpen) this.#close(index);
      this.#isReading = false;
      this.#current++;
    }
    return DONE;
  }

  override expectRows(count: number): void {
    this.#expected = count;
  }

  #start(index: number, input: Operator): void {
    input.expectRows(this.#expected);
    if (this.#open.has(index)) input.rescan();
    else input.open();
    this.#open.add(index);
    this.#isReading = true;
  }

  #close(index: number): void {
    this.#inputs[index]!().close();
    this.#open.delete(index);
  }

  override close(): void {
    for (const index of this.#open) this.#close(index);
    this.#isReading = false;
  }
}

/** An input: of many partitions those are compiled that a run has come to read. */
export type InputSource = () => Operator;

/** The inputs of a node that are read in a run. */
export class InputSelection {
  readonly #pruning: InputPruning | null;
  readonly #inputs: number[];
  #isKnown: boolean;
  counters: NodeInstrumentation | null = null;

  constructor(count: number, pruning: InputPruning | null) {
    this.#pruning = pruning;
    this.#isKnown = pruning === null;
    this.#inputs = Array.from({ length: pruning === null ? count : 0 }, (_, i) => i);
  }

  /** The next run may be of others: values have changed. */
  forget(): void {
    this.#isKnown = this.#pruning === null;
  }

  /** Their places, ascending; worked out when the first row is asked for, as all values are there then. */
  inputs(): readonly number[] {
    if (!this.#isKnown) {
      this.#inputs.length = 0;
      this.#pruning!.select(this.#inputs);
      if (this.counters !== null) this.counters.selectedInputs = [...this.#inputs];
      this.#isKnown = true;
    }
    return this.#inputs;
  }
}
