import type { Datum } from '../types/index.ts';
import type { Query } from './bind/query.ts';

/** Bound expressions: plain readonly data that names functions and types by oid, so that plans and
 * stored defaults cross threads and live on disk. Each has the type of its value. Collation is C
 * throughout. The binder makes `column` and `subquery`; the planner turns them into `input`, `outer`
 * and `subplan`, which are all that the executor meets. */
export type Expr =
  | ConstExpr
  | ParamExpr
  | ColumnExpr
  | InputExpr
  | OuterExpr
  | CallExpr
  | CastExpr
  | TypmodExpr
  | BooleanExpr
  | NotExpr
  | NullTestExpr
  | BooleanTestExpr
  | DistinctExpr
  | CaseExpr
  | CaseValueExpr
  | CoalesceExpr
  | NullIfExpr
  | MinMaxExpr
  | ArrayOperatorExpr
  | ArrayExpr
  | SubscriptExpr
  | ArrayAssignmentExpr
  | RowExpr
  | FieldExpr
  | RowCompareExpr
  | SqlValueExpr
  | SequenceExpr
  | AggregateExpr
  | GroupingExpr
  | WindowExpr
  | SetCallExpr
  | SubqueryExpr
  | SubplanExpr;

interface Typed {
  readonly type: number;
  readonly typmod: number;
}

export interface ConstExpr extends Typed {
  readonly kind: 'const';
  readonly value: Datum;
}

/** A parameter of the statement ($1 is index 0), or a literal that the statement cache lifted out. */
export interface ParamExpr extends Typed {
  readonly kind: 'param';
  readonly index: number;
}

/** A column of range table entry `relation` of the query `level` levels up; `column` is 0-based. */
export interface ColumnExpr extends Typed {
  readonly kind: 'column';
  readonly level: number;
  readonly relation: number;
  readonly column: number;
}

/** Column of the input row of the plan node that evaluates the expression; for a join's own
 * conditions the columns of the left input, then those of the right. */
export interface InputExpr extends Typed {
  readonly kind: 'input';
  readonly column: number;
}

/** A slot that an enclosing nested loop or subplan call fills before the plan below runs. */
export interface OuterExpr extends Typed {
  readonly kind: 'outer';
  readonly slot: number;
}

/** A call of a function, or of an operator's function (`operator` is 0 for a plain call). Arguments
 * have been cast and defaults filled in. For a variadic call the last argument is an array when
 * `variadicArray` is set; "any"-variadic arguments are given one by one. */
export interface CallExpr extends Typed {
  readonly kind: 'call';
  readonly function: number;
  readonly operator: number;
  readonly arguments: readonly Expr[];
  readonly variadicArray?: boolean;
  /** Written in words, as EXTRACT(year FROM x), which makes no other value of it. */
  readonly inWords?: true;
  /** Columns of the record, where the query names them: FROM f(…) AS (a int). */
  readonly columns?: readonly RecordColumn[];
}

/** A column that a query names of a function's records. */
export interface RecordColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
}

/** A cast: by function, by relabelling (same bytes), by output and input functions (`io`), or of each
 * element of an array (`array`, `element` being the cast of one element whose input is `caseValue`). */
export interface CastExpr extends Typed {
  readonly kind: 'cast';
  readonly method: 'function' | 'relabel' | 'io' | 'array';
  readonly function: number;
  readonly argument: Expr;
  readonly explicit: boolean;
  readonly element?: Expr;
}

/** Fits a value to its typmod, as varchar(n) or numeric(p,s) demand. */
export interface TypmodExpr extends Typed {
  readonly kind: 'typmod';
  readonly argument: Expr;
  readonly explicit: boolean;
}

export interface BooleanExpr extends Typed {
  readonly kind: 'and' | 'or';
  readonly arguments: readonly Expr[];
}

export interface NotExpr extends Typed {
  readonly kind: 'not';
  readonly argument: Expr;
}

