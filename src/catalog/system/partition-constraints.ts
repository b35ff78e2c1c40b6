/** What a partition's bound demands of its rows, as the condition that pg_get_partition_constraintdef
 * prints: PostgreSQL's get_qual_from_partbound. Rows are tested by the bounds themselves, not by this. */

import { quoteIdentifier } from '../../base/index.ts';
import { type Datum, formatType, type TypeContext, typeByOid } from '../../types/index.ts';
import type {
  CatalogView,
  PartitionBound,
  Partitioning,
  PartitionKey,
  RangeDatum,
  RelationDescriptor,
} from '../descriptors.ts';
import { compareKeyValues } from '../partition-bounds.ts';
import { literalText } from '../partition-text.ts';
import { operandType, operatorClassName } from './functions.ts';

/** The constraint of a partition, with those of the partitions it is in; null for none. */
export function partitionConstraintDefinition(
  catalog: CatalogView,
  relation: RelationDescriptor,
  context: TypeContext,
): string | null {
  const conditions = conditionsAbove(catalog, relation, context);
  return conditions.length === 0 ? null : conjunction(conditions);
}

function conditionsAbove(
  catalog: CatalogView,
  { partitionOf }: RelationDescriptor,
  context: TypeContext,
): string[] {
  const parent = catalog.relationByOid(partitionOf?.parent ?? 0);
  if (partitionOf === null || parent === undefined || parent.partitioning === null) return [];
  const writer = new ConditionWriter(catalog, parent, parent.partitioning, context);
  return [...conditionsAbove(catalog, parent, context), ...writer.conditions(partitionOf.bound)];
}

/** `(a AND b)`; one alone as it is. */
function conjunction(conditions: readonly string[]): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' AND ')})`;
}

function disjunction(conditions: readonly string[]): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`;
}

type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** Writes the conditions of bounds of one table's partitions. */
class ConditionWriter {
  private readonly catalog: CatalogView;
  private readonly table: RelationDescriptor;
  private readonly strategy: Partitioning['strategy'];
  private readonly keys: readonly PartitionKey[];
  private readonly context: TypeContext;

  constructor(
    catalog: CatalogView,
    table: RelationDescriptor,
    { strategy, keys }: Partitioning,
    context: TypeContext,
  ) {
    this.catalog = catalog;
    this.table = table;
    this.strategy = strategy;
    this.keys = keys;
    this.context = context;
  }

  conditions(bound: PartitionBound): string[] {
    switch (bound.kind) {
      case 'default':
        return this.strategy === 'list' ? this.defaultOfLists() : this.defaultOfRanges();
      case 'list':
        return this.list(bound.values);
      case 'range':
        return this.range(bound.from, bound.to, false);
      case 'hash': {
        const keys = this.keys.map((key) => this.key(key));
        const { modulus, remainder } = bound;
        const values = [`'${this.table.oid}'::oid`, modulus, remainder, ...keys];
        return [`satisfies_hash_partition(${values.join(', ')})`];
      }
    }
  }

  private siblings(): PartitionBound[] {
    return this.catalog.partitionsOf(this.table.oid).map(({ partitionOf }) => partitionOf!.bound);
  }

  private defaultOfLists(): string[] {
    const key = this.keys[0]!;
    const values = this.siblings().flatMap((bound) => (bound.kind === 'list' ? bound.values : []));
    if (values.length === 0) return [];
    const ordered = values
      .filter((value) => value !== null)
      .sort((a, b) => compareKeyValues(key, a, b));
    const nulls = values.includes(null) ? [null] : [];
    return [`(NOT ${conjunction(this.list([...ordered, ...nulls]))})`];
  }

  private list(values: readonly Datum[]): string[] {
    const key = this.keys[0]!;
    const present = values.filter((value) => value !== null);
    const equal = present.length === 0 ? [] : [this.isOneOf(key, present)];
    if (!values.includes(null)) return [this.nullTest(key, 'IS NOT NULL'), ...equal];
    return [disjunction([this.nullTest(key, 'IS NULL'), ...equal])];
  }

