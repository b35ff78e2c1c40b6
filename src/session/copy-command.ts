import type { CopyStmt, Node, RangeVar } from '@pgsql/types';
import type { RelationDescriptor } from '../catalog/index.ts';
import { notSupported, pgError } from '../errors/index.ts';
import { type CopyFormat, resolveCopyFormat } from '../sql/execute/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import { copyColumns, copyOptions } from '../sql/utility/index.ts';
import { findTable } from './named-table.ts';
import { innerStatement, isPlannable, type PreparedStatement } from './prepared-statement.ts';
import type { ClientSession } from './session.ts';
import { blockRun, requireWritable, runsInWriter } from './statement-start.ts';

/** COPY … TO STDOUT: a query whose rows leave as CopyData. False for COPY FROM, which the writer runs. */
export function runCopyTo(
  session: ClientSession,
  statement: CopyStmt,
  parsed: ParsedStatement,
): boolean {
  const options = copyOptions(
    { position: (location) => session.position(location) },
    statement.options ?? [],
  );
  if (statement.is_from === true) {
    if (options.freeze === true && session.portals.hasCursors) {
      throw pgError(
        'invalid_transaction_state',
        'cannot perform COPY FREEZE because of prior transaction activity',
      );
    }
    return false;
  }
  if (statement.is_program === true) throw notSupported('COPY TO PROGRAM');
  if (statement.filename !== undefined) throw notSupported('COPY TO a file of the server');
  const query = statement.query ?? tableQuery(session, statement);
  const inner = innerStatement(query, parsed);
  if (!isPlannable(inner)) throw notSupported('COPY of a query that is not a plain one');
  const prepared = session.statements.prepareWithin(query, parsed, null);
  if (prepared.output === null || prepared.output.length === 0) {
    if (inner.kind !== 'select') {
      throw pgError('feature_not_supported', 'COPY query must have a RETURNING clause');
    }
  }
  const names = prepared.output?.map((column) => column.name) ?? [];
  startCopy(session, prepared, resolveCopyFormat(options, names, false));
  return true;
}

/** Runs the query; its rows come as CopyData messages. */
function startCopy(session: ClientSession, prepared: PreparedStatement, copy: CopyFormat): void {
  requireWritable(session, prepared);
  const planned = prepared.planned!;
  const columnCount = planned.plan.output.length;
  const inWriter = runsInWriter(session, planned);
  const formats = new Uint8Array(columnCount);
  const run = blockRun(session, planned, [], formats, inWriter);
  if (!session.rerun.isOn) session.sink.copyOut(copy.kind === 'binary' ? 1 : 0, columnCount);
  session.run.execute(
    { ...run, copy },
    ({ sink }, rowCount) => sink.commandComplete(`COPY ${rowCount}`),
    null,
  );
}

/** COPY of a table is COPY of a query for its columns. */
function tableQuery(session: ClientSession, statement: CopyStmt): Node {
  const range = statement.relation!;
  const table = findTable(session, range.schemaname, range.relname ?? '');
  // What is not found is a view of the system, or nothing; the binder says which.
  if (table === undefined) return selectFrom(range, [{ A_Star: {} }]);
  if (table.kind !== 'table') throw notCopyable(table);
  const listed = (statement.attlist ?? []).map(
    (node) => (node as { String: { sval?: string } }).String.sval ?? '',
  );
  const names = copyColumns(table, listed).map((position) => table.columns[position]!.name);
  return selectFrom(
    range,
    names.map((sval) => ({ String: { sval } })),
  );
}

function selectFrom(range: RangeVar, fields: readonly Node[]): Node {
  const location = range.location ?? 0;
  return {
    SelectStmt: {
      targetList: fields.map((field) => ({
        ResTarget: { val: { ColumnRef: { fields: [field], location } }, location },
      })),
      fromClause: [{ RangeVar: { ...range, inh: false } }],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
  };
}

function notCopyable({ kind, name }: RelationDescriptor) {
  const hint = 'Try the COPY (SELECT ...) TO variant.';
  const label = kind === 'partitioned' ? 'partitioned table' : kind;
  return pgError(
    'wrong_object_type',
    `cannot copy from ${label} "${name}"`,
    kind === 'sequence' ? {} : { hint },
  );
}
