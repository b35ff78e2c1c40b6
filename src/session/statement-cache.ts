import { PgError, pgError } from '../errors/index.ts';
import { UnlikeRows } from '../sql/bind/index.ts';
import {
  type LiftedLiteral,
  type LiftedRows,
  type LiftedText,
  liftLiterals,
  type ParsedStatement,
  parseStatements,
} from '../sql/parse/index.ts';
import { characterCount, type Datum, OID, type TypeContext, typeByOid } from '../types/index.ts';
import {
  emptyStatement,
  isCurrent,
  isPlannable,
  type PrepareContext,
  type Prepared,
  type PreparedStatement,
  prepareParsed,
} from './prepared-statement.ts';

/** A statement of the simple protocol with the values of its literals. */
export interface ShapedStatement {
  readonly prepared: PreparedStatement;
  readonly parameters: readonly Datum[];
}

/** Plans by statement shape, for all sessions: the least recently used go first.
 *
 * A shape is a text without its literals, so that texts that differ in literals alone share a parse
 * and a plan. Literals that decided something in the plan are part of a second key.
 */
export class StatementCache {
  private readonly shapes = new Map<string, ShapeEntry>();
  private readonly texts = new Map<string, PreparedStatement>();
  /** Shapes with rows that cannot be lifted. */
  private readonly unlike = new Map<string, true>();
  private readonly sizeMax: number;

  constructor(sizeMax: number) {
    this.sizeMax = sizeMax;
  }

  /** The statement of a text that the cache can serve: one statement, of known shape, planned
   * against this catalog. Null when it has to be parsed (`learn` then remembers it). */
  find(text: string, scope: string, context: PrepareContext): ShapedStatement | null {
    if (context.snapshot !== null) return null;
    let lifted = liftLiterals(text, true);
    if (lifted !== null && this.unlike.has(scope + lifted.shape)) lifted = liftLiterals(text);
    if (lifted === null || lifted.parameterCount > 0) return null;
    const prepared = this.known(lifted, scope, context);
    if (lifted.rows !== null) return this.withRows(prepared, lifted, lifted.rows, scope, context);
    if (prepared === null) return null;
    return { prepared, parameters: literalValues(prepared, text, lifted.literals, context.types) };
  }

  private known(
    { shape, literals }: LiftedText,
    scope: string,
    context: PrepareContext,
  ): PreparedStatement | null {
    const key = scope + shape;
    const entry = this.shapes.get(key);
    const prepared = entry?.variants.get(variantKey(entry.fixed, literals));
    if (prepared === undefined) return null;
    if (isCurrent(prepared, context)) return prepared;
    this.shapes.delete(key);
    return null;
  }

  /** The INSERT of rows that have been lifted. Null where that cannot be, or is wrong: as a whole it is done the
   * long way, or refused with the position in its text. */
  private withRows(
    known: PreparedStatement | null,
    lifted: LiftedText,
    rows: LiftedRows,
    scope: string,
    context: PrepareContext,
  ): ShapedStatement | null {
    const { literals } = lifted;
    try {
      const prepared = known ?? this.learnRows(lifted, rows, scope, context);
      if (prepared === null) return null;
      const parameters = literalValues(prepared, rows.text, literals, context.types);
      parameters.push(rows.bytes);
      return { prepared, parameters };
    } catch (error) {
      if (error instanceof PgError) return null;
      if (!(error instanceof UnlikeRows)) throw error;
      this.unlike.set(scope + lifted.shape, true);
      this.trim(this.unlike);
      return null;
    }
  }

  private learnRows(
    lifted: LiftedText,
    rows: LiftedRows,
    scope: string,
    context: PrepareContext,
  ): PreparedStatement | null {
    const { text } = rows;
    const [statement, ...others] = parseStatements(text);
    if (statement === undefined || others.length > 0 || !isPlannable(statement)) return null;
    const { literals } = lifted;
    const made = prepareParsed(statement, text, context, [], literals, 0, false, rows);
    if (lifted.shape.length <= CACHED_TEXT_MAX) this.remember(lifted, scope, made);
    return made.prepared;
  }

