/** The calls of json and jsonb functions whose results generate.test.ts asks PostgreSQL for. */

import { aggregates, calls, grid, type Sample, set } from './sample.ts';

const DOCUMENTS = [
  'null',
  'true',
  '1',
  '-1.50',
  '1e3',
  '"a"',
  '"\\u00e9\\n\\u0001"',
  '[]',
  '{}',
  '[1, 2, 3]',
  '["a","b",null]',
  '[[1,2],[3]]',
  '{"a":1}',
  '{"a":null,"b":[1,{"c":"d"}]}',
  '{"bb":1,"a":2,"c":{"a":{"a":[10,20]}}}',
  '[{"a":1},{"a":2,"b":null}]',
  '  [ 1 ,  {"z":1,"y":2} ]  ',
  '{"a":1,"a":2}',
  '{"":1," ":2,"é":3,"ab":4,"z":5}',
];

const KEYS = ['a', '', 'é', '1'];
const INDEXES = ['0', '1', '-1', '-4', '9'];
const PATHS = [
  '{}',
  '{a}',
  '{b,1,c}',
  '{c,a,a,1}',
  '{0}',
  '{1,y}',
  '{-1}',
  '{-9}',
  '{9}',
  '{0,a}',
  '{a,NULL}',
  '{1x}',
];

/** A function of json and the one of jsonb. */
function both(sample: (type: 'json' | 'jsonb') => Sample): Sample[] {
  return [sample('json'), sample('jsonb')];
}

const reading: Sample[] = [
  ...both((type) => grid(`${type}_object_field`, `${type} text`, DOCUMENTS, KEYS)),
  ...both((type) => grid(`${type}_object_field_text`, `${type} text`, DOCUMENTS, KEYS)),
  ...both((type) => grid(`${type}_array_element`, `${type} int4`, DOCUMENTS, INDEXES)),
  ...both((type) => grid(`${type}_array_element_text`, `${type} int4`, DOCUMENTS, INDEXES)),
  ...both((type) => grid(`${type}_typeof`, type, DOCUMENTS)),
  ...both((type) => grid(`${type}_array_length`, type, DOCUMENTS)),
  ...both((type) => grid(`${type}_strip_nulls`, type, DOCUMENTS)),
  grid('jsonb_pretty', 'jsonb', DOCUMENTS),
  calls('json_array_length', 'json', ['["\\u0000"]']),
  calls('json_object_field', 'json text', ['{"a":"\\u0000"}', 'b']),
  calls('json_typeof', 'json', ['{"a":"\\u0000"}']),
];

const rows: Sample[] = ['array_elements', 'array_elements_text', 'object_keys'].flatMap((name) =>
  both((type) => set(`${type}_${name}`, type, ...DOCUMENTS.map((document) => [document]))),
);

const containment: Sample[] = [
  grid('jsonb_contains', 'jsonb jsonb', DOCUMENTS, DOCUMENTS),
  grid('jsonb_cmp', 'jsonb jsonb', DOCUMENTS, DOCUMENTS),
  grid('jsonb_exists', 'jsonb text', DOCUMENTS, KEYS),
  grid('jsonb_exists_any', 'jsonb _text', DOCUMENTS, ['{}', '{a,b}', '{NULL,é}']),
  grid('jsonb_exists_all', 'jsonb _text', DOCUMENTS, ['{}', '{a,b}', '{NULL,é}']),
];

