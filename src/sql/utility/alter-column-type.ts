import type { AlterTableCmd, Node } from '@pgsql/types';
import type {
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
  StoredExpression,
} from '../../catalog/index.ts';
import type { NumberVector } from '../../chunk/index.ts';
import { notSupported, PgError, pgError, withoutPosition } from '../../errors/index.ts';
import { formatType, typeByOid } from '../../types/index.ts';
import { coerceToTarget } from '../bind/coercion.ts';
import { quoteIdentifier } from '../bind/deparse.ts';
import type { BoundType } from '../bind/type-names.ts';
import type { Expr } from '../expression.ts';
import { parseStatements } from '../parse/index.ts';
import { requireColumn, withColumn } from './alter-column.ts';
import { violatedCheck } from './alter-constraint.ts';
import { alterSequenceOptions } from './alter-sequence.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { checkForeignKeysOn, validateForeignKeysOn } from './foreign-keys.ts';
import { containsNull } from './index-build.ts';
import { indexPredicate, retypedExpression } from './index-columns.ts';
import { indexColumn, readsColumn } from './keys.ts';
import { checkColumnType, type Reach } from './partition-rules.ts';
import { changeRelation } from './relation-change.ts';
import { rewriteRows } from './rewrite-table.ts';
import {
  checkColumnCollation,
  checkIdentityType,
  checkColumnType as checkIsColumnType,
} from './table-elements.ts';
import { generatedFrom } from './type-users.ts';
import { holdTypes } from './user-types.ts';
import { viewsReading } from './view-dependencies.ts';

/** ALTER COLUMN … TYPE of one or several columns: every row is written anew, and what USING says is
 * about the row as it was. */
export function* alterColumnTypes(
  command: Command,
  table: RelationDescriptor,
  actions: readonly AlterTableCmd[],
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const values: (Expr | null)[] = table.columns.map(() => null);
  let altered = table;
  const positions: number[] = [];
  for (const action of actions) {
    const { position, bound, using } = newType(command, table, action, reach);
    yield* holdTypes(command, [bound.type]);
    if (positions.includes(position)) {
      throw pgError('feature_not_supported', `cannot alter type of column "${action.name}" twice`);
    }
    positions.push(position);
    values[position] = conversion(command, table, position, bound, using);
    altered = withType(command, altered, position, bound);
  }
  const constraints = table.constraints.map((constraint) =>
    rebindCheck(command, altered, constraint, positions),
  );
  const { columns } = altered;
  const indexes = altered.indexes.map((index) => rebindIndex(command, altered, index, positions));
  const changes = { columns, indexes, constraints, statistics: null };
  for (const position of positions) {
    yield* checkForeignKeysOn(command, { ...table, ...changes }, position);
  }
  if (table.kind === 'partitioned') {
    changeRelation(command, table, changes);
    return;
  }
  const changed = yield* rewriteTested(command, table, changes, values, positions);
  command.environment.nextCommand();
  for (const position of positions) yield* validateForeignKeysOn(command, changed, position);
  for (const position of positions) alterIdentitySequence(command, changed, position);
}

/** Rewrites a table, and tests what NOT NULL and CHECK say of the columns that change. */
function* rewriteTested(
  command: Command,
  table: RelationDescriptor,
  changes: Pick<RelationDescriptor, 'columns' | 'constraints'> & Partial<RelationDescriptor>,
  values: readonly (Expr | null)[],
  positions: readonly number[],
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const run = beginRun(command.environment);
  try {
    const compiler = storedExpressions(run, 1024);
    const notNull = positions.filter((position) => changes.columns[position]!.notNull);
    const checks = changes.constraints
      .filter(({ check, validated }) => check !== null && validated)
      .filter(({ columns }) => columns.some((column) => positions.includes(column)))
      .map((constraint) => ({
        constraint,
        test: compiler.compile(constraint.check?.expr as Expr),
      }));
    return yield* rewriteRows(command, table, changes, values, (rows, next) => {
      const results = checks.map(({ test }) => test.evaluate(rows) as NumberVector);
      for (let row = 0; row < rows.count; row++) {
        const missing = notNull.find((position) => rows.columns[position]!.isNull(row));
        if (missing !== undefined) throw containsNull(next, missing);
        const failed = results.findIndex(
          (result) => result.values[row] === 0 && !result.isNull(row),
        );
        if (failed >= 0) throw violatedCheck(command, next, checks[failed]!.constraint);
      }
    });
  } finally {
    run.end();
  }
}

interface NewType {
  readonly position: number;
  readonly bound: BoundType;
  readonly using: Node | undefined;
}

function newType(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
  reach: Reach,
): NewType {
  const { def } = action;
  if (def === undefined || !('ColumnDef' in def) || def.ColumnDef.typeName === undefined) {
    throw notSupported('this type');
  }
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  checkColumnType(command, table, position, reach);
  const bound = command.type(def.ColumnDef.typeName);
  checkIsColumnType(column.name, bound.type);
  checkColumnCollation(command, def.ColumnDef, bound.type);
  if (column.identity !== '') checkIdentityType(bound.type);
  const { raw_default: using } = def.ColumnDef;
  if (column.generated === true && using !== undefined) {
    throw pgError(
      'invalid_column_definition',
      'cannot specify USING when altering type of generated column',
      { detail: `Column "${column.name}" is a generated column.` },
    );
  }
  const [generated] = generatedFrom(table, position);
  if (generated !== undefined) {
    throw pgError(
      'feature_not_supported',
      'cannot alter type of a column used by a generated column',
      {
        detail: `Column "${column.name}" is used by generated column "${table.columns[generated]!.name}".`,
      },
    );
  }
  const view = viewsReading(command, table, position)[0];
  if (view !== undefined) {
    throw pgError('feature_not_supported', 'cannot alter type of a column used by a view or rule', {
      detail: `rule _RETURN on view ${view.name} depends on column "${column.name}"`,
    });
  }
  return { position, bound, using };
}

