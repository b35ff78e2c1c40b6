import {
  encodeKeyPartOfVector,
  type IndexKey,
  indexKeyOf,
  layoutOf,
  readTupleDatum,
  type TupleLayout,
} from '../../../access/index.ts';
import { assert, type ByteWriter } from '../../../base/index.ts';
import type {
  ConstraintDescriptor,
  ForeignKey,
  IndexDescriptor,
  RelationDescriptor,
} from '../../../catalog/descriptors.ts';
import { type ColumnVector, readDatum } from '../../../chunk/index.ts';
import { type Datum, encodeKeyPart, typeByOid } from '../../../types/index.ts';
import type { FunctionContext } from '../../functions/index.ts';
import {
  type KeyConversion,
  keyConversion,
  toChildValue,
  toParentValue,
} from './key-conversion.ts';

/** A foreign key with the two tables as they are, made ready for lookups in both directions. The
 * referencing table is the child, the one referred to the parent; keys are lists of values in the
 * order of the constraint's columns. */
export class Reference {
  readonly constraint: ConstraintDescriptor;
  readonly foreign: ForeignKey;
  readonly child: RelationDescriptor;
  readonly parent: RelationDescriptor;
  readonly childLayout: TupleLayout;
  /** The unique index of the parent. */
  readonly parentIndex: IndexDescriptor;
  /** The index of the child by which rows are found; null: the whole table is read. */
  readonly childIndex: IndexDescriptor | null;
  readonly conversions: readonly KeyConversion[];
  readonly #sameTypes: boolean;
  readonly #parentKey: IndexKey;
  /** The place in the constraint of each column of the parent's index. */
  readonly #parentOrder: readonly number[];
  readonly #childKey: IndexKey | null;
  /** The same of the leading columns of the child's index. */
  readonly #childOrder: readonly number[];

  constructor(
    child: RelationDescriptor,
    constraint: ConstraintDescriptor,
    parent: RelationDescriptor,
  ) {
    const { foreign } = constraint;
    assert(foreign !== null, 'a reference is made of a foreign key');
    this.constraint = constraint;
    this.foreign = foreign;
    this.child = child;
    this.parent = parent;
    this.childLayout = layoutOf(child);
    this.conversions = constraint.columns.map((column, i) =>
      keyConversion(
        typeByOid(child.columns[column]!.type),
        typeByOid(parent.columns[foreign.columns[i]!]!.type),
      ),
    );
    this.#sameTypes = this.conversions.every((one) => one.child.oid === one.parent.oid);
    const index = parent.indexes.find(({ oid }) => oid === constraint.index);
    assert(index !== undefined, `the index of foreign key ${constraint.name} is gone`);
    this.parentIndex = index;
    this.#parentKey = indexKeyOf(parent, index);
    this.#parentOrder = index.columns.map(({ column }) => foreign.columns.indexOf(column));
    const found = this.#chooseChildIndex();
    this.childIndex = found?.index ?? null;
    this.#childOrder = found?.order ?? [];
    this.#childKey = found === null ? null : indexKeyOf(child, found.index);
  }