export interface NullTestExpr extends Typed {
  readonly kind: 'isNull';
  readonly argument: Expr;
  readonly negated: boolean;
}

export interface BooleanTestExpr extends Typed {
  readonly kind: 'booleanTest';
  readonly argument: Expr;
  readonly test: 'true' | 'false' | 'unknown';
  readonly negated: boolean;
}

/** IS [NOT] DISTINCT FROM, by the equality function of the cast arguments. */
export interface DistinctExpr extends Typed {
  readonly kind: 'distinct';
  readonly function: number;
  readonly operator: number;
  readonly left: Expr;
  readonly right: Expr;
  readonly negated: boolean;
}

/** CASE; with `argument` each condition compares it through `caseValue`. */
export interface CaseExpr extends Typed {
  readonly kind: 'case';
  readonly argument: Expr | null;
  readonly whens: readonly { readonly condition: Expr; readonly result: Expr }[];
  readonly otherwise: Expr | null;
}

/** The value of the enclosing CASE argument, or of the element in an array cast. */
export interface CaseValueExpr extends Typed {
  readonly kind: 'caseValue';
}

export interface CoalesceExpr extends Typed {
  readonly kind: 'coalesce';
  readonly arguments: readonly Expr[];
}

/** NULLIF: `left`, cast for the comparison, unless the two are equal. */
export interface NullIfExpr extends Typed {
  readonly kind: 'nullIf';
  readonly function: number;
  readonly operator: number;
  readonly left: Expr;
  readonly right: Expr;
}

export interface MinMaxExpr extends Typed {
  readonly kind: 'greatest' | 'least';
  readonly arguments: readonly Expr[];
}

/** `left op ANY (array)` and ALL. `x IN (a, b, c)` has the list in `list` instead of an array. */
export interface ArrayOperatorExpr extends Typed {
  readonly kind: 'any' | 'all';
  readonly function: number;
  readonly operator: number;
  readonly left: Expr;
  readonly array: Expr | null;
  readonly list: readonly Expr[] | null;
}

/** ARRAY[...]; `nested` when the elements are arrays themselves. */
export interface ArrayExpr extends Typed {
  readonly kind: 'array';
  readonly elementType: number;
  readonly elements: readonly Expr[];
  readonly nested: boolean;
}

export interface SubscriptExpr extends Typed {
  readonly kind: 'subscript';
  readonly array: Expr;
  readonly lower: readonly (Expr | null)[];
  readonly upper: readonly (Expr | null)[];
  readonly slice: boolean;
}

/** The array with `value` in the place of an element or a slice, as `SET a[1] = value` makes it. */
export interface ArrayAssignmentExpr extends Typed {
  readonly kind: 'arrayAssignment';
  readonly array: Expr;
  readonly lower: readonly (Expr | null)[];
  readonly upper: readonly (Expr | null)[];
  readonly slice: boolean;
  readonly value: Expr;
}

export interface RowExpr extends Typed {
  readonly kind: 'row';
  readonly fields: readonly Expr[];
  readonly names: readonly string[];
}

export interface FieldExpr extends Typed {
  readonly kind: 'field';
  readonly argument: Expr;
  readonly field: number;
}

/** ROW(a, b) < ROW(c, d): column by column; `functions` are the comparison for each column
 * (for = and <> the equality function). */
export interface RowCompareExpr extends Typed {
  readonly kind: 'rowCompare';
  readonly comparison: '=' | '<>' | '<' | '<=' | '>' | '>=';
  readonly equality: readonly number[];
  readonly less: readonly number[];
  readonly left: readonly Expr[];
  readonly right: readonly Expr[];
}

/** CURRENT_DATE and its kin, which are syntax and not functions. */
export interface SqlValueExpr extends Typed {
  readonly kind: 'sqlValue';
  readonly name:
    | 'current_date'
    | 'current_time'
    | 'current_timestamp'
    | 'localtime'
    | 'localtimestamp'
    | 'current_role'
    | 'current_user'
    | 'user'
    | 'session_user'
    | 'current_catalog'
    | 'current_schema';
}

