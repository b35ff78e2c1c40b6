import { countWork } from '../../../base/index.ts';
import {
  type ColumnVector,
  createVector,
  type DataChunk,
  fillVector,
  type NumberVector,
  readDatum,
  scatterRows,
  writeDatum,
} from '../../../chunk/index.ts';
import { type ArrayDatum, type Datum, pushElement, type SqlType } from '../../../types/index.ts';
import type { ConstantLookup } from './constant-lookup.ts';
import {
  type CaseValueEvaluator,
  ConstantEvaluator,
  Evaluator,
  nullVector,
  Subset,
} from './evaluator.ts';

/** `x op ANY (…)`, `x op ALL (…)`: the comparison reads the element from `element`, and the left
 * operand from `left`, both as case values. Elements are a list of expressions or an array. */
export class ArrayOperatorEvaluator extends Evaluator {
  readonly #kind: 'any' | 'all';
  readonly #left: Evaluator;
  readonly #leftValue: CaseValueEvaluator;
  readonly #element: CaseValueEvaluator;
  readonly #comparison: Evaluator;
  readonly #list: readonly Evaluator[] | null;
  readonly #array: Evaluator | null;
  readonly #elementType: SqlType;
  readonly #leftCopy: ColumnVector;
  readonly #elementVector: ColumnVector;
  readonly #rest: Subset;
  readonly #out: NumberVector;
  /** The elements of a constant list or array, where they can be looked up. */
  readonly #lookup: ConstantLookup | null;

  constructor(
    type: SqlType,
    capacity: number,
    parts: {
      kind: 'any' | 'all';
      left: Evaluator;
      leftValue: CaseValueEvaluator;
      element: CaseValueEvaluator;
      comparison: Evaluator;
      list: readonly Evaluator[] | null;
      array: Evaluator | null;
      elementType: SqlType;
      lookup: ConstantLookup | null;
    },
  ) {
    super(type);
    this.#kind = parts.kind;
    this.#left = parts.left;
    this.#leftValue = parts.leftValue;
    this.#element = parts.element;
    this.#comparison = parts.comparison;
    this.#list = parts.list;
    this.#array = parts.array;
    this.#elementType = parts.elementType;
    this.#lookup = parts.lookup;
    this.#leftCopy = createVector(parts.left.type, capacity);
    this.#elementVector = createVector(parts.elementType, capacity);
    this.#rest = new Subset(capacity);
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows);
    if (this.#lookup?.knows(left) === true) return this.#lookup.test(left, rows, this.#out);
    const copy = this.#leftCopy;
    copy.reset();
    scatterRows(left, rows.selection, rows.count, copy);
    this.#leftValue.vector = copy;
    const out = this.#out;
    out.reset();
    const neutral = this.#kind === 'any' ? 0 : 1;
    const rest = this.#rest;
    rest.assign(rows);
    for (let i = 0; i < rest.count; i++) out.values[rest.selection[i]!] = neutral;
    if (this.#list !== null) this.#testList(this.#list);
    else this.#testArray(rows);
    return out;
  }

  #testList(list: readonly Evaluator[]): void {
    for (const item of list) {
      if (this.#rest.count === 0) return;
      this.#element.vector = item.evaluate(this.#rest);
      this.#fold();
    }
  }

  #testArray(rows: DataChunk): void {
    const arrays = this.#array!.evaluate(rows);
    const out = this.#out;
    const rest = this.#rest;
    if (this.#array instanceof ConstantEvaluator) {
      const array = this.#array.value() as ArrayDatum | null;
      if (array === null) nullVector(out);
      else {
        for (const element of array.elements) {
          if (rest.count === 0) return;
          fillVector(this.#elementVector, out.valid.length, this.#elementType, element);
          this.#element.vector = this.#elementVector;
          this.#fold();
        }
      }
      return;
    }
    let kept = 0;
    for (let i = 0; i < rest.count; i++) {
      const row = rest.selection[i]!;
      if (arrays.isNull(row)) out.setNull(row);
      else rest.selection[kept++] = row;
    }
    rest.count = kept;
    for (let n = 0; rest.count > 0; n++) {
      kept = 0;
      this.#elementVector.reset();
      for (let i = 0; i < rest.count; i++) {
        const row = rest.selection[i]!;
        const array = (arrays.lane === 'object' ? arrays.values[row] : null) as ArrayDatum;
        if (n >= array.elements.length) continue;
        writeDatum(this.#elementVector, row, this.#elementType, array.elements[n]!);
        rest.selection[kept++] = row;
      }
      rest.count = kept;
      if (kept === 0) return;
      this.#element.vector = this.#elementVector;
      this.#fold();
    }
  }

  /** Takes in the comparison with one element: decided rows leave `rest`. */
  #fold(): void {
    const rest = this.#rest;
    const out = this.#out;
    const result = this.#comparison.evaluate(rest) as NumberVector;
    const deciding = this.#kind === 'any' ? 1 : 0;
    let kept = 0;
    for (let i = 0; i < rest.count; i++) {
      const row = rest.selection[i]!;
      if (result.isNull(row)) out.setNull(row);
      else if ((result.values[row] !== 0 ? 1 : 0) === deciding) {
        out.values[row] = deciding;
        if (!out.allValid) out.valid[row] = 1;
        continue;
      }
      rest.selection[kept++] = row;
    }
    rest.count = kept;
  }
}

/** Casts each element of an array through a compiled element expression. */
export class ArrayCastEvaluator extends Evaluator {
  readonly #argument: Evaluator;
  readonly #elementValue: CaseValueEvaluator;
  readonly #element: Evaluator;
  readonly #capacity: number;
  readonly #input: ColumnVector;
  readonly #out: ColumnVector;

  constructor(
    type: SqlType,
    capacity: number,
    argument: Evaluator,
    elementValue: CaseValueEvaluator,
    element: Evaluator,
  ) {
    super(type);
    this.#argument = argument;
    this.#elementValue = elementValue;
    this.#element = element;
    this.#capacity = capacity;
    this.#input = createVector(elementValue.type, capacity);
    this.#out = createVector(type, capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const arrays = this.#argument.evaluate(rows);
    this.#out.reset();
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const array = readDatum(arrays, row, this.#argument.type) as ArrayDatum | null;
      writeDatum(this.#out, row, this.type, array === null ? null : this.#castElements(array));
    }
    return this.#out;
  }

  #castElements(array: ArrayDatum): ArrayDatum {
    const { length } = array.elements;
    const elements: Datum[] = [];
    for (let from = 0; from < length; from += this.#capacity) {
      const count = Math.min(this.#capacity, length - from);
      this.#input.reset();
      for (let i = 0; i < count; i++) {
        writeDatum(this.#input, i, this.#elementValue.type, array.elements[from + i]!);
      }
      countWork(count);
      this.#elementValue.vector = this.#input;
      const cast = this.#element.evaluate({ columns: [], count, selection: null });
      for (let i = 0; i < count; i++) {
        pushElement(elements, readDatum(cast, i, this.#element.type));
      }
    }
    return { ...array, elementType: this.#element.type.oid, elements };
  }
}
