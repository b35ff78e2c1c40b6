import type { TreeId } from '../storage/index.ts';
import type { Datum, EnumDefinition, EnumLabel, TypeSource } from '../types/index.ts';

/** What COMMENT ON has a text for. Absent or null: no comment. */
interface Commented {
  readonly comment?: string | null;
}

/** An expression kept in the catalog: its text as pg_get_expr prints it, and its bound form (an
 * `Expr` of sql/expression.ts whose columns are `input` = position in the relation's columns). */
export interface StoredExpression {
  readonly text: string;
  /** The text without the parentheses that can be missed, as pg_get_expr(…, true) prints it. Absent in
   * catalogs of before it was kept. */
  readonly pretty?: string;
  readonly expr: unknown;
}

/** Positions of the columns that a stored expression reads. */
export function columnsIn(part: unknown, found = new Set<number>()): Set<number> {
  if (typeof part !== 'object' || part === null) return found;
  const { kind, column } = part as { kind?: unknown; column?: unknown };
  if (kind === 'input' && typeof column === 'number') found.add(column);
  for (const child of Object.values(part)) columnsIn(child, found);
  return found;
}

/** A column. Its position in RelationDescriptor.columns is attnum - 1 for ever: dropped columns stay. */
export interface ColumnDescriptor extends Commented {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly dropped: boolean;
  readonly default: StoredExpression | null;
  /** Whether `default` computes the value of every row from its other columns. Absent: it does not. */
  readonly generated?: boolean;
  readonly identity: '' | 'a' | 'd';
  /** Oid of the sequence of a serial or identity column, else 0. */
  readonly sequence: number;
  /** Value in rows stored before the column was added. */
  readonly missing: Datum;
}

export interface IndexColumn {
  /** Position in the relation's columns, or -1 for an expression. */
  readonly column: number;
  readonly expression: StoredExpression | null;
  /** What pg_attribute calls an expression. */
  readonly name?: string;
  readonly type: number;
  /** Of an expression's values. Absent: -1. */
  readonly typmod?: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly operatorClass: number;
}

/** An index. The primary index of a table with a primary key is the table's own tree (`clustered`). */
export interface IndexDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly tree: TreeId;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly clustered: boolean;
  readonly nullsNotDistinct: boolean;
  readonly columns: readonly IndexColumn[];
  /** INCLUDE columns (positions). */
  readonly included: readonly number[];
  /** Of a partial index: which rows have entries. */
  readonly predicate: StoredExpression | null;
  /** Oid of the constraint it serves, else 0. */
  readonly constraint: number;
  /** Oid of the partitioned table's index that it is the part of in a partition. Absent or 0: none. */
  readonly parent?: number;
}

/** What an index computes of rows: its expressions, then its predicate. */
export function computedParts({
  columns,
  predicate,
}: Pick<IndexDescriptor, 'columns' | 'predicate'>): StoredExpression[] {
  const parts = columns.flatMap(({ expression }) => expression ?? []);
  return predicate === null ? parts : [...parts, predicate];
}

export interface ConstraintDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly kind: 'check' | 'primary' | 'unique' | 'foreign';
  /** Positions of the columns it is about. */
  readonly columns: readonly number[];
  readonly index: number;
  readonly check: StoredExpression | null;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly validated: boolean;
  readonly foreign: ForeignKey | null;
  /** Oid of the partitioned table's key or foreign key that it stands for in a partition. Absent or 0:
   * none. A CHECK is inherited where the parent has one of its name. */
  readonly parent?: number;
}

export interface ForeignKey {
  readonly table: number;
  readonly columns: readonly number[];
  readonly onUpdate: 'a' | 'r' | 'c' | 'n' | 'd';
  readonly onDelete: 'a' | 'r' | 'c' | 'n' | 'd';
  /** Columns that ON DELETE SET NULL or SET DEFAULT sets; none: all of the constraint's. */
  readonly deleteColumns: readonly number[];
  readonly match: 's' | 'f';
}

/** A foreign key, and the oid of the table that has it. */
export interface ForeignKeyPlace {
  readonly table: number;
  readonly constraint: ConstraintDescriptor;
}

/** How a partitioned table spreads its rows. */
export interface Partitioning {
  readonly strategy: 'range' | 'list' | 'hash';
  readonly keys: readonly PartitionKey[];
}

/** One column or expression of a partition key. */
export interface PartitionKey {
  /** Position in the relation's columns, or -1 for an expression. */
  readonly column: number;
  readonly expression: StoredExpression | null;
  readonly type: number;
  readonly operatorClass: number;
}

/** A partition's place: its parent, and the rows of it that the partition takes. */
export interface PartitionPlace {
  readonly parent: number;
  readonly bound: PartitionBound;
}

export type PartitionBound =
  | { readonly kind: 'default' }
  | { readonly kind: 'list'; readonly values: readonly Datum[] }
  | {
      readonly kind: 'range';
      /** Inclusive, one for each key. */
      readonly from: readonly RangeDatum[];
      /** Exclusive. */
      readonly to: readonly RangeDatum[];
    }
  | { readonly kind: 'hash'; readonly modulus: number; readonly remainder: number };

/** One value of a range's bound. MINVALUE is below and MAXVALUE above every value. */
export type RangeDatum =
  | { readonly kind: 'minvalue' }
  | { readonly kind: 'maxvalue' }
  | { readonly kind: 'value'; readonly value: Datum };

