import type { Node, RangeVar } from '@pgsql/types';
import { pgError } from '../errors/index.ts';
import { findTable } from './named-table.ts';
import type { ClientSession } from './session.ts';

/** What a session's cursors and suspended portals read stays as it is while they are open: a definition that changes
 * it is refused in the same session. Other sessions wait for the end of its transaction. */
export function refuseTablesInUse(session: ClientSession, node: Node): void {
  const used = session.portals.usedTables();
  if (used.size === 0) return;
  const { action, names } = changedTables(node);
  for (const { schemaname, relname = '' } of names) {
    const table = findTable(session, schemaname, relname);
    if (table === undefined || !used.has(table.oid)) continue;
    throw pgError(
      'object_in_use',
      `cannot ${action} "${table.name}" because it is being used by active queries in this session`,
    );
  }
}

interface ChangedTables {
  readonly action: string;
  readonly names: readonly RangeVar[];
}

const NOTHING: ChangedTables = { action: '', names: [] };

function changedTables(node: Node): ChangedTables {
  if ('AlterTableStmt' in node) {
    const { objtype, relation = {} } = node.AlterTableStmt;
    return objtype === 'OBJECT_TABLE' ? { action: 'ALTER TABLE', names: [relation] } : NOTHING;
  }
  if ('IndexStmt' in node) {
    return { action: 'CREATE INDEX', names: [node.IndexStmt.relation ?? {}] };
  }
  if ('TruncateStmt' in node) {
    const names = (node.TruncateStmt.relations ?? []) as readonly Node[];
    return { action: 'TRUNCATE', names: names.map(rangeVar) };
  }
  if ('DropStmt' in node && node.DropStmt.removeType === 'OBJECT_TABLE') {
    const names = (node.DropStmt.objects ?? []) as readonly Node[];
    return { action: 'DROP TABLE', names: names.map(qualifiedName) };
  }
  return NOTHING;
}

function rangeVar(node: Node): RangeVar {
  return 'RangeVar' in node ? node.RangeVar : {};
}

/** A name of DROP: `table`, or `schema.table`. */
function qualifiedName(node: Node): RangeVar {
  const parts = 'List' in node ? (node.List.items as readonly Node[]) : [];
  const words = parts.map((part) => ('String' in part ? (part.String.sval ?? '') : ''));
  const [relname = '', schemaname] = words.reverse();
  return schemaname === undefined ? { relname } : { relname, schemaname };
}
