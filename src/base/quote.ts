/** Names and texts as SQL writes them. */
import { inPieces } from './pieces.ts';

const NEEDS_NO_QUOTES = /^[a-z_][a-z0-9_]*$/;
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
  boolean both case cast char character check coalesce collate collation column concurrently
  constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user dec decimal default deferrable desc distinct do else end except
  exists extract false fetch float for foreign freeze from full grant greatest group grouping having
  ilike in initially inner inout int integer intersect interval into is isnull join lateral leading
  least left like limit localtime localtimestamp national natural nchar none normalize not notnull
  null nullif numeric offset on only or order out outer overlaps overlay placing position precision
  primary real references returning right row select session_user setof similar smallint some
  substring symmetric table tablesample then time timestamp to trailing treat trim true union unique
  user using values varchar variadic verbose when where window with xmlattributes xmlconcat
  xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`.split(
    /\s+/,
  ),
);

/** An identifier as SQL text, in double quotes where it needs them. */
export function quoteIdentifier(name: string): string {
  if (NEEDS_NO_QUOTES.test(name) && !RESERVED.has(name)) return name;
  return `"${inPieces(name, (piece) => piece.replaceAll('"', '""'))}"`;
}

/** A string literal as SQL text, with the E prefix when it holds a backslash. */
export function quoteLiteral(text: string): string {
  const doubled = inPieces(text, (piece) => piece.replaceAll("'", "''").replaceAll('\\', '\\\\'));
  return text.includes('\\') ? `E'${doubled}'` : `'${doubled}'`;
}

/** The text of an expression as a column of an index has it: in parentheses unless it is a call, which may
 * be written in words. */
export function keyExpression(text: string): string {
  return isCall(text) || isCallInWords(text) ? text : `(${text})`;
}

/** Whether the text is `(x AT TIME ZONE y)` and the like, which has its parentheses. */
function isCallInWords(text: string): boolean {
  if (!text.startsWith('(') || closingParenthesis(text, 0) !== text.length - 1) return false;
  let top = text.slice(1, -1).replace(/'[^']*'|"[^"]*"/g, '');
  for (let inner = ''; inner !== top; ) {
    inner = top;
    top = inner.replace(/\([^()]*\)/g, '');
  }
  return /\sAT TIME ZONE\s|\sOVERLAPS\s|\sIS (?:\w+ )?NORMALIZED$/.test(top);
}

/** Whether the text is one function call and nothing else. */
function isCall(text: string): boolean {
  const name = /^(?:[a-z_]\w*|"[^"]+")(?:\.(?:[a-z_]\w*|"[^"]+"))?\(/i.exec(text);
  return name !== null && closingParenthesis(text, name[0].length - 1) === text.length - 1;
}

/** The index of the parenthesis that closes the one at `open`; quoted text is stepped over. */
export function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  let quote = '';
  for (let i = open; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return i;
  }
  return -1;
}
