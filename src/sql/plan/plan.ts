import type {
  PartitionBound,
  Partitioning,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import type { PartitionCheck } from '../bind/partition-checks.ts';
import type { RowLockStrength } from '../bind/query.ts';
import type { AggregateExpr, Expr, SortKey, WindowExpr, WindowFrame } from '../expression.ts';

/** A planned statement: plain readonly data, made on the main thread and run on any. */
export interface Plan {
  readonly root: PlanNode;
  /** Plans of `subplan` expressions, by their `plan` index. */
  readonly subplans: readonly PlanNode[];
  /** Plans of common tables that are computed once: read by cteScan. */
  readonly ctes: readonly PlanNode[];
  /** Those of `ctes` that insert, update or delete, in the order of WITH. They run to their ends
   * whether they are read or not. */
  readonly changes: readonly number[];
  /** Tables of the statement, which nodes refer to by index, and the views that it is made of. */
  readonly tables: readonly RelationDescriptor[];
  /** Number of `outer` slots. */
  readonly slots: number;
  readonly output: readonly ResultColumn[];
  readonly parameterTypes: readonly number[];
  /** Writes tables, or takes row locks, or advances sequences: only the writer may run it. */
  readonly needsWriter: boolean;
  /** Reads a system view: needs a catalog, so a reader may not run it. */
  readonly needsCatalog: boolean;
  /** Asks or changes its session, which is on the main thread: it is run there and nowhere else. */
  readonly needsSession?: boolean;
  /** Reads views of sessions, of which the main thread tells whoever runs it. */
  readonly needsSessionState?: boolean;
  /** What is computed of one row shows in what is computed of the next, as of nextval and currval: rows
   * pass through the operators one by one. */
  readonly rowByRow: boolean;
  /** CatalogView.version it was made under. */
  readonly catalogVersion: number;
}

export interface ResultColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly sourceTable: number;
  readonly sourceColumn: number;
}

/** What every node says of its output rows. */
interface NodeBase {
  readonly output: readonly NodeColumn[];
  /** Estimates, for EXPLAIN and for choosing. Costs in PostgreSQL's units. */
  readonly rows: number;
  readonly startupCost: number;
  readonly totalCost: number;
  readonly width: number;
}

export interface NodeColumn {
  readonly type: number;
  readonly typmod: number;
  /** How EXPLAIN prints the column: `a.aid`, `sum(x)`. */
  readonly name: string;
}

export type PlanNode = NodeBase &
  (
    | ResultNode
    | ValuesNode
    | LiftedRowsNode
    | SeqScanNode
    | IndexScanNode
    | SystemViewScanNode
    | FunctionScanNode
    | CteScanNode
    | RecursiveUnionNode
    | WorkTableScanNode
    | FilterNode
    | GateNode
    | ProjectNode
    | ProjectSetNode
    | NestedLoopNode
    | HashJoinNode
    | MergeJoinNode
    | AggregateNode
    | WindowAggNode
    | SortNode
    | DistinctNode
    | LimitNode
    | AppendNode
    | MergeAppendNode
    | SetOperationNode
    | MaterializeNode
    | LockRowsNode
    | InsertNode
    | UpdateNode
    | DeleteNode
  );

/** One row, computed from nothing; no row when `filter` is not true. */
export interface ResultNode {
  readonly kind: 'result';
  readonly exprs: readonly Expr[];
  readonly filter: Expr | null;
}

export interface ValuesNode {
  readonly kind: 'values';
  readonly valueRows: readonly (readonly Expr[])[];
}

/** Rows of VALUES that come in a parameter (sql/parse/literal-rows.ts), of these kinds. */
export interface LiftedRowsNode {
  readonly kind: 'liftedRows';
  readonly parameter: number;
  readonly rowKinds: readonly LiftedRowKind[];
}

export interface LiftedRowKind {
  readonly literals: readonly { readonly type: number; readonly mayFail: boolean }[];
  /** The row, over its literals; and those of the values that may be computed beforehand. */
  readonly values: readonly Expr[];
  readonly constants: readonly number[];
}

/** What table scans share. Output: the table columns at `columns` (positions in the relation's
 * columns), then, with `locator`, one bytea column: the row's key in the clustered tree. `filter`
 * is over that output. `scanId` is unique in the statement: row re-checks name scans by it. */
interface TableScan {
  readonly table: number;
  readonly alias: string;
  readonly columns: readonly number[];
  readonly locator: boolean;
  readonly scanId: number;
  readonly filter: Expr | null;
  /** The table is a partition that is read for the partitioned table, whose alias it has. */
  readonly isPartition?: true;
}