/** A table, view or sequence. Immutable: a change makes a new descriptor with a higher version. */
export interface RelationDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly schema: number;
  /** A `partitioned` table has no rows of its own: they are in its partitions. */
  readonly kind: 'table' | 'partitioned' | 'view' | 'sequence';
  readonly persistence: 'p' | 't' | 'u';
  readonly owner: number;
  readonly version: number;
  readonly columns: readonly ColumnDescriptor[];
  /** The clustered tree with the rows (0 for a view or a partitioned table). TRUNCATE and rewrites give a new one. */
  readonly tree: TreeId;
  /** Positions of the clustering key's columns; null: clustered by a hidden 64-bit row id. */
  readonly clusterKey: readonly number[] | null;
  readonly indexes: readonly IndexDescriptor[];
  readonly constraints: readonly ConstraintDescriptor[];
  readonly sequence: SequenceOptions | null;
  /** A view's query text. */
  readonly definition: string | null;
  /** Of a view whose rows are those of one relation, which takes changes of them for it. Absent of views of
   * before it was kept. */
  readonly shows?: ShownRelation | null;
  readonly options: readonly string[];
  /** ON COMMIT of a temporary table, where it is not PRESERVE ROWS. */
  readonly onCommit?: 'delete rows' | 'drop';
  /** Type oid of the row type. */
  readonly rowType: number;
  readonly statistics: TableStatistics | null;
  /** Of a partitioned table, else null. */
  readonly partitioning: Partitioning | null;
  /** Of a partition, else null; a partition may itself be partitioned. */
  readonly partitionOf: PartitionPlace | null;
}

/** The relation whose rows a view shows, and the position of each of the view's columns in it, or -1. */
export interface ShownRelation {
  readonly relation: number;
  readonly columns: readonly number[];
}

/** What ANALYZE found out; the planner guesses without it. */
export interface TableStatistics {
  readonly rows: number;
  readonly pages: number;
  readonly columns: readonly (ColumnStatistics | null)[];
  /** Of the expressions of indexes. Absent: none. */
  readonly expressions?: readonly ExpressionStatistics[];
}

/** What ANALYZE found out about an expression: a column of an index, by its number from 0. */
export interface ExpressionStatistics extends ColumnStatistics {
  readonly index: number;
  readonly column: number;
}

export interface ColumnStatistics {
  readonly nullFraction: number;
  /** Number of distinct values. */
  readonly distinct: number;
  readonly averageWidth: number;
}

export interface SequenceOptions {
  readonly type: number;
  readonly start: bigint;
  readonly increment: bigint;
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly cache: bigint;
  readonly cycle: boolean;
  /** Table and column position that own it (serial, identity), or 0. */
  readonly ownerTable: number;
  readonly ownerColumn: number;
}

export interface SchemaDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly owner: number;
}

export interface RoleDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly superuser: boolean;
  readonly login: boolean;
}

export interface DatabaseDescriptor extends Commented {
  readonly oid: number;
  readonly name: string;
  readonly owner: number;
}

/** A type of users: an enum. Immutable: a change makes a new descriptor. */
export interface TypeDescriptor extends EnumDefinition, Commented {
  readonly kind: 'enum';
  readonly schema: number;
  readonly owner: number;
  readonly labels: readonly EnumLabelDescriptor[];
}

export interface EnumLabelDescriptor extends EnumLabel {
  /** pg_enum's enumsortorder, a float4: the labels are numbered anew when there is no number left. */
  readonly sortOrder: number;
}

/** Names to descriptors, as one statement sees them: committed, with its transaction's own changes. */
export interface CatalogView extends TypeSource {
  /** Grows with every committed change; plans made under another version are made anew. */
  readonly version: number;
  schemaByName(name: string): SchemaDescriptor | undefined;
  schemaByOid(oid: number): SchemaDescriptor | undefined;
  schemas(): Iterable<SchemaDescriptor>;
  relationByName(schema: number, name: string): RelationDescriptor | undefined;
  relationByOid(oid: number): RelationDescriptor | undefined;
  relations(): Iterable<RelationDescriptor>;
  /** The direct partitions of a table in the order of their bounds, the default partition last. */
  partitionsOf(oid: number): readonly RelationDescriptor[];
  /** The table an index belongs to, and the index. */
  indexByName(
    schema: number,
    name: string,
  ): { table: RelationDescriptor; index: IndexDescriptor } | undefined;
  indexByOid(oid: number): { table: RelationDescriptor; index: IndexDescriptor } | undefined;
  /** The index has no entries for rows that the snapshot shows, as it was made since. */
  isYoungIndex(table: RelationDescriptor, index: IndexDescriptor, snapshot: number): boolean;
  /** The rows of the table that the snapshot shows were moved since, and cannot be read at it. */
  hasMovedRows(table: RelationDescriptor, snapshot: number): boolean;
  /** Oid of the type or array type of a name. */
  typeOidByName(schema: number, name: string): number | undefined;
  /** A type by its oid or by that of its array type. */
  typeByOid(oid: number): TypeDescriptor | undefined;
  types(): Iterable<TypeDescriptor>;
  roleByName(name: string): RoleDescriptor | undefined;
  roleByOid(oid: number): RoleDescriptor | undefined;
  roles(): Iterable<RoleDescriptor>;
  databaseByName(name: string): DatabaseDescriptor | undefined;
  databases(): Iterable<DatabaseDescriptor>;
  /** Columns of a view of pg_catalog or information_schema, or undefined where there is none. */
  systemView(schema: string, name: string): SystemViewShape | undefined;
}

export interface SystemViewShape {
  readonly oid: number;
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: number;
    readonly typmod: number;
  }[];
}
