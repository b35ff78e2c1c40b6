import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/index.ts';
import { bindStatement } from '../sql/bind/index.ts';
import {
  type LiftedLiteral,
  type LiftedRows,
  type ParsedStatement,
  statementKind,
} from '../sql/parse/index.ts';
import { planQuery } from '../sql/plan/index.ts';
import type { Plan, ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import type { TypeContext } from '../types/index.ts';
import type { PlannedStatement } from './backend.ts';
import { describeColumns } from './result-columns.ts';
import type { ResultColumn } from './session-port.ts';

/** What a statement is bound against. */
export interface PrepareContext {
  readonly catalog: Catalog;
  /** Of the last change of the catalog that concerns the session. */
  readonly catalogVersion: number;
  readonly searchPath: readonly number[];
  readonly processId: number;
  readonly types: TypeContext;
  /** The held snapshot that is read at, where some index is younger than it: such plans leave out what it
   * cannot be read through, and are for it alone. Null: nothing is. */
  readonly snapshot: number | null;
  /** Null where nobody can tell without reading files. */
  estimateRows(tree: number): number | null;
}

/** A parsed statement, with its plan when it has one. Immutable but for what the backend notes in
 * `planned`; shared by all sessions that send the same text. */
export interface PreparedStatement {
  readonly statement: ParsedStatement | null;
  readonly text: string;
  /** The query string around a statement of SQL's PREPARE, which its locations are in. */
  readonly within: string | null;
  /** Null for utility statements and the empty statement. */
  readonly planned: PlannedStatement | null;
  /** The statement within a DECLARE, COPY or EXPLAIN that may have parameters. */
  readonly inner: PreparedStatement | null;
  readonly parameterTypes: readonly number[];
  /** How many of `parameterTypes` are the user's own; the others are literals of the text. */
  readonly parameterCount: number;
  readonly output: readonly PlanColumn[] | null;
  /** RowDescription in text format. */
  readonly columns: readonly ResultColumn[] | null;
  /** `Catalog.identity` of the catalog that it is bound against. */
  readonly catalogIdentity: object;
  readonly catalogVersion: number;
  /** That of its PrepareContext. */
  readonly snapshot: number | null;
}

/** Statements whose plan can be kept: SELECT, INSERT, UPDATE, DELETE. */
export function isPlannable(statement: ParsedStatement): boolean {
  switch (statement.kind) {
    case 'select':
    case 'insert':
    case 'update':
    case 'delete':
      return !isSelectInto(statement);
    default:
      return false;
  }
}

function isSelectInto(statement: ParsedStatement): boolean {
  const select = (statement.node as { SelectStmt?: { intoClause?: unknown } }).SelectStmt;
  return select?.intoClause !== undefined;
}

export interface Prepared {
  readonly prepared: PreparedStatement;
  readonly fixed: readonly number[];
  readonly readsClock: boolean;
}

/** Binds and plans one statement. `literals` may become parameters after the user's own; `fixed`
 * says which of them the plan depends on. */
export function prepareParsed(
  statement: ParsedStatement,
  wholeText: string,
  context: PrepareContext,
  parameterTypes: readonly number[],
  literals: readonly LiftedLiteral[],
  parameterCount: number,
  parametersAllowed = true,
  rows: LiftedRows | null = null,
): Prepared {
  const base = {
    statement,
    text: statement.text,
    within: null,
    catalogIdentity: context.catalog.identity,
    catalogVersion: context.catalogVersion,
    snapshot: context.snapshot,
  };
  if (!isPlannable(statement)) {
    const inner = prepareInner(statement, wholeText, context, parameterTypes, parametersAllowed);
    const types = inner?.parameterTypes ?? parameterTypes;
    return {
      prepared: {
        ...base,
        planned: null,
        inner,
        parameterTypes: types,
        parameterCount: types.length,
        output: null,
        columns: null,
      },
      fixed: [],
      readsClock: false,
    };
  }
  const bound = bindStatement(statement.node, {
    catalog: context.catalog,
    searchPath: context.searchPath,
    processId: context.processId,
    parameterTypes,
    literals,
    rowKinds: rows?.kinds ?? null,
    parameterCount,
    parametersAllowed,
    text: wholeText,
    types: context.types,
  });
  const plan: Plan = planQuery(bound.query, {
    catalog: context.catalog,
    parameterTypes: bound.parameterTypes,
    views: bound.views,
    snapshot: context.snapshot,
    estimateRows: (table) => context.estimateRows(table.tree),
    estimateEntries: (index) => context.estimateRows(index.tree),
  });
  const returnsRows = plan.output.length > 0 || statement.kind === 'select';
  return {
    prepared: {
      ...base,
      planned: { plan, id: 0 },
      inner: null,
      parameterTypes: bound.parameterTypes,
      parameterCount: bound.parameterTypes.length - literals.length - (rows === null ? 0 : 1),
      output: returnsRows ? plan.output : null,
      columns: returnsRows ? describeColumns(plan.output, null) : null,
      catalogVersion: bound.isPassing ? NO_VERSION : context.catalogVersion,
    },
    fixed: bound.fixedLiterals,
    readsClock: bound.readsClock,
  };
}

/** What is planned at no version is never current. */
const NO_VERSION = -1;

/** Statements around a query that may have parameters are prepared by their query. */
function prepareInner(
  statement: ParsedStatement,
  wholeText: string,
  context: PrepareContext,
  parameterTypes: readonly number[],
  parametersAllowed: boolean,
): PreparedStatement | null {
  const node = statement.node as Record<string, { query?: Node } | undefined>;
  const query = node.DeclareCursorStmt?.query ?? node.ExplainStmt?.query;
  if (query === undefined) return null;
  const inner = innerStatement(query, statement);
  if (!isPlannable(inner)) return null;
  return prepareParsed(inner, wholeText, context, parameterTypes, [], 0, parametersAllowed)
    .prepared;
}

/** The statement within PREPARE, DECLARE, EXPLAIN or COPY, as a statement of its own. */
export function innerStatement(node: Node, outer: ParsedStatement): ParsedStatement {
  const tag = Object.keys(node)[0] ?? '';
  return { ...outer, kind: statementKind(tag, node), tag, node };
}

const EMPTY_STATEMENT_FIELDS = {
  statement: null,
  within: null,
  planned: null,
  inner: null,
  parameterTypes: [],
  parameterCount: 0,
  output: null,
  columns: null,
  snapshot: null,
};

/** What a text without a statement prepares to. */
export function emptyStatement({ identity, version }: Catalog): PreparedStatement {
  return {
    ...EMPTY_STATEMENT_FIELDS,
    text: '',
    catalogIdentity: identity,
    catalogVersion: version,
  };
}

export function isCurrent(prepared: PreparedStatement, context: PrepareContext): boolean {
  return (
    prepared.catalogIdentity === context.catalog.identity &&
    prepared.catalogVersion === context.catalogVersion &&
    prepared.snapshot === context.snapshot
  );
}
