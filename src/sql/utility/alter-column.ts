import type { AlterTableCmd } from '@pgsql/types';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import { bindDefault } from './create-table.ts';
import type { UtilityPause } from './environment.ts';
import { containsNull } from './index-build.ts';
import { columnPosition } from './keys.ts';
import {
  checkDropExpression,
  checkDropNotNull,
  checkSetNotNull,
  type Reach,
} from './partition-rules.ts';
import { changeRelation } from './relation-change.ts';
import { scanChunks } from './table-scan.ts';

/** Position of a column that must exist. */
export function requireColumn(table: RelationDescriptor, name: string | undefined): number {
  const position = columnPosition(table.columns, name ?? '');
  if (position >= 0) return position;
  throw undefinedColumn(table, name ?? '');
}

export function undefinedColumn(table: RelationDescriptor, name: string): PgError {
  return pgError('undefined_column', `column "${name}" of relation "${table.name}" does not exist`);
}

/** The columns with one of them changed. */
export function withColumn(
  table: RelationDescriptor,
  position: number,
  changes: Partial<ColumnDescriptor>,
): ColumnDescriptor[] {
  return table.columns.map((column, i) => (i === position ? { ...column, ...changes } : column));
}

/** ALTER COLUMN … SET DEFAULT, DROP DEFAULT. */
export function setDefault(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  if (column.identity !== '') {
    throw pgError(
      'syntax_error',
      `column "${column.name}" of relation "${table.name}" is an identity column`,
      action.def === undefined
        ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.' }
        : {},
    );
  }
  if (column.generated === true) {
    throw pgError(
      'syntax_error',
      `column "${column.name}" of relation "${table.name}" is a generated column`,
      action.def === undefined
        ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.' }
        : {},
    );
  }
  const bound =
    action.def === undefined
      ? null
      : bindDefault(command, table.name, table.columns, column, action.def);
  changeRelation(command, table, { columns: withColumn(table, position, { default: bound }) });
}

/** ALTER COLUMN … DROP EXPRESSION: the column keeps the values that it has. */
export function dropExpression(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): void {
  checkDropExpression(command, table, reach);
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  if (column.generated !== true) {
    const message = `column "${column.name}" of relation "${table.name}" is not a stored generated column`;
    if (action.missing_ok !== true) throw pgError('object_not_in_prerequisite_state', message);
    command.environment.notice({ message: `${message}, skipping` });
    return;
  }
  const columns = withColumn(table, position, { default: null, generated: false });
  changeRelation(command, table, { columns });
}

/** ALTER COLUMN … SET NOT NULL, DROP NOT NULL. */
export function* setNotNull(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  const notNull = action.subtype === 'AT_SetNotNull';
  if (notNull) checkSetNotNull(command, table, column.name, reach);
  if (column.notNull === notNull) return;
  if (notNull) yield* testNotNull(command, table, position);
  else {
    if (column.identity !== '') {
      throw pgError(
        'syntax_error',
        `column "${column.name}" of relation "${table.name}" is an identity column`,
      );
    }
    const primary = table.constraints.find(({ kind }) => kind === 'primary');
    if (primary?.columns.includes(position) === true) {
      throw pgError('invalid_table_definition', `column "${column.name}" is in a primary key`);
    }
    checkDropNotNull(command, table, column.name, reach);
  }
  changeRelation(command, table, { columns: withColumn(table, position, { notNull }) });
}

/** Looks for nulls: 23502. */
export function* testNotNull(
  command: Command,
  table: RelationDescriptor,
  position: number,
): Generator<UtilityPause, void, undefined> {
  if (table.kind === 'partitioned') return;
  yield* scanChunks(command.environment, table, [position], (rows) => {
    const vector = rows.columns[position]!;
    if (vector.allValid) return;
    for (let row = 0; row < rows.count; row++) {
      if (vector.isNull(row)) throw containsNull(table, position);
    }
  });
}
