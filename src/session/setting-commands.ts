import type { DefElem, Node, VariableSetStmt, VariableShowStmt } from '@pgsql/types';
import { notSupported, pgError } from '../errors/index.ts';
import type { ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import { constantText } from './command-arguments.ts';
import type { Portal } from './portal.ts';
import { textColumns } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { finishRows, sendTextRows } from './session-rows.ts';
import { isListSetting, requireSetting } from './settings.ts';
import {
  applyTransactionOptions,
  setDeferrable,
  setIsolation,
  setReadOnly,
} from './transaction-commands.ts';

/** SET, RESET and SHOW. */

export function runSet(session: ClientSession, statement: VariableSetStmt): void {
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
  session.transactions.adoptDefaults();
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
  session.transactions.adoptDefaults();
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

/** The columns that SHOW answers with. */
export function showColumns(name: string): PlanColumn[] {
  if (name === 'all') return textColumns(['name', 'setting', 'description']);
  return textColumns([showName(name)]);
}

/** SHOW names its column as the setting is spelled. */
function showName(name: string): string {
  if (name === 'role') return name;
  return name.includes('.') ? name : requireSetting(name).name;
}

export function runShow(
  session: ClientSession,
  statement: VariableShowStmt,
  portal: Portal | null,
): void {
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
  finishRows(session, 'SHOW');
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
