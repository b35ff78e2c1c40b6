import type { DefElem, Node, TransactionStmt } from '@pgsql/types';
import { type PgError, pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import { constantText } from './command-arguments.ts';
import type { ClientSession } from './session.ts';
import { isolationOf } from './session-environment.ts';

/** BEGIN, COMMIT, ROLLBACK, savepoints, and the characteristics of a transaction. */

export function runTransaction(session: ClientSession, statement: TransactionStmt): void {
  const { block, sink } = session;
  switch (statement.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START': {
      if (block.state === 'open') {
        session.warn('active_sql_transaction', 'there is already a transaction in progress');
        applyTransactionOptions(session, statement.options ?? []);
      } else {
        openBlock(session, statement.options ?? []);
      }
      sink.commandComplete(statement.kind === 'TRANS_STMT_BEGIN' ? 'BEGIN' : 'START TRANSACTION');
      return;
    }
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK': {
      const isCommit = statement.kind === 'TRANS_STMT_COMMIT';
      if (statement.chain === true) {
        requireBlock(session, isCommit ? 'COMMIT AND CHAIN' : 'ROLLBACK AND CHAIN');
      }
      if (block.state === 'idle' || block.state === 'implicit') {
        session.warn('no_active_sql_transaction', 'there is no transaction in progress');
      }
      const commits = isCommit && block.state !== 'failed';
      const options = statement.chain
        ? {
            isolation: block.isolation,
            readOnly: block.readOnly,
            deferrable: block.deferrable,
          }
        : null;
      session.transactions.end(commits, () => {
        if (options !== null) {
          session.transactions.open();
          block.isolation = options.isolation;
          block.readOnly = options.readOnly;
          block.deferrable = options.deferrable;
        }
        sink.commandComplete(commits ? 'COMMIT' : 'ROLLBACK');
      });
      return;
    }
    case 'TRANS_STMT_SAVEPOINT':
      requireBlock(session, 'SAVEPOINT');
      block.savepoints.push({
        name: statement.savepoint_name ?? '',
        settingsMark: session.environment.settings.mark,
        notificationMark: session.notifications.mark(),
        readOnly: block.readOnly,
      });
      session.transactions.operate('savepoint', statement.savepoint_name ?? '', 'SAVEPOINT');
      return;
    case 'TRANS_STMT_RELEASE': {
      requireBlock(session, 'RELEASE SAVEPOINT');
      const at = block.findSavepoint(statement.savepoint_name ?? '');
      block.readOnly = block.savepoints[at]!.readOnly;
      block.savepoints.length = at;
      session.portals.lower(block.savepoints.length);
      session.transactions.operate('release', statement.savepoint_name ?? '', 'RELEASE');
      return;
    }
    case 'TRANS_STMT_ROLLBACK_TO': {
      requireBlock(session, 'ROLLBACK TO SAVEPOINT');
      const at = block.findSavepoint(statement.savepoint_name ?? '');
      session.environment.settings.rollback(block.savepoints[at]!.settingsMark);
      session.notifications.rollback(block.savepoints[at]!.notificationMark);
      block.readOnly = block.savepoints[at]!.readOnly;
      block.savepoints.length = at + 1;
      session.portals.closeAbove(at);
      block.state = 'open';
      session.transactions.operate('rollbackTo', statement.savepoint_name ?? '', 'ROLLBACK');
      return;
    }
    case 'TRANS_STMT_PREPARE':
      if (block.state === 'idle' || block.state === 'implicit') {
        session.warn('no_active_sql_transaction', 'there is no transaction in progress');
        session.transactions.end(false, () => sink.commandComplete('ROLLBACK'));
        return;
      }
      session.transactions.end(false, () => {
        throw preparedDisabled();
      });
      return;
    default: {
      const command = statement.kind === 'TRANS_STMT_COMMIT_PREPARED' ? 'COMMIT' : 'ROLLBACK';
      refuseBlock(session, `${command} PREPARED`);
      throw pgError(
        'undefined_object',
        `prepared transaction with identifier "${statement.gid ?? ''}" does not exist`,
      );
    }
  }
}

/** What a server answers whose max_prepared_transactions is 0, as PostgreSQL's is by default. */
function preparedDisabled(): PgError {
  return pgError('object_not_in_prerequisite_state', 'prepared transactions are disabled', {
    hint: 'Set max_prepared_transactions to a nonzero value.',
  });
}

function requireBlock(session: ClientSession, command: string): void {
  const { state } = session.block;
  if (state === 'open' || state === 'failed') return;
  throw pgError('no_active_sql_transaction', `${command} can only be used in transaction blocks`);
}

/** Refuses what does not run in a block of whatever kind. */
export function refuseBlock({ block }: ClientSession, command: string): void {
  if (!block.isBlock) return;
  throw pgError('active_sql_transaction', `${command} cannot run inside a transaction block`);
}

/** What fails here opens no block, and ends an implicit one. */
function openBlock(session: ClientSession, options: readonly Node[]): void {
  session.transactions.open();
  try {
    applyTransactionOptions(session, options);
  } catch (thrown) {
    session.block.state = 'implicit';
    throw thrown;
  }
}

/** ISOLATION LEVEL, READ ONLY, DEFERRABLE of BEGIN and SET TRANSACTION. */
export function applyTransactionOptions(session: ClientSession, options: readonly Node[]): void {
  for (const option of options) {
    const { defname, arg } = (option as { DefElem: DefElem }).DefElem;
    const value = constantText(arg);
    if (defname === 'transaction_isolation') setIsolation(session, value);
    else if (defname === 'transaction_read_only') setReadOnly(session, value !== '0');
    else if (defname === 'transaction_deferrable') setDeferrable(session, value !== '0');
  }
}

export function setIsolation(session: ClientSession, level: string): void {
  const { block } = session;
  const isolation = isolationOf(level);
  if (isolation === block.isolation) return;
  if (block.hasRead) {
    throw pgError(
      'active_sql_transaction',
      'SET TRANSACTION ISOLATION LEVEL must be called before any query',
    );
  }
  if (block.savepoints.length > 0) {
    throw pgError(
      'active_sql_transaction',
      'SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction',
    );
  }
  block.isolation = isolation;
}

export function setReadOnly(session: ClientSession, readOnly: boolean): void {
  const { block } = session;
  if (!readOnly && block.readOnly && block.savepoints.length > 0) {
    throw pgError(
      'active_sql_transaction',
      'cannot set transaction read-write mode inside a read-only transaction',
    );
  }
  if (!readOnly && block.readOnly && block.hasRead) {
    throw pgError(
      'active_sql_transaction',
      'transaction read-write mode must be set before any query',
    );
  }
  block.readOnly = readOnly;
}

export function setDeferrable({ block }: ClientSession, deferrable: boolean): void {
  const command = 'SET TRANSACTION [NOT] DEFERRABLE';
  if (block.savepoints.length > 0) {
    throw pgError('active_sql_transaction', `${command} cannot be called within a subtransaction`);
  }
  if (block.hasRead) {
    throw pgError('active_sql_transaction', `${command} must be called before any query`);
  }
  block.deferrable = deferrable;
}

/** Commands that a failed transaction block still takes. */
export function endsBlock(statement: ParsedStatement): boolean {
  if (statement.tag !== 'TransactionStmt') return false;
  const { kind } = (statement.node as { TransactionStmt: TransactionStmt }).TransactionStmt;
  return (
    kind === 'TRANS_STMT_COMMIT' ||
    kind === 'TRANS_STMT_ROLLBACK' ||
    kind === 'TRANS_STMT_ROLLBACK_TO'
  );
}