  /** Prepares the single statement of a text and remembers it by its shape. */
  learn(
    text: string,
    scope: string,
    statement: ParsedStatement,
    context: PrepareContext,
  ): ShapedStatement {
    const lifted = liftLiterals(text);
    if (
      lifted === null ||
      lifted.parameterCount > 0 ||
      lifted.shape.length > CACHED_TEXT_MAX ||
      !isPlannable(statement) ||
      context.snapshot !== null
    ) {
      const { prepared } = prepareParsed(statement, text, context, [], [], 0, false);
      return { prepared, parameters: [] };
    }
    const made = prepareParsed(statement, text, context, [], lifted.literals, 0);
    const { prepared } = made;
    const shaped = {
      prepared,
      parameters: literalValues(prepared, text, lifted.literals, context.types),
    };
    this.remember(lifted, scope, made);
    return shaped;
  }

  private remember(lifted: LiftedText, scope: string, made: Prepared): void {
    if (made.readsClock) return;
    const { fixed } = made;
    const key = scope + lifted.shape;
    let entry = this.shapes.get(key);
    if (entry === undefined || !equalLists(entry.fixed, fixed)) {
      entry = { fixed, variants: new Map() };
      this.shapes.set(key, entry);
      this.trim(this.shapes);
    }
    if (entry.variants.size >= VARIANTS_MAX) entry.variants.clear();
    entry.variants.set(variantKey(fixed, lifted.literals), made.prepared);
  }

  /** Parse of the extended protocol. */
  prepare(
    text: string,
    scope: string,
    parameterTypes: readonly number[],
    context: PrepareContext,
  ): PreparedStatement {
    const key = `${scope}${parameterTypes.join(',')}\u0001${text}`;
    const known = this.texts.get(key);
    if (known !== undefined && isCurrent(known, context)) return known;
    const statements = parseStatements(text);
    if (statements.length > 1) {
      throw pgError('syntax_error', 'cannot insert multiple commands into a prepared statement');
    }
    const statement = statements[0];
    if (statement === undefined) return emptyStatement(context.catalog);
    const { prepared, readsClock } = prepareParsed(statement, text, context, parameterTypes, [], 0);
    if (text.length <= CACHED_TEXT_MAX && !readsClock && context.snapshot === null) {
      this.texts.set(key, prepared);
      this.trim(this.texts);
    }
    return prepared;
  }

  private trim<Value>(map: Map<string, Value>): void {
    if (map.size <= this.sizeMax) return;
    // Oldest first; a Map keeps the order of insertion.
    for (const key of map.keys()) {
      map.delete(key);
      if (map.size <= this.sizeMax * 0.9) break;
    }
  }
}

interface ShapeEntry {
  readonly fixed: readonly number[];
  readonly variants: Map<string, PreparedStatement>;
}

const VARIANTS_MAX = 64;
/** Longer texts are rarely sent twice, and would fill the memory. */
const CACHED_TEXT_MAX = 64 * 1024;

function variantKey(fixed: readonly number[], literals: readonly LiftedLiteral[]): string {
  if (fixed.length === 0) return '';
  return fixed.map((index) => literals[index]?.text ?? '').join('\u0001');
}

function equalLists(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The values of a text's literals as the statement's parameters. */
function literalValues(
  prepared: PreparedStatement,
  text: string,
  literals: readonly LiftedLiteral[],
  types: TypeContext,
): Datum[] {
  const base = prepared.parameterCount;
  const values = new Array<Datum>(literals.length);
  for (let i = 0; i < literals.length; i++) {
    const type = prepared.parameterTypes[base + i] ?? 0;
    const literal = literals[i]!;
    if (literal.kind === 'int4' && (type === OID.int4 || type === OID.int8)) {
      values[i] = literal.value;
    } else {
      values[i] = type === 0 ? null : literalValue(literal, type, text, types);
    }
  }
  return values;
}

function literalValue(
  literal: LiftedLiteral,
  type: number,
  text: string,
  types: TypeContext,
): Datum {
  try {
    return typeByOid(type).input(literal.text, types, -1);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    throw error.with({ position: characterCount(text.slice(0, literal.start)) + 1 });
  }
}