export interface SeqScanNode extends TableScan {
  readonly kind: 'seqScan';
  readonly backward: boolean;
}

/** Reads the rows whose index key lies in one of `ranges`, in index order (or backward). `index` is
 * an oid of the table's indexes (the clustered primary key, too). With several ranges the rows of
 * each come in turn, and no row twice as the ranges are made disjoint at run time. */
export interface IndexScanNode extends TableScan {
  readonly kind: 'indexScan';
  readonly index: number;
  readonly ranges: readonly KeyRange[];
  readonly backward: boolean;
  /** Where the entries of a secondary index have the scan's columns; null where rows have to be looked up. */
  readonly entry: readonly EntryColumn[] | null;
}

/** Where an index entry has a column: in its key, which has the index columns, or in its value, the
 * clustered key of the row; and which part it is there. */
export interface EntryColumn {
  readonly in: 'key' | 'value';
  readonly part: number;
}

/** Bounds on an index: equal to `equal` in the first columns, the next column between the bounds. The
 * expressions have no input columns (constants, parameters, outer slots). Their types may be other
 * members of the column's operator family (int8 against an int4 column): the executor compares
 * across them. A null value makes the range empty. `anyOf`: the column after `equal` equals one
 * of the elements of this array or list (column = ANY); bounds then follow on the column after. */
export interface KeyRange {
  readonly equal: readonly Expr[];
  readonly anyOf: { readonly array: Expr | null; readonly list: readonly Expr[] | null } | null;
  readonly lower: KeyBound | null;
  readonly upper: KeyBound | null;
  /** The column after `equal` is null. */
  readonly isNull: boolean;
}

export interface KeyBound {
  readonly expr: Expr;
  readonly inclusive: boolean;
}

export interface SystemViewScanNode {
  readonly kind: 'systemViewScan';
  readonly view: string;
  readonly viewOid: number;
  readonly alias: string;
  readonly columns: readonly number[];
  readonly filter: Expr | null;
}

/** ROWS FROM (...): several calls in step, padded with nulls; `ordinality` adds a last int8 column. */
export interface FunctionScanNode {
  readonly kind: 'functionScan';
  readonly alias: string;
  readonly calls: readonly Expr[];
  readonly ordinality: boolean;
  readonly filter: Expr | null;
}

export interface CteScanNode {
  readonly kind: 'cteScan';
  readonly cte: number;
  readonly alias: string;
  readonly name: string;
  readonly filter: Expr | null;
}

/** WITH RECURSIVE: `initial`, then `step` over the rows of the round before (workTable `workTable`). */
export interface RecursiveUnionNode {
  readonly kind: 'recursiveUnion';
  readonly initial: PlanNode;
  readonly step: PlanNode;
  readonly all: boolean;
  readonly workTable: number;
}

export interface WorkTableScanNode {
  readonly kind: 'workTableScan';
  readonly workTable: number;
  readonly alias: string;
  readonly filter: Expr | null;
}

export interface FilterNode {
  readonly kind: 'filter';
  readonly input: PlanNode;
  readonly predicate: Expr;
}

/** Its input is run only where a condition that no row decides is true. */
export interface GateNode {
  readonly kind: 'gate';
  readonly input: PlanNode;
  readonly condition: Expr;
}

export interface ProjectNode {
  readonly kind: 'project';
  readonly input: PlanNode;
  readonly exprs: readonly Expr[];
}

/** Like project, but some expressions are `setCall`s: as many rows as the longest set gives, shorter
 * ones padded with nulls. */
export interface ProjectSetNode {
  readonly kind: 'projectSet';
  readonly input: PlanNode;
  readonly exprs: readonly Expr[];
}

/** left, right: outer joins. semi, anti: left rows with (without) a match; output is the left's.
 * nullAnti: NOT IN, where nulls count. Output is otherwise the left's columns, then the right's. */
export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti' | 'nullAnti';

/** For each left row: fill `slots` from `values` (over the left row), run the right input. right and
 * full do not occur. */
export interface NestedLoopNode {
  readonly kind: 'nestedLoop';
  readonly join: JoinType;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly slots: readonly number[];
  readonly values: readonly Expr[];
  readonly on: Expr | null;
}

/** Builds a hash table of the right input, spills both at work_mem. `on` is the rest of the condition,
 * over both rows. Each key pair has equal types. */
export interface HashJoinNode {
  readonly kind: 'hashJoin';
  readonly join: JoinType;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly leftKeys: readonly Expr[];
  readonly rightKeys: readonly Expr[];
  readonly on: Expr | null;
}

