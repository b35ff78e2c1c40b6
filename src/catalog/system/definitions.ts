/** Objects as the SQL that would make them: what pg_get_indexdef and the like print.
 *
 * Expressions come from the catalog as texts, one in full parentheses and a pretty one. Those of a catalog
 * of before there were two lose their outermost parentheses alone. */

import {
  closingParenthesis,
  keyExpression,
  quoteIdentifier,
  quoteLiteral,
} from '../../base/index.ts';
import {
  type ConstraintDescriptor,
  computedParts,
  type IndexColumn,
  type IndexDescriptor,
  type RelationDescriptor,
  type StoredExpression,
} from '../descriptors.ts';
import { type FunctionFacts, operatorClassName } from './functions.ts';
import type { SystemNames } from './object-names.ts';

export function indexDefinition(
  names: SystemNames,
  table: RelationDescriptor,
  index: IndexDescriptor,
  pretty = false,
): string {
  const schema = names.catalog.schemaByOid(table.schema)?.name ?? '';
  const place = { oid: table.oid, name: table.name, schema };
  const tableName = pretty
    ? names.nameInText(place)
    : `${names.schemaInText(schema)}.${quoteIdentifier(table.name)}`;
  const columns = index.columns.map(
    (column) => indexColumn(names, table, column, pretty) + columnOrder(column),
  );
  const included = index.included.map((position) => columnName(table, position));
  return [
    index.unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX',
    quoteIdentifier(index.name),
    table.kind === 'partitioned' ? 'ON ONLY' : 'ON',
    tableName,
    'USING btree',
    `(${columns.join(', ')})`,
    ...(included.length > 0 ? [`INCLUDE (${included.join(', ')})`] : []),
    ...(index.nullsNotDistinct ? ['NULLS NOT DISTINCT'] : []),
    ...(index.predicate === null ? [] : ['WHERE', shownExpression(names, index.predicate, pretty)]),
  ].join(' ');
}

/** A column of an index by its number from 1: name or expression; empty where there is none. */
export function indexColumnDefinition(
  names: SystemNames,
  table: RelationDescriptor,
  index: IndexDescriptor,
  number: number,
  pretty: boolean,
): string {
  const column = index.columns[number - 1];
  if (column !== undefined) return indexColumn(names, table, column, pretty);
  const position = index.included[number - 1 - index.columns.length];
  return position === undefined ? '' : columnName(table, position);
}

function indexColumn(
  names: SystemNames,
  table: RelationDescriptor,
  { column, expression }: IndexColumn,
  pretty: boolean,
): string {
  if (expression === null) return columnName(table, column);
  return keyExpression(shownExpression(names, expression, pretty));
}

function columnOrder({ descending, nullsFirst, operatorClass }: IndexColumn): string {
  const order = descending ? (nullsFirst ? ' DESC' : ' DESC NULLS LAST') : '';
  const nulls = !descending && nullsFirst ? ' NULLS FIRST' : '';
  const name = operatorClassName(operatorClass);
  return `${name === null ? '' : ` ${name}`}${order}${nulls}`;
}

function columnName(table: RelationDescriptor, position: number): string {
  return quoteIdentifier(table.columns[position]?.name ?? '?');
}

/** A stored expression as the session's search path lets it be read: the relations and types in it are
 * stored with their schemas, and lose them where they are visible. */
function visibleExpression(names: SystemNames, text: string): string {
  return visibleRelations(names, visibleTypes(names, text));
}

function visibleTypes(names: SystemNames, text: string): string {
  return text.replace(QUALIFIED_CAST, (whole, type: string | undefined) => {
    const found = type === undefined ? undefined : names.findUserType(type);
    return found === undefined ? whole : `::${names.userTypeName(found)}`;
  });
}

const TEXT = "'[^']*(?:''[^']*)*'";
const QUOTED_NAME = '"[^"]*(?:""[^"]*)*"';
const NAME = `(?:[a-z_][a-z0-9_$]*|${QUOTED_NAME})`;

/** What is quoted, to be stepped over, or a cast to a type that is named with its schema. */
const QUALIFIED_CAST = new RegExp(`${TEXT}|${QUOTED_NAME}|::(${NAME}\\.${NAME})`, 'g');

