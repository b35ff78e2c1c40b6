import type { AlterTableCmd } from '@pgsql/types';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { columnMap } from '../bind/partition-checks.ts';
import type { Expr } from '../expression.ts';
import { mapInputs, someExpr } from '../expression-tree.ts';
import { functionByOid } from '../functions/index.ts';
import { testNotNull } from './alter-column.ts';
import { addElements } from './alter-constraint.ts';
import type { Command } from './command.ts';
import { checkColumnCount, makeColumn } from './create-table.ts';
import type { UtilityPause } from './environment.ts';
import { constantValue } from './execution.ts';
import { containsNull } from './index-build.ts';
import { columnPosition } from './keys.ts';
import { checkAddColumn, hasPartitions, type Reach } from './partition-rules.ts';
import { changeRelation, currentRelation, partitionsByAge } from './relation-change.ts';
import { rewriteRows } from './rewrite-table.ts';
import { nextvalExpression } from './sequence-relation.ts';
import { TableElements } from './table-elements.ts';
import { holdTypes } from './user-types.ts';
import { refuseCapture } from './view-dependencies.ts';

/** ALTER TABLE … ADD COLUMN. Rows are written anew only when each gets a value of its own. */
export function* addColumn(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const { def } = action;
  if (def === undefined || !('ColumnDef' in def)) throw notSupported('this column');
  const name = def.ColumnDef.colname ?? '';
  checkAddColumn(command, table, reach);
  if (columnPosition(table.columns, name) >= 0) {
    const message = `column "${name}" of relation "${table.name}" already exists`;
    if (action.missing_ok !== true) throw pgError('duplicate_column', message);
    command.environment.notice({ sqlstate: '42701', message: `${message}, skipping` });
    return;
  }
  checkColumnCount(table.columns.length + 1);
  const elements = new TableElements(command, table.name);
  const draft = elements.addColumn(def.ColumnDef);
  yield* holdTypes(command, [draft.type]);
  const position = table.columns.length;
  if (draft.identity !== '' && hasPartitions(command, table)) {
    throw pgError(
      'invalid_table_definition',
      'cannot recursively add identity column to table that has child tables',
    );
  }
  const column = makeColumn(command, table, [...table.columns, draft], draft, position, []);
  const value = initialValue(command, column);
  const keyed = elements.keys.some(({ kind }) => kind === 'primary');
  const next = yield* appendColumn(command, table, column, value, keyed);
  command.environment.nextCommand();
  yield* addElements(command, next, elements, reach, value === null);
}

/** Adds a column to a table and all its partitions. `keyed`: a primary key will look for nulls in it. */
function* appendColumn(
  command: Command,
  table: RelationDescriptor,
  column: ColumnDescriptor,
  value: Expr | null,
  keyed: boolean,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const next = yield* append(command, table, column, value);
  refuseCapture(command, next, column.name);
  if (column.notNull && value === null && !keyed) {
    yield* testNotNull(command, next, table.columns.length);
  }
  for (const { oid } of partitionsByAge(command, table.oid)) {
    const partition = currentRelation(command, oid)!;
    const [own, ownValue] = inPartition(column, value, columnMap(table, partition));
    yield* appendColumn(command, partition, own, ownValue, keyed);
  }
  return next;
}

/** The column as a partition has it, whose other columns have places of their own. The parent's sequence
 * stays the parent's. */
function inPartition(
  column: ColumnDescriptor,
  value: Expr | null,
  place: (column: number) => number,
): [ColumnDescriptor, Expr | null] {
  const own = { ...column, sequence: 0 };
  if (column.generated !== true || value === null) return [own, value];
  const expr = mapInputs(value, place);
  return [{ ...own, default: { ...column.default!, expr } }, expr];
}

/** What the rows that exist get; null for NULL. */
function initialValue(command: Command, column: ColumnDescriptor): Expr | null {
  if (column.identity !== '') return nextvalExpression(command, column.sequence, column.type);
  return (column.default?.expr as Expr | undefined) ?? null;
}

function* append(
  command: Command,
  table: RelationDescriptor,
  column: ColumnDescriptor,
  value: Expr | null,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const position = table.columns.length;
  if (table.kind === 'partitioned') {
    return changeRelation(command, table, { columns: [...table.columns, column] });
  }
  if (value === null || (column.generated !== true && !isVolatile(value))) {
    const missing = value === null ? null : constantValue(command.environment, value);
    return changeRelation(command, table, { columns: [...table.columns, { ...column, missing }] });
  }
  const columns = [...table.columns, column];
  const values = [...table.columns.map(() => null), value];
  return yield* rewriteRows(command, table, { columns }, values, (rows, next) => {
    if (!column.notNull) return;
    for (let row = 0; row < rows.count; row++) {
      if (rows.columns[position]!.isNull(row)) throw containsNull(next, position);
    }
  });
}

/** Whether each row gets another value. */
function isVolatile(expr: Expr): boolean {
  return someExpr(expr, (part) => {
    if (part.kind === 'sequence') return true;
    if (part.kind !== 'call' && part.kind !== 'cast') return false;
    return part.function !== 0 && functionByOid(part.function)?.volatility === 'v';
  });
}