const changing: Sample[] = [
  grid('jsonb_concat', 'jsonb jsonb', DOCUMENTS, ['1', '[]', '{}', '[1]', '{"a":9}']),
  grid('jsonb_delete', 'jsonb text', DOCUMENTS, KEYS),
  grid('jsonb_delete', 'jsonb int4', DOCUMENTS, INDEXES),
  grid('jsonb_delete_path', 'jsonb _text', DOCUMENTS, PATHS),
  grid('jsonb_set', 'jsonb _text jsonb bool', DOCUMENTS, PATHS, ['{"n":1}'], ['true', 'false']),
  grid('jsonb_insert', 'jsonb _text jsonb bool', DOCUMENTS, PATHS, ['"n"'], ['true', 'false']),
  grid(
    'jsonb_set_lax',
    'jsonb _text jsonb bool text',
    ['{"a":1,"b":2}'],
    ['{a}', '{c}'],
    [null, '3'],
    ['true', 'false', null],
    ['use_json_null', 'delete_key', 'return_target', 'raise_exception', 'other', null],
  ),
];

const PAIRS = [
  '{}',
  '{a,b}',
  '{a}',
  '{a,NULL,c,d}',
  '{{a,b},{c,d}}',
  '{{a,b,c}}',
  '{NULL,a}',
  '{{{a,b}}}',
  '{a,1,a,2}',
];

const building: Sample[] = [
  ...both((type) => grid(`${type}_object`, '_text', PAIRS)),
  ...both((type) =>
    grid(`${type}_object`, '_text _text', ['{}', '{a,b}', '{a,NULL}'], ['{}', '{x,NULL}', '{x}']),
  ),
  grid('array_to_json', '_int4 bool', ['{}', '{1,NULL}', '{{1,2},{3,4}}'], ['true', 'false']),
  ...(
    [
      ['int4', '1'],
      ['numeric', '1.50'],
      ['numeric', 'NaN'],
      ['float8', '1e300'],
      ['float4', 'Infinity'],
      ['bool', 't'],
      ['text', 'a"b\\c\td'],
      ['date', '2020-02-03'],
      ['date', 'infinity'],
      ['timestamp', '0044-03-15 10:11:12.5 BC'],
      ['timestamptz', '2020-02-03 10:11:12+00'],
      ['timestamptz', '1800-01-01 00:00:00+00'],
      ['interval', '1 day'],
      ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
      ['bytea', '\\x00ff'],
      ['json', '{"b" : 1}'],
      ['jsonb', '{"b" : 1}'],
      ['_int4', '{{1,2},{3,NULL}}'],
      ['_jsonb', '{1,"{}"}'],
    ] as const
  ).flatMap(([type, value]) => [
    calls('to_json', type, [value]),
    calls('to_jsonb', type, [value]),
    calls('json_build_array', `${type} int4`, [value, '1'], [null, '1']),
    calls('jsonb_build_array', `${type} int4`, [value, '1'], [null, '1']),
    calls('json_build_object', `${type} int4`, [value, '1'], [null, '1']),
    calls('jsonb_build_object', `${type} int4`, [value, '1'], [null, '1']),
  ]),
  calls('json_build_object', 'text', ['a']),
  calls('jsonb_build_object', 'text', ['a']),
];

const aggregating: Sample[] = [
  ...aggregates('json_agg jsonb_agg', 'int4', [], [['1'], [null], ['2']]),
  ...aggregates('json_agg jsonb_agg', '_int4', [['{1,2}'], [null], ['{}']]),
  ...aggregates('json_agg jsonb_agg', 'jsonb', [['{"a":1}'], ['"x"']]),
  ...aggregates(
    'json_object_agg jsonb_object_agg',
    'text int4',
    [],
    [
      ['b', '1'],
      ['a', null],
      ['b', '2'],
    ],
    [[null, '1']],
  ),
  ...aggregates('json_object_agg jsonb_object_agg', 'int4 jsonb', [['1', '[1]']]),
];

const casts: Sample[] = ['bool', 'numeric', 'int2', 'int4', 'int8', 'float4', 'float8'].map(
  (name) => grid(name, 'jsonb', [...DOCUMENTS, '70000', '1e10', '2.5', '1e400']),
);

export const json: Sample[] = [
  ...reading,
  ...rows,
  ...containment,
  ...changing,
  ...building,
  ...aggregating,
  ...casts,
];
