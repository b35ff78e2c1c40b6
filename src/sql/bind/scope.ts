import type { WindowDef } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { raise } from '../query-rewrite.ts';
import type { Binder } from './binder.ts';
import { constant } from './coercion.ts';
import {
  type CommonTable,
  type RangeTableEntry,
  type RelationColumn,
  TABLE_OID_COLUMN,
} from './query.ts';

/** What an expression stands in, which decides what it may hold and how errors name it. */
export type Place =
  | 'SELECT'
  | 'WHERE'
  | 'HAVING'
  | 'JOIN conditions'
  | 'FROM clause of their own query level'
  | 'functions in FROM'
  | 'GROUP BY'
  | 'ORDER BY'
  | 'DISTINCT ON'
  | 'LIMIT'
  | 'OFFSET'
  | 'VALUES'
  | 'RETURNING'
  | 'UPDATE'
  | 'INSERT'
  | 'FILTER'
  | 'window PARTITION BY'
  | 'window ORDER BY'
  | 'window ROWS'
  | 'window RANGE'
  | 'window GROUPS'
  | 'ON CONFLICT'
  | 'DEFAULT expressions'
  | 'EXECUTE parameters'
  | 'check constraints'
  | 'column generation expressions'
  | 'index expressions'
  | 'index predicates'
  | 'partition key expressions'
  | 'partition bound';

export interface NamespaceColumn {
  readonly name: string;
  /** Over the range table of the scope it belongs to. */
  readonly expr: Expr;
}

/** A FROM item as names see it. */
export interface NamespaceItem {
  readonly entry: number;
  readonly alias: string;
  /** The name of the table or view; '' of what is none. */
  readonly relationName: string;
  /** Oid of the schema of a table without an alias: it can be named schema.table. */
  readonly schema: number;
  /** Oid of the table or 0. */
  readonly table: number;
  /** Its rows lie in partitions, each with an oid of its own. */
  readonly partitioned: boolean;
  readonly columns: readonly NamespaceColumn[];
  /** Row type of the whole. */
  readonly rowType: number;
  /** `f` of a FROM function that returns one column of no composite type means that column. */
  readonly scalar: boolean;
  relationVisible: boolean;
  columnsVisible: boolean;
  lateralOnly: boolean;
  lateralOk: boolean;
  /** An outer join may have no row of it: never of a join, which is rows of what it joins. */
  nullable: boolean;
}

/** The names of one query level. */
export class Scope {
  readonly parent: Scope | null;
  readonly rangeTable: RangeTableEntry[] = [];
  items: NamespaceItem[] = [];
  /** Every item ever added, for hints about what is out of reach. */
  readonly allItems: NamespaceItem[] = [];
  readonly ctes: CommonTable[] = [];
  readonly cteNames = new Map<string, number>();
  /** Names of WITH that are not bound yet, which nothing may refer to. */
  laterCtes: readonly string[] = [];
  place: Place = 'SELECT';
  lateralActive = false;
  hasAggregates = false;
  hasSets = false;
  hasWindows = false;
  /** The windows of WINDOW, then those that calls have written out. */
  windows: WindowDef[] = [];
  /** The common table of this level whose recursive term is being bound. */
  recursiveCte: {
    readonly index: number;
    readonly columns: readonly RelationColumn[];
    references: number;
  } | null = null;
  /** Set-returning calls are refused inside of: CASE, COALESCE, … */
  setBarrier = '';

  constructor(parent: Scope | null) {
    this.parent = parent;
  }

  addEntry(entry: RangeTableEntry): number {
    this.rangeTable.push(entry);
    return this.rangeTable.length - 1;
  }

  addItem(item: NamespaceItem): NamespaceItem {
    this.allItems.push(item);
    return item;
  }
}

/** The item for a new range table entry: its columns are the entry's own. */
export function namespaceItem(
  entry: number,
  alias: string,
  columns: readonly RelationColumn[],
  facts: Partial<
    Pick<NamespaceItem, 'relationName' | 'schema' | 'table' | 'partitioned' | 'rowType' | 'scalar'>
  > = {},
): NamespaceItem {
  return {
    entry,
    alias,
    relationName: '',
    schema: 0,
    table: 0,
    partitioned: false,
    rowType: OID.record,
    scalar: false,
    ...facts,
    columns: columns.map((column, index) => ({
      name: column.name,
      expr: {
        kind: 'column',
        type: column.type,
        typmod: column.typmod,
        level: 0,
        relation: entry,
        column: index,
      },
    })),
    relationVisible: true,
    columnsVisible: true,
    lateralOnly: false,
    lateralOk: true,
    nullable: false,
  };
}

/** An expression of an outer query as a query `levels` further in sees it. */
export function raiseLevels(expr: Expr, levels: number): Expr {
  if (levels === 0) return expr;
  if (expr.kind === 'column') return { ...expr, level: expr.level + levels };
  return raise(expr, levels);
}

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** Finds an unqualified column in this level or an outer one; undefined when there is none. */
export function findColumn(
  b: Binder,
  scope: Scope,
  name: string,
  location: number | undefined,
): Expr | undefined {
  let levels = 0;
  for (let level: Scope | null = scope; level !== null; level = level.parent, levels++) {
    let found: Expr | undefined;
    for (const item of level.items) {
      if (!item.columnsVisible || (item.lateralOnly && !level.lateralActive)) continue;
      for (const column of item.columns) {
        if (column.name !== name) continue;
        if (found !== undefined) throw ambiguousColumn(b, name, location);
        requireLateral(b, item, location);
        found = column.expr;
      }
      if (name === 'tableoid' && item.table !== 0 && found === undefined) {
        found = tableOid(item);
      }
    }
    if (found !== undefined) return raiseLevels(found, levels);
  }
  return undefined;
}

