/** pg_type: built-in types, the row types of tables and views, and the types of users; pg_enum. */

import typeFacts from '../../../schemas/catalog/pg_type.json' with { type: 'json' };
import { builtinTypes, OID } from '../../types/index.ts';
import { PG_CATALOG_SCHEMA } from '../bootstrap.ts';
import type { CatalogView, TypeDescriptor } from '../descriptors.ts';
import { functionOid } from './functions.ts';
import { OWNER, schemaOf } from './object-identity.ts';
import { RANGE_VIEWS } from './ranges.ts';
import { SYSTEM_RELATIONS } from './shapes.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

const PLAIN_TYPE: SystemRow = {
  typowner: OWNER,
  typispreferred: false,
  typisdefined: true,
  typdelim: ',',
  typrelid: 0,
  typsubscript: 0,
  typelem: 0,
  typarray: 0,
  typmodin: 0,
  typmodout: 0,
  typanalyze: 0,
  typnotnull: false,
  typbasetype: 0,
  typtypmod: -1,
  typndims: 0,
  typcollation: 0,
};

type TypeFacts = (typeof typeFacts)[number];

function* typeRows({ catalog }: SystemState): Iterable<SystemRow> {
  yield* builtinTypeRows();
  for (const shape of SYSTEM_RELATIONS) {
    const place = { schema: schemaOf(catalog, shape), owner: OWNER };
    yield rowTypeRow(shape.rowType, shape.name, place, shape.oid, 0);
  }
  yield* userRowTypes(catalog);
  for (const type of catalog.types()) {
    yield enumRow(type);
    yield arrayRow(type.arrayOid, type.arrayName, type, type.oid, 'i');
  }
}

function* enumLabelRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const type of catalog.types()) {
    for (const { oid, label, sortOrder } of type.labels) {
      yield { oid, enumtypid: type.oid, enumsortorder: sortOrder, enumlabel: label };
    }
  }
}

/** What is common to types that are not built in. */
function ownRow(oid: number, name: string, { schema, owner }: TypePlace): SystemRow {
  return { ...PLAIN_TYPE, oid, typname: name, typnamespace: schema, typowner: owner };
}

/** What a type belongs to. */
interface TypePlace {
  readonly schema: number;
  readonly owner: number;
}

function enumRow(type: TypeDescriptor): SystemRow {
  return {
    ...ownRow(type.oid, type.name, type),
    ...formFunctions('enum'),
    typlen: 4,
    typbyval: true,
    typtype: 'e',
    typcategory: 'E',
    typarray: type.arrayOid,
    typalign: 'i',
    typstorage: 'p',
  };
}

/** The functions of a type's text and binary forms. */
function formFunctions(prefix: 'enum' | 'array' | 'record'): SystemRow {
  return {
    typinput: functionOid(`${prefix}_in`),
    typoutput: functionOid(`${prefix}_out`),
    typreceive: functionOid(`${prefix}_recv`),
    typsend: functionOid(`${prefix}_send`),
  };
}

function* userRowTypes(catalog: CatalogView): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    const { rowType, name, oid } = relation;
    if (rowType === 0) continue;
    yield rowTypeRow(rowType, name, relation, oid, rowType + 1);
    yield arrayRow(rowType + 1, `_${name}`, relation, rowType, 'd');
  }
}

/** The array type over a type. */
function arrayRow(
  oid: number,
  name: string,
  place: TypePlace,
  element: number,
  align: 'd' | 'i',
): SystemRow {
  return {
    ...ownRow(oid, name, place),
    ...formFunctions('array'),
    typlen: -1,
    typbyval: false,
    typtype: 'b',
    typcategory: 'A',
    typelem: element,
    typsubscript: functionOid('array_subscript_handler'),
    typanalyze: functionOid('array_typanalyze'),
    typalign: align,
    typstorage: 'x',
  };
}

let builtins: readonly SystemRow[] | undefined;

function builtinTypeRows(): readonly SystemRow[] {
  builtins ??= typeFacts
    .filter(({ oid }) => builtinTypes.find(oid) !== undefined)
    .map(builtinTypeRow);
  return builtins;
}

function builtinTypeRow(facts: TypeFacts): SystemRow {
  return {
    ...PLAIN_TYPE,
    oid: facts.oid,
    typname: facts.name,
    typnamespace: PG_CATALOG_SCHEMA,
    typlen: facts.length,
    typbyval: facts.byValue,
    typtype: facts.kind,
    typcategory: facts.category,
    typispreferred: facts.preferred,
    typdelim: facts.delimiter,
    typsubscript: subscriptHandler(facts),
    typelem: facts.element,
    typarray: facts.array,
    typinput: functionOid(facts.input),
    typoutput: functionOid(facts.output),
    typreceive: functionOid(facts.receive),
    typsend: functionOid(facts.send),
    typmodin: functionOid(facts.typmodIn),
    typmodout: functionOid(facts.typmodOut),
    typanalyze: analyzer(facts),
    typalign: facts.align,
    typstorage: facts.storage,
    typcollation: facts.collation,
  };
}

function analyzer({ input, kind }: TypeFacts): number {
  if (input === 'array_in') return functionOid('array_typanalyze');
  if (kind === 'r') return functionOid('range_typanalyze');
  return kind === 'm' ? functionOid('multirange_typanalyze') : 0;
}

function subscriptHandler({ oid, element, length }: TypeFacts): number {
  if (oid === OID.jsonb) return functionOid('jsonb_subscript_handler');
  if (element === 0) return 0;
  return functionOid(length === -1 ? 'array_subscript_handler' : 'raw_array_subscript_handler');
}

/** The type of the rows of a relation. */
function rowTypeRow(
  oid: number,
  name: string,
  place: TypePlace,
  relation: number,
  array: number,
): SystemRow {
  return {
    ...ownRow(oid, name, place),
    ...formFunctions('record'),
    typlen: -1,
    typbyval: false,
    typtype: 'c',
    typcategory: 'C',
    typrelid: relation,
    typarray: array,
    typalign: 'd',
    typstorage: 'x',
  };
}

export const TYPE_VIEWS: ProducerTable = {
  ...RANGE_VIEWS,
  'pg_catalog.pg_type': typeRows,
  'pg_catalog.pg_enum': enumLabelRows,
};
