import type { CreateTableAsStmt, IntoClause, Node, SelectStmt } from '@pgsql/types';
import { encodeRowId, encodeTuple, layoutOf } from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { OID } from '../../types/index.ts';
import { bindStatement } from '../bind/bind-statement.ts';
import { nameList } from '../bind/syntax.ts';
import { compilePlan } from '../execute/compile-plan.ts';
import { CHUNK, DONE } from '../execute/operator.ts';
import type { Plan } from '../plan/plan.ts';
import { planQuery } from '../plan/plan-query.ts';
import type { Command } from './command.ts';
import { checkAccessMethod, defineTable, skipExisting } from './create-table.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { executionEnvironment } from './execution.ts';
import { creationPlace } from './object-names.ts';
import { storageOptions } from './storage-options.ts';
import { checkColumnType, TableElements } from './table-elements.ts';
import { onCommitOf } from './temporary.ts';
import { areNotSupported } from './unsupported.ts';
import { holdTypes } from './user-types.ts';

/** CREATE TABLE … AS. */
export function createTableAs(command: Command, statement: CreateTableAsStmt): UtilityExecution {
  if (statement.objtype === 'OBJECT_MATVIEW') throw notSupported('CREATE MATERIALIZED VIEW');
  const { query, into = {} } = statement;
  if (query === undefined || !('SelectStmt' in query)) {
    throw notSupported('CREATE TABLE AS EXECUTE');
  }
  return fillTable(command, query, into, statement.if_not_exists === true);
}

/** SELECT … INTO. */
export function selectInto(command: Command, statement: SelectStmt): UtilityExecution {
  const into = intoClause(statement) ?? {};
  return fillTable(command, { SelectStmt: withoutInto(statement) }, into, false);
}

/** INTO stands in the leftmost member of UNION and the like. */
export function intoClause(statement: SelectStmt): IntoClause | undefined {
  let select: SelectStmt | undefined = statement;
  while (select !== undefined && select.intoClause === undefined) select = select.larg;
  return select?.intoClause;
}

function withoutInto(statement: SelectStmt): SelectStmt {
  const { intoClause: _, larg, ...rest } = statement;
  return larg === undefined ? rest : { ...rest, larg: withoutInto(larg) };
}

function* fillTable(
  command: Command,
  query: Node,
  into: IntoClause,
  ifNotExists: boolean,
): UtilityExecution {
  const name = into.rel ?? {};
  checkAccessMethod(into.accessMethod);
  if (into.tableSpaceName !== undefined) throw areNotSupported('tablespaces');
  const place = creationPlace(command, name, 'tables');
  const { schema } = place;
  const onCommit = onCommitOf(into.onCommit, place.persistence);
  const tableName = name.relname ?? '';
  yield* command.claimName(schema.oid, tableName);
  if (skipExisting(command, schema, tableName, ifNotExists)) return { tag: 'CREATE TABLE AS' };
  const plan = yield* lockedPlan(command, query);
  const elements = new TableElements(command, tableName);
  addOutputColumns(elements, plan, nameList(into.colNames));
  const options = storageOptions([], into.options, false);
  const table = defineTable(command, place, tableName, elements, options, { onCommit });
  if (into.skipData === true) return { tag: 'CREATE TABLE AS' };
  const count = yield* insertResult(command, table, plan);
  return { tag: `SELECT ${count}` };
}

/** Plans the query, with its tables locked. A wait may bring other tables, and so another plan. */
function* lockedPlan(command: Command, query: Node): Generator<UtilityPause, Plan, undefined> {
  for (;;) {
    const bound = bindStatement(query, command.bindContext());
    const plan = planQuery(bound.query, {
      catalog: command.catalog,
      parameterTypes: [],
      views: bound.views,
      snapshot: command.environment.heldSnapshot,
    });
    for (const table of plan.tables) yield* command.lock(table, TABLE_LOCK.accessShare);
    yield* holdTypes(
      command,
      plan.output.map(({ type }) => type),
    );
    const isCurrent = plan.tables.every(
      (table) => command.catalog.relationByOid(table.oid)?.version === table.version,
    );
    if (isCurrent) return plan;
  }
}

function addOutputColumns(elements: TableElements, plan: Plan, names: readonly string[]): void {
  if (names.length > plan.output.length) {
    throw pgError('syntax_error', 'too many column names were specified');
  }
  plan.output.forEach((column, i) => {
    const name = names[i] ?? column.name;
    const type = column.type === OID.unknown ? OID.text : column.type;
    checkColumnType(name, type);
    elements.addPlainColumn(name, type, column.typmod);
  });
}

function* insertResult(
  command: Command,
  table: RelationDescriptor,
  plan: Plan,
): Generator<UtilityPause, number, undefined> {
  const { environment } = command;
  const layout = layoutOf(table);
  const key = new ByteWriter(8);
  const tuple = new ByteWriter(256);
  const compiled = compilePlan(plan);
  let count = 0;
  try {
    compiled.open(executionEnvironment(environment));
    for (;;) {
      const status = compiled.next();
      if (status === DONE) return count;
      environment.checkInterrupts();
      if (status === CHUNK) {
        const rows = compiled.chunk;
        for (let i = 0; i < rows.count; i++) {
          const row = rows.selection === null ? i : rows.selection[i]!;
          encodeRowId(environment.rows.nextRowId(table.tree), key.reset());
          encodeTuple(layout, rows.columns, row, tuple.reset());
          const { bytes, position } = tuple;
          environment.putEntry(table.tree, key.bytes, 0, key.position, bytes, 0, position);
        }
        count += rows.count;
        if (!environment.shouldPause()) continue;
      }
      yield 'pause';
    }
  } finally {
    compiled.close();
  }
}