  /** The index with the most leading columns of the foreign key. */
  #chooseChildIndex(): { index: IndexDescriptor; order: readonly number[] } | null {
    let best: { index: IndexDescriptor; order: readonly number[] } | null = null;
    for (const index of this.child.indexes) {
      if (index.predicate !== null) continue;
      const order: number[] = [];
      for (const { column } of index.columns) {
        const at = this.constraint.columns.indexOf(column);
        if (at < 0 || !this.conversions[at]!.sameFamily) break;
        order.push(at);
      }
      if (order.length > (best?.order.length ?? 0)) best = { index, order };
    }
    return best;
  }

  /** Appends the key of the parent's index that a child's row refers to. False when no row of the
   * parent can have it. No column of the foreign key may be NULL. */
  encodeParentKey(
    columns: readonly ColumnVector[],
    row: number,
    context: FunctionContext,
    out: ByteWriter,
  ): boolean {
    const { types, descending, nullsFirst } = this.#parentKey;
    for (let i = 0; i < this.#parentOrder.length; i++) {
      const at = this.#parentOrder[i]!;
      const vector = columns[this.constraint.columns[at]!]!;
      if (this.#sameTypes) {
        encodeKeyPartOfVector(types[i]!, vector, row, descending[i]!, nullsFirst[i]!, out);
        continue;
      }
      const conversion = this.conversions[at]!;
      const value = toParentValue(conversion, readDatum(vector, row, conversion.child), context);
      if (value === undefined) return false;
      encodeKeyPart(types[i]!, value, descending[i]!, nullsFirst[i]!, out);
    }
    return true;
  }

  /** The same of a key in the parent's types. */
  encodeKey(key: readonly Datum[], out: ByteWriter): void {
    const { types, descending, nullsFirst } = this.#parentKey;
    for (let i = 0; i < this.#parentOrder.length; i++) {
      const value = key[this.#parentOrder[i]!] ?? null;
      encodeKeyPart(types[i]!, value, descending[i]!, nullsFirst[i]!, out);
    }
  }

  /** Appends what entries of the child's index begin with whose rows refer to a key of the parent;
   * false when the child's types cannot hold it. */
  encodeChildPrefix(key: readonly Datum[], context: FunctionContext, out: ByteWriter): boolean {
    const index = this.#childKey;
    assert(index !== null, 'the foreign key has no index');
    for (let i = 0; i < this.#childOrder.length; i++) {
      const at = this.#childOrder[i]!;
      const value = toChildValue(this.conversions[at]!, key[at]!, context);
      if (value === undefined) return false;
      const { types, descending, nullsFirst } = index;
      encodeKeyPart(types[i]!, value, descending[i]!, nullsFirst[i]!, out);
    }
    return true;
  }

  /** The values of the foreign key in a row of the child that is in vectors. */
  referencing(columns: readonly ColumnVector[], row: number): Datum[] {
    return this.constraint.columns.map((column, i) =>
      readDatum(columns[column]!, row, this.conversions[i]!.child),
    );
  }

  /** The values of the foreign key in a row of the child. */
  childValues(tuple: Uint8Array, start: number): Datum[] {
    const { childLayout } = this;
    return this.constraint.columns.map((column) =>
      readTupleDatum(childLayout, column, tuple, start),
    );
  }

  /** The values referred to in a row of the parent. */
  parentValues(tuple: Uint8Array, start: number): Datum[] {
    const layout = layoutOf(this.parent);
    return this.foreign.columns.map((column) => readTupleDatum(layout, column, tuple, start));
  }

  /** Values of the child in the parent's types; null when the parent's cannot hold them. */
  toParentKey(values: readonly Datum[], context: FunctionContext): Datum[] | null {
    const key: Datum[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = toParentValue(this.conversions[i]!, values[i]!, context);
      if (value === undefined) return null;
      key.push(value);
    }
    return key;
  }

  /** Whether a row of the child refers to a key of the parent. */
  refersTo(
    tuple: Uint8Array,
    start: number,
    key: readonly Datum[],
    context: FunctionContext,
  ): boolean {
    const { columns } = this.constraint;
    for (let i = 0; i < columns.length; i++) {
      const value = readTupleDatum(this.childLayout, columns[i]!, tuple, start);
      if (value === null) return false;
      const conversion = this.conversions[i]!;
      const converted = toParentValue(conversion, value, context);
      if (converted === undefined || conversion.parent.compare(converted, key[i]!) !== 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether two keys of the parent are equal. */
  sameKey(a: readonly Datum[], b: readonly Datum[]): boolean {
    return this.conversions.every(({ parent }, i) => {
      const left = a[i] ?? null;
      const right = b[i] ?? null;
      return left !== null && right !== null && parent.compare(left, right) === 0;
    });
  }
}

/** References by constraint, as long as neither table changes. */
export class ReferenceCache {
  readonly #known = new WeakMap<ConstraintDescriptor, Reference>();

  get(
    child: RelationDescriptor,
    constraint: ConstraintDescriptor,
    parent: RelationDescriptor,
  ): Reference {
    const known = this.#known.get(constraint);
    if (known !== undefined && known.child === child && known.parent === parent) return known;
    const reference = new Reference(child, constraint, parent);
    this.#known.set(constraint, reference);
    return reference;
  }
}
