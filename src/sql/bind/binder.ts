import type { CatalogView, RelationDescriptor } from '../../catalog/descriptors.ts';
import { PgError, type PgErrorOptions } from '../../errors/index.ts';
import type { SqlType, TypeContext } from '../../types/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, ParamExpr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import type { LiftedLiteral, LiteralRange } from '../parse/index.ts';

/** What binding needs to know besides the syntax tree. */
export interface BindContext {
  readonly catalog: CatalogView;
  /** Schemas where unqualified names are looked for, in order; pg_catalog comes before them, where it
   * is none of them. */
  readonly searchPath: readonly number[];
  /** The session's, which has temporary relations of its own. */
  readonly processId: number;
  /** Types of $1, $2, …; 0 where the statement is to tell. */
  readonly parameterTypes: readonly number[];
  /** Literals of `text` that may become parameters; their indexes follow `parameterCount`. */
  readonly literals: readonly LiftedLiteral[];
  /** Of the statement that stands for an INSERT of many rows: the literals of each of its rows. One more parameter
   * behind those of the literals has the rows that there are (sql/parse/literal-rows.ts). */
  readonly rowKinds?: readonly LiteralRange[] | null;
  /** Number of the user's own parameters, where literals have been lifted. */
  readonly parameterCount: number;
  /** The whole query string, which locations refer to. */
  readonly text: string;
  readonly types: TypeContext;
  /** False where the protocol can give no values for $n: the simple query protocol. */
  readonly parametersAllowed?: boolean;
  /** Hears what each `*` of a target list stands for, as it could be written in its place. */
  onStar?(location: number, columns: readonly StarColumn[]): void;
  /** Hears of each column that is named alone, or with a schema, which FROM item it is of, where it could be named
   * with just that. */
  onColumn?(location: number, qualifier: string): void;
  /** Hears of each constant that names a relation, as in nextval('…'). */
  onRelationName?(location: number, oid: number): void;
}

/** A column of `*`: `qualifier` is null where it goes by its name alone. */
export interface StarColumn {
  readonly qualifier: string | null;
  readonly column: string;
}

/** State of one binding, shared by all query levels of a statement. */
export class Binder {
  readonly context: BindContext;
  readonly catalog: CatalogView;
  /** Types found out for $1, $2, …; 0 while unknown. */
  readonly parameterTypes: number[];
  /** Type of each lifted literal; 0 while it is not used as a parameter. */
  readonly literalTypes: number[];
  /** Literals that must stay what they are: their value decided something. */
  readonly fixed: Set<number>;
  readonly literalBase: number;
  private readonly literalContext: TypeContext;
  private readonly literalsByStart = new Map<number, number>();
  private readonly locations = new Map<Expr, number>();
  private byteIndexes: Int32Array | null | undefined;
  /** The FROM items that whole-row values are of. */
  readonly rowOwners = new Map<Expr, string>();
  /** What PostgreSQL refuses after all of the statement is bound: where it puts tables into the place of views and
   * columns together with what they are given. */
  readonly rewriteErrors: PgError[] = [];
  /** And after that: what columns of tables take, and what the planner finds. */
  readonly laterErrors: PgError[] = [];
  /** Views being expanded, so that one cannot hold itself. */
  viewDepth = 0;
  /** Views that were expanded. */
  readonly views = new Set<RelationDescriptor>();
  /** A temporary view of another session is named. */
  readsOthersView = false;

  /** `literalContext`: how values of lifted literals are read. They are not part of what is bound. */
  constructor(
    context: BindContext,
    fixed: ReadonlySet<number>,
    literalContext: TypeContext = context.types,
  ) {
    this.context = context;
    this.literalContext = literalContext;
    this.catalog = context.catalog;
    this.parameterTypes = [...context.parameterTypes];
    this.literalTypes = new Array(context.literals.length).fill(0);
    this.fixed = new Set(fixed);
    this.literalBase = Math.max(context.parameterCount, context.parameterTypes.length);
    for (const [index, literal] of context.literals.entries()) {
      this.literalsByStart.set(literal.start, index);
    }
  }

