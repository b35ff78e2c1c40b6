import type { CopyStmt, DefElem, Node } from '@pgsql/types';
import { columnsIn, type RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nameList } from '../bind/syntax.ts';
import {
  type CopyFormat,
  type CopyOptions,
  copyParser,
  resolveCopyFormat,
} from '../execute/copy/index.ts';
import type { Expr } from '../expression.ts';
import { requireColumn } from './alter-column.ts';
import type { Command } from './command.ts';
import { CopyBatch } from './copy-batch.ts';
import type { UtilityExecution } from './environment.ts';
import { findRelation, undefinedRelation } from './object-names.ts';
import { booleanOption, booleanText, optionText } from './option-list.ts';
import { lockPartitions } from './partition-scan.ts';
import { isTable } from './relation-change.ts';
import { refuseOthers } from './temporary.ts';

/** COPY … FROM STDIN. */
export function* copyFrom(command: Command, statement: CopyStmt): UtilityExecution {
  const { environment } = command;
  if (statement.is_program === true) throw notSupported('COPY FROM PROGRAM');
  if (statement.filename !== undefined) throw notSupported('COPY FROM a file of the server');
  const name = statement.relation ?? {};
  const table = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.rowExclusive,
  );
  if (table === undefined) throw undefinedRelation(command, name);
  if (isTable(table)) {
    refuseOthers(command, table, 'access');
    yield* lockPartitions(command, table, TABLE_LOCK.rowExclusive);
  }
  const columns = copyColumns(table, nameList(statement.attlist));
  const names = columns.map((column) => table.columns[column]!.name);
  const options = copyOptions(command, statement.options ?? []);
  copyColumns(table, options.forceNotNull ?? []);
  copyColumns(table, options.forceNull ?? []);
  const format = resolveCopyFormat(options, names, true);
  const where =
    statement.whereClause === undefined
      ? null
      : command.expression(statement.whereClause, 'check constraints', table, null);
  if (where !== null) refuseGenerated(table, where.expr as Expr);
  environment.startCopyIn(format.kind === 'binary' ? 1 : 0, columns.length);
  // PostgreSQL has asked for the data by then, which clients send and it passes over.
  if (!isTable(table)) throw notCopyable(table);
  if (options.freeze === true) checkFreeze(command, table);
  const batch = new CopyBatch(command, table, columns, format, where);
  try {
    yield* receive(command, table, names, format, batch);
  } finally {
    batch.close();
  }
  return { tag: `COPY ${batch.rowCount}` };
}

function* receive(
  command: Command,
  table: RelationDescriptor,
  names: readonly string[],
  format: CopyFormat,
  batch: CopyBatch,
) {
  const { environment } = command;
  const parser = copyParser(
    format,
    { table: table.name, columns: names },
    (bytes, starts, lengths) =>
      batch.add(bytes, starts, lengths, parser.lineNumber, parser.isAscii),
  );
  for (;;) {
    const piece = environment.nextCopyData();
    if (piece === null) {
      yield 'wait' as const;
      continue;
    }
    if (piece === 'done') break;
    let at = 0;
    while (at < piece.length && !parser.ended) {
      // A row takes up a byte at least, so no slice brings more rows than there is room for.
      const end = Math.min(piece.length, at + batch.room);
      batch.collect(() => parser.push(piece, at, end));
      at = end;
      if (batch.isFull) yield* batch.insert();
    }
  }
  batch.collect(() => parser.finish());
  yield* batch.insert();
  yield* batch.finish();
}

/** Generated columns are computed of the rows that WHERE has let through. */
function refuseGenerated({ columns }: RelationDescriptor, where: Expr): void {
  const found = [...columnsIn(where)].find((column) => columns[column]!.generated === true);
  if (found === undefined) return;
  throw pgError(
    'invalid_column_reference',
    'generated columns are not supported in COPY FROM WHERE conditions',
    { detail: `Column "${columns[found]!.name}" is a generated column.` },
  );
}