function ambiguousColumn(b: Binder, name: string, location: number | undefined): Error {
  return pgError(
    'ambiguous_column',
    `column reference "${name}" is ambiguous`,
    b.position(location),
  );
}

function requireLateral(b: Binder, item: NamespaceItem, location: number | undefined): void {
  if (!item.lateralOnly || item.lateralOk) return;
  throw pgError(
    'invalid_column_reference',
    `invalid reference to FROM-clause entry for table "${item.alias}"`,
    {
      detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.',
      ...b.position(location),
    },
  );
}

/** Finds a FROM item by its name, and how many levels out it is. */
export function findItem(
  b: Binder,
  scope: Scope,
  schema: number | null,
  name: string,
  location: number | undefined,
): { readonly item: NamespaceItem; readonly levels: number } | undefined {
  let levels = 0;
  for (let level: Scope | null = scope; level !== null; level = level.parent, levels++) {
    let found: NamespaceItem | undefined;
    for (const item of level.items) {
      if (!item.relationVisible || (item.lateralOnly && !level.lateralActive)) continue;
      if (item.alias !== name || (schema !== null && item.schema !== schema)) continue;
      if (found !== undefined) {
        throw pgError(
          'ambiguous_alias',
          `table reference "${name}" is ambiguous`,
          b.position(location),
        );
      }
      requireLateral(b, item, location);
      found = item;
    }
    if (found !== undefined) return { item: found, levels };
  }
  return undefined;
}

/** A column of a known item; undefined when it has none of the name. */
export function itemColumn(
  b: Binder,
  item: NamespaceItem,
  name: string,
  location: number | undefined,
): Expr | undefined {
  let found: Expr | undefined;
  for (const column of item.columns) {
    if (column.name !== name) continue;
    if (found !== undefined) throw ambiguousColumn(b, name, location);
    found = column.expr;
  }
  if (found === undefined && name === 'tableoid' && item.table !== 0) {
    return tableOid(item);
  }
  return found;
}

function tableOid(item: NamespaceItem): Expr {
  if (!item.partitioned) return constant(OID.oid, item.table);
  return {
    kind: 'column',
    type: OID.oid,
    typmod: -1,
    level: 0,
    relation: item.entry,
    column: TABLE_OID_COLUMN,
  };
}

/** 42703, with PostgreSQL's hints about columns of a similar name; 0A000 for system columns. */
export function undefinedColumn(
  b: Binder,
  scope: Scope,
  qualifier: string | null,
  name: string,
  location: number | undefined,
): Error {
  if (SYSTEM_COLUMNS.has(name) && scope.place === 'column generation expressions') {
    return pgError(
      'invalid_column_reference',
      `cannot use system column "${name}" in column generation expression`,
      b.position(location),
    );
  }
  if (SYSTEM_COLUMNS.has(name) && scope.items.some((item) => item.table !== 0)) {
    return pgError('feature_not_supported', `system column "${name}" is not supported`, {
      ...b.position(location),
    });
  }
  const message =
    qualifier === null
      ? `column "${name}" does not exist`
      : `column ${qualifier}.${name} does not exist`;
  const options = { ...b.position(location), ...columnHint(scope, qualifier, name) };
  return pgError('undefined_column', message, options);
}

const FUZZY_DISTANCE_MAX = 3;

function columnHint(scope: Scope, qualifier: string | null, name: string): { hint?: string } {
  let best = FUZZY_DISTANCE_MAX + 1;
  let matches: string[] = [];
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    for (const item of level.allItems) {
      if (item.alias === '') continue;
      for (const column of item.columns) {
        if (column.name === name && qualifier === null && !level.items.includes(item)) {
          return {
            hint: `There is a column named "${name}" in table "${item.alias}", but it cannot be referenced from this part of the query.`,
          };
        }
        if (column.name === '') continue;
        let distance = levenshtein(column.name, name);
        if (distance > name.length >> 1 || distance > FUZZY_DISTANCE_MAX) continue;
        if (qualifier !== null) distance += levenshtein(item.alias, qualifier);
        if (distance > best || distance > FUZZY_DISTANCE_MAX) continue;
        if (distance < best) matches = [];
        best = distance;
        matches.push(`"${item.alias}.${column.name}"`);
      }
    }
  }
  if (matches.length === 1) {
    return { hint: `Perhaps you meant to reference the column ${matches[0]}.` };
  }
  if (matches.length === 2) {
    return {
      hint: `Perhaps you meant to reference the column ${matches[0]} or the column ${matches[1]}.`,
    };
  }
  return {};
}

function levenshtein(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(
        Math.min(substitution, (previous[j] as number) + 1, (current[j - 1] as number) + 1),
      );
    }
    previous = current;
  }
  return previous[b.length] as number;
}

/** 42P01 for a qualifier that names nothing in reach. */
export function missingFromEntry(
  b: Binder,
  scope: Scope,
  name: string,
  location: number | undefined,
): Error {
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    for (const item of level.allItems) {
      if (item.relationName === name && item.alias !== name) {
        return pgError(
          'undefined_table',
          `invalid reference to FROM-clause entry for table "${name}"`,
          {
            hint: `Perhaps you meant to reference the table alias "${item.alias}".`,
            ...b.position(location),
          },
        );
      }
      if (item.alias === name) {
        return pgError(
          'undefined_table',
          `invalid reference to FROM-clause entry for table "${name}"`,
          {
            hint: `There is an entry for table "${name}", but it cannot be referenced from this part of the query.`,
            ...b.position(location),
          },
        );
      }
    }
  }
  return pgError(
    'undefined_table',
    `missing FROM-clause entry for table "${name}"`,
    b.position(location),
  );
}
