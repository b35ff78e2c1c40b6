/** Sets that describe the server: the grammar's words, options, time zones. */

import keywordRows from '../../../schemas/catalog/keywords.json' with { type: 'json' };
import type { ArrayDatum, Datum } from '../../types/index.ts';
import type { FunctionContext, SetFunction } from './function.ts';

const CATEGORIES: Readonly<Record<string, string>> = {
  U: 'unreserved',
  C: 'unreserved (cannot be function or type name)',
  T: 'reserved (can be function or type name)',
  R: 'reserved',
};

function* keywords(): Iterable<Datum[]> {
  for (const { word, category, bareLabel } of keywordRows) {
    const description = CATEGORIES[category] ?? '';
    const label = bareLabel ? 'can be bare label' : 'requires AS';
    yield [word, category, bareLabel, description, label];
  }
}

/** `name=value` texts as rows; a text without a value has null. */
function* options(_context: FunctionContext, array: ArrayDatum): Iterable<Datum[]> {
  for (const option of array.elements) {
    if (typeof option !== 'string') continue;
    const equals = option.indexOf('=');
    if (equals < 0) yield [option, null];
    else yield [option.slice(0, equals), option.slice(equals + 1)];
  }
}

/** information_schema's own: the elements of an array of one dimension, with their numbers from 1. */
function* numbered(_context: FunctionContext, array: ArrayDatum): Iterable<Datum[]> {
  const isFlat = array.dimensions.length === 1;
  for (let i = 0; i < (array.dimensions[0] ?? 0); i++) {
    yield [isFlat ? array.elements[i]! : null, i + 1];
  }
}

/** There are no publications. */
function none(): Iterable<Datum> {
  return [];
}

export const CATALOG_SETS: Readonly<Record<string, SetFunction>> = {
  _pg_expandarray: numbered,
  pg_get_keywords: keywords,
  pg_options_to_table: options,
  pg_get_publication_tables: none,
};
