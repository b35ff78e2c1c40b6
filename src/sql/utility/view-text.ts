import type { Node, RangeVar, TypeName } from '@pgsql/types';
import { quoteLiteral } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { StarColumn } from '../bind/binder.ts';
import { quoteIdentifier } from '../bind/deparse.ts';
import { nameList } from '../bind/syntax.ts';
import { parseStatements } from '../parse/index.ts';
import { visitTree } from './dependencies.ts';

/** The text of a view's query. It is kept as the user wrote it, but for relations and types, which are named
 * with their schemas, so that a view means the same whatever the search path, and for columns: stars are
 * written out and other columns named with their FROM items, so that it means the same whatever columns its
 * tables get. */

/** Cuts the query out of CREATE VIEW … AS query [WITH CHECK OPTION], given the whole query string and a
 * location within the statement that lies before AS. */
export function viewQueryText(text: string, location: number, hasCheckOption: boolean): string {
  const bytes = Buffer.from(text);
  const statement = parseStatements(text).find(
    (candidate) =>
      candidate.location <= location &&
      (candidate.length === 0 || location < candidate.location + candidate.length),
  );
  const end =
    statement === undefined || statement.length === 0
      ? bytes.length
      : statement.location + statement.length;
  const rest = bytes.toString('utf8', location, end);
  const query = rest.slice(findAs(rest));
  const isElement = statement !== undefined && 'CreateSchemaStmt' in statement.node;
  const own = isElement ? query.slice(0, findNextElement(query)) : query;
  const bare = hasCheckOption ? own.slice(0, findLastWith(own)) : own;
  return bare.trim().replace(/;$/, '');
}

/** Where WITH CHECK OPTION begins, with which the text ends. */
function findLastWith(text: string): number {
  const token = new RegExp(TOKEN.source, 'y');
  let found = text.length;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0].toLowerCase() === 'with') found = match.index;
  }
  return found;
}

/** Where the view of a CREATE SCHEMA ends: at a word that begins another element, which no query has but for a
 * name after AS or a dot. */
function findNextElement(query: string): number {
  const token = new RegExp(TOKEN.source, 'y');
  let before = '';
  for (let match = token.exec(query); match !== null; match = token.exec(query)) {
    const word = match[0].toLowerCase();
    const isBegin = (word === 'create' || word === 'grant') && before !== 'as' && before !== '.';
    if (isBegin) return match.index;
    if (!/^(?:\s|--|\/\*)/.test(word)) before = word;
  }
  return query.length;
}

/** The query that CREATE RECURSIVE VIEW stands for. */
export function recursiveQueryText(
  view: string,
  columns: readonly string[],
  query: string,
): string {
  const name = quoteIdentifier(view);
  const list = columns.map(quoteIdentifier).join(', ');
  // The query may end in a comment, which a new line ends.
  return `WITH RECURSIVE ${name}(${list}) AS (${query}\n) SELECT ${list} FROM ${name}`;
}

const ESCAPED_STRING = /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/;
const PLAIN_STRING = /'(?:[^']|'')*'/;
const DOLLAR_STRING =
  /(?<quote>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?\k<quote>/;

/** What the scanner passes over as one: comments, of which one may hold others, strings, quoted names, words,
 * anything else. */
const TOKEN = new RegExp(
  [
    /\s+/,
    /--[^\n]*/,
    /\/\*(?:\/\*[\s\S]*?\*\/|(?!\*\/)[\s\S])*\*\//,
    ESCAPED_STRING,
    PLAIN_STRING,
    DOLLAR_STRING,
    /"(?:[^"]|"")*"/,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    /[\s\S]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

/** Position after the AS that the query follows: the first one outside of parentheses. */
function findAs(text: string): number {
  const token = new RegExp(TOKEN.source, 'y');
  let depth = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [word] = match;
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (depth === 0 && word.toLowerCase() === 'as') return token.lastIndex;
  }
  throw pgError('internal_error', 'the query of a view cannot be found in its statement');
}

const IDENTIFIER = '(?:"(?:[^"]|"")*"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)';
const QUALIFIED_NAME = new RegExp(
  `^${IDENTIFIER}(?:\\s*\\.\\s*${IDENTIFIER})?(?:\\s*\\.\\s*${IDENTIFIER})?`,
);

/** Where a relation of a query is to be found: schema and name. */
export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** A constant where it begins. */
const STRING = new RegExp(
  `^(?:${[ESCAPED_STRING, PLAIN_STRING, DOLLAR_STRING].map(({ source }) => source).join('|')})`,
);

const STAR = new RegExp(`^(?:${IDENTIFIER}\\s*\\.\\s*)*\\*`);

