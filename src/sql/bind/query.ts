import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { Expr, ParamExpr, SortKey, WindowFrame } from '../expression.ts';

/** A bound query: names resolved, types known, casts written out. Plain readonly data. */
export type Query = SelectQuery | SetOperationQuery | ValuesQuery | ModifyQuery;

export interface OutputColumn {
  readonly name: string;
  readonly expr: Expr;
  /** Not part of the result: only ORDER BY or the like reads it. */
  readonly junk: boolean;
  /** Base table column it comes from, for RowDescription; 0 where there is none. */
  readonly sourceTable: number;
  readonly sourceColumn: number;
}

interface WithClause {
  readonly ctes: readonly CommonTable[];
}

export interface CommonTable {
  readonly name: string;
  readonly query: Query;
  readonly columns: readonly RelationColumn[];
  readonly recursive: boolean;
  readonly materialized: 'default' | 'always' | 'never';
}

export interface RelationColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
}

/** In the place of a column of a partitioned table: the oid of the partition that a row is in. Of other
 * tables it is a constant. */
export const TABLE_OID_COLUMN = 0xfffe;

/** In the place of a column of any entry: TRUE in each of its rows, and so NULL where an outer join has
 * none. */
export const ROW_MARK_COLUMN = 0xfffd;

/** What a FROM clause names. Column expressions refer to entries by their index in the range table. */
export type RangeTableEntry = {
  readonly alias: string;
  readonly columns: readonly RelationColumn[];
} & (
  | {
      readonly kind: 'table';
      readonly table: RelationDescriptor;
      /** Column i of the entry is table.columns[attributes[i]]; dropped ones are not among them. */
      readonly attributes: readonly number[];
      /** ONLY: without the rows of its partitions. */
      readonly only?: boolean;
    }
  /** A view of pg_catalog or information_schema, computed from the catalog in memory. */
  | { readonly kind: 'systemView'; readonly view: string; readonly oid: number }
  | {
      readonly kind: 'subquery';
      readonly query: Query;
      readonly lateral: boolean;
      /** Oid of the view that the query is of. */
      readonly view?: number;
    }
  | {
      readonly kind: 'cte';
      readonly level: number;
      readonly index: number;
      readonly selfReference: boolean;
    }
  | {
      readonly kind: 'function';
      readonly calls: readonly Expr[];
      readonly ordinality: boolean;
      readonly lateral: boolean;
    }
  | {
      readonly kind: 'values';
      readonly rows: readonly (readonly Expr[])[];
      readonly lateral: boolean;
    }
  /** A join's own columns (USING merges, alias of a join): each an expression over its inputs. */
  | { readonly kind: 'join'; readonly expressions: readonly Expr[] }
);

export type FromItem =
  | { readonly kind: 'relation'; readonly relation: number }
  | {
      readonly kind: 'join';
      readonly join: 'inner' | 'left' | 'right' | 'full' | 'cross';
      readonly left: FromItem;
      readonly right: FromItem;
      readonly on: Expr | null;
      /** Range table entry of kind 'join'. */
      readonly relation: number;
    };

