import type {
  CatalogView,
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
  SchemaDescriptor,
} from '../../../src/catalog/descriptors.ts';
import { inBoundOrder } from '../../../src/catalog/index.ts';

import { type BindContext, bindExpression, bindStatement } from '../../../src/sql/bind/index.ts';
import { liftLiterals, parseStatements } from '../../../src/sql/parse/index.ts';
import { type Plan, planQuery } from '../../../src/sql/plan/index.ts';
import { DEFAULT_TYPE_CONTEXT, typeByName } from '../../../src/types/index.ts';

const PUBLIC: SchemaDescriptor = { oid: 2200, name: 'public', owner: 10 };
const PG_CATALOG: SchemaDescriptor = { oid: 11, name: 'pg_catalog', owner: 10 };

export interface TestTable {
  readonly name: string;
  /** `name type`, `!` after the type for NOT NULL. */
  readonly columns: readonly string[];
  readonly primaryKey?: readonly string[];
  readonly indexes?: readonly { name: string; columns: readonly string[]; unique?: boolean }[];
  readonly rows?: number;
}

let nextOid = 16384;

export function makeTable(table: TestTable): RelationDescriptor {
  const columns: ColumnDescriptor[] = table.columns.map((text) => {
    const [name = '', typeName = 'int4'] = text.split(' ');
    const bare = typeName.replace('!', '');
    return {
      name,
      type: typeByName(bare)?.oid ?? 25,
      typmod: -1,
      notNull: typeName.endsWith('!') || (table.primaryKey?.includes(name) ?? false),
      dropped: false,
      default: null,
      identity: '',
      sequence: 0,
      missing: null,
    };
  });
  const position = (name: string) => columns.findIndex((column) => column.name === name);
  const indexOf = (
    name: string,
    names: readonly string[],
    unique: boolean,
    primary: boolean,
  ): IndexDescriptor => ({
    oid: nextOid++,
    name,
    tree: nextOid as IndexDescriptor['tree'],
    unique,
    primary,
    clustered: primary,
    nullsNotDistinct: false,
    columns: names.map((column) => ({
      column: position(column),
      expression: null,
      type: columns[position(column)]?.type ?? 23,
      descending: false,
      nullsFirst: false,
      operatorClass: 0,
    })),
    included: [],
    predicate: null,
    constraint: 0,
  });
  const indexes: IndexDescriptor[] = [];
  const constraints: ConstraintDescriptor[] = [];
  if (table.primaryKey !== undefined) {
    const index = indexOf(`${table.name}_pkey`, table.primaryKey, true, true);
    indexes.push(index);
    constraints.push({
      oid: nextOid++,
      name: index.name,
      kind: 'primary',
      columns: table.primaryKey.map(position),
      index: index.oid,
      check: null,
      deferrable: false,
      deferred: false,
      validated: true,
      foreign: null,
    });
  }
  for (const index of table.indexes ?? []) {
    indexes.push(indexOf(index.name, index.columns, index.unique ?? false, false));
  }
  return {
    oid: nextOid++,
    name: table.name,
    schema: PUBLIC.oid,
    kind: 'table',
    persistence: 'p',
    owner: 10,
    version: 1,
    columns,
    tree: nextOid as RelationDescriptor['tree'],
    clusterKey: table.primaryKey?.map(position) ?? null,
    indexes,
    constraints,
    sequence: null,
    definition: null,
    options: [],
    rowType: 0,
    partitioning: null,
    partitionOf: null,
    statistics: {
      rows: table.rows ?? 1000,
      pages: Math.ceil((table.rows ?? 1000) / 60),
      columns: [],
    },
  };
}

/** The table with one more index, on an expression and of the rows for which another one is true. The
 * parser is loaded. */
