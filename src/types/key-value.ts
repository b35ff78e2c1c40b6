/** What keys tell of values: of some types a key is another way to write the value, so that it can be read
 * back from an index. Others lose what `=` does not see, such as the scale of a numeric. */
export type KeyForm = 'int2' | 'int4' | 'int8' | 'oid' | 'bool' | 'date' | 'text';

const FORMS: ReadonlyMap<number, KeyForm> = new Map([
  [16, 'bool'],
  [20, 'int8'],
  [21, 'int2'],
  [23, 'int4'],
  [25, 'text'],
  [26, 'oid'],
  [1043, 'text'],
  [1082, 'date'],
]);

/** How the keys of a type are written, ascending: integers big-endian with their sign turned around, text as
 * its bytes and a zero. Null where a value cannot be read back. */
export function keyFormOf(type: number): KeyForm | null {
  return FORMS.get(type) ?? null;
}