/** FREEZE would have nothing to do, as no row needs freezing; but PostgreSQL's rule holds. */
function checkFreeze({ environment }: Command, table: RelationDescriptor): void {
  if (table.kind === 'partitioned') {
    throw pgError('feature_not_supported', 'cannot perform COPY FREEZE on a partitioned table');
  }
  if (environment.isNewTree(table.tree)) return;
  throw pgError(
    'object_not_in_prerequisite_state',
    'cannot perform COPY FREEZE because the table was not created or truncated in the current subtransaction',
  );
}

function notCopyable(relation: RelationDescriptor): PgError {
  if (relation.kind === 'view') {
    return pgError('wrong_object_type', `cannot copy to view "${relation.name}"`, {
      hint: 'To enable copying to a view, provide an INSTEAD OF INSERT trigger.',
    });
  }
  return pgError('wrong_object_type', `cannot copy to ${relation.kind} "${relation.name}"`);
}

/** Positions of the columns that the data of a COPY has, in its order. */
export function copyColumns(table: RelationDescriptor, names: readonly string[]): number[] {
  if (names.length === 0) {
    return table.columns.flatMap(({ dropped, generated }, i) =>
      dropped || generated === true ? [] : [i],
    );
  }
  return names.map((name, i) => {
    const position = requireColumn(table, name);
    if (names.indexOf(name) !== i) {
      throw pgError('duplicate_column', `column "${name}" specified more than once`);
    }
    if (table.columns[position]!.generated === true) {
      throw pgError('invalid_column_reference', `column "${name}" is a generated column`, {
        detail: 'Generated columns cannot be used in COPY.',
      });
    }
    return position;
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The options of a COPY as written. */
export function copyOptions(
  command: Pick<Command, 'position'>,
  nodes: readonly Node[],
): CopyOptions {
  const options: Mutable<CopyOptions> = {};
  const seen = new Set<string>();
  for (const node of nodes) {
    if (!('DefElem' in node)) continue;
    const { defname = '', arg, location } = node.DefElem;
    const key = defname;
    if (seen.has(key)) {
      throw pgError('syntax_error', 'conflicting or redundant options', command.position(location));
    }
    seen.add(key);
    switch (defname) {
      case 'format':
        options.format = optionText(arg);
        break;
      case 'freeze':
        options.freeze = booleanOption(node.DefElem);
        break;
      case 'delimiter':
        options.delimiter = optionText(arg);
        break;
      case 'null':
        options.null = optionText(arg);
        break;
      case 'header':
        options.header = headerOption(node.DefElem);
        break;
      case 'quote':
        options.quote = optionText(arg);
        break;
      case 'escape':
        options.escape = optionText(arg);
        break;
      case 'force_quote':
        options.forceQuote =
          arg !== undefined && 'A_Star' in arg ? '*' : columnList(command, node.DefElem);
        break;
      case 'force_not_null':
        options.forceNotNull = columnList(command, node.DefElem);
        break;
      case 'force_null':
        options.forceNull = columnList(command, node.DefElem);
        break;
      case 'encoding':
        options.encoding = optionText(arg);
        break;
      default:
        throw pgError(
          'syntax_error',
          `option "${defname}" not recognized`,
          command.position(location),
        );
    }
  }
  return options;
}

function headerOption(option: DefElem): boolean | 'match' {
  if (optionText(option.arg).toLowerCase() === 'match') return 'match';
  const value = booleanText(option.arg);
  if (value !== undefined) return value;
  throw pgError('syntax_error', `${option.defname} requires a Boolean value or "match"`);
}

function columnList(command: Pick<Command, 'position'>, option: DefElem): string[] {
  const { arg } = option;
  if (arg !== undefined && 'List' in arg) return nameList(arg.List.items);
  throw pgError(
    'invalid_parameter_value',
    `argument to option "${option.defname}" must be a list of column names`,
    command.position(option.location),
  );
}