/** The table with a column of another type. */
function withType(
  command: Command,
  table: RelationDescriptor,
  position: number,
  bound: BoundType,
): RelationDescriptor {
  const columns = withColumn(table, position, {
    ...bound,
    default: convertDefault(command, table, position, bound),
  }).map((other) => ({ ...other, missing: null }));
  const shape = { ...table, columns };
  const indexes = table.indexes.map((index) => ({
    ...index,
    columns: index.columns.map((key) =>
      key.column === position ? indexColumn(shape, position, key.descending, key.nullsFirst) : key,
    ),
  }));
  return { ...shape, indexes };
}

/** The sequence of an identity column counts in the column's type. */
function alterIdentitySequence(
  command: Command,
  { columns }: RelationDescriptor,
  position: number,
): void {
  const { identity, sequence, type } = columns[position]!;
  const owned = identity === '' ? undefined : command.catalog.relationByOid(sequence);
  if (owned === undefined) return;
  const typeName = { names: [{ String: { sval: typeByOid(type).name } }] };
  alterSequenceOptions(command, owned, [
    { DefElem: { defname: 'as', arg: { TypeName: typeName } } },
  ]);
}

/** The new value over the old row. */
function conversion(
  command: Command,
  table: RelationDescriptor,
  position: number,
  bound: BoundType,
  using: Node | undefined,
): Expr {
  const column = table.columns[position]!;
  const typeText = formatType(bound.type, bound.typmod);
  if (using !== undefined) {
    const target = { ...bound, column: column.name };
    try {
      return command.expression(using, 'index expressions', table, target).expr as Expr;
    } catch (thrown) {
      if (!(thrown instanceof PgError) || thrown.sqlstate !== '42804') throw thrown;
      throw pgError(
        'datatype_mismatch',
        `result of USING clause for column "${column.name}" cannot be cast automatically to type ${formatType(bound.type, -1)}`,
        { hint: 'You might need to add an explicit cast.' },
      );
    }
  }
  const { type, typmod } = column;
  const old: Expr = { kind: 'input', type, typmod, column: position };
  const cast = coerceToTarget(command.binder(), old, bound.type, bound.typmod, 'assignment');
  if (cast !== undefined) return cast;
  const name = quoteIdentifier(column.name);
  throw pgError(
    'datatype_mismatch',
    `column "${column.name}" cannot be cast automatically to type ${formatType(bound.type, -1)}`,
    column.generated === true
      ? {}
      : { hint: `You might need to specify "USING ${name}::${typeText}".` },
  );
}

function convertDefault(
  command: Command,
  table: RelationDescriptor,
  position: number,
  bound: BoundType,
): StoredExpression | null {
  const column = table.columns[position]!;
  if (column.default === null) return null;
  const old = withoutImplicitCasts(column.default.expr as Expr);
  const expr = coerceToTarget(command.binder(), old, bound.type, bound.typmod, 'assignment');
  if (expr !== undefined) return command.stored(expr, table);
  throw pgError(
    'datatype_mismatch',
    `${column.generated === true ? 'generation expression' : 'default'} for column "${column.name}" cannot be cast automatically to type ${formatType(bound.type, -1)}`,
  );
}

/** The expression as it was written: the casts that fitted it to the type before go. */
function withoutImplicitCasts(expr: Expr): Expr {
  const isCast = expr.kind === 'cast' || expr.kind === 'typmod';
  return isCast && !expr.explicit ? withoutImplicitCasts(expr.argument) : expr;
}

/** A CHECK over the column is bound anew, since its operators depend on the type. */
function rebindCheck(
  command: Command,
  shape: RelationDescriptor,
  constraint: ConstraintDescriptor,
  positions: readonly number[],
): ConstraintDescriptor {
  const isOver = constraint.columns.some((column) => positions.includes(column));
  if (constraint.check === null || !isOver) return constraint;
  const node = parseExpression(constraint.check.text);
  const check = unplaced(() => command.expression(node, 'check constraints', shape, null));
  return { ...constraint, check };
}

/** What an index computes of the columns is bound anew, too. */
function rebindIndex(
  command: Command,
  shape: RelationDescriptor,
  index: IndexDescriptor,
  positions: readonly number[],
): IndexDescriptor {
  if (!positions.some((position) => readsColumn(index, position))) return index;
  const { columns, predicate } = index;
  return unplaced(() => ({
    ...index,
    columns: columns.map((key) =>
      key.expression === null
        ? key
        : retypedExpression(command, shape, key, parseExpression(key.expression.text)),
    ),
    predicate: predicate && indexPredicate(command, shape, parseExpression(predicate.text)),
  }));
}

/** Runs what binds a stored text, which is not the user's: errors have no place in it. */
function unplaced<Value>(bind: () => Value): Value {
  try {
    return bind();
  } catch (thrown) {
    throw thrown instanceof PgError ? withoutPosition(thrown) : thrown;
  }
}

/** Parses the text of a stored expression. */
export function parseExpression(text: string): Node {
  const statement = parseStatements(`SELECT ${text}`)[0]?.node;
  const target =
    statement !== undefined && 'SelectStmt' in statement
      ? statement.SelectStmt.targetList?.[0]
      : undefined;
  const node = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
  if (node === undefined) throw pgError('internal_error', `expression ${text} cannot be parsed`);
  return node;
}
