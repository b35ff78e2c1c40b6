import type { Node } from '@pgsql/types';
import { notSupported } from '../../errors/index.ts';
import { alterEnum } from './alter-enum.ts';
import { alterSequence, createSequence } from './alter-sequence.ts';
import { alterTable } from './alter-table.ts';
import { Command } from './command.ts';
import { utilityTag } from './command-tags.ts';
import { comment } from './comment.ts';
import { copyFrom } from './copy-from.ts';
import { createEnum } from './create-enum.ts';
import { createIndex } from './create-index.ts';
import { createSchema } from './create-schema.ts';
import { createTable } from './create-table.ts';
import { createTableAs, intoClause, selectInto } from './create-table-as.ts';
import { createView } from './create-view.ts';
import { drop } from './drop.ts';
import type { UtilityEnvironment, UtilityExecution } from './environment.ts';
import { lockTables } from './lock-table.ts';
import { discardTemporary, dropOnCommit } from './on-commit.ts';
import { reindex } from './reindex.ts';
import { rename, setOwnerOf, setSchema } from './rename.ts';
import { setConstraints } from './set-constraints.ts';
import { truncate } from './truncate.ts';
import { vacuum } from './vacuum.ts';

/** Runs one utility statement: DDL, COPY FROM STDIN, LOCK, VACUUM, … `text` is the whole query
 * string, which the locations of the tree refer to. 0A000 for statements that do not exist yet. */
export function* executeUtility(
  statement: Node,
  text: string,
  environment: UtilityEnvironment,
): UtilityExecution {
  const result = yield* start(statement, new Command(text, environment));
  if (!environment.inBlock) yield* dropOnCommit(environment);
  return result;
}

function start(statement: Node, command: Command): UtilityExecution {
  if ('CreateStmt' in statement) return createTable(command, statement.CreateStmt);
  if ('CreateTableAsStmt' in statement) return createTableAs(command, statement.CreateTableAsStmt);
  if ('SelectStmt' in statement && intoClause(statement.SelectStmt) !== undefined) {
    return selectInto(command, statement.SelectStmt);
  }
  if ('AlterTableStmt' in statement) return alterTable(command, statement.AlterTableStmt);
  if ('DropStmt' in statement) return drop(command, statement.DropStmt);
  if ('TruncateStmt' in statement) return truncate(command, statement.TruncateStmt);
  if ('IndexStmt' in statement) return createIndex(command, statement.IndexStmt);
  if ('ReindexStmt' in statement) return reindex(command, statement.ReindexStmt);
  if ('CreateSeqStmt' in statement) return createSequence(command, statement.CreateSeqStmt);
  if ('AlterSeqStmt' in statement) return alterSequence(command, statement.AlterSeqStmt);
  if ('CreateEnumStmt' in statement) return createEnum(command, statement.CreateEnumStmt);
  if ('AlterEnumStmt' in statement) return alterEnum(command, statement.AlterEnumStmt);
  if ('CreateSchemaStmt' in statement) {
    return createSchema(command, statement.CreateSchemaStmt, start);
  }
  if ('ViewStmt' in statement) return createView(command, statement.ViewStmt);
  if ('RenameStmt' in statement) return rename(command, statement.RenameStmt);
  if ('AlterObjectSchemaStmt' in statement) {
    return setSchema(command, statement.AlterObjectSchemaStmt);
  }
  if ('AlterOwnerStmt' in statement) return setOwnerOf(command, statement.AlterOwnerStmt);
  if ('ConstraintsSetStmt' in statement) {
    return setConstraints(command, statement.ConstraintsSetStmt);
  }
  if ('LockStmt' in statement) return lockTables(command, statement.LockStmt);
  if ('CopyStmt' in statement && statement.CopyStmt.is_from === true) {
    return copyFrom(command, statement.CopyStmt);
  }
  if ('CommentStmt' in statement) return comment(command, statement.CommentStmt);
  if ('VacuumStmt' in statement) return vacuum(command, statement.VacuumStmt);
  if ('DiscardStmt' in statement) return discardTemporary(command.environment);
  if ('CheckPointStmt' in statement) return checkpoint(command);
  throw notSupported(utilityTag(statement));
}

/** CHECKPOINT. */
function* checkpoint(command: Command): UtilityExecution {
  while (!command.environment.checkpoint()) yield 'pause';
  return { tag: 'CHECKPOINT' };
}