  /** Remembers where an expression stands in the text. */
  at<Node extends Expr>(expr: Node, location: number | undefined): Node {
    if (location !== undefined && location >= 0 && !this.locations.has(expr)) {
      this.locations.set(expr, location);
    }
    return expr;
  }

  locationOf(expr: Expr): number | undefined {
    return this.locations.get(expr);
  }

  /** Error fields with the position of a location of the tree. */
  position(location: number | undefined): PgErrorOptions {
    if (location === undefined || location < 0 || this.viewDepth > 0) return {};
    return { position: this.characterPosition(location) };
  }

  positionOf(expr: Expr): PgErrorOptions {
    return this.position(this.locationOf(expr));
  }

  /** Runs `body`; an error without a position gets that of `location`. */
  located<Value>(location: number | undefined, body: () => Value): Value {
    try {
      return body();
    } catch (error) {
      if (error instanceof PgError && error.fields.position === undefined) {
        throw error.with(this.position(location));
      }
      throw error;
    }
  }

  private characterPosition(byte: number): number {
    const index = this.textIndex(byte);
    const { text } = this.context;
    let position = 1;
    for (let at = 0; at < index; at++) {
      const code = text.charCodeAt(at);
      if (code < 0xdc00 || code > 0xdfff) position++;
    }
    return position;
  }

  /** Index in the text of a byte location. */
  textIndex(byte: number): number {
    if (this.byteIndexes === undefined) this.byteIndexes = byteIndexes(this.context.text);
    return this.byteIndexes === null ? byte : (this.byteIndexes[byte] ?? byte);
  }

  /** The lifted literal at a location, -1 when there is none or it must stay. */
  literalAt(location: number): number {
    if (this.literalsByStart.size === 0 || this.viewDepth > 0) return -1;
    const index = this.literalsByStart.get(this.textIndex(location)) ?? -1;
    return index >= 0 && this.fixed.has(index) ? -1 : index;
  }

  /** The lifted literal behind the minus sign at a location. */
  negatedLiteralAt(location: number): number {
    if (this.literalsByStart.size === 0 || this.viewDepth > 0) return -1;
    const { text } = this.context;
    let at = this.textIndex(location);
    if (text[at] !== '-') return -1;
    do at++;
    while (at < text.length && text.charCodeAt(at) <= 32);
    const index = this.literalsByStart.get(at) ?? -1;
    return index >= 0 && this.fixed.has(index) ? -1 : index;
  }

  literalOf(expr: Expr): number {
    if (expr.kind !== 'param' || this.context.literals.length === 0) return -1;
    return expr.index >= this.literalBase ? expr.index - this.literalBase : -1;
  }

  /** Throws where a lifted literal is no value of the type that it takes, which is said in the order of
   * the text, as for constants. */
  verifyLiteral(literal: number, type: SqlType, location: number | undefined): void {
    const { text = '', isNull } = this.context.literals[literal] ?? {};
    if (isNull === true) return;
    this.located(location, () => type.input(text, this.literalContext, -1));
  }

  literalParam(literal: number, type: number): ParamExpr {
    if (type !== OID.unknown) this.literalTypes[literal] = type;
    return { kind: 'param', type, typmod: -1, index: this.literalBase + literal };
  }

  /** Equality of expressions. Where it depends on what two literals are, both are fixed. */
  same(a: Expr, b: Expr): boolean {
    return sameExpr(a, b, (left, right) => {
      const x = this.literalOf(left);
      const y = this.literalOf(right);
      if (x < 0 || y < 0) return false;
      this.fixed.add(x).add(y);
      return this.context.literals[x]?.text === this.context.literals[y]?.text;
    });
  }
}

/** For a text that is not ASCII: the string index of each byte of its UTF-8 form. */
function byteIndexes(text: string): Int32Array | null {
  let ascii = true;
  for (let i = 0; i < text.length && ascii; i++) ascii = text.charCodeAt(i) < 0x80;
  if (ascii) return null;
  const indexes = new Int32Array(text.length * 3 + 1);
  let byte = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    indexes[byte] = i;
    if (code < 0x80) byte += 1;
    else if (code < 0x800) byte += 2;
    else if (code >= 0xd800 && code < 0xdc00) {
      byte += 4;
      i++;
    } else byte += 3;
  }
  indexes[byte] = text.length;
  return indexes;
}