export interface SelectQuery extends WithClause {
  readonly kind: 'select';
  readonly rangeTable: readonly RangeTableEntry[];
  /** Comma-separated items: an implicit cross join. */
  readonly from: readonly FromItem[];
  readonly where: Expr | null;
  readonly output: readonly OutputColumn[];
  readonly groupBy: readonly Expr[];
  /** Sets of indexes into groupBy; null for a plain GROUP BY. */
  readonly groupingSets: readonly (readonly number[])[] | null;
  readonly hasAggregates: boolean;
  readonly having: Expr | null;
  /** What its window calls refer to by index, those without a call among them. */
  readonly windows: readonly WindowClause[];
  readonly distinct: 'none' | 'all' | { readonly on: readonly Expr[] };
  /** Expressions over the range table; equal to an output expression where they name one. */
  readonly orderBy: readonly SortKey[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly withTies: boolean;
  readonly locking: readonly RowLockClause[];
  /** Of a view that is a security barrier: what is around it computes nothing of rows that it leaves out. */
  readonly barrier?: true;
}

/** A window: of WINDOW, or written out after OVER. Rows are sorted by the keys of `partitionBy`, whose
 * directions follow those of equal keys of `orderBy`, then by `orderBy`. */
export interface WindowClause {
  readonly partitionBy: readonly SortKey[];
  readonly orderBy: readonly SortKey[];
  readonly frame: WindowFrame;
}

export interface RowLockClause {
  readonly relation: number;
  readonly strength: RowLockStrength;
  readonly waitPolicy: 'block' | 'nowait' | 'skip';
}

export type RowLockStrength = 'keyShare' | 'share' | 'noKeyUpdate' | 'update';

/** UNION and its kin. `output` expressions are `input` columns over the result of the operation. */
export interface SetOperationQuery extends WithClause {
  readonly kind: 'setOperation';
  readonly operation: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: Query;
  readonly right: Query;
  readonly output: readonly OutputColumn[];
  readonly orderBy: readonly SortKey[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly withTies: boolean;
}

/** How the rows of VALUES come that have been lifted out of the text (sql/parse/literal-rows.ts). */
export interface LiftedValues {
  /** Index of the parameter with the rows. */
  readonly parameter: number;
  readonly kinds: readonly LiftedKind[];
}

export interface LiftedKind {
  /** What rows of this kind give. */
  readonly literals: readonly RowLiteral[];
  /** Those of the row's expressions that depend on nothing else. */
  readonly constants: readonly number[];
}

export interface RowLiteral {
  /** What stands for it in the expressions of the row. */
  readonly param: ParamExpr;
  /** Whether it may be no value of its type. */
  readonly mayFail: boolean;
}

export interface ValuesQuery extends WithClause {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expr[])[];
  /** The rows are kinds of rows, of which any number come in a parameter. */
  readonly lifted?: LiftedValues;
  readonly output: readonly OutputColumn[];
  readonly orderBy: readonly SortKey[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly withTies: boolean;
}

/** INSERT, UPDATE and DELETE. The target is rangeTable[target]. */
export interface ModifyQuery extends WithClause {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly rangeTable: readonly RangeTableEntry[];
  readonly target: number;
  /** Insert: the rows, one output column for each of `insertColumns`; null for DEFAULT VALUES. */
  readonly source: Query | null;
  /** Insert: for each column of the table (position in table.columns) the value to store: an
   * expression over the source row (`input`), a default, or a constant null. Already cast and
   * fitted to the column. Dropped columns have a null constant. */
  readonly insertValues: readonly Expr[];
  /** Update: assigned columns; expressions over the range table. */
  readonly assignments: readonly { readonly column: number; readonly expr: Expr }[];
  /** Update ... FROM and delete ... USING: the further items, joined with the target. */
  readonly from: readonly FromItem[];
  readonly where: Expr | null;
  readonly onConflict: OnConflict | null;
  /** WITH CHECK OPTION of the views that the target is changed through: conditions on new rows. */
  readonly viewChecks?: readonly ViewCheck[];
  readonly returning: readonly OutputColumn[];
  /** CHECK constraints of the target and NOT NULL are taken from the table's descriptor. */
}

/** What a view demands of new rows; over the target's row. */
export interface ViewCheck {
  readonly view: string;
  readonly condition: Expr;
}

export interface OnConflict {
  readonly action: 'nothing' | 'update';
  /** Oids of the arbiter indexes; empty: any (only for 'nothing'). */
  readonly arbiters: readonly number[];
  /** Over the existing row (range table entry `target`) and the proposed one (`excluded`). */
  readonly excluded: number;
  readonly assignments: readonly { readonly column: number; readonly expr: Expr }[];
  readonly where: Expr | null;
}