/** nextval, currval, setval, lastval, whose sequence is known when the statement is bound (constant
 * argument, serial and identity defaults) or comes as a regclass value in `relation`. */
export interface SequenceExpr extends Typed {
  readonly kind: 'sequence';
  readonly operation: 'nextval' | 'currval' | 'setval' | 'lastval';
  readonly relation: Expr | null;
  readonly value: Expr | null;
  readonly isCalled: Expr | null;
}

/** An aggregate call; only in the target list and HAVING of its query, and in aggregate plan nodes. */
export interface AggregateExpr extends Typed {
  readonly kind: 'aggregate';
  readonly function: number;
  readonly arguments: readonly Expr[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly filter: Expr | null;
  readonly orderBy: readonly SortKey[];
  /** Query level that it aggregates at; 0 is the query it stands in. */
  readonly level: number;
  /** WITHIN GROUP arguments of ordered-set aggregates are in orderBy, direct ones in arguments. */
  readonly withinGroup: boolean;
}

/** GROUPING(…): a bit for each argument, the last one lowest, set where the row's grouping set does not
 * have it. The arguments are keys of GROUP BY; without any it is the number of the row's set, which
 * the planner looks the bits up by. */
export interface GroupingExpr extends Typed {
  readonly kind: 'grouping';
  readonly arguments: readonly Expr[];
}

/** A call of a window function, or of an aggregate over a window; only in the target list and ORDER BY of
 * its query, and in windowAgg plan nodes. */
export interface WindowExpr extends Typed {
  readonly kind: 'window';
  readonly function: number;
  readonly arguments: readonly Expr[];
  readonly star: boolean;
  readonly filter: Expr | null;
  /** Index into the windows of its query. */
  readonly window: number;
}

/** A set-returning call in a target list; the planner puts it into a projectSet node. */
export interface SetCallExpr extends Typed {
  readonly kind: 'setCall';
  readonly function: number;
  readonly arguments: readonly Expr[];
  readonly columns?: readonly RecordColumn[];
}

/** A subquery in an expression. For any/all, `comparison` has the subquery's columns as `input`
 * columns 0.. and yields the boolean for one row. */
export interface SubqueryExpr extends Typed {
  readonly kind: 'subquery';
  readonly form: 'exists' | 'scalar' | 'any' | 'all' | 'array' | 'rowCompare';
  readonly query: Query;
  readonly comparison: Expr | null;
}

/** A planned subquery: runs plan `plan` of the statement after filling `slots` from `values`. When
 * `values` is empty it runs at most once a statement. With `hashed`, an uncorrelated `any` over
 * equality: probe values in `probe`, to be looked up among the rows of the plan. */
export interface SubplanExpr extends Typed {
  readonly kind: 'subplan';
  readonly form: 'exists' | 'scalar' | 'any' | 'all' | 'array' | 'rowCompare';
  readonly plan: number;
  readonly slots: readonly number[];
  readonly values: readonly Expr[];
  readonly comparison: Expr | null;
  /** Slots that `comparison` reads the subquery's columns from, as `outer`. */
  readonly columnSlots: readonly number[];
  readonly hashed: boolean;
  readonly probe: readonly Expr[];
}

/** Which rows of its partition a window function sees, from `start` to `end`, without those of
 * `exclude`. Bounds are counted in rows, in the values of the order key, or in groups of peers. */
export interface WindowFrame {
  readonly mode: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
  readonly exclude: 'none' | 'currentRow' | 'group' | 'ties';
}

/** `unbounded` is the start of the partition for a start and its end for an end. `inRange` is the oid of
 * the function that compares by the offset, where the mode is range. */
export type FrameBound =
  | { readonly kind: 'unbounded' | 'currentRow' }
  | {
      readonly kind: 'preceding' | 'following';
      readonly offset: Expr;
      readonly inRange: number;
    };

/** One key of ORDER BY. `type` of the expression decides the order through its btree comparison. */
export interface SortKey {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}
