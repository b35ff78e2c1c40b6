import type {
  CatalogView,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import { pgError } from '../../errors/index.ts';
import type { PlanNode } from './plan.ts';

/** What planning needs to know besides the query. */
export interface PlanContext {
  readonly catalog: CatalogView;
  /** Types of the parameters, lifted literals included. */
  readonly parameterTypes: readonly number[];
  /** The views whose queries the statement holds. */
  readonly views?: readonly RelationDescriptor[];
  /** The held snapshot that the plan is to read at, where some index may be younger than it. Absent or
   * null: every index can be read. */
  readonly snapshot?: number | null;
  /** Rows of a table as of now; null where that is not known now. */
  estimateRows?(table: RelationDescriptor): number | null;
  /** Entries of an index as of now. */
  estimateEntries?(index: IndexDescriptor): number | null;
}

/** Rows of a table of which nothing is known. */
const ROWS_GUESS = 10_000;

/** What all queries of one statement share while they are planned. */
export class StatementPlanner {
  readonly context: PlanContext;
  readonly tables: RelationDescriptor[] = [];
  readonly subplans: PlanNode[] = [];
  readonly ctes: PlanNode[] = [];
  slots = 0;
  needsWriter = false;
  needsCatalog = false;
  needsSessionState = false;
  private scanIds = 0;
  private workTables = 0;
  private readonly rowCounts = new Map<number, number>();

  constructor(context: PlanContext) {
    this.context = context;
  }

  newSlot(): number {
    return this.slots++;
  }

  newScanId(): number {
    return this.scanIds++;
  }

  newWorkTable(): number {
    return this.workTables++;
  }

  tableIndex(table: RelationDescriptor): number {
    const known = this.tables.findIndex((other) => other.oid === table.oid);
    if (known >= 0) return known;
    this.tables.push(table);
    return this.tables.length - 1;
  }

  /** The indexes that scans of a table may use. */
  readableIndexes(table: RelationDescriptor): readonly IndexDescriptor[] {
    const { catalog, snapshot = null } = this.context;
    if (snapshot === null) return table.indexes;
    if (catalog.hasMovedRows(table, snapshot)) {
      throw pgError('serialization_failure', 'could not serialize access due to concurrent update');
    }
    return table.indexes.filter((index) => !catalog.isYoungIndex(table, index, snapshot));
  }

  /** Rows of a table: as of now, as ANALYZE found, or a guess. */
  rowsOf(table: RelationDescriptor): number {
    let rows = this.rowCounts.get(table.oid);
    if (rows === undefined) {
      rows =
        table.kind === 'partitioned'
          ? this.rowsOfPartitions(table)
          : (this.context.estimateRows?.(table) ?? table.statistics?.rows ?? ROWS_GUESS);
      rows = Math.max(1, Math.round(rows));
      this.rowCounts.set(table.oid, rows);
    }
    return rows;
  }

  /** The part of a table's rows that a partial index has; null where nobody knows. */
  shareOf(table: RelationDescriptor, index: IndexDescriptor): number | null {
    const entries = this.context.estimateEntries?.(index) ?? null;
    if (entries === null) return null;
    return Math.min(1, Math.max(1, entries) / this.rowsOf(table));
  }

  private rowsOfPartitions({ oid }: RelationDescriptor): number {
    let rows = 0;
    for (const partition of this.context.catalog.partitionsOf(oid)) rows += this.rowsOf(partition);
    return rows;
  }
}
