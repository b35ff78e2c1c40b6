import { PartitionSearch } from '../../catalog/index.ts';
import type { Datum } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { parameterValues } from './partition-levels.ts';
import { PartitionPruner } from './partition-pruning.ts';
import type {
  InsertNode,
  PartitionPruning,
  PartitionRouting,
  Plan,
  PlanNode,
  ResultPartitions,
} from './plan.ts';
import { inputsOf } from './plan-tree.ts';
import { isDecidedBefore, pruningOf } from './selected-inputs.ts';

/** Finds the tables of a plan that a run of it can touch: the parameters may leave out partitions, to
 * be read or to be filled. */
export class UsedTables {
  private readonly roots: readonly PlanNode[];
  /** Places of views, and of partitioned tables that are not used as partitions of others. */
  private readonly always: readonly number[];
  /** Of each table the place of the partitioned table that it is used as a partition of, or -1. */
  private readonly parents: readonly number[];
  private readonly pruners = new Map<PartitionPruning, PartitionPruner>();
  private readonly searches = new Map<PartitionRouting, PartitionSearch>();

  private constructor(plan: Plan, roots: readonly PlanNode[]) {
    this.roots = roots;
    const { tables } = plan;
    this.parents = tables.map(({ partitionOf }, place) => {
      const parent = tables.findIndex(({ oid }) => oid === partitionOf?.parent);
      return parent < place ? parent : -1;
    });
    this.always = tables.flatMap(({ kind }, i) =>
      kind === 'table' || this.parents[i]! >= 0 ? [] : [i],
    );
  }

  /** Null for a plan whose runs touch all of its tables. */
  static of(plan: Plan): UsedTables | null {
    const roots = rootsOf(plan);
    return roots.some(isPrunable) ? new UsedTables(plan, roots) : null;
  }

  /** Those that one node and all below it can touch. */
  static under(plan: Plan, node: PlanNode): UsedTables {
    return new UsedTables(plan, [node]);
  }

  /** Places in the plan's list of tables. */
  by(parameters: readonly Datum[]): ReadonlySet<number> {
    const used = new Set(this.always);
    for (const root of this.roots) this.visit(root, parameters, used);
    // A set gives what is added to it meanwhile, too.
    for (const place of used) {
      const parent = this.parents[place]!;
      if (parent >= 0) used.add(parent);
    }
    return used;
  }

  private visit(node: PlanNode, parameters: readonly Datum[], used: Set<number>): void {
    if ('table' in node) this.useTargets(node, parameters, used);
    const inputs = inputsOf(node);
    const pruning = pruningOf(node);
    if (pruning === null || !isDecidedBefore(pruning)) {
      for (const input of inputs) this.visit(input, parameters, used);
      return;
    }
    let pruner = this.pruners.get(pruning);
    if (pruner === undefined) {
      pruner = new PartitionPruner(pruning);
      this.pruners.set(pruning, pruner);
    }
    const selected: number[] = [];
    pruner.select(parameterValues(parameters), selected);
    for (const input of selected) this.visit(inputs[input]!, parameters, used);
  }

  private useTargets(
    node: Extract<PlanNode, { readonly table: number }>,
    parameters: readonly Datum[],
    used: Set<number>,
  ): void {
    used.add(node.table);
    if (!('partitions' in node) || node.partitions === undefined) return;
    const { relations, routing } = node.partitions;
    // Without routing rows are changed where they are read.
    if (routing === null) return;
    const places = node.kind === 'insert' ? this.insertedPlaces(node, routing, parameters) : null;
    for (const place of places ?? relations.keys()) used.add(relations[place]!.table);
  }

  /** The partitions of the rows of VALUES; null where not all of their keys are known. */
  private insertedPlaces(
    node: InsertNode,
    routing: PartitionRouting,
    parameters: readonly Datum[],
  ): number[] | null {
    const { input } = node;
    if (input.kind !== 'values' || input.valueRows.length > ROWS_MAX) return null;
    const places: number[] = [];
    for (const row of input.valueRows) {
      const value = (expr: Expr): Datum | undefined => {
        const stored = expr.kind === 'input' ? node.values[expr.column] : undefined;
        const cell = stored?.kind === 'input' ? row[stored.column] : stored;
        if (cell?.kind === 'param') return parameters[cell.index] ?? null;
        return cell?.kind === 'const' ? cell.value : undefined;
      };
      const place = this.placeOf(routing, value);
      if (place === null) return null;
      if (place >= 0) places.push(place);
    }
    return places;
  }

  private placeOf(
    routing: PartitionRouting,
    value: (expr: Expr) => Datum | undefined,
  ): number | null {
    const key = routing.keys.map(value);
    if (key.includes(undefined)) return null;
    let search = this.searches.get(routing);
    if (search === undefined) {
      search = new PartitionSearch(routing.partitioning, routing.bounds);
      this.searches.set(routing, search);
    }
    const found = search.find(key as Datum[]);
    if (found < 0) return -1;
    const place = routing.places[found]!;
    return typeof place === 'number' ? place : this.placeOf(place, value);
  }
}

/** Beyond so many rows it is not worth while to look at each. */
const ROWS_MAX = 100;

function rootsOf(plan: Plan): PlanNode[] {
  return [plan.root, ...plan.subplans, ...plan.ctes];
}

function isPrunable(node: PlanNode): boolean {
  const targets: ResultPartitions | undefined =
    node.kind === 'insert' ? node.partitions : undefined;
  return pruningOf(node) !== null || targets !== undefined || inputsOf(node).some(isPrunable);
}
