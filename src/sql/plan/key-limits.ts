import type { PartitionBound, PartitionKey } from '../../catalog/descriptors.ts';
import { type Datum, typeByOid } from '../../types/index.ts';

/** A value brought to the type of a partition key. `rest` is the sign of the exact value minus `value`,
 * which is null where the exact value is beyond all values of the type. */
export interface KeyValue {
  readonly value: Datum;
  readonly rest: number;
}

/** A bound of the values that are wanted. */
export interface Limit {
  readonly value: Datum;
  readonly inclusive: boolean;
}

/** What the conditions on one column of the key come to. */
export class KeyLimits {
  lower: Limit | null = null;
  upper: Limit | null = null;
  isNull = false;
  /** No value meets the conditions. */
  isEmpty = false;
  private isPresent = false;
  private equal: Datum | undefined = undefined;
  private readonly excluded: Datum[] = [];
  private readonly order: (a: Datum, b: Datum) => number;

  constructor(key: PartitionKey) {
    this.order = typeByOid(key.type).compare;
  }

  /** The only value that meets the conditions; undefined when there may be several. */
  get point(): Datum | undefined {
    return this.isNull ? null : this.equal;
  }

  testNull(negated: boolean): void {
    if (negated) this.isPresent = true;
    else this.isNull = true;
    this.isEmpty ||= this.isNull && this.isPresent;
  }

  compare(strategy: number, { value, rest }: KeyValue): void {
    // Comparisons with a null are true of nothing.
    if (value === null && rest === 0) this.isEmpty = true;
    this.testNull(true);
    if (this.isEmpty) return;
    if (strategy === 3) this.setEqual(value, rest);
    else if (strategy < 3) this.setUpper(value, rest, strategy === 2);
    else this.setLower(value, rest, strategy === 4);
    this.checkEqual();
  }

  /** The key differs from a value. */
  exclude({ value, rest }: KeyValue): void {
    this.testNull(true);
    if (value === null && rest === 0) this.isEmpty = true;
    else if (rest === 0) this.excluded.push(value);
    this.checkEqual();
  }

  private setEqual(value: Datum, rest: number): void {
    const differs = this.equal !== undefined && this.order(this.equal, value) !== 0;
    if (rest !== 0 || differs) this.isEmpty = true;
    else this.equal = value;
  }

  /** With a rest, the exact value lies between `value` and the next value of the type. */
  private setUpper(value: Datum, rest: number, orEqual: boolean): void {
    if (value === null) {
      if (rest < 0) this.isEmpty = true;
      return;
    }
    const limit = { value, inclusive: rest === 0 ? orEqual : rest > 0 };
    const order = this.upper === null ? -1 : this.order(value, this.upper.value);
    if (order < 0 || (order === 0 && !limit.inclusive)) this.upper = limit;
  }

  private setLower(value: Datum, rest: number, orEqual: boolean): void {
    if (value === null) {
      if (rest > 0) this.isEmpty = true;
      return;
    }
    const limit = { value, inclusive: rest === 0 ? orEqual : rest < 0 };
    const order = this.lower === null ? 1 : this.order(value, this.lower.value);
    if (order > 0 || (order === 0 && !limit.inclusive)) this.lower = limit;
  }

  private checkEqual(): void {
    if (this.equal !== undefined && !this.allows(this.equal)) this.isEmpty = true;
    const { lower, upper } = this;
    if (lower === null || upper === null) return;
    const order = this.order(lower.value, upper.value);
    if (order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive))) this.isEmpty = true;
  }

  private allows(value: Datum): boolean {
    const { lower, upper } = this;
    if (lower !== null) {
      const order = this.order(value, lower.value);
      if (order < 0 || (order === 0 && !lower.inclusive)) return false;
    }
    if (upper !== null) {
      const order = this.order(value, upper.value);
      if (order > 0 || (order === 0 && !upper.inclusive)) return false;
    }
    return !this.excluded.some((other) => this.order(value, other) === 0);
  }

  /** Whether a list has a value that meets the conditions. */
  allowsSome({ values }: Extract<PartitionBound, { kind: 'list' }>): boolean {
    return values.some((value) => (value === null ? !this.isPresent : this.allows(value)));
  }
}