  private isOneOf(key: PartitionKey, values: readonly Datum[]): string {
    const isArray = typeByOid(key.type).elementOid !== 0;
    if (isArray || values.length === 1) {
      return disjunction(values.map((value) => this.comparison(key, '=', value)));
    }
    const texts = values.map((value) => this.constant(key, value));
    return `(${this.operand(key)} = ANY (ARRAY[${texts.join(', ')}]))`;
  }

  private defaultOfRanges(): string[] {
    const others = this.siblings().flatMap((bound) =>
      bound.kind === 'range' ? [conjunction(this.range(bound.from, bound.to, true))] : [],
    );
    if (others.length === 0) return [];
    return [`(NOT ${conjunction([...this.notNull(), disjunction(others)])})`];
  }

  private notNull(): string[] {
    return this.keys.map((key) => this.nullTest(key, 'IS NOT NULL'));
  }

  /** The keys that both ends have the same value of are equal to it; of the rest each end gives one
   * comparison of rows, written out as an OR over how many keys are equal. */
  private range(
    from: readonly RangeDatum[],
    to: readonly RangeDatum[],
    forDefault: boolean,
  ): string[] {
    const equal = this.equalKeys(from, to);
    const conditions = equal.map((value, i) => this.comparison(this.keys[i]!, '=', value));
    for (const arms of [this.arms(from, equal.length, true), this.arms(to, equal.length, false)]) {
      if (arms.length > 0) conditions.push(disjunction(arms));
    }
    if (!forDefault) return [...this.notNull(), ...conditions];
    return conditions.length > 0 ? conditions : this.notNull();
  }

  private equalKeys(from: readonly RangeDatum[], to: readonly RangeDatum[]): Datum[] {
    const values: Datum[] = [];
    for (const [i, key] of this.keys.entries()) {
      const low = from[i]!;
      const high = to[i]!;
      if (low.kind !== 'value' || high.kind !== 'value') break;
      if (compareKeyValues(key, low.value, high.value) !== 0) break;
      values.push(low.value);
    }
    return values;
  }

  private arms(bound: readonly RangeDatum[], first: number, isLower: boolean): string[] {
    const arms: string[] = [];
    const equal: string[] = [];
    const open = isLower ? 'minvalue' : 'maxvalue';
    const strict = isLower ? '>' : '<';
    for (let at = first; at < this.keys.length; at++) {
      const datum = bound[at]!;
      const key = this.keys[at]!;
      if (datum.kind !== 'value') break;
      const next = bound[at + 1];
      const includes = next === undefined ? isLower : next.kind === open;
      const last = this.comparison(key, includes ? `${strict}=` : strict, datum.value);
      arms.push(conjunction([...equal, last]));
      if (next?.kind !== 'value') break;
      equal.push(this.comparison(key, '=', datum.value));
    }
    return arms;
  }

  private nullTest(key: PartitionKey, test: string): string {
    return `(${this.key(key)} ${test})`;
  }

  private comparison(key: PartitionKey, operator: Comparison, value: Datum): string {
    const isPattern = operatorClassName(key.operatorClass)?.includes('pattern') === true;
    const name = isPattern && operator !== '=' ? `~${operator}~` : operator;
    return `(${this.operand(key)} ${name} ${this.constant(key, value)})`;
  }

  private key(key: PartitionKey): string {
    if (key.expression !== null) return key.expression.text;
    return quoteIdentifier(this.table.columns[key.column]!.name);
  }

  /** The key as its operators take it: varchar as text, cidr as inet. */
  private operand(key: PartitionKey): string {
    const text = this.key(key);
    const type = operandType(key.type);
    return type === key.type ? text : `(${text})::${formatType(type)}`;
  }

  private constant({ type, column }: PartitionKey, value: Datum): string {
    const text = literalText(type, value, this.context);
    const isBare = !text.startsWith("'");
    const typmod = this.table.columns[column]?.typmod ?? -1;
    return isBare ? text : `${text}::${formatType(type, typmod)}`;
  }
}
