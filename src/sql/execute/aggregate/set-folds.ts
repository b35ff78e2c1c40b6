import { ByteWriter } from '../../../base/index.ts';
import { pgError } from '../../../errors/index.ts';
import {
  type ArrayDatum,
  addIntervals,
  type Datum,
  type Interval,
  multiplyInterval,
  shortDouble,
  subtractIntervals,
} from '../../../types/index.ts';

/** A row of a group, in the order of WITHIN GROUP. */
export interface SortedRow {
  /** The first key. */
  value(): Datum;
  /** How its keys compare with some that are encoded. */
  compareKey(key: ByteWriter): number;
  /** Writes its encoded keys in the place of what there was. */
  copyKey(out: ByteWriter): void;
}

/** Computes an ordered-set aggregate, group by group. */
export interface SetFold {
  /** A group of so many rows begins. `hypothetical` are the direct arguments as an encoded key. */
  begin(count: number, direct: readonly Datum[], hypothetical: ByteWriter): void;
  row(index: number, row: SortedRow): void;
  finish(): Datum;
}

type Interpolate = (low: Datum, high: Datum, fraction: number) => Datum;

/** percentile_disc, and percentile_cont where there is `interpolate`; of one fraction or of an array of
 * them. It keeps the values of the rows that the fractions lead to. */
export class PercentileFold implements SetFold {
  readonly #interpolate: Interpolate | null;
  readonly #elementType: number;
  readonly #wanted = new Map<number, Datum>();
  #count = 0;
  #fractions: Datum = null;

  constructor(interpolate: Interpolate | null, elementType: number) {
    this.#interpolate = interpolate;
    this.#elementType = elementType;
  }

  begin(count: number, direct: readonly Datum[]): void {
    this.#count = count;
    this.#fractions = direct[0] ?? null;
    this.#wanted.clear();
    const fractions = this.#fractions;
    if (fractions === null) return;
    if (typeof fractions === 'number') this.#want(fractions);
    else if (count > 0) {
      for (const fraction of (fractions as ArrayDatum).elements) {
        if (fraction !== null) this.#want(fraction as number);
      }
    }
  }

  #want(fraction: number): void {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw pgError(
        'numeric_value_out_of_range',
        `percentile value ${shortDouble(fraction)} is not between 0 and 1`,
      );
    }
    for (const index of this.#indexes(fraction)) this.#wanted.set(index, null);
  }

  /** The row that a fraction leads to, or the two that it lies between. */
  #indexes(fraction: number): readonly [low: number, high: number] {
    if (this.#interpolate === null) {
      const index = Math.max(Math.ceil(fraction * this.#count), 1) - 1;
      return [index, index];
    }
    const place = fraction * (this.#count - 1);
    return [Math.floor(place), Math.ceil(place)];
  }

  row(index: number, row: SortedRow): void {
    if (this.#wanted.has(index)) this.#wanted.set(index, row.value());
  }

  finish(): Datum {
    const fractions = this.#fractions;
    if (fractions === null || this.#count === 0) return null;
    if (typeof fractions === 'number') return this.#percentile(fractions);
    const array = fractions as ArrayDatum;
    return {
      ...array,
      elementType: this.#elementType,
      elements: array.elements.map((fraction) =>
        fraction === null ? null : this.#percentile(fraction as number),
      ),
    };
  }

  #percentile(fraction: number): Datum {
    const [low, high] = this.#indexes(fraction);
    const value = this.#wanted.get(low) ?? null;
    if (low === high || this.#interpolate === null) return value;
    const rest = fraction * (this.#count - 1) - low;
    return this.#interpolate(value, this.#wanted.get(high) ?? null, rest);
  }
}

export function interpolateFloats(low: Datum, high: Datum, fraction: number): Datum {
  return (low as number) + fraction * ((high as number) - (low as number));
}

export function interpolateIntervals(low: Datum, high: Datum, fraction: number): Datum {
  const distance = subtractIntervals(high as Interval, low as Interval);
  return addIntervals(multiplyInterval(distance, fraction), low as Interval);
}

/** mode: the value that comes most often, of several the first. */
export class ModeFold implements SetFold {
  #best: Datum = null;
  #bestCount = 0;
  #current: Datum = null;
  readonly #currentKey = new ByteWriter(64);
  /** 0 before the first row. */
  #currentCount = 0;

  begin(): void {
    this.#best = null;
    this.#bestCount = 0;
    this.#currentCount = 0;
  }

  row(_index: number, row: SortedRow): void {
    if (this.#currentCount === 0 || row.compareKey(this.#currentKey) !== 0) {
      this.#current = row.value();
      row.copyKey(this.#currentKey);
      this.#currentCount = 0;
    }
    if (++this.#currentCount > this.#bestCount) {
      this.#best = this.#current;
      this.#bestCount = this.#currentCount;
    }
  }

  finish(): Datum {
    return this.#best;
  }
}

export type HypotheticalFunction = 'rank' | 'dense_rank' | 'percent_rank' | 'cume_dist';

/** The rank that a hypothetical row would have. */
export class HypotheticalFold implements SetFold {
  readonly #function: HypotheticalFunction;
  #count = 0;
  #key = new ByteWriter(0);
  #before = 0;
  #peers = 0;
  #groupsBefore = 0;
  readonly #lastKey = new ByteWriter(64);

  constructor(name: HypotheticalFunction) {
    this.#function = name;
  }

  begin(count: number, _direct: readonly Datum[], hypothetical: ByteWriter): void {
    this.#count = count;
    this.#key = hypothetical;
    this.#before = 0;
    this.#peers = 0;
    this.#groupsBefore = 0;
  }

  row(_index: number, row: SortedRow): void {
    const order = row.compareKey(this.#key);
    if (order > 0) return;
    if (order === 0) {
      this.#peers++;
      return;
    }
    this.#before++;
    if (this.#function !== 'dense_rank') return;
    if (this.#groupsBefore > 0 && row.compareKey(this.#lastKey) === 0) return;
    row.copyKey(this.#lastKey);
    this.#groupsBefore++;
  }

  finish(): Datum {
    switch (this.#function) {
      case 'rank':
        return this.#before + 1;
      case 'dense_rank':
        return this.#groupsBefore + 1;
      case 'percent_rank':
        return this.#count === 0 ? 0 : this.#before / this.#count;
      case 'cume_dist':
        return (this.#before + this.#peers + 1) / (this.#count + 1);
    }
  }
}