export function withComputedIndex(
  table: RelationDescriptor,
  expression: string,
  predicate: string,
): RelationDescriptor {
  const bound = (text: string) => {
    const select = parseStatements(`SELECT ${text}`)[0]?.node as {
      SelectStmt: { targetList: { ResTarget: { val: Parameters<typeof bindExpression>[0] } }[] };
    };
    const node = select.SelectStmt.targetList[0]!.ResTarget.val;
    return bindExpression(node, contextFor(text), 'index expressions', table, null);
  };
  const value = bound(expression);
  const { type } = value.expr as { type: number };
  const order = { descending: false, nullsFirst: false, operatorClass: 0 };
  const index: IndexDescriptor = {
    oid: nextOid++,
    name: `${table.name}_computed`,
    tree: nextOid as IndexDescriptor['tree'],
    unique: false,
    primary: false,
    clustered: false,
    nullsNotDistinct: false,
    columns: [{ column: -1, expression: value, type, ...order }],
    included: [],
    predicate: bound(predicate),
    constraint: 0,
  };
  return { ...table, indexes: [...table.indexes, index] };
}

export function makeCatalog(tables: readonly RelationDescriptor[]): CatalogView {
  return {
    version: 1,
    schemaByName: (name) => [PUBLIC, PG_CATALOG].find((schema) => schema.name === name),
    schemaByOid: (oid) => [PUBLIC, PG_CATALOG].find((schema) => schema.oid === oid),
    schemas: () => [PUBLIC, PG_CATALOG],
    relationByName: (schema, name) =>
      tables.find((table) => table.schema === schema && table.name === name),
    relationByOid: (oid) => tables.find((table) => table.oid === oid),
    relations: () => tables,
    partitionsOf: (oid) => {
      const parent = tables.find((table) => table.oid === oid);
      const partitions = tables.filter((table) => table.partitionOf?.parent === oid);
      return parent === undefined ? [] : inBoundOrder(parent, partitions);
    },
    indexByName: () => undefined,
    indexByOid: () => undefined,
    isYoungIndex: () => false,
    hasMovedRows: () => false,
    typeOidByName: () => undefined,
    typeByOid: () => undefined,
    isOwnType: () => false,
    types: () => [],
    roleByName: () => undefined,
    roleByOid: () => undefined,
    roles: () => [],
    databaseByName: () => undefined,
    databases: () => [],
    systemView: () => undefined,
  };
}

export const CATALOG = makeCatalog([
  makeTable({
    name: 'accounts',
    columns: ['aid int4', 'bid int4', 'abalance int4', 'filler bpchar'],
    primaryKey: ['aid'],
    rows: 100000,
  }),
  makeTable({
    name: 'orders',
    columns: ['id int8', 'account int4', 'amount numeric', 'note text', 'placed date'],
    primaryKey: ['id'],
    indexes: [{ name: 'orders_account', columns: ['account', 'placed'] }],
    rows: 50000,
  }),
  makeTable({ name: 't', columns: ['a int4', 'b text', 'c float8', 'd varchar', 'e bool'] }),
  makeTable({ name: 'u', columns: ['a int4', 'x int8', 'y timestamp'], rows: 20 }),
]);

export function contextFor(text: string, overrides: Partial<BindContext> = {}): BindContext {
  return {
    catalog: CATALOG,
    searchPath: [PUBLIC.oid],
    processId: 1,
    parameterTypes: [],
    literals: [],
    parameterCount: 0,
    text,
    types: DEFAULT_TYPE_CONTEXT,
    ...overrides,
  };
}

/** Parses, binds and plans one statement, without lifting. */
export function plan(text: string): Plan {
  const statement = parseStatements(text)[0];
  if (statement === undefined) throw new Error('no statement');
  const bound = bindStatement(statement.node, contextFor(text));
  return planQuery(bound.query, { catalog: CATALOG, parameterTypes: bound.parameterTypes });
}

/** The same with its literals as parameters. */
export function planLifted(text: string): { plan: Plan; fixed: readonly number[] } {
  const lifted = liftLiterals(text);
  const statement = parseStatements(text)[0];
  if (lifted === null || statement === undefined) throw new Error('not lifted');
  const bound = bindStatement(
    statement.node,
    contextFor(text, { literals: lifted.literals, parameterCount: lifted.parameterCount }),
  );
  const result = planQuery(bound.query, { catalog: CATALOG, parameterTypes: bound.parameterTypes });
  return { plan: result, fixed: bound.fixedLiterals };
}

/** EXPLAIN (COSTS OFF). */
export const EXPLAIN_OPTIONS = {
  analyze: false,
  verbose: false,
  costs: false,
  buffers: false,
  timing: false,
  summary: false,
  settings: [],
  format: 'text',
} as const;
