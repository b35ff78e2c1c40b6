import type { CopyStmt, RangeVar } from '@pgsql/types';
import { type PgError, pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import { inputsOf, type Plan, type PlanNode } from '../sql/plan/index.ts';
import { utilityTag } from '../sql/utility/index.ts';
import type { PreparedStatement } from './prepared-statement.ts';

/** The CommandComplete tag of a statement that processed `rowCount` rows. */
export function commandTag(prepared: PreparedStatement, rowCount: number): string {
  const { statement } = prepared;
  if (statement === null) return '';
  switch (statement.kind) {
    case 'select':
      return rowCount === 1 ? 'SELECT 1' : `SELECT ${rowCount}`;
    case 'insert':
      return `INSERT 0 ${rowCount}`;
    case 'update':
      return rowCount === 1 ? 'UPDATE 1' : `UPDATE ${rowCount}`;
    case 'delete':
      return `DELETE ${rowCount}`;
    default:
      return utilityTag(statement.node);
  }
}

/** The tag of a session command that answers with rows, when `rowCount` of them were sent; null for other
 * statements. */
export function rowsTag({ node }: ParsedStatement, rowCount: number): string | null {
  if ('VariableShowStmt' in node) return 'SHOW';
  if ('ExplainStmt' in node) return 'EXPLAIN';
  if ('FetchStmt' in node && node.FetchStmt.ismove !== true) return `FETCH ${rowCount}`;
  return null;
}

/** What a READ ONLY transaction answers to what it must not run. */
export function readOnlyTransaction(command: string): PgError {
  return pgError(
    'read_only_sql_transaction',
    `cannot execute ${command} in a read-only transaction`,
  );
}

/** Whether a plan counts as a write for READ ONLY transactions: it changes other than temporary tables. */
export function writesData({ root, ctes, tables }: Plan): boolean {
  return [root, ...ctes].some((node) => changes(node, tables));
}

function changes(node: PlanNode, tables: Plan['tables']): boolean {
  if (node.kind === 'insert' || node.kind === 'update' || node.kind === 'delete') {
    if (tables[node.table]!.persistence !== 't') return true;
  }
  return inputsOf(node).some((input) => changes(input, tables));
}

/** Utility statements that READ ONLY transactions run as well: they change no data. */
const HARMLESS_UTILITIES: ReadonlySet<string> = new Set([
  'CheckPointStmt',
  'ConstraintsSetStmt',
  'DiscardStmt',
  'LockStmt',
  'ReindexStmt',
  'VacuumStmt',
]);

/** What READ ONLY transactions call a utility statement that they refuse; null for the others.
 * `isTemporary`: whether a name is that of a temporary table, to which COPY may write. */
export function writingUtility(
  prepared: PreparedStatement,
  isTemporary: (name: RangeVar) => boolean,
): string | null {
  if (HARMLESS_UTILITIES.has(prepared.statement?.tag ?? '')) return null;
  const { CopyStmt: copy } = (prepared.statement?.node ?? {}) as { CopyStmt?: CopyStmt };
  if (copy === undefined) return commandTag(prepared, 0);
  return isTemporary(copy.relation ?? {}) ? null : 'COPY FROM';
}