/** Both inputs come sorted ascending, nulls last, by their keys. */
export interface MergeJoinNode {
  readonly kind: 'mergeJoin';
  readonly join: JoinType;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly leftKeys: readonly Expr[];
  readonly rightKeys: readonly Expr[];
  readonly on: Expr | null;
}

/** Output: the group keys, then the aggregates. plain: one group, also of no rows. sorted: the input
 * comes ordered by the keys. With grouping sets, keys outside a row's set are null, and between keys
 * and aggregates comes the number of the set, an int4. */
export interface AggregateNode {
  readonly kind: 'aggregate';
  readonly strategy: 'plain' | 'hash' | 'sorted';
  readonly input: PlanNode;
  readonly groupBy: readonly Expr[];
  readonly aggregates: readonly AggregateExpr[];
  readonly groupingSets: readonly (readonly number[])[] | null;
}

/** Output: the columns of the input, then the calls of one window. The input comes sorted by the keys of
 * the partition, then by `orderBy`. */
export interface WindowAggNode {
  readonly kind: 'windowAgg';
  readonly input: PlanNode;
  readonly partitionBy: readonly Expr[];
  readonly orderBy: readonly SortKey[];
  /** Its offsets have no input columns. */
  readonly frame: WindowFrame;
  readonly calls: readonly WindowExpr[];
}

export interface SortNode {
  readonly kind: 'sort';
  readonly input: PlanNode;
  readonly keys: readonly SortKey[];
  /** Keep only the first rows (constants or parameters): top-N. */
  readonly limit: Expr | null;
  /** The first `presorted` keys hold already. */
  readonly presorted: number;
}

/** Keeps the first row of each set of equal `keys` (null: all columns); hash, or sorted input. */
export interface DistinctNode {
  readonly kind: 'distinct';
  readonly strategy: 'hash' | 'sorted';
  readonly input: PlanNode;
  readonly keys: readonly Expr[];
}

export interface LimitNode {
  readonly kind: 'limit';
  readonly input: PlanNode;
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  /** WITH TIES: keys that tie. */
  readonly ties: readonly Expr[] | null;
}

export interface AppendNode {
  readonly kind: 'append';
  readonly inputs: readonly PlanNode[];
  /** Absent where the inputs are no partitions. */
  readonly partitions?: PartitionInputs;
}

/** Inputs that are sorted by `keys`, merged. */
export interface MergeAppendNode {
  readonly kind: 'mergeAppend';
  readonly inputs: readonly PlanNode[];
  readonly keys: readonly SortKey[];
  readonly partitions: PartitionInputs;
}

/** The partitions of a table as inputs of a node. */
export interface PartitionInputs {
  /** Alias of the partitioned table. */
  readonly alias: string;
  /** What leaves inputs out when the node is opened; null when all are read always. */
  readonly pruning: PartitionPruning | null;
}

/** Which partitions of a table can have rows that conditions on its partition key allow. */
export interface PartitionPruning {
  readonly partitioning: Partitioning;
  /** All direct partitions, in bound order. */
  readonly partitions: readonly PrunedPartition[];
  readonly conditions: readonly KeyCondition[];
}

export interface PrunedPartition {
  readonly bound: PartitionBound;
  /** Its place among the node's inputs; -1 where it is not one of them. */
  readonly input: number;
  /** Of a partition that is partitioned itself. */
  readonly below: PartitionPruning | null;
}

/** A condition on column `key` of a partition key. Values have no input columns, as in KeyRange. */
export type KeyCondition =
  | {
      readonly kind: 'compare';
      readonly key: number;
      /** B-tree strategy: 1 is <, 3 is =, 5 is >. */
      readonly strategy: number;
      readonly value: Expr;
    }
  | {
      readonly kind: 'anyOf';
      readonly key: number;
      readonly array: Expr | null;
      readonly list: readonly Expr[] | null;
    }
  | { readonly kind: 'notEqual'; readonly key: number; readonly value: Expr }
  | { readonly kind: 'isNull'; readonly key: number; readonly negated: boolean }
  | { readonly kind: 'or'; readonly branches: readonly (readonly KeyCondition[])[] };

/** INTERSECT and EXCEPT over whole rows. UNION is append and distinct. */
export interface SetOperationNode {
  readonly kind: 'setOperation';
  readonly operation: 'intersect' | 'except';
  readonly all: boolean;
  readonly left: PlanNode;
  readonly right: PlanNode;
}

/** Keeps its input's rows, to be read again. */
export interface MaterializeNode {
  readonly kind: 'materialize';
  readonly input: PlanNode;
}

