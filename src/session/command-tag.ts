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

/** Whether a statement counts as a write for READ ONLY transactions. */
export function writesData(prepared: PreparedStatement): boolean {
  const kind = prepared.statement?.kind;
  const changes = prepared.planned?.plan.changes ?? [];
  return kind === 'insert' || kind === 'update' || kind === 'delete' || changes.length > 0;
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

/** What READ ONLY transactions call a utility statement that they refuse; null for the others. */
export function writingUtility(prepared: PreparedStatement): string | null {
  const tag = prepared.statement?.tag ?? '';
  if (HARMLESS_UTILITIES.has(tag)) return null;
  return tag === 'CopyStmt' ? 'COPY FROM' : commandTag(prepared, 0);
}
