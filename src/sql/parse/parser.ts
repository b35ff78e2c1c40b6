import type { Node, ParseResult } from '@pgsql/types';
import { type Condition, pgError, stackDepthExceeded } from '../../errors/index.ts';
import { GrammarError, loadGrammar, parseText } from './grammar.ts';

/** What a statement is, coarsely: what may run it, and as what. */
export type StatementKind =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'explain'
  | 'copy'
  | 'transaction'
  | 'set'
  | 'show'
  | 'prepare'
  | 'execute'
  | 'deallocate'
  | 'cursor'
  | 'createTableAs'
  | 'utility';

/** One statement of a query string. `location` and `length` are its range in the text, in bytes of
 * UTF-8, which is also what the locations within the tree count. */
export interface ParsedStatement {
  readonly kind: StatementKind;
  /** Name of the tree's root: SelectStmt, CreateStmt, … */
  readonly tag: string;
  readonly node: Node;
  readonly text: string;
  readonly location: number;
  readonly length: number;
}

/** Instantiates the grammar; once, before the first `parseStatements`. */
export async function loadParser(): Promise<void> {
  await loadGrammar();
}

/** Parses a query string into its statements; an empty one gives none. Syntax errors are 42601 with
 * PostgreSQL's text and position. */
export function parseStatements(text: string): ParsedStatement[] {
  if (text === '') return [];
  const statements: ParsedStatement[] = [];
  // Statements come in their order: their places are counted on from those before.
  let lastByte = 0;
  let lastIndex = 0;
  const indexOf = (byte: number): number => {
    lastIndex += characterIndex(text, byte - lastByte, lastIndex);
    lastByte = byte;
    return lastIndex;
  };
  for (const { stmt, stmt_location = 0, stmt_len = 0 } of parseTree(text).stmts ?? []) {
    if (stmt === undefined) continue;
    const start = indexOf(stmt_location);
    const end = stmt_len === 0 ? text.length : indexOf(stmt_location + stmt_len);
    const tag = Object.keys(stmt)[0] ?? '';
    statements.push({
      kind: statementKind(tag, stmt),
      tag,
      node: stmt,
      text: text.slice(start, end),
      location: stmt_location,
      length: stmt_len,
    });
  }
  return statements;
}

function parseTree(text: string): ParseResult {
  try {
    return parseText(text);
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    const { message, cursorPosition, functionName } = error;
    if (message.startsWith('stack depth')) throw stackDepthExceeded();
    const hasPosition = functionName !== undefined && !WITHOUT_POSITION.test(message);
    throw pgError(condition(message, text, cursorPosition), message, {
      ...(hasPosition ? positionOf(cursorPosition) : {}),
      ...hintOf(message, text, cursorPosition),
    });
  }
}

/** The conditions of the grammar's errors that are none of syntax. */
function condition(message: string, text: string, cursorPosition: number): Condition {
  if (NOT_SUPPORTED.test(message)) return 'feature_not_supported';
  if (INVALID_VALUE.test(message)) return 'invalid_parameter_value';
  if (ENCODING.test(message)) return 'character_not_in_repertoire';
  if (FRAME.test(message)) return 'windowing_error';
  return isShortUnicodeEscape(message, text, cursorPosition)
    ? 'invalid_escape_sequence'
    : 'syntax_error';
}

/** `\u12` in an escape string, in difference to `\12` in a Unicode string. */
function isShortUnicodeEscape(message: string, text: string, cursorPosition: number): boolean {
  return message === UNICODE_ESCAPE && /^\\u/i.test(text.slice(cursorPosition, cursorPosition + 2));
}

const UNICODE_ESCAPE = 'invalid Unicode escape';
const INVALID_VALUE = /^column number must be in range |^unrecognized partitioning strategy /;
const ENCODING = /^invalid byte sequence for encoding /;
const FRAME = /^frame (?:start|end|starting) /;
const WITHOUT_POSITION = / WITH TIES |^WITH TIES |^invalid byte sequence /;

function hintOf(message: string, text: string, cursorPosition: number): { hint?: string } {
  if (message === 'missing argument') {
    return { hint: 'Use NONE to denote the missing argument of a unary operator.' };
  }
  if (message !== UNICODE_ESCAPE) return {};
  return isShortUnicodeEscape(message, text, cursorPosition)
    ? { hint: 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.' }
    : { hint: 'Unicode escapes must be \\XXXX or \\+XXXXXX.' };
}

/** What the grammar refuses although it is no error of syntax. */
const NOT_SUPPORTED = new RegExp(
  [
    ' not yet implemented$',
    '^a column list with .* is only supported for ',
    ' constraints cannot be marked ',
    '^CREATE SCHEMA IF NOT EXISTS cannot include schema elements$',
    '^CREATE OR REPLACE CONSTRAINT TRIGGER is not supported$',
    '^CREATE EXTENSION ... FROM is no longer supported$',
    '^aggregates cannot have output arguments$',
    '^current database cannot be changed$',
  ].join('|'),
);

function positionOf(cursorPosition: number): { position: number } {
  return { position: cursorPosition + 1 };
}

/** How many UTF-16 units from an index on have so many bytes in UTF-8. */
export function characterIndex(text: string, byte: number, from = 0): number {
  let bytes = 0;
  let index = from;
  while (bytes < byte && index < text.length) {
    const code = text.charCodeAt(index);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00) {
      bytes += 4;
      index++;
    } else bytes += 3;
    index++;
  }
  return index - from;
}

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  ExplainStmt: 'explain',
  CopyStmt: 'copy',
  TransactionStmt: 'transaction',
  VariableSetStmt: 'set',
  VariableShowStmt: 'show',
  PrepareStmt: 'prepare',
  ExecuteStmt: 'execute',
  DeallocateStmt: 'deallocate',
  DeclareCursorStmt: 'cursor',
  FetchStmt: 'cursor',
  ClosePortalStmt: 'cursor',
  CreateTableAsStmt: 'createTableAs',
};

/** What a statement is, by the name of its tree's root. */
export function statementKind(tag: string, node: Node): StatementKind {
  if ('SelectStmt' in node && leftmostInto(node)) return 'createTableAs';
  return KINDS[tag] ?? 'utility';
}

/** SELECT ... INTO is spelled in the leftmost member of a set operation. */
function leftmostInto(node: Node): boolean {
  let select = 'SelectStmt' in node ? node.SelectStmt : undefined;
  while (select?.larg !== undefined) select = select.larg;
  return select?.intoClause !== undefined;
}