function visibleRelations(names: SystemNames, text: string): string {
  if (!text.includes('::regclass')) return text;
  return text.replace(LITERAL, (whole, literal: string, cast: string | undefined) => {
    if (cast === undefined) return whole;
    const place = names.findRelation(literal.slice(1, -1).replaceAll("''", "'"));
    return place === undefined ? whole : `${quoteLiteral(names.relationName(place))}${cast}`;
  });
}

/** A quoted name, to be stepped over, or a quoted text and what makes the name of a relation of it. */
const LITERAL = new RegExp(`${QUOTED_NAME}|(${TEXT})(::regclass)?`, 'g');

/** An expression as pretty printing shows it: without the outermost parentheses and those around
 * names and constants that are cast. */
function prettyExpression(text: string): string {
  return withoutParentheses(text).replace(CAST_ATOM, (whole, literal, atom) =>
    literal === undefined ? `${atom}::` : whole,
  );
}

/** A quoted text, to be stepped over; or a name, number or literal of a type in parentheses before `::`. */
const CAST_ATOM =
  /('(?:[^']|'')*'|"[^"]*")|(?<![\w"])\(([a-z_]\w*|\d+(?:\.\d+)?|'(?:[^']|'')*'::[\w ."]+)\)::/gi;

/** An expression of the catalog for a reader. */
export function shownExpression(
  names: SystemNames,
  { text, pretty: prettyText }: Pick<StoredExpression, 'text' | 'pretty'>,
  pretty: boolean,
): string {
  if (!pretty) return visibleExpression(names, text);
  return visibleExpression(names, prettyText ?? prettyExpression(text));
}

/** The expression of a table that has a text; the text alone where there is none, as where it is made up
 * of several. */
export function expressionWithText(
  table: RelationDescriptor | undefined,
  text: string,
): Pick<StoredExpression, 'text' | 'pretty'> {
  const stored = [
    ...(table?.columns ?? []).map((column) => column.default),
    ...(table?.constraints ?? []).map(({ check }) => check),
    ...(table?.partitioning?.keys ?? []).map(({ expression }) => expression),
    ...(table?.indexes ?? []).flatMap(computedParts),
  ];
  return stored.find((one) => one?.text === text) ?? { text };
}

function withoutParentheses(text: string): string {
  const isWrapped = text.startsWith('(') && closingParenthesis(text, 0) === text.length - 1;
  return isWrapped ? text.slice(1, -1) : text;
}

const ACTIONS = {
  a: '',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
} as const;

export function constraintDefinition(
  names: SystemNames,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
  pretty = false,
): string {
  return [
    constraintBody(names, table, constraint, pretty),
    ...(constraint.deferrable ? ['DEFERRABLE'] : []),
    ...(constraint.deferred ? ['INITIALLY DEFERRED'] : []),
    ...(constraint.validated ? [] : ['NOT VALID']),
  ].join(' ');
}

function constraintBody(
  names: SystemNames,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
  pretty: boolean,
): string {
  const index = table.indexes.find(({ oid }) => oid === constraint.index);
  const columns = columnList(table, constraint.columns);
  switch (constraint.kind) {
    case 'check': {
      return `CHECK (${shownExpression(names, constraint.check ?? { text: '' }, pretty)})`;
    }
    case 'primary':
      return `PRIMARY KEY ${columns}${includedColumns(table, index)}`;
    case 'unique': {
      const nulls = index?.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : '';
      return `UNIQUE${nulls} ${columns}${includedColumns(table, index)}`;
    }
    case 'foreign':
      return `FOREIGN KEY ${columns} ${references(names, table, constraint)}`;
  }
}

function references(
  names: SystemNames,
  table: RelationDescriptor,
  { foreign }: ConstraintDescriptor,
): string {
  const target = foreign === null ? undefined : names.catalog.relationByOid(foreign.table);
  const place = target === undefined ? null : names.relationByOid(target.oid);
  if (foreign === null || target === undefined || place === null) return 'REFERENCES ?';
  return [
    `REFERENCES ${names.nameInText(place)}${columnList(target, foreign.columns)}`,
    ...(foreign.match === 'f' ? ['MATCH FULL'] : []),
    ...(foreign.onUpdate === 'a' ? [] : [`ON UPDATE ${ACTIONS[foreign.onUpdate]}`]),
    ...(foreign.onDelete === 'a' ? [] : [`ON DELETE ${ACTIONS[foreign.onDelete]}`]),
    ...(foreign.deleteColumns.length === 0 ? [] : [columnList(table, foreign.deleteColumns)]),
  ].join(' ');
}

function columnList(table: RelationDescriptor, positions: readonly number[]): string {
  return `(${positions.map((position) => columnName(table, position)).join(', ')})`;
}

function includedColumns(table: RelationDescriptor, index: IndexDescriptor | undefined): string {
  if (index === undefined || index.included.length === 0) return '';
  return ` INCLUDE ${columnList(table, index.included)}`;
}

/** A view's query as pg_get_viewdef prints it. */
export function viewDefinition(view: RelationDescriptor): string {
  const text = (view.definition ?? '').trim().replace(/;$/, '');
  return ` ${text};`;
}

const MODE_WORDS: Readonly<Record<string, string>> = {
  i: '',
  o: 'OUT ',
  b: 'INOUT ',
  v: 'VARIADIC ',
  t: '',
};

/** The arguments of a function as CREATE FUNCTION lists them. */
export function functionArguments(
  names: SystemNames,
  facts: FunctionFacts,
  withDefaults: boolean,
): string {
  const types = facts.allArguments ?? facts.arguments;
  const defaults = withDefaults ? splitDefaults(facts.defaultExpressions ?? '') : [];
  const inputs = facts.arguments.length;
  let input = 0;
  const texts: string[] = [];
  for (const [i, type] of types.entries()) {
    const mode = facts.modes?.[i] ?? 'i';
    if (mode === 't') continue;
    const isInput = mode !== 'o';
    const name = facts.names?.[i] ?? '';
    const label = name === '' ? '' : `${quoteIdentifier(name)} `;
    let text = `${MODE_WORDS[mode]}${label}${names.typeName(type) ?? '???'}`;
    if (isInput) {
      const fallback = defaults[input - (inputs - defaults.length)];
      if (fallback !== undefined) text += ` DEFAULT ${fallback}`;
      input++;
    }
    texts.push(text);
  }
  return texts.join(', ');
}

/** Default expressions lie in pg_proc joined by commas; none of the built-in ones holds one. */
function splitDefaults(text: string): readonly string[] {
  return text === '' ? [] : text.split(', ');
}

export function functionDefault(facts: FunctionFacts, argument: number): string | null {
  const defaults = splitDefaults(facts.defaultExpressions ?? '');
  return defaults[argument - 1 - (facts.arguments.length - defaults.length)] ?? null;
}

export function functionResult(names: SystemNames, facts: FunctionFacts): string {
  const tableColumns = (facts.modes ?? []).flatMap((mode, i) => {
    if (mode !== 't') return [];
    const type = names.typeName(facts.allArguments?.[i] ?? 0) ?? '???';
    return [`${quoteIdentifier(facts.names?.[i] ?? '')} ${type}`];
  });
  if (tableColumns.length > 0) return `TABLE(${tableColumns.join(', ')})`;
  const type = names.typeName(facts.result) ?? '???';
  return facts.returnsSet ? `SETOF ${type}` : type;
}

const VOLATILITY: Readonly<Record<string, string>> = { i: ' IMMUTABLE', s: ' STABLE', v: '' };
const PARALLEL: Readonly<Record<string, string>> = {
  s: ' PARALLEL SAFE',
  r: ' PARALLEL RESTRICTED',
  u: '',
};

export function functionDefinition(names: SystemNames, facts: FunctionFacts): string {
  const options =
    (VOLATILITY[facts.volatility] ?? '') +
    (PARALLEL[facts.parallel] ?? '') +
    (facts.strict ? ' STRICT' : '');
  return [
    `CREATE OR REPLACE FUNCTION pg_catalog.${quoteIdentifier(facts.name)}(${functionArguments(names, facts, true)})`,
    ` RETURNS ${functionResult(names, facts)}`,
    ` LANGUAGE ${facts.language}`,
    ...(options === '' ? [] : [options]),
    `AS $function$${facts.source}$function$`,
    '',
  ].join('\n');
}
