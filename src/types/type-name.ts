import { builtinTypes, findType } from './registry.ts';
import type { SqlType } from './sql-type.ts';

/** SQL's own spellings, as the user writes them in a string ('integer'::regtype). The parser turns
 * them into names of pg_type before an AST comes here. */
const SQL_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['boolean', 'bool'],
  ['smallint', 'int2'],
  ['int', 'int4'],
  ['integer', 'int4'],
  ['bigint', 'int8'],
  ['real', 'float4'],
  ['float', 'float8'],
  ['double precision', 'float8'],
  ['decimal', 'numeric'],
  ['dec', 'numeric'],
  ['character', 'bpchar'],
  ['char', 'bpchar'],
  ['nchar', 'bpchar'],
  ['national character', 'bpchar'],
  ['national char', 'bpchar'],
  ['character varying', 'varchar'],
  ['char varying', 'varchar'],
  ['nchar varying', 'varchar'],
  ['national character varying', 'varchar'],
  ['national char varying', 'varchar'],
  ['bit varying', 'varbit'],
  ['time without time zone', 'time'],
  ['time with time zone', 'timetz'],
  ['timestamp without time zone', 'timestamp'],
  ['timestamp with time zone', 'timestamptz'],
  ['"char"', 'char'],
  ['"any"', 'any'],
]);

/** Types that are macros of the grammar: a column of type serial is an int4 with a sequence. */
export const SERIAL_TYPES: ReadonlyMap<string, string> = new Map([
  ['smallserial', 'int2'],
  ['serial2', 'int2'],
  ['serial', 'int4'],
  ['serial4', 'int4'],
  ['bigserial', 'int8'],
  ['serial8', 'int8'],
]);

/** The built-in type that a TypeName of the AST means (`['int4']`, `['pg_catalog', 'bpchar']`), or
 * undefined. Dimensions are not part of the names: see `arrayTypeOf`. */
export function resolveTypeName(names: readonly string[]): SqlType | undefined {
  const name = names[names.length - 1];
  if (name === undefined || names.length > 2) return undefined;
  if (names.length === 2 && names[0] !== 'pg_catalog') return undefined;
  return builtinTypes.findByName(name);
}

/** The array type over a type, or undefined. An array is its own array type: int4[][] is int4[]. */
export function arrayTypeOf(type: SqlType): SqlType | undefined {
  if (type.elementOid !== 0 && type.name.startsWith('_')) return type;
  return type.arrayOid === 0 ? undefined : findType(type.arrayOid);
}

/** Reads a type as a user spells it in text: `integer`, `int4[]`, `"char"`, `pg_catalog.text`,
 * `timestamp(3) with time zone`; modifiers are read over. Undefined when it is no built-in type. */
export function parseTypeName(text: string): SqlType | undefined {
  let name = text.trim();
  let isArray = false;
  for (;;) {
    const shorter = name.replace(/\s*\[\s*\d*\s*\]$|\s+array$/i, '');
    if (shorter === name) break;
    isArray = true;
    name = shorter;
  }
  const modifier = /\(\s*(\d*)[^()]*\)/.exec(name);
  const plain = name
    .replace(/\([^()]*\)/, ' ')
    .replace(/^pg_catalog\s*\.\s*/i, '')
    .trim()
    .replace(/\s+/g, ' ');
  const lower = plain.toLowerCase();
  const type = builtinTypes.findByName(catalogName(plain, lower, modifier?.[1]));
  return type === undefined || !isArray ? type : arrayTypeOf(type);
}

/** float(p) is a float4 up to this precision. */
const FLOAT4_PRECISION_MAX = 24;

function catalogName(plain: string, lower: string, precision: string | undefined): string {
  if (lower === 'float' && precision !== undefined) {
    return Number(precision) <= FLOAT4_PRECISION_MAX ? 'float4' : 'float8';
  }
  const quoted = /^"(.*)"$/.exec(plain);
  return SQL_SPELLINGS.get(lower) ?? (quoted === null ? lower : quoted[1]!);
}
