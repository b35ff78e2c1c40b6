/** Pseudo-types: they stand in function signatures and have no values of their own, but for void
 * (nothing) and cstring (text). */
import { notSupported, pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';
import { COMMON } from './scalar.ts';
import type { SqlType } from './sql-type.ts';
import { STRING } from './text.ts';

function pseudoType(
  oid: number,
  name: string,
  length = 4,
  align: SqlType['align'] = 'i',
  storage: SqlType['storage'] = 'p',
): SqlType {
  const refuseInput = (): never => {
    throw notSupported(`a value of type ${name}`);
  };
  return {
    ...COMMON,
    oid,
    name,
    sqlName: name === 'any' ? '"any"' : name,
    arrayOid: 0,
    category: 'P',
    length,
    byValue: length > 0,
    align,
    storage,
    lane: 'object',
    stored: 'bytes',
    input() {
      throw pgError('feature_not_supported', `cannot accept a value of type ${name}`);
    },
    output() {
      throw pgError('feature_not_supported', `cannot display a value of type ${name}`);
    },
    receive() {
      throw pgError('feature_not_supported', `cannot accept a value of type ${name}`);
    },
    send() {
      throw pgError('feature_not_supported', `cannot display a value of type ${name}`);
    },
    writeText() {
      throw pgError('feature_not_supported', `cannot display a value of type ${name}`);
    },
    compare: refuseInput,
    encodeKey: refuseInput,
    toBytes: refuseInput,
    fromBytes: refuseInput,
  };
}

/** The type of a function that returns nothing; its one value prints as the empty text. */
const NOTHING: Datum = '';
const voidType: SqlType = {
  ...pseudoType(2278, 'void'),
  input: () => NOTHING,
  output: () => '',
  receive: () => NOTHING,
  send() {},
  writeText() {},
};

const cstringType: SqlType = {
  ...STRING,
  oid: 2275,
  name: 'cstring',
  sqlName: 'cstring',
  arrayOid: 1263,
  category: 'P',
  length: -2,
  align: 'c',
  storage: 'p',
};

export const PSEUDO_TYPES: readonly SqlType[] = [
  voidType,
  cstringType,
  pseudoType(2276, 'any'),
  pseudoType(2277, 'anyarray', -1, 'd', 'x'),
  pseudoType(2279, 'trigger'),
  pseudoType(2280, 'language_handler'),
  pseudoType(2281, 'internal', 8, 'd'),
  pseudoType(2283, 'anyelement'),
  pseudoType(2776, 'anynonarray'),
  pseudoType(3500, 'anyenum'),
  pseudoType(3831, 'anyrange', -1, 'd', 'x'),
  pseudoType(3838, 'event_trigger'),
  pseudoType(4537, 'anymultirange', -1, 'd', 'x'),
  pseudoType(4538, 'anycompatiblemultirange', -1, 'd', 'x'),
  pseudoType(5077, 'anycompatible'),
  pseudoType(5078, 'anycompatiblearray', -1, 'd', 'x'),
  pseudoType(5079, 'anycompatiblenonarray'),
  pseudoType(5080, 'anycompatiblerange', -1, 'd', 'x'),
];
