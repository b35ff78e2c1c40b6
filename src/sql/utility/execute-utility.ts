import type { Node } from '@pgsql/types';
import { notSupported } from '../../errors/index.ts';
import { alterTable } from './alter-table.ts';
import { Command } from './command.ts';
import { utilityTag } from './command-tags.ts';
import { copyFrom } from './copy-from.ts';
import { createIndex } from './create-index.ts';
import { createTable } from './create-table.ts';
import { drop } from './drop.ts';
import type { UtilityEnvironment, UtilityExecution } from './environment.ts';
import { truncate } from './truncate.ts';
import { vacuum } from './vacuum.ts';

/** Runs one utility statement: DDL, COPY FROM STDIN, LOCK, VACUUM, … `text` is the whole query
 * string, which the locations of the tree refer to. 0A000 for statements that do not exist yet. */
export function executeUtility(
  statement: Node,
  text: string,
  environment: UtilityEnvironment,
): UtilityExecution {
  const command = new Command(text, environment);
  if ('CreateStmt' in statement) return createTable(command, statement.CreateStmt);
  if ('AlterTableStmt' in statement) return alterTable(command, statement.AlterTableStmt);
  if ('DropStmt' in statement) return drop(command, statement.DropStmt);
  if ('TruncateStmt' in statement) return truncate(command, statement.TruncateStmt);
  if ('IndexStmt' in statement) return createIndex(command, statement.IndexStmt);
  if ('CopyStmt' in statement && statement.CopyStmt.is_from === true) {
    return copyFrom(command, statement.CopyStmt);
  }
  if ('VacuumStmt' in statement) return vacuum(command, statement.VacuumStmt);
  return refuse(statement);
}

// biome-ignore lint/correctness/useYield: the error is to come when the statement runs
function* refuse(statement: Node): UtilityExecution {
  throw notSupported(utilityTag(statement));
}