/** Locks the row of each locator column, waits as told, re-checks rows that changed meanwhile, and
 * passes the row on. Output: the input without the locator columns. */
export interface LockRowsNode {
  readonly kind: 'lockRows';
  readonly input: PlanNode;
  readonly locks: readonly {
    readonly table: number;
    readonly scanId: number;
    readonly locator: number;
    readonly strength: RowLockStrength;
    readonly waitPolicy: 'block' | 'nowait' | 'skip';
    /** Of a partitioned table: where the locked rows lie. */
    readonly partitions?: LockedPartitions;
  }[];
}

/** Column `tableOid` of the input has the oid of each row's partition. */
export interface LockedPartitions {
  readonly tableOid: number;
  readonly relations: readonly { readonly table: number; readonly scanId: number }[];
}

/** RETURNING: expressions over the new (for delete: the old) row of the table, all columns by position
 * in the descriptor, followed for a partitioned table by the oid of the row's partition, and for
 * update ... from and delete ... using by the input's columns. */
interface ModifyBase extends NewRowChecks {
  readonly table: number;
  readonly returning: readonly Expr[] | null;
  /** Of a partitioned table; absent otherwise. */
  readonly partitions?: ResultPartitions;
}

/** What new rows of a table have to meet. */
export interface NewRowChecks {
  /** Bound CHECK constraints, over the new row: name and expression. */
  readonly checks: readonly { readonly name: string; readonly expr: Expr }[];
  /** Of a partition that the statement names itself: what it demands of the row, over the new row. */
  readonly partitionChecks?: readonly PartitionCheck[];
  /** WITH CHECK OPTION, by the name of the view, over the new row. */
  readonly viewChecks?: NewRowChecks['checks'];
}

/** The partitions that a statement changes rows of. */
export interface ResultPartitions {
  /** Alias of the partitioned table. */
  readonly alias: string;
  /** Update and delete: the input's column with the oid of each row's partition; else -1. */
  readonly tableOid: number;
  readonly relations: readonly ResultRelation[];
  /** How many of them the input reads; others only take rows that move. */
  readonly scanned: number;
  /** Where new rows go; null when rows stay where they are. */
  readonly routing: PartitionRouting | null;
}

/** One partition among a statement's targets. */
export interface ResultRelation {
  readonly table: number;
  /** The scan that gives its rows; -1 where none does. */
  readonly scanId: number;
  /** Of each column of the partition its position in the statement's table, -1 where it is dropped. */
  readonly columns: readonly number[];
  readonly checks: NewRowChecks['checks'];
  /** Insert ... on conflict: the partition's own indexes. */
  readonly arbiters: readonly number[];
}

/** How rows of a partitioned table find their partitions. */
export interface PartitionRouting {
  readonly table: number;
  readonly partitioning: Partitioning;
  /** The partition key over the row of the statement's table. */
  readonly keys: readonly Expr[];
  /** Of all direct partitions, in bound order. */
  readonly bounds: readonly PartitionBound[];
  /** Of each of them its place among the result relations, or the routing within. */
  readonly places: readonly (number | PartitionRouting)[];
}

/** `values[i]` is column i of the table, over the input row. */
export interface InsertNode extends ModifyBase {
  readonly kind: 'insert';
  readonly input: PlanNode;
  readonly values: readonly Expr[];
  readonly onConflict: PlannedOnConflict | null;
}

/** Expressions see the existing row's columns (by position), then the proposed row's. */
export interface PlannedOnConflict {
  readonly action: 'nothing' | 'update';
  readonly arbiters: readonly number[];
  readonly assignments: readonly { readonly column: number; readonly expr: Expr }[];
  readonly where: Expr | null;
}

/** The input's column `locator` is the row's key; columns at `oldColumns` are the old row, in table
 * order; assignments are over the input row. Re-checks of changed rows rerun `input` with the scan
 * `scanId` bound to the new version of the row (and the other scans to the rows they gave). */
export interface UpdateNode extends ModifyBase {
  readonly kind: 'update';
  readonly input: PlanNode;
  readonly locator: number;
  readonly scanId: number;
  /** Input column of table column i, or -1 where the column is dropped. */
  readonly oldColumns: readonly number[];
  readonly assignments: readonly { readonly column: number; readonly expr: Expr }[];
}

export interface DeleteNode extends ModifyBase {
  readonly kind: 'delete';
  readonly input: PlanNode;
  readonly locator: number;
  readonly scanId: number;
  readonly oldColumns: readonly number[];
}