/** How columns and constants are to be written, by their locations. */
export interface WrittenNames {
  /** What each `*` stands for. */
  readonly stars: Map<number, readonly StarColumn[]>;
  /** The FROM items of columns that are named alone or with a schema. */
  readonly qualifiers: Map<number, string>;
  /** What constants of type regclass name. */
  readonly relations: Map<number, string>;
}

export function withWrittenNames(text: string, written: WrittenNames): string {
  const { stars, qualifiers, relations } = written;
  const bytes = Buffer.from(text);
  const edits: Edit[] = [];
  for (const [start, columns] of stars) {
    const written = STAR.exec(bytes.toString('utf8', start))?.[0];
    if (written === undefined) continue;
    const names = columns.map(({ qualifier, column }) =>
      qualifier === null
        ? quoteIdentifier(column)
        : `${quoteIdentifier(qualifier)}.${quoteIdentifier(column)}`,
    );
    edits.push({ start, end: start + Buffer.byteLength(written), text: names.join(', ') });
  }
  for (const [start, qualifier] of qualifiers) {
    const schema = SCHEMA_OF_COLUMN.exec(bytes.toString('utf8', start))?.[0];
    edits.push(
      schema === undefined
        ? { start, end: start, text: `${quoteIdentifier(qualifier)}.` }
        : { start, end: start + Buffer.byteLength(schema), text: '' },
    );
  }
  for (const [start, name] of relations) {
    const constant = STRING.exec(bytes.toString('utf8', start))?.[0];
    if (constant === undefined) continue;
    const end = start + Buffer.byteLength(constant);
    edits.push({ start, end, text: quoteLiteral(name) });
  }
  return edited(bytes, edits);
}

/** Of `schema.table.column`, what goes where the table alone names it. */
const SCHEMA_OF_COLUMN = new RegExp(
  `^${IDENTIFIER}\\s*\\.\\s*(?=${IDENTIFIER}\\s*\\.\\s*${IDENTIFIER})`,
);

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function edited(bytes: Buffer, edits: Edit[]): string {
  edits.sort((a, b) => b.start - a.start);
  let result = bytes;
  for (const { start, end, text } of edits) {
    result = Buffer.concat([result.subarray(0, start), Buffer.from(text), result.subarray(end)]);
  }
  return result.toString('utf8');
}

/** The text with other names for some of its relations: `rename` says which, null for those that
 * stay as they are. With `keepAlias` a relation without an alias keeps its old name as one. */
export function renameRelations(
  text: string,
  rename: (name: RangeVar) => RelationName | null,
  keepAlias: boolean,
): string {
  const edits: Edit[] = [];
  const bytes = Buffer.from(text);
  for (const statement of parseStatements(text)) {
    const commonTables = commonTablesOf(statement.node);
    visitTree(statement.node, (tag, object) => {
      if (tag !== 'RangeVar') return;
      const node = object as RangeVar;
      if (node.relname === undefined) return;
      if (node.schemaname === undefined && commonTables.has(node.relname)) return;
      const target = rename(node);
      if (target === null) return;
      const start = node.location ?? 0;
      const written = QUALIFIED_NAME.exec(bytes.toString('utf8', start))?.[0] ?? '';
      const alias = keepAlias && node.alias === undefined && target.name !== node.relname;
      const name = `${quoteIdentifier(target.schema)}.${quoteIdentifier(target.name)}`;
      edits.push({
        start,
        end: start + Buffer.byteLength(written),
        text: alias ? `${name} AS ${quoteIdentifier(node.relname)}` : name,
      });
    });
  }
  return edited(bytes, edits);
}

/** The text with other names for some of its types; `rename` says which, as in `renameRelations`. */
export function renameTypes(
  text: string,
  rename: (names: readonly string[]) => RelationName | null,
): string {
  const edits: Edit[] = [];
  const bytes = Buffer.from(text);
  for (const statement of parseStatements(text)) {
    visitTree(statement.node, (tag, object) => {
      const { names, location } = object as TypeName;
      if (!TYPE_FIELDS.has(tag) || names === undefined || location === undefined) return;
      const target = rename(nameList(names));
      if (target === null) return;
      const written = QUALIFIED_NAME.exec(bytes.toString('utf8', location))?.[0] ?? '';
      edits.push({
        start: location,
        end: location + Buffer.byteLength(written),
        text: `${quoteIdentifier(target.schema)}.${quoteIdentifier(target.name)}`,
      });
    });
  }
  return edited(bytes, edits);
}

/** Fields of the tree that hold a TypeName. */
const TYPE_FIELDS: ReadonlySet<string> = new Set(['TypeName', 'typeName']);

/** Names of all common tables of a statement. */
export function commonTablesOf(node: Node): ReadonlySet<string> {
  const names = new Set<string>();
  visitTree(node, (tag, object) => {
    if (tag === 'CommonTableExpr') names.add(String(object.ctename));
  });
  return names;
}
