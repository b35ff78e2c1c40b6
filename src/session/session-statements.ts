import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/index.ts';
import type { PreparedStatementFacts } from '../catalog/system/index.ts';
import { pgError } from '../errors/index.ts';
import { type ParsedStatement, parseStatements } from '../sql/parse/index.ts';
import type { HeldSnapshot } from './backend.ts';
import {
  emptyStatement,
  innerStatement,
  isCurrent,
  type PrepareContext,
  type PreparedStatement,
  prepareParsed,
} from './prepared-statement.ts';
import type { StatementCache } from './statement-cache.ts';

/** What preparing needs of the session. */
export interface StatementOwner {
  readonly cache: StatementCache;
  readonly catalog: Catalog;
  /** The text that locations in parse trees refer to. */
  readonly queryText: string;
  /** The transaction block has failed: nothing can be planned. */
  readonly hasFailed: boolean;
  /** `snapshot`: what is read at, where that is not the block's. */
  prepareContext(snapshot?: HeldSnapshot): PrepareContext;
  /** Plans are shared among sessions with the same scope. */
  planScope(): string;
  /** Refuses what a failed block does not run. */
  checkFailedBlock(statement: ParsedStatement | null): void;
}

interface Entry {
  prepared: PreparedStatement;
  /** The query string that it was prepared by. */
  readonly text: string;
  readonly prepareTime: number;
  readonly fromSql: boolean;
}

/** The prepared statements of a session by name, of PREPARE and of the protocol's Parse, whose unnamed
 * one is ''. */
export class SessionStatements {
  private readonly owner: StatementOwner;
  private readonly entries = new Map<string, Entry>();

  constructor(owner: StatementOwner) {
    this.owner = owner;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  add(
    name: string,
    prepared: PreparedStatement,
    text: string,
    prepareTime: number,
    fromSql: boolean,
  ): void {
    this.entries.set(name, { prepared, text, prepareTime, fromSql });
  }

  /** False when there is none of that name. */
  remove(name: string): boolean {
    return this.entries.delete(name);
  }

  clear(): void {
    this.entries.clear();
  }

  /** Rows of pg_prepared_statements. */
  *facts(): Iterable<PreparedStatementFacts> {
    for (const [name, { prepared, text, prepareTime, fromSql }] of this.entries) {
      if (name === '') continue;
      yield {
        name,
        statement: text,
        prepareTime,
        parameterTypes: prepared.parameterTypes.slice(0, prepared.parameterCount),
        fromSql,
      };
    }
  }

  /** Parse: a text of one statement, whose plan may come from the cache of all sessions. */
  prepare(text: string, parameterTypes: readonly number[]): PreparedStatement {
    const { owner } = this;
    if (owner.hasFailed) {
      const [statement] = parseStatements(text);
      if (statement === undefined) return emptyStatement(owner.catalog);
      owner.checkFailedBlock(statement);
    }
    return owner.cache.prepare(text, owner.planScope(), parameterTypes, owner.prepareContext());
  }

  /** The statement of a PREPARE, DECLARE, COPY or EXPLAIN, which stands within the query string. Only that of
   * PREPARE has parameters: it says of which types. */
  prepareWithin(
    node: Node,
    parsed: ParsedStatement,
    types: readonly number[] | null,
  ): PreparedStatement {
    const { owner } = this;
    const statement = innerStatement(node, parsed);
    const context = owner.prepareContext();
    return prepareWithin(statement, owner.queryText, context, types ?? [], types !== null);
  }

  /** The statement of an EXPLAIN, with its plan. */
  prepareExplained(node: Node, parsed: ParsedStatement): PreparedStatement {
    const execute = 'ExecuteStmt' in node ? node.ExecuteStmt : undefined;
    if (execute !== undefined) return this.current(execute.name ?? '');
    return this.prepareWithin(node, parsed, null);
  }

  /** A prepared statement, planned anew when the catalog has changed since. */
  current(name: string): PreparedStatement {
    const entry = this.entry(name);
    if (!this.owner.hasFailed) entry.prepared = this.currentVersion(entry.prepared);
    return entry.prepared;
  }

  /** The types of a prepared statement's parameters, which it keeps for life. */
  parameterTypes(name: string): readonly number[] {
    return this.entry(name).prepared.parameterTypes;
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (entry !== undefined) return entry;
    const which = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`;
    throw pgError('invalid_sql_statement_name', `${which} does not exist`);
  }

  /** `snapshot`: what a cursor reads at. */
  currentVersion(prepared: PreparedStatement, snapshot?: HeldSnapshot): PreparedStatement {
    if (prepared.planned === null && prepared.inner === null) return prepared;
    const { owner } = this;
    const context = owner.prepareContext(snapshot);
    if (isCurrent(prepared, context)) return prepared;
    const types = prepared.parameterTypes.slice(0, prepared.parameterCount);
    const { statement, within } = prepared;
    const again =
      within === null || statement === null
        ? owner.cache.prepare(prepared.text, owner.planScope(), types, context)
        : prepareWithin(statement, within, context, types, true);
    if (!sameOutput(prepared.output, again.output)) {
      // By the routine JDBC and asyncpg know that preparing the statement anew will help.
      throw pgError('feature_not_supported', 'cached plan must not change result type', {
        routine: 'RevalidateCachedQuery',
      });
    }
    return again;
  }
}

function prepareWithin(
  statement: ParsedStatement,
  text: string,
  context: PrepareContext,
  types: readonly number[],
  parametersAllowed: boolean,
): PreparedStatement {
  const { prepared } = prepareParsed(statement, text, context, types, [], 0, parametersAllowed);
  return { ...prepared, within: text };
}

function sameOutput(
  before: PreparedStatement['output'],
  after: PreparedStatement['output'],
): boolean {
  if (before === null || after === null) return before === after;
  return (
    before.length === after.length &&
    before.every((column, i) => column.type === after[i]!.type && column.name === after[i]!.name)
  );
}
