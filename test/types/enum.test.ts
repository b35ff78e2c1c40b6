import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/base/index.ts';
import {
  arrayOf,
  CommittedTypes,
  findType,
  formatType,
  type PlacedDefinition,
  type TypeSource,
  typeByOid,
  withTypes,
} from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';

const MOOD = 90_000;
const MOODS = 90_001;

function mood(...labels: (readonly [label: string, place: number])[]): PlacedDefinition {
  return {
    oid: MOOD,
    name: 'mood',
    schemaName: 'public',
    arrayOid: MOODS,
    arrayName: '_mood',
    labels: labels.map(([label, place], i) => ({ oid: 91_000 + i, label, place })),
  };
}

const FIRST = mood(['sad', 1], ['ok', 2]);
const SECOND = mood(['low', 0], ['sad', 1], ['so', 1.5], ['fine', 2]);

function known(definition: PlacedDefinition | null): CommittedTypes {
  const types = new CommittedTypes();
  types.searchPath = ['public'];
  types.learn([[MOOD, definition]]);
  return types;
}

function keyOf(label: string): Buffer {
  const type = typeByOid(MOOD);
  const out = new ByteWriter();
  type.encodeKey(type.input(label, CONTEXT, -1), out);
  return Buffer.from(out.copy());
}

test('a type that was taken before shows the labels of the definition at hand', () => {
  const type = withTypes(known(FIRST), () => typeByOid(MOOD));
  const text = (types: TypeSource) => withTypes(types, () => type.output(2, CONTEXT));
  expect(text(known(FIRST))).toBe('ok');
  expect(text(known(SECOND))).toBe('fine');
  expect(
    withTypes(known(SECOND), () => typeByOid(MOODS).output(arrayOf(MOOD, [0, 1.5]), CONTEXT)),
  ).toBe('{low,so}');
});

test('keys stay in order when labels come between and before others', () => {
  const old = withTypes(known(FIRST), () => [keyOf('sad'), keyOf('ok')]);
  const all = withTypes(known(SECOND), () => ['low', 'sad', 'so', 'fine'].map(keyOf));
  expect([all[1], all[3]]).toEqual(old);
  expect([...all].sort(Buffer.compare)).toEqual(all);
});

test('types that are gone are not found', () => {
  const types = known(FIRST);
  types.learn([[MOOD, null]]);
  expect(withTypes(types, () => [findType(MOOD), findType(MOODS)])).toEqual([undefined, undefined]);
});

test('a label that is not known yet is looked for where definitions are kept', () => {
  const types = new CommittedTypes(() => [[MOOD, SECOND]]);
  types.learn([[MOOD, FIRST]]);
  withTypes(types, () => {
    expect(typeByOid(MOOD).output(1.5, CONTEXT)).toBe('so');
    expect(() => typeByOid(MOOD).output(7, CONTEXT)).toThrow('invalid internal value for enum: 7');
  });
});

test('a transaction may not use the labels that it has added', () => {
  const [low, ...others] = SECOND.labels;
  const definition = { ...SECOND, labels: [{ ...low!, isNew: true }, ...others] };
  const own: TypeSource = { typeByOid: () => definition, isOwnType: () => true };
  const committed: TypeSource = { ...own, isOwnType: () => false };
  const read = (types: TypeSource) =>
    withTypes(types, () => typeByOid(MOOD).input('low', CONTEXT, -1));
  expect(() => read(own)).toThrow('unsafe use of new value "low" of enum type mood');
  expect(read(committed)).toBe(0);
});

test('names have their schema where the path does not lead to them', () => {
  const types = known(FIRST);
  const name = () => withTypes(types, () => formatType(MOODS));
  expect(name()).toBe('mood[]');
  types.searchPath = ['other'];
  expect(name()).toBe('public.mood[]');
});
