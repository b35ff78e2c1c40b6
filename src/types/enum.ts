/** Enums: types of users whose values are labels in an order of their own.
 *
 * A value is the number that places it among the others (`EnumLabel.place`). It is given once and never
 * changes: a label that is added between two others gets a number between theirs, so that neither rows nor
 * keys are ever written anew. The stored form and the key are those of float8 (float.ts). Both wire
 * forms are the label.
 */
import { pgError } from '../errors/index.ts';
import { float8Type } from './float.ts';
import { COMMON, compareNumbers } from './scalar.ts';
import type { SqlType } from './sql-type.ts';
import { receiveText } from './text.ts';

export interface EnumLabel {
  /** Of its row in pg_enum. */
  readonly oid: number;
  readonly label: string;
  readonly place: number;
  /** Added by ALTER TYPE in a transaction that has not ended: no value of it may be made yet. */
  readonly isNew?: boolean;
}

/** What the catalog says of an enum at one point in time. */
export interface EnumDefinition {
  readonly oid: number;
  readonly name: string;
  /** Oid and name of its array type. */
  readonly arrayOid: number;
  readonly arrayName: string;
  /** In order. */
  readonly labels: readonly EnumLabel[];
}

/** How a type gets at its definition, which may change. */
export interface DefinitionAccess {
  definition(): EnumDefinition;
  /** It is of the transaction at hand rather than committed. */
  isOwn(): boolean;
  shownName(definition: EnumDefinition): string;
  /** Looks for a newer definition; false when there is none. */
  refresh(): boolean;
}

interface LabelIndex {
  readonly byText: ReadonlyMap<string, EnumLabel>;
  readonly byPlace: ReadonlyMap<number, EnumLabel>;
}

const indexes = new WeakMap<EnumDefinition, LabelIndex>();

function indexOf(definition: EnumDefinition): LabelIndex {
  let index = indexes.get(definition);
  if (index === undefined) {
    const { labels } = definition;
    index = {
      byText: new Map(labels.map((label) => [label.label, label])),
      byPlace: new Map(labels.map((label) => [label.place, label])),
    };
    indexes.set(definition, index);
  }
  return index;
}

/** The type of an oid. */
export function enumType(oid: number, access: DefinitionAccess): SqlType {
  const { definition } = access;
  const labelOf = (value: number): string => {
    const found = indexOf(definition()).byPlace.get(value);
    if (found !== undefined) return found.label;
    if (access.refresh()) return labelOf(value);
    throw pgError('invalid_binary_representation', `invalid internal value for enum: ${value}`);
  };
  const read = (text: string): number => {
    const known = definition();
    const found = indexOf(known).byText.get(text);
    if (found === undefined) {
      throw pgError(
        'invalid_text_representation',
        `invalid input value for enum ${access.shownName(known)}: "${text}"`,
      );
    }
    if (found.isNew === true && access.isOwn()) throw unsafeUse(found, access.shownName(known));
    return found.place;
  };
  return {
    ...COMMON,
    oid,
    get name() {
      return definition().name;
    },
    get sqlName() {
      return access.shownName(definition());
    },
    get arrayOid() {
      return definition().arrayOid;
    },
    category: 'E',
    length: 4,
    byValue: true,
    align: 'i',
    storage: 'p',
    lane: 'number',
    stored: 'float8',
    input: read,
    output: (value) => labelOf(value as number),
    receive: (bytes, start, end) => read(receiveText(bytes, start, end)),
    send(value, out) {
      out.utf8(labelOf(value as number));
    },
    writeText(value, out) {
      out.utf8(labelOf(value as number));
    },
    compare: compareNumbers,
    encodeKey: float8Type.encodeKey,
    toBytes: float8Type.toBytes,
    fromBytes: float8Type.fromBytes,
  };
}

/** 55P04: the transaction that added a label cannot use it yet, as it may be undone while rows or keys
 * of other transactions hold it. */
export function unsafeUse({ label }: EnumLabel, typeName: string): Error {
  return pgError(
    'unsafe_new_enum_value_usage',
    `unsafe use of new value "${label}" of enum type ${typeName}`,
    { hint: 'New enum values must be committed before they can be used.' },
  );
}
