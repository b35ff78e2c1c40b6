import type { ColumnDescriptor } from '../../src/catalog/descriptors.ts';
import { bootstrapObjects, Catalog, type RelationDescriptor } from '../../src/catalog/index.ts';
import {
  type ServerFacts,
  type SystemState,
  systemViewShape,
} from '../../src/catalog/system/index.ts';
import type { TreeId } from '../../src/storage/index.ts';

const INT4 = 23;
const TEXT = 25;
const NUMERIC = 1700;

function column(
  name: string,
  type: number,
  more: Partial<ColumnDescriptor> = {},
): ColumnDescriptor {
  return {
    name,
    type,
    typmod: -1,
    notNull: false,
    dropped: false,
    default: null,
    identity: '',
    sequence: 0,
    missing: null,
    ...more,
  };
}

const PLAIN = {
  schema: 2200,
  persistence: 'p',
  owner: 10,
  version: 1,
  tree: 16 as TreeId,
  clusterKey: null,
  indexes: [],
  constraints: [],
  sequence: null,
  definition: null,
  options: [],
  rowType: 0,
  statistics: null,
  partitioning: null,
  partitionOf: null,
} as const;

const index = (position: number, type: number, operatorClass: number) => ({
  column: position,
  expression: null,
  type,
  descending: false,
  nullsFirst: false,
  operatorClass,
});

/** create table author (id serial primary key, name text not null unique, rating numeric(4,2) check
 * (rating > 0), gone int /* dropped *\/) */
export const AUTHOR: RelationDescriptor = {
  ...PLAIN,
  oid: 16385,
  name: 'author',
  kind: 'table',
  rowType: 16386,
  clusterKey: [0],
  options: ['fillfactor=70'],
  columns: [
    column('id', INT4, {
      notNull: true,
      default: { text: "nextval('author_id_seq'::regclass)", expr: null },
      sequence: 16384,
    }),
    column('name', TEXT, { notNull: true }),
    column('rating', NUMERIC, { typmod: (4 << 16) + 2 + 4 }),
    column('gone', INT4, { dropped: true }),
  ],
  indexes: [
    {
      oid: 16388,
      name: 'author_pkey',
      tree: 16 as TreeId,
      unique: true,
      primary: true,
      clustered: true,
      nullsNotDistinct: false,
      columns: [index(0, INT4, 1978)],
      included: [],
      predicate: null,
      constraint: 16389,
    },
    {
      oid: 16390,
      name: 'author_name_key',
      tree: 17 as TreeId,
      unique: true,
      primary: false,
      clustered: false,
      nullsNotDistinct: false,
      columns: [index(1, TEXT, 3126)],
      included: [],
      predicate: null,
      constraint: 16391,
    },
    {
      oid: 16392,
      name: 'Author lower',
      tree: 18 as TreeId,
      unique: false,
      primary: false,
      clustered: false,
      nullsNotDistinct: false,
      columns: [
        {
          column: -1,
          expression: { text: 'lower(name)', expr: null },
          name: 'lower',
          type: TEXT,
          descending: true,
          nullsFirst: true,
          operatorClass: 3126,
        },
        index(0, INT4, 1978),
      ],
      included: [2],
      predicate: { text: '(id > 10)', expr: null },
      constraint: 0,
    },
  ],
  constraints: [
    {
      oid: 16389,
      name: 'author_pkey',
      kind: 'primary',
      columns: [0],
      index: 16388,
      check: null,
      deferrable: false,
      deferred: false,
      validated: true,
      foreign: null,
    },
    {
      oid: 16391,
      name: 'author_name_key',
      kind: 'unique',
      columns: [1],
      index: 16390,
      check: null,
      deferrable: false,
      deferred: false,
      validated: true,
      foreign: null,
    },
    {
      oid: 16393,
      name: 'author_rating_check',
      kind: 'check',
      columns: [2],
      index: 0,
      check: { text: '(rating > (0)::numeric)', expr: null },
      deferrable: false,
      deferred: false,
      validated: true,
      foreign: null,
    },
  ],
};

export const AUTHOR_SEQUENCE: RelationDescriptor = {
  ...PLAIN,
  oid: 16384,
  name: 'author_id_seq',
  kind: 'sequence',
  columns: [],
  sequence: {
    type: INT4,
    start: 1n,
    increment: 1n,
    minimum: 1n,
    maximum: 2147483647n,
    cache: 1n,
    cycle: false,
    ownerTable: 16385,
    ownerColumn: 0,
  },
};

/** create table book (author int references author on delete cascade, tags text[]) */
export const BOOK: RelationDescriptor = {
  ...PLAIN,
  oid: 16400,
  name: 'book',
  kind: 'table',
  rowType: 16401,
  columns: [column('author', INT4), column('tags', 1009)],
  constraints: [
    {
      oid: 16403,
      name: 'book_author_fkey',
      kind: 'foreign',
      columns: [0],
      index: 16388,
      check: null,
      deferrable: true,
      deferred: true,
      validated: true,
      foreign: {
        table: 16385,
        columns: [0],
        onUpdate: 'a',
        onDelete: 'c',
        deleteColumns: [],
        match: 's',
      },
    },
  ],
};

export const LONG_NAMES: RelationDescriptor = {
  ...PLAIN,
  oid: 16410,
  name: 'Names',
  kind: 'view',
  rowType: 16411,
  tree: 0 as TreeId,
  definition: ' SELECT author.name\n   FROM author;',
  columns: [column('name', TEXT)],
};

export function exampleCatalog(): Catalog {
  const catalog = new Catalog(systemViewShape);
  catalog.apply(bootstrapObjects(), 1);
  const relations = [AUTHOR_SEQUENCE, AUTHOR, BOOK, LONG_NAMES];
  catalog.apply(
    relations.map((descriptor) => ({ kind: 'relation', oid: descriptor.oid, descriptor })),
    2,
  );
  return catalog;
}

export function exampleState(facts: Partial<ServerFacts> = {}): SystemState {
  return {
    catalog: exampleCatalog(),
    session: { user: 'postgres', database: 'postgres', processId: 7, searchPath: ['public'] },
    now: 0,
    server: { isImplemented: () => true, settings: () => [], ...facts },
  };
}
