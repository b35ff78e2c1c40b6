import type {
  A_Const,
  ClosePortalStmt,
  CopyStmt,
  DeallocateStmt,
  DeclareCursorStmt,
  DefElem,
  DropStmt,
  ExecuteStmt,
  ExplainStmt,
  FetchStmt,
  IndexStmt,
  ListenStmt,
  Node,
  NotifyStmt,
  PrepareStmt,
  TransactionStmt,
  TypeName,
  UnlistenStmt,
  VariableSetStmt,
  VariableShowStmt,
} from '@pgsql/types';
import { ByteWriter } from '../base/index.ts';
import { notSupported, pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import type { ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import { runCopyTo } from './copy-command.ts';
import { runClosePortal, runDeclare, runFetch } from './cursor-commands.ts';
import { parameterType } from './execute-arguments.ts';
import { describeExplain, runExplain } from './explain-command.ts';
import type { Portal } from './portal.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { describeColumns, textColumns, writeTextRow } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { isolationOf } from './session-environment.ts';
import type { ResultColumn } from './session-port.ts';
import { isListSetting, requireSetting } from './settings.ts';

/** Commands that concern the session alone, and so run on the main thread: transaction control, SET
 * and SHOW, PREPARE and EXECUTE, EXPLAIN, LISTEN and NOTIFY, DISCARD. */

/** Runs the statement when it is such a command, and says whether it was. */
export function runSessionCommand(
  session: ClientSession,
  statement: ParsedStatement,
  portal: Portal | null,
): boolean {
  const node = statement.node as Record<string, unknown>;
  switch (statement.tag) {
    case 'TransactionStmt':
      runTransaction(session, node.TransactionStmt as TransactionStmt);
      return true;
    case 'VariableSetStmt':
      runSet(session, node.VariableSetStmt as VariableSetStmt);
      return true;
    case 'VariableShowStmt':
      runShow(session, node.VariableShowStmt as VariableShowStmt, portal);
      return true;
    case 'PrepareStmt':
      runPrepare(session, node.PrepareStmt as PrepareStmt, statement);
      return true;
    case 'ExecuteStmt':
      session.executePrepared(node.ExecuteStmt as ExecuteStmt, portal);
      return true;
    case 'DeallocateStmt':
      runDeallocate(session, node.DeallocateStmt as DeallocateStmt);
      return true;
    case 'DiscardStmt':
      return runDiscard(session, (node.DiscardStmt as { target?: string }).target ?? 'DISCARD_ALL');
    case 'ListenStmt':
      session.notifications.listen((node.ListenStmt as ListenStmt).conditionname ?? '');
      session.sink.commandComplete('LISTEN');
      return true;
    case 'UnlistenStmt':
      runUnlisten(session, node.UnlistenStmt as UnlistenStmt);
      return true;
    case 'NotifyStmt':
      runNotify(session, node.NotifyStmt as NotifyStmt);
      return true;
    case 'DeclareCursorStmt':
      runDeclare(session, node.DeclareCursorStmt as DeclareCursorStmt, statement, portal);
      return true;
    case 'FetchStmt':
      runFetch(session, node.FetchStmt as FetchStmt, portal);
      return true;
    case 'ClosePortalStmt':
      runClosePortal(session, node.ClosePortalStmt as ClosePortalStmt);
      return true;
    case 'CopyStmt':
      return runCopyTo(session, node.CopyStmt as CopyStmt, statement);
    case 'ExplainStmt':
      runExplain(session, node.ExplainStmt as ExplainStmt, statement, portal);
      return true;
    default:
      return false;
  }
}

/** The rows that a session command answers with, for Describe; null when it answers with none. */
export function describeSessionCommand(
  session: ClientSession,
  prepared: PreparedStatement,
): readonly ResultColumn[] | null {
  const node = prepared.statement?.node as Record<string, unknown> | undefined;
  if (node === undefined) return null;
  if (node.VariableShowStmt !== undefined) {
    const { name = '' } = node.VariableShowStmt as VariableShowStmt;
    return describeColumns(showColumns(name), null);
  }
  if (node.ExplainStmt !== undefined) return describeExplain(node.ExplainStmt as ExplainStmt);
  if (node.FetchStmt !== undefined) {
    const { portalname = '', ismove } = node.FetchStmt as FetchStmt;
    const cursor = ismove === true ? undefined : session.findPortal(portalname);
    return cursor?.prepared.columns ?? null;
  }
  if (node.ExecuteStmt !== undefined) {
    const { name = '' } = node.ExecuteStmt as ExecuteStmt;
    return session.statements.has(name) ? session.statements.current(name).columns : null;
  }
  return null;
}

/** Statements that do not run in a block, or not outside of one, and so do not begin one unasked. */
export function mindsBlocks({ tag, node }: ParsedStatement): boolean {
  switch (tag) {
    case 'VacuumStmt':
    case 'ReindexStmt':
    case 'LockStmt':
    case 'ConstraintsSetStmt':
      return true;
    case 'IndexStmt':
      return (node as { IndexStmt: IndexStmt }).IndexStmt.concurrent === true;
    case 'DropStmt':
      return (node as { DropStmt: DropStmt }).DropStmt.concurrent === true;
    default:
      return false;
  }
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

// ------------------------------------------------------------------ transactions

function runTransaction(session: ClientSession, statement: TransactionStmt): void {
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
      session.endBlock(commits, () => {
        if (options !== null) {
          session.openBlock();
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
      session.transactionOperation('savepoint', statement.savepoint_name ?? '', 'SAVEPOINT');
      return;
    case 'TRANS_STMT_RELEASE': {
      requireBlock(session, 'RELEASE SAVEPOINT');
      const at = block.findSavepoint(statement.savepoint_name ?? '');
      block.readOnly = block.savepoints[at]!.readOnly;
      block.savepoints.length = at;
      session.lowerPortals(block.savepoints.length);
      session.transactionOperation('release', statement.savepoint_name ?? '', 'RELEASE');
      return;
    }
    case 'TRANS_STMT_ROLLBACK_TO': {
      requireBlock(session, 'ROLLBACK TO SAVEPOINT');
      const at = block.findSavepoint(statement.savepoint_name ?? '');
      session.environment.settings.rollback(Math.max(1, block.savepoints[at]!.settingsMark));
      session.notifications.rollback(block.savepoints[at]!.notificationMark);
      block.readOnly = block.savepoints[at]!.readOnly;
      block.savepoints.length = at + 1;
      session.closePortalsAbove(at);
      block.state = 'open';
      session.transactionOperation('rollbackTo', statement.savepoint_name ?? '', 'ROLLBACK');
      return;
    }
    case 'TRANS_STMT_PREPARE':
      if (block.state === 'idle' || block.state === 'implicit') {
        session.warn('no_active_sql_transaction', 'there is no transaction in progress');
        session.endBlock(false, () => sink.commandComplete('ROLLBACK'));
        return;
      }
      // What a server answers whose max_prepared_transactions is 0, as PostgreSQL's is by default.
      throw pgError('object_not_in_prerequisite_state', 'prepared transactions are disabled', {
        hint: 'Set max_prepared_transactions to a nonzero value.',
      });
    default:
      throw pgError(
        'undefined_object',
        `prepared transaction with identifier "${statement.gid ?? ''}" does not exist`,
      );
  }
}

function requireBlock(session: ClientSession, command: string): void {
  const { state } = session.block;
  if (state === 'open' || state === 'failed') return;
  throw pgError('no_active_sql_transaction', `${command} can only be used in transaction blocks`);
}

/** What fails here opens no block, and ends an implicit one. */
function openBlock(session: ClientSession, options: readonly Node[]): void {
  session.openBlock();
  try {
    applyTransactionOptions(session, options);
  } catch (thrown) {
    session.block.state = 'implicit';
    throw thrown;
  }
}

/** ISOLATION LEVEL, READ ONLY, DEFERRABLE of BEGIN and SET TRANSACTION. */
function applyTransactionOptions(session: ClientSession, options: readonly Node[]): void {
  for (const option of options) {
    const { defname, arg } = (option as { DefElem: DefElem }).DefElem;
    const value = constantText(arg);
    if (defname === 'transaction_isolation') setIsolation(session, value);
    else if (defname === 'transaction_read_only') setReadOnly(session, value !== '0');
    else if (defname === 'transaction_deferrable') setDeferrable(session, value !== '0');
  }
}

function setIsolation(session: ClientSession, level: string): void {
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

function setReadOnly(session: ClientSession, readOnly: boolean): void {
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

function setDeferrable({ block }: ClientSession, deferrable: boolean): void {
  const command = 'SET TRANSACTION [NOT] DEFERRABLE';
  if (block.savepoints.length > 0) {
    throw pgError('active_sql_transaction', `${command} cannot be called within a subtransaction`);
  }
  if (block.hasRead) {
    throw pgError('active_sql_transaction', `${command} must be called before any query`);
  }
  block.deferrable = deferrable;
}

// ------------------------------------------------------------------ settings

function runSet(session: ClientSession, statement: VariableSetStmt): void {
  const { settings } = session.environment;
  const name = statement.name ?? '';
  const local = statement.is_local ?? false;
  if (name === 'role' || name === 'session_authorization') {
    setUser(session, name, statement);
    return;
  }
  const isReset = statement.kind === 'VAR_RESET' || statement.kind === 'VAR_RESET_ALL';
  if (local && session.block.state === 'idle') {
    session.warn('no_active_sql_transaction', 'SET LOCAL can only be used in transaction blocks');
  }
  switch (statement.kind) {
    case 'VAR_SET_MULTI':
      setMulti(session, name, statement.args ?? [], local);
      break;
    case 'VAR_RESET_ALL':
      settings.resetAll();
      break;
    case 'VAR_SET_CURRENT':
      settings.set(name, settings.get(name), local);
      break;
    case 'VAR_SET_DEFAULT':
    case 'VAR_RESET':
      if (name.startsWith('transaction_')) setTransactionSetting(session, name, null);
      else settings.reset(name, local);
      break;
    default: {
      const args = statement.args ?? [];
      if (args.length > 1 && !isListSetting(name)) {
        throw pgError('invalid_parameter_value', `SET ${name} takes only one argument`);
      }
      const value = args.map((arg) => settingText(name, arg)).join(', ');
      if (isTransactionSetting(name)) {
        setTransactionSetting(session, name, value);
        break;
      }
      const notice = settings.set(name, value, local);
      if (notice !== null) session.noticeText(notice);
    }
  }
  session.adoptDefaults();
  session.sink.commandComplete(isReset ? 'RESET' : 'SET');
}

/** SET ROLE and SET SESSION AUTHORIZATION: a session has the one user that it started with, and may
 * name it again. */
function setUser(session: ClientSession, name: string, statement: VariableSetStmt): void {
  const [argument] = statement.args ?? [];
  const user = argument === undefined ? null : constantText(argument);
  const isNone = user === null || (name === 'role' && user === 'none');
  if (!isNone && user !== session.environment.user) {
    if (session.catalog.roleByName(user) === undefined) {
      throw pgError('invalid_parameter_value', `role "${user}" does not exist`);
    }
    throw notSupported(name === 'role' ? 'SET ROLE' : 'SET SESSION AUTHORIZATION');
  }
  session.sink.commandComplete(statement.kind === 'VAR_RESET' ? 'RESET' : 'SET');
}

/** set_config(): a null value is the default. */
export function setSetting(
  session: ClientSession,
  name: string,
  value: string | null,
  local: boolean,
): string {
  const { settings } = session.environment;
  if (isTransactionSetting(name)) {
    setTransactionSetting(session, name, value);
  } else if (value === null) settings.reset(name, local);
  else settings.set(name, value, local);
  session.adoptDefaults();
  return shownValue(session, name);
}

function setTransactionSetting(session: ClientSession, name: string, value: string | null): void {
  const { environment } = session;
  if (name === 'transaction_isolation') {
    setIsolation(session, value ?? environment.settings.get('default_transaction_isolation'));
    return;
  }
  const isOn = /^(on|true|yes|1)$/i.test(value ?? environment.settings.get(`default_${name}`));
  if (name === 'transaction_read_only') setReadOnly(session, isOn);
  else setDeferrable(session, isOn);
}

/** A setting of the present transaction. */
function isTransactionSetting(name: string): boolean {
  return (
    name === 'transaction_isolation' ||
    name === 'transaction_read_only' ||
    name === 'transaction_deferrable'
  );
}

function setMulti(
  session: ClientSession,
  name: string,
  args: readonly Node[],
  local: boolean,
): void {
  if (name === 'TRANSACTION') {
    if (session.block.state === 'idle') {
      session.warn(
        'no_active_sql_transaction',
        'SET TRANSACTION can only be used in transaction blocks',
      );
    }
    applyTransactionOptions(session, args);
    return;
  }
  if (name !== 'SESSION CHARACTERISTICS') throw notSupported(`SET ${name}`);
  for (const option of args) {
    const { defname = '', arg } = (option as { DefElem: DefElem }).DefElem;
    const value = constantText(arg);
    const setting = `default_${defname}`;
    session.environment.settings.set(
      setting,
      defname === 'transaction_isolation' ? value : value === '0' ? 'off' : 'on',
      local,
    );
  }
}

/** One argument of SET as text; identifiers of a list are quoted where they need it. */
function settingText(name: string, node: Node): string {
  const text = constantText(node);
  if (name.toLowerCase() !== 'search_path') return text;
  return /^[a-z_][a-z0-9_$]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

function constantText(node: Node | undefined): string {
  if (node === undefined) return '';
  const fields = node as Record<string, unknown>;
  if (fields.TypeCast !== undefined) {
    // SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
    const cast = fields.TypeCast as { arg?: Node };
    return constantText(cast.arg);
  }
  const constant = fields.A_Const as A_Const | undefined;
  if (constant === undefined) return '';
  const value = constant as Record<string, Record<string, unknown> | undefined>;
  if (value.sval !== undefined) return String(value.sval.sval ?? '');
  if (value.ival !== undefined) return String(value.ival.ival ?? 0);
  if (value.fval !== undefined) return String(value.fval.fval ?? '0');
  if (value.boolval !== undefined) return value.boolval.boolval === true ? '1' : '0';
  return '';
}

function showColumns(name: string): PlanColumn[] {
  if (name === 'all') return textColumns(['name', 'setting', 'description']);
  return textColumns([showName(name)]);
}

/** SHOW names its column as the setting is spelled. */
function showName(name: string): string {
  if (name === 'role') return name;
  return name.includes('.') ? name : requireSetting(name).name;
}

function runShow(session: ClientSession, statement: VariableShowStmt, portal: Portal | null): void {
  const name = statement.name ?? '';
  const { settings } = session.environment;
  const rows =
    name === 'all'
      ? [...settings.all()].map(({ definition, value }) => [
          definition.name,
          value,
          definition.description,
        ])
      : [[shownValue(session, name)]];
  sendTextRows(session, showColumns(name), rows, portal);
  session.finishRows('SHOW');
}

function shownValue(session: ClientSession, name: string): string {
  const { block, environment } = session;
  if (name === 'transaction_isolation') return block.isolation;
  if (name === 'transaction_read_only') return block.readOnly ? 'on' : 'off';
  if (name === 'transaction_deferrable') return block.deferrable ? 'on' : 'off';
  if (name === 'session_authorization') return environment.user;
  if (name === 'role') return 'none';
  return environment.settings.get(name);
}

/** Sends rows of text that this thread made; in the simple protocol with their description. */
export function sendTextRows(
  session: ClientSession,
  columns: readonly PlanColumn[],
  rows: readonly (readonly string[])[],
  portal: Portal | null,
): void {
  if (portal === null) session.sink.rowDescription(describeColumns(columns, null));
  const out = new ByteWriter(1024);
  for (const row of rows) writeTextRow(row, out);
  session.sendRows(out.bytes, 0, out.position, rows.length);
}

// ------------------------------------------------------------------ prepared statements

function runPrepare(session: ClientSession, statement: PrepareStmt, parsed: ParsedStatement): void {
  const name = statement.name ?? '';
  const types = (statement.argtypes ?? []).map((argument) =>
    parameterType((argument as { TypeName: TypeName }).TypeName, session),
  );
  const prepared = session.statements.prepareWithin(statement.query!, parsed, types);
  if (session.statements.has(name)) {
    throw pgError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
  }
  session.statements.add(name, prepared, session.queryText, session.environment.now(), true);
  session.sink.commandComplete('PREPARE');
}

function runDeallocate(session: ClientSession, statement: DeallocateStmt): void {
  if (statement.isall || statement.name === undefined) {
    session.statements.clear();
    session.sink.commandComplete('DEALLOCATE ALL');
    return;
  }
  if (!session.statements.remove(statement.name)) {
    throw pgError(
      'invalid_sql_statement_name',
      `prepared statement "${statement.name}" does not exist`,
    );
  }
  session.sink.commandComplete('DEALLOCATE');
}

/** UNLISTEN of one channel, or of all (`*`). */
function runUnlisten(session: ClientSession, { conditionname }: UnlistenStmt): void {
  if (conditionname === undefined) session.notifications.unlistenAll();
  else session.notifications.unlisten(conditionname);
  session.sink.commandComplete('UNLISTEN');
}

function runNotify(session: ClientSession, { conditionname = '', payload = '' }: NotifyStmt): void {
  session.notifications.notify(conditionname, payload);
  session.sink.commandComplete('NOTIFY');
}

/** False for DISCARD TEMP, which the writer runs. */
function runDiscard(session: ClientSession, target: string): boolean {
  if (target === 'DISCARD_ALL') {
    if (session.block.state === 'open') {
      throw pgError('active_sql_transaction', 'DISCARD ALL cannot run inside a transaction block');
    }
    session.closeCursors();
    session.statements.clear();
    session.notifications.unlistenAll();
    session.environment.settings.resetAll();
    session.adoptDefaults();
    session.transactionOperation('discardAll', '', 'DISCARD ALL');
  } else if (target === 'DISCARD_PLANS') {
    session.sink.commandComplete('DISCARD PLANS');
  } else if (target === 'DISCARD_SEQUENCES') {
    session.transactionOperation('discardSequences', '', 'DISCARD SEQUENCES');
  } else return false;
  return true;
}
