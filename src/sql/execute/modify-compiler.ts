import { assert } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ColumnVector, createVector, fillVector, setAllNull } from '../../chunk/index.ts';
import { OID, typeByOid } from '../../types/index.ts';
import { someExpr } from '../expression-tree.ts';
import type {
  InsertNode,
  NewRowChecks,
  PartitionRouting,
  Plan,
  PlanNode,
  PlannedOnConflict,
  ResultPartitions,
  ResultRelation,
  UpdateNode,
} from '../plan/plan.ts';
import { type ColumnValue, generatedValues } from './column-values.ts';
import { ConflictUpdate } from './conflict-update.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import { IndexValues } from './index-values.ts';
import type { InsertPlace } from './insert.ts';
import { InsertTarget, InsertTargets, TableColumns } from './insert-target.ts';
import { assignedKeys, lockStrength } from './lock-strength.ts';
import { PartitionRouter, routedTable } from './partition-router.ts';
import {
  ChangedPartitions,
  type ChangedTables,
  type ChangeParts,
  OneTable,
  type RowChange,
  RowDelete,
  type RowMove,
  RowUpdate,
  type WholeRow,
} from './row-change.ts';
import { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

type ChangeNode = Extract<PlanNode, { kind: 'update' | 'delete' }>;

/** Compiles what INSERT, UPDATE and DELETE do to the tables they change. What a partition needs is
 * compiled when the first row comes to it. */
export class ModifyCompiler {
  readonly #plan: Plan;
  readonly #run: Run;
  readonly #expressions: ExpressionCompiler;
  readonly #oidColumns = new Map<number, readonly ColumnVector[]>();

  constructor(plan: Plan, run: Run, expressions: ExpressionCompiler) {
    this.#plan = plan;
    this.#run = run;
    this.#expressions = expressions;
  }

  /** What INSERT computes of its rows before they find their place. */
  generatedOf(node: InsertNode): readonly ColumnValue[] {
    return generatedValues(this.#table(node.table), null, this.#expressions);
  }

  insertPlace(node: InsertNode): InsertPlace {
    const { partitions } = node;
    const table = this.#table(node.table);
    if (partitions === undefined) {
      const constraints = this.#constraints(table, node);
      const { onConflict } = node;
      const conflict = this.#conflict(table, onConflict, node, table, null);
      const arbiters = onConflict?.arbiters ?? null;
      const values = IndexValues.ofTable(table, this.#expressions);
      const target = new InsertTarget(table, null, constraints, values, arbiters, conflict);
      return { kind: 'table', target };
    }
    return {
      kind: 'partitions',
      router: this.#router(partitions),
      targets: new InsertTargets((place) =>
        this.#insertTarget(table, partitions, place, node.onConflict),
      ),
      whole: this.#demands(table, node),
      oidColumns: (place) => this.#oidOf(partitions.relations[place]!),
    };
  }

  changedTables(node: ChangeNode): ChangedTables {
    const { partitions } = node;
    const table = this.#table(node.table);
    if (partitions === undefined) return new OneTable(this.#tableChange(node, table));
    const { relations, scanned, tableOid } = partitions;
    const places = new Map(relations.map((relation, i) => [this.#table(relation.table).oid, i]));
    const scanIds = relations.slice(0, scanned).map(({ scanId }) => scanId);
    return new ChangedPartitions(tableOid, scanIds, (oid) =>
      this.#partitionChange(node, table, partitions, places.get(oid)!),
    );
  }

  #table(index: number): RelationDescriptor {
    const table = this.#plan.tables[index];
    assert(table !== undefined, `the plan has no table ${index}`);
    return table;
  }

  #tableChange(node: ChangeNode, table: RelationDescriptor): RowChange {
    const { scanId, oldColumns } = node;
    const parts = { scanId, oldColumns, capacity: this.#expressions.capacity, whole: null };
    if (node.kind === 'delete') return this.#delete(table, parts);
    const assignments = this.#assignments(node.assignments, (column) => column);
    return new RowUpdate(this.#run, table, {
      ...parts,
      ...this.#changes(table, assignments, false),
      constraints: this.#constraints(table, node),
      move: null,
    });
  }

  #partitionChange(
    node: ChangeNode,
    target: RelationDescriptor,
    partitions: ResultPartitions,
    place: number,
  ): RowChange {
    const relation = partitions.relations[place]!;
    const table = this.#table(relation.table);
    const oldColumns = relation.columns.map((column) =>
      column < 0 ? -1 : node.oldColumns[column]!,
    );
    const { scanId } = relation;
    const { capacity } = this.#expressions;
    const parts = { scanId, oldColumns, capacity, whole: this.#wholeRow(target, relation) };
    if (node.kind === 'delete') return this.#delete(table, parts);
    const assignments = this.#assignments(node.assignments, (column) =>
      relation.columns.indexOf(column),
    );
    const move = this.#move(node, target, partitions, place);
    return new RowUpdate(this.#run, table, {
      ...parts,
      ...this.#changes(table, assignments, move !== null),
      constraints: this.#partitionConstraints(target, relation),
      move,
    });
  }

  #delete(table: RelationDescriptor, parts: Omit<ChangeParts, 'oldValues'>): RowDelete {
    const oldValues = IndexValues.ofTable(table, this.#expressions);
    return new RowDelete(table, { ...parts, oldValues });
  }

  /** The assignments of an update, and what follows from them. */
  #changes(
    table: RelationDescriptor,
    assignments: readonly ColumnValue[],
    mayLeave: boolean,
    expressions: ExpressionCompiler = this.#expressions,
  ) {
    const assigned = assignments.map(({ column }) => column);
    const generated = generatedValues(table, assigned, expressions);
    const changed = [...assignments, ...generated];
    return {
      ...this.#indexValues(table, changed, mayLeave, expressions),
      keys: assignedKeys(table, changed),
      assignments,
      generated,
    };
  }

  /** Of a row that leaves its table all entries go, whatever columns are assigned to. */
  #indexValues(
    table: RelationDescriptor,
    assignments: readonly { readonly column: number }[],
    mayLeave: boolean,
    expressions: ExpressionCompiler = this.#expressions,
  ) {
    const changed = assignments.map(({ column }) => column);
    return {
      oldValues: IndexValues.ofTable(table, expressions, mayLeave ? null : changed),
      newValues: IndexValues.ofTable(table, expressions, changed),
    };
  }

  #move(
    node: UpdateNode,
    target: RelationDescriptor,
    partitions: ResultPartitions,
    own: number,
  ): RowMove | null {
    if (partitions.routing === null) return null;
    return {
      whole: target,
      router: this.#router(partitions),
      targets: new InsertTargets((place) => this.#insertTarget(target, partitions, place, null)),
      own,
      demands: this.#demands(target, node),
      oidColumns: (place) => this.#oidOf(partitions.relations[place]!),
    };
  }

  #router({ routing }: ResultPartitions, expressions = this.#expressions): PartitionRouter {
    assert(routing !== null, 'rows that stay where they are need no router');
    return new PartitionRouter(routing, expressions, (table) => routedTable(this.#table(table)));
  }

  #insertTarget(
    target: RelationDescriptor,
    partitions: ResultPartitions,
    place: number,
    onConflict: PlannedOnConflict | null,
  ): InsertTarget {
    const relation = partitions.relations[place]!;
    const table = this.#table(relation.table);
    const { capacity } = this.#expressions;
    const columns = new TableColumns(table, relation.columns, capacity);
    const constraints = this.#partitionConstraints(target, relation);
    const places = { partitions, place };
    const conflict = this.#conflict(table, onConflict, relation, target, places);
    const arbiters = onConflict === null ? null : relation.arbiters;
    const values = IndexValues.ofTable(table, this.#expressions);
    return new InsertTarget(table, columns, constraints, values, arbiters, conflict);
  }

  /** The partition's row as that of the partitioned table. */
  #wholeRow(target: RelationDescriptor, { table, columns }: ResultRelation): WholeRow {
    const places = target.columns.map((_, i) => columns.indexOf(i));
    const { capacity } = this.#expressions;
    const nulls = target.columns.map(({ type }, i) => {
      if (places[i]! >= 0) return null;
      const vector = createVector(typeByOid(type), capacity);
      setAllNull(vector);
      return vector;
    });
    return { places, fixed: [...nulls, ...this.#oidColumn(table)] };
  }

  #oidOf({ table }: ResultRelation): readonly ColumnVector[] {
    return this.#oidColumn(table);
  }

  #oidColumn(table: number): readonly ColumnVector[] {
    let columns = this.#oidColumns.get(table);
    if (columns === undefined) {
      const type = typeByOid(OID.oid);
      const { capacity } = this.#expressions;
      const vector = createVector(type, capacity);
      fillVector(vector, capacity, type, this.#table(table).oid);
      columns = [vector];
      this.#oidColumns.set(table, columns);
    }
    return columns;
  }

  #assignments(
    assignments: PlannedOnConflict['assignments'],
    position: (column: number) => number,
    expressions: ExpressionCompiler = this.#expressions,
  ) {
    return assignments.map(({ column, expr }) => ({
      column: position(column),
      value: expressions.compile(expr),
    }));
  }

  /** What the statement's table demands of rows that its partitions store. */
  #demands(table: RelationDescriptor, node: NewRowChecks): RowConstraints | null {
    const { partitionChecks } = node;
    if (partitionChecks === undefined) return null;
    const bare = {
      ...table,
      columns: table.columns.map((column) => ({ ...column, notNull: false })),
    };
    return this.#constraints(bare, { checks: [], partitionChecks });
  }

  /** Errors show the row as the statement's table has it. */
  #partitionConstraints(
    target: RelationDescriptor,
    relation: ResultRelation,
    expressions: ExpressionCompiler = this.#expressions,
  ): RowConstraints {
    const { places } = this.#wholeRow(target, relation);
    return this.#constraints(this.#table(relation.table), relation, expressions, places);
  }

  #constraints(
    table: RelationDescriptor,
    { checks, partitionChecks = [], viewChecks = [] }: NewRowChecks,
    expressions: ExpressionCompiler = this.#expressions,
    shown?: readonly number[],
  ): RowConstraints {
    const tests = (list: NewRowChecks['checks']) =>
      list.map(({ name, expr }) => ({ name, test: expressions.compile(expr) }));
    return new RowConstraints(
      this.#run,
      table,
      tests(checks),
      partitionChecks.map((check) => ({ check, keys: expressions.all(check.keys) })),
      shown,
      tests(viewChecks),
    );
  }

  #conflict(
    table: RelationDescriptor,
    onConflict: PlannedOnConflict | null,
    checks: NewRowChecks,
    target: RelationDescriptor,
    at: { readonly partitions: ResultPartitions; readonly place: number } | null,
  ): ConflictUpdate | null {
    if (onConflict === null || onConflict.action !== 'update') return null;
    const one = this.#expressions.withCapacity(1);
    const relation = at === null ? null : at.partitions.relations[at.place]!;
    const position = (column: number) => relation?.columns.indexOf(column) ?? column;
    const assignments = this.#assignments(onConflict.assignments, position, one);
    const { oldValues, newValues, generated } = this.#changes(table, assignments, false, one);
    return new ConflictUpdate(
      this.#run,
      table,
      lockStrength(table, [...assignments, ...generated]),
      assignments,
      generated,
      onConflict.where === null ? null : one.compile(onConflict.where),
      relation === null
        ? this.#constraints(table, checks, one)
        : this.#partitionConstraints(target, relation, one),
      { old: oldValues, new: newValues },
      target,
      at && {
        whole: this.#wholeRow(target, relation!),
        router: assignsKey(onConflict, at.partitions) ? this.#router(at.partitions, one) : null,
        own: at.place,
      },
    );
  }
}

function assignsKey({ assignments }: PlannedOnConflict, { routing }: ResultPartitions): boolean {
  const reads = ({ keys, places }: PartitionRouting): boolean =>
    keys.some((key) =>
      someExpr(
        key,
        (part) => part.kind === 'input' && assignments.some(({ column }) => column === part.column),
      ),
    ) || places.some((place) => typeof place !== 'number' && reads(place));
  return routing !== null && reads(routing);
}
