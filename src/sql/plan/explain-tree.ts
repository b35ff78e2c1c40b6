import { assertNever } from '../../base/index.ts';
import { OID } from '../../types/index.ts';
import {
  type DeparseNames,
  deparseExpression,
  deparseKeys,
  quoteIdentifier,
} from '../bind/deparse.ts';
import type { Expr, SortKey, SubplanExpr } from '../expression.ts';
import { someExpr, visitChildren } from '../expression-tree.ts';
import { functionByOid } from '../functions/index.ts';
import { partitionAliases } from './partition-aliases.ts';
import type { JoinType, KeyRange, Plan, PlanNode } from './plan.ts';
import { inputsOf, shownInputs, visitNodes } from './plan-tree.ts';
import type { SelectedInputs } from './selected-inputs.ts';

/** A plan as EXPLAIN shows it: the nodes that PostgreSQL's users know, with their properties. */
export interface ExplainedNode {
  /** Where the figures come from: the outermost of the plan nodes that it stands for. */
  readonly node: PlanNode;
  /** The plan node that counts what a filter removed. */
  readonly counted: PlanNode;
  /** `Node Type` of the JSON form. */
  readonly type: string;
  /** First line of the text form, without figures. */
  readonly title: string;
  /** How it belongs to its parent: Outer, Inner, Member, InitPlan, SubPlan. */
  readonly relationship: string;
  /** `InitPlan 1 (returns $0)`, `CTE w`: printed above the node. */
  readonly heading: string;
  /** Further facts of the JSON form. */
  readonly facts: Readonly<Record<string, string | boolean>>;
  readonly properties: readonly ExplainedProperty[];
  /** `Update on p1 t_1`: the partitions that a statement changes rows of. */
  readonly targets: readonly string[];
  readonly output: readonly string[];
  readonly children: readonly ExplainedNode[];
}

export interface ExplainedProperty {
  readonly label: string;
  readonly value: string | number | readonly string[];
  /** A condition that removes rows: ANALYZE tells how many. */
  readonly removes?: 'Filter' | 'Join Filter';
}

/** Makes the explained tree of a plan. */
export function explainTree(
  plan: Plan,
  verbose: boolean,
  selected: SelectedInputs = ALL_INPUTS,
): ExplainedNode {
  const explainer = new Explainer(plan, verbose, selected);
  return explainer.explainQuery(plan.root, '', '', true);
}

const ALL_INPUTS: SelectedInputs = new Map();

/** `= ANY` of a condition of an index, whatever the types. */
const ANY = { kind: 'any', type: OID.bool, typmod: -1, function: 0, operator: 0 } as const;

class Explainer {
  private readonly plan: Plan;
  private readonly slotNames = new Map<number, string>();
  private readonly prefixed: boolean;
  private readonly partitionAliases: ReadonlyMap<PlanNode, string>;
  private readonly subplanNumbers = new Map<number, number>();
  private readonly verbose: boolean;
  private readonly selected: SelectedInputs;

  constructor(plan: Plan, verbose: boolean, selected: SelectedInputs) {
    this.plan = plan;
    this.verbose = verbose;
    this.selected = selected;
    let relations = 0;
    for (const root of [plan.root, ...plan.subplans, ...plan.ctes]) {
      visitNodes(root, (node) => {
        if ('alias' in node || node.kind === 'values' || node.kind === 'liftedRows') relations++;
      });
    }
    this.partitionAliases = partitionAliases(plan, selected);
    this.prefixed = relations > 1 || this.partitionAliases.size > 0 || verbose;
  }

  private aliasOf(node: PlanNode & { readonly alias: string }): string {
    return this.partitionAliases.get(node) ?? node.alias;
  }

  /** A query's plan with the subplans that its nodes run. */
  explainQuery(
    root: PlanNode,
    relationship: string,
    heading: string,
    withCtes = false,
  ): ExplainedNode {
    const initPlans: ExplainedNode[] = [];
    visitNodes(root, (node) => {
      for (const subplan of subplansOf(node)) {
        if (!isInitPlan(subplan) || this.subplanNumbers.has(subplan.plan)) continue;
        const number = this.numberOf(subplan);
        const title = `InitPlan ${number} (returns $${number - 1})`;
        const inner = this.plan.subplans[subplan.plan];
        if (inner !== undefined) initPlans.push(this.explainQuery(inner, 'InitPlan', title));
      }
    });
    const ctes: ExplainedNode[] = withCtes
      ? this.plan.ctes.map((cte, i) => this.explainQuery(cte, 'InitPlan', `CTE ${this.cteName(i)}`))
      : [];
    const explained = this.explain(root, relationship, heading);
    const children = [...ctes, ...initPlans, ...explained.children];
    return { ...explained, children };
  }

  private cteName(index: number): string {
    let name = '';
    for (const root of [this.plan.root, ...this.plan.subplans, ...this.plan.ctes]) {
      visitNodes(root, (node) => {
        if (node.kind === 'cteScan' && node.cte === index) name = node.name;
      });
    }
    return name;
  }

  private numberOf(subplan: SubplanExpr): number {
    let number = this.subplanNumbers.get(subplan.plan);
    if (number === undefined) {
      number = this.subplanNumbers.size + 1;
      this.subplanNumbers.set(subplan.plan, number);
    }
    return number;
  }

  private names(columns: readonly string[]): DeparseNames {
    return {
      column: (column) => columns[column] ?? `?column${column}?`,
      slot: (slot) => this.slotNames.get(slot) ?? `$${slot}`,
      relation: (oid) => this.plan.tables.find((table) => table.oid === oid)?.name ?? null,
      subplan: (subplan) => {
        const number = this.numberOf(subplan);
        if (isInitPlan(subplan)) return `$${number - 1}`;
        return subplan.hashed ? `(hashed SubPlan ${number})` : `(SubPlan ${number})`;
      },
    };
  }

  private text(expr: Expr, columns: readonly string[]): string {
    return deparseExpression(expr, this.names(columns));
  }

  /** Text of what a node computes, as the nodes above it name it. */
  private computed(expr: Expr, columns: readonly string[]): string {
    const text = this.text(expr, columns);
    if (expr.kind === 'input' || expr.kind === 'const' || text.startsWith('(')) return text;
    return `(${text})`;
  }

  /** Names of a node's output columns. */
  private columnNames(node: PlanNode): string[] {
    switch (node.kind) {
      case 'seqScan':
      case 'indexScan':
      case 'systemViewScan':
      case 'functionScan':
      case 'cteScan':
      case 'workTableScan':
        return node.output.map((column) => this.qualified(this.aliasOf(node), column.name));
      case 'values':
      case 'liftedRows':
        return node.output.map((_, i) => this.qualified('*VALUES*', `column${i + 1}`));
      case 'result':
        return node.exprs.map((expr) => this.computed(expr, []));
      case 'project':
      case 'projectSet': {
        const input = this.columnNames(node.input);
        return node.exprs.map((expr) => this.computed(expr, input));
      }
      case 'aggregate': {
        const input = this.columnNames(node.input);
        return [...node.groupBy, ...node.aggregates].map((expr) => this.computed(expr, input));
      }
      case 'windowAgg': {
        const input = this.columnNames(node.input);
        return [...input, ...node.calls.map((call) => this.computed(call, input))];
      }
      case 'nestedLoop':
      case 'hashJoin':
      case 'mergeJoin': {
        const left = this.columnNames(node.left);
        const leftOnly = node.output.length === node.left.output.length;
        return leftOnly ? left : [...left, ...this.columnNames(node.right)];
      }
      case 'append':
      case 'mergeAppend': {
        const { partitions } = node;
        if (partitions === undefined) return this.columnNames(node.inputs[0] as PlanNode);
        return node.output.map((column) => this.qualified(partitions.alias, column.name));
      }
      case 'setOperation':
        return this.columnNames(node.left);
      case 'recursiveUnion':
        return this.columnNames(node.initial);
      case 'lockRows': {
        const gone = new Set(node.locks.map((lock) => lock.locator));
        return this.columnNames(node.input).filter((_, i) => !gone.has(i));
      }
      case 'filter':
      case 'gate':
      case 'sort':
      case 'distinct':
      case 'limit':
      case 'materialize':
        return this.columnNames(node.input);
      case 'insert':
      case 'update':
      case 'delete': {
        const names = this.modifiedNames(node);
        return (node.returning ?? []).map((expr) => this.computed(expr, names));
      }
      default:
        return assertNever(node);
    }
  }

  private modifiedNames(
    node: Extract<PlanNode, { kind: 'insert' | 'update' | 'delete' }>,
  ): string[] {
    const table = this.plan.tables[node.table];
    const alias = node.partitions?.alias ?? table?.name ?? '';
    const own = (table?.columns ?? []).map((column) => this.qualified(alias, column.name));
    if (node.partitions !== undefined) own.push(this.qualified(alias, 'tableoid'));
    return node.kind === 'insert' ? own : [...own, ...this.columnNames(node.input)];
  }

  private qualified(alias: string, column: string): string {
    const name = quoteIdentifier(column);
    return this.prefixed && alias !== '' ? `${quoteIdentifier(alias)}.${name}` : name;
  }

  private explain(node: PlanNode, relationship: string, heading: string): ExplainedNode {
    // Projections have no line of their own, and a filter belongs to what it filters.
    const filters: Extract<PlanNode, { kind: 'filter' }>[] = [];
    let inner = node;
    let counted = node;
    while (inner.kind === 'project' || inner.kind === 'filter') {
      if (inner.kind === 'filter') {
        filters.push(inner);
        counted = inner;
      }
      inner = inner.input;
    }
    const parts = this.describe(inner);
    const properties = [...parts.properties];
    if (filters.length > 0) {
      const value = filters
        .map(({ predicate, input }) => this.text(predicate, this.columnNames(input)))
        .join(' AND ');
      properties.push({ label: 'Filter', value, removes: 'Filter' });
    } else counted = inner;
    const children = [...parts.children];
    const covered: PlanNode[] = [];
    for (let at = node; at !== inner; at = (at as { input: PlanNode }).input) covered.push(at);
    for (const part of [...covered, inner]) {
      for (const subplan of subplansOf(part)) {
        if (isInitPlan(subplan)) continue;
        const known = this.subplanNumbers.get(subplan.plan);
        if (known !== undefined && this.explained.has(subplan.plan)) continue;
        this.explained.add(subplan.plan);
        const columns =
          'input' in part ? this.columnNames(part.input as PlanNode) : this.columnNames(part);
        subplan.slots.forEach((slot, i) => {
          const value = subplan.values[i];
          if (value !== undefined) this.slotNames.set(slot, this.text(value, columns));
        });
        const plan = this.plan.subplans[subplan.plan];
        const title = `SubPlan ${this.numberOf(subplan)}`;
        if (plan !== undefined) children.push(this.explainQuery(plan, 'SubPlan', title));
      }
    }
    return {
      node,
      counted,
      type: parts.type,
      title: parts.title,
      relationship,
      heading,
      facts: parts.facts ?? {},
      properties,
      targets: parts.targets ?? [],
      output: this.verbose ? this.columnNames(node) : [],
      children,
    };
  }

  private readonly explained = new Set<number>();

  private describe(node: PlanNode): Described {
    switch (node.kind) {
      case 'result': {
        const properties =
          node.filter === null
            ? []
            : [{ label: 'One-Time Filter', value: this.text(node.filter, []) }];
        return { type: 'Result', title: 'Result', properties, children: [] };
      }
      case 'values':
      case 'liftedRows':
        return {
          type: 'Values Scan',
          title: 'Values Scan on "*VALUES*"',
          properties: [],
          children: [],
        };
      case 'seqScan':
      case 'indexScan':
        return this.describeTableScan(node);
      case 'systemViewScan': {
        const name = node.view.split('.').at(-1) ?? node.view;
        return this.scan('Seq Scan', `Seq Scan on ${this.target(name, node.alias)}`, node, {});
      }
      case 'functionScan': {
        const call = node.calls[0];
        const oid = call?.kind === 'setCall' || call?.kind === 'call' ? call.function : 0;
        const name = functionByOid(oid)?.name ?? '';
        const title = `Function Scan on ${this.target(name, node.alias)}`;
        return this.scan('Function Scan', title, node, { 'Function Name': name });
      }
      case 'cteScan':
        return this.scan('CTE Scan', `CTE Scan on ${this.target(node.name, node.alias)}`, node, {
          'CTE Name': node.name,
        });
      case 'workTableScan':
        return this.scan('WorkTable Scan', `WorkTable Scan on ${node.alias}`, node, {});
      case 'recursiveUnion':
        return this.plain('Recursive Union', [], [node.initial, node.step]);
      case 'filter':
      case 'project':
        throw new Error('filters and projections belong to the node below');
      case 'gate': {
        const value = this.text(node.condition, []);
        return this.plain('Result', [{ label: 'One-Time Filter', value }], [node.input]);
      }
      case 'projectSet':
        return this.plain('ProjectSet', [], [node.input]);
      case 'nestedLoop':
      case 'hashJoin':
      case 'mergeJoin':
        return this.describeJoin(node);
      case 'aggregate':
        return this.describeAggregate(node);
      case 'windowAgg':
        return this.plain('WindowAgg', [], [node.input]);
      case 'sort': {
        const columns = this.columnNames(node.input);
        const keys = this.keyTexts(node.keys, columns);
        const presorted = keys.slice(0, node.presorted);
        const properties: ExplainedProperty[] = [{ label: 'Sort Key', value: keys }];
        if (presorted.length > 0) properties.push({ label: 'Presorted Key', value: presorted });
        return this.plain(presorted.length > 0 ? 'Incremental Sort' : 'Sort', properties, [
          node.input,
        ]);
      }
      case 'distinct': {
        if (node.strategy === 'sorted') return this.plain('Unique', [], [node.input]);
        const columns = this.columnNames(node.input);
        const value =
          node.keys.length === 0 ? columns : node.keys.map((key) => this.text(key, columns));
        const described = this.plain('Aggregate', [{ label: 'Group Key', value }], [node.input]);
        return { ...described, title: 'HashAggregate', facts: { Strategy: 'Hashed' } };
      }
      case 'limit':
        return this.plain('Limit', [], [node.input]);
      case 'append':
        return this.plain('Append', this.removed(node), this.inputs(node), 'Member');
      case 'mergeAppend': {
        const columns = this.columnNames(node);
        const texts = node.keys.map(({ expr }) => this.computed(expr, columns));
        const value = this.keyTexts(node.keys.map(ownColumn), texts);
        const properties = [{ label: 'Sort Key', value }, ...this.removed(node)];
        return this.plain('Merge Append', properties, this.inputs(node), 'Member');
      }
      case 'setOperation': {
        const command = `${node.operation === 'intersect' ? 'Intersect' : 'Except'}${node.all ? ' All' : ''}`;
        const described = this.plain('SetOp', [], [node.left, node.right]);
        return {
          ...described,
          title: `HashSetOp ${command}`,
          facts: { Strategy: 'Hashed', Command: command },
        };
      }
      case 'materialize':
        return this.plain('Materialize', [], [node.input]);
      case 'lockRows':
        return this.plain('LockRows', [], [node.input]);
      case 'insert':
      case 'update':
      case 'delete':
        return this.describeModify(node);
      default:
        return assertNever(node);
    }
  }

  private plain(
    type: string,
    properties: readonly ExplainedProperty[],
    inputs: readonly PlanNode[],
    relationship = '',
  ): Described {
    const children = inputs.map((input, i) =>
      this.explain(input, relationship || (i === 0 ? 'Outer' : 'Inner'), ''),
    );
    return { type, title: type, properties, children };
  }

  private inputs(node: PlanNode): readonly PlanNode[] {
    return shownInputs(node, this.selected);
  }

  private removed(node: PlanNode): ExplainedProperty[] {
    const count = inputsOf(node).length - this.inputs(node).length;
    return count === 0 ? [] : [{ label: 'Subplans Removed', value: count }];
  }

  private target(name: string, alias: string): string {
    const quoted = quoteIdentifier(name);
    return alias === name || alias === '' ? quoted : `${quoted} ${quoteIdentifier(alias)}`;
  }

  private filterOf(node: { readonly filter: Expr | null } & PlanNode): ExplainedProperty[] {
    if (node.filter === null) return [];
    const value = this.text(node.filter, this.scanColumns(node));
    return [{ label: 'Filter', value, removes: 'Filter' }];
  }

  /** The columns of a scan in its own conditions, which need no prefix. */
  private scanColumns(node: PlanNode): string[] {
    if (this.verbose) return this.columnNames(node);
    return node.output.map((column) => quoteIdentifier(column.name));
  }

  private scan(
    type: string,
    title: string,
    node: { readonly filter: Expr | null; readonly alias: string } & PlanNode,
    facts: Readonly<Record<string, string>>,
  ): Described {
    return {
      type,
      title,
      properties: this.filterOf(node),
      children: [],
      facts: { ...facts, Alias: this.aliasOf(node) },
    };
  }

  private describeTableScan(node: Extract<PlanNode, { kind: 'seqScan' | 'indexScan' }>): Described {
    const table = this.plan.tables[node.table];
    const name = table?.name ?? '?';
    const alias = this.aliasOf(node);
    const target = this.target(name, alias);
    const facts: Record<string, string> = { 'Relation Name': name };
    if (node.kind === 'seqScan') return this.scan('Seq Scan', `Seq Scan on ${target}`, node, facts);
    const index = table?.indexes.find((candidate) => candidate.oid === node.index);
    const names = (table?.columns ?? []).map((column) => this.conditionColumn(alias, column.name));
    const columns = (index?.columns ?? []).map(({ column, expression }) =>
      expression === null ? (names[column] ?? '?') : this.text(expression.expr as Expr, names),
    );
    const conditions = node.ranges.map((range) => this.rangeText(range, columns)).filter(Boolean);
    const properties: ExplainedProperty[] = [];
    if (conditions.length > 0) {
      properties.push({ label: 'Index Cond', value: conditions.join(' OR ') });
    }
    const indexName = quoteIdentifier(index?.name ?? '?');
    const backward = node.backward ? ' Backward' : '';
    const type = node.entry === null ? 'Index Scan' : 'Index Only Scan';
    return {
      type,
      title: `${type}${backward} using ${indexName} on ${target}`,
      properties: [...properties, ...this.filterOf(node)],
      children: [],
      facts: {
        'Scan Direction': node.backward ? 'Backward' : 'Forward',
        'Index Name': index?.name ?? '?',
        ...facts,
        Alias: alias,
      },
    };
  }

  private conditionColumn(alias: string, column: string): string {
    return this.verbose ? this.qualified(alias, column) : quoteIdentifier(column);
  }

  private rangeText(range: KeyRange, columns: readonly string[]): string {
    const value = (expr: Expr) => this.text(expr, []);
    const parts = range.equal.map((expr, i) => `(${columns[i]} = ${value(expr)})`);
    let next = range.equal.length;
    if (range.anyOf !== null) {
      const left: Expr = { kind: 'input', type: OID.unknown, typmod: -1, column: next++ };
      const { array, list } = range.anyOf;
      parts.push(this.text({ ...ANY, left, array, list }, columns));
    }
    const column = columns[next];
    if (range.isNull) parts.push(`(${column} IS NULL)`);
    if (range.lower !== null && range.lower === range.upper) {
      parts.push(`(${column} = ${value(range.lower.expr)})`);
    } else {
      if (range.lower !== null) {
        parts.push(`(${column} ${range.lower.inclusive ? '>=' : '>'} ${value(range.lower.expr)})`);
      }
      if (range.upper !== null) {
        parts.push(`(${column} ${range.upper.inclusive ? '<=' : '<'} ${value(range.upper.expr)})`);
      }
    }
    return parts.length > 1 ? `(${parts.join(' AND ')})` : (parts[0] ?? '');
  }

  private describeJoin(
    node: Extract<PlanNode, { kind: 'nestedLoop' | 'hashJoin' | 'mergeJoin' }>,
  ): Described {
    const left = this.columnNames(node.left);
    const names = [...left, ...this.columnNames(node.right)];
    if (node.kind === 'nestedLoop') {
      node.slots.forEach((slot, i) => {
        const value = node.values[i];
        if (value !== undefined) this.slotNames.set(slot, this.text(value, left));
      });
    }
    const properties: ExplainedProperty[] = [];
    if (node.kind !== 'nestedLoop') {
      const right = this.columnNames(node.right);
      const pairs = node.leftKeys.map(
        (key, i) => `(${this.text(key, left)} = ${this.text(node.rightKeys[i] as Expr, right)})`,
      );
      const value = pairs.length > 1 ? `(${pairs.join(' AND ')})` : (pairs[0] ?? '');
      properties.push({ label: node.kind === 'hashJoin' ? 'Hash Cond' : 'Merge Cond', value });
    }
    if (node.on !== null) {
      properties.push({
        label: 'Join Filter',
        value: this.text(node.on, names),
        removes: 'Join Filter',
      });
    }
    const [type, base] = {
      nestedLoop: ['Nested Loop', 'Nested Loop'],
      hashJoin: ['Hash Join', 'Hash'],
      mergeJoin: ['Merge Join', 'Merge'],
    }[node.kind] as [string, string];
    const title = node.join === 'inner' ? type : `${base} ${JOIN_TITLES[node.join]} Join`;
    const outer = this.explain(node.left, 'Outer', '');
    const inner = this.explain(node.right, 'Inner', '');
    const children = node.kind === 'hashJoin' ? [outer, hashOf(node.right, inner)] : [outer, inner];
    return { type, title, properties, children, facts: { 'Join Type': JOIN_TITLES[node.join] } };
  }

  private describeAggregate(node: Extract<PlanNode, { kind: 'aggregate' }>): Described {
    const columns = this.columnNames(node.input);
    const keys = node.groupBy.map((key) => this.text(key, columns));
    const properties: ExplainedProperty[] = [];
    if (node.groupingSets !== null) {
      for (const set of node.groupingSets) {
        const value = set.map((index) => keys[index] ?? '?');
        properties.push({
          label: set.length === 0 ? 'Group Key' : 'Hash Key',
          value: set.length === 0 ? '()' : value,
        });
      }
    } else if (keys.length > 0) properties.push({ label: 'Group Key', value: keys });
    const [title, strategy] = {
      plain: ['Aggregate', 'Plain'],
      hash: [node.groupingSets === null ? 'HashAggregate' : 'MixedAggregate', 'Hashed'],
      sorted: ['GroupAggregate', 'Sorted'],
    }[node.strategy] as [string, string];
    const children = [this.explain(node.input, 'Outer', '')];
    return { type: 'Aggregate', title, properties, children, facts: { Strategy: strategy } };
  }

  private keyTexts(keys: readonly SortKey[], columns: readonly string[]): string[] {
    return deparseKeys(keys, this.names(columns.map((name) => name)));
  }

  private describeModify(
    node: Extract<PlanNode, { kind: 'insert' | 'update' | 'delete' }>,
  ): Described {
    const table = this.plan.tables[node.table];
    const verb = { insert: 'Insert', update: 'Update', delete: 'Delete' }[node.kind];
    let alias = node.partitions?.alias ?? table?.name ?? '?';
    if (node.kind !== 'insert' && node.partitions === undefined) {
      visitNodes(node.input, (inner) => {
        const isTarget = 'alias' in inner && 'scanId' in inner && inner.scanId === node.scanId;
        if (isTarget) alias = inner.alias;
      });
    }
    const properties: ExplainedProperty[] = [];
    if (node.kind === 'insert' && node.onConflict !== null) {
      const { action, arbiters, where } = node.onConflict;
      properties.push({ label: 'Conflict Resolution', value: action.toUpperCase() });
      const names = arbiters.map(
        (oid) => table?.indexes.find((index) => index.oid === oid)?.name ?? '?',
      );
      if (names.length > 0) properties.push({ label: 'Conflict Arbiter Indexes', value: names });
      if (where !== null) {
        const columns = (table?.columns ?? []).map((column) => column.name);
        const existing = columns.map(
          (name) => `${quoteIdentifier(alias)}.${quoteIdentifier(name)}`,
        );
        const proposed = columns.map((name) => `excluded.${quoteIdentifier(name)}`);
        properties.push({
          label: 'Conflict Filter',
          value: this.text(where, [...existing, ...proposed]),
        });
      }
    }
    return {
      type: 'ModifyTable',
      title: `${verb} on ${this.target(table?.name ?? '?', alias)}`,
      properties,
      children: [this.explain(node.input, 'Outer', '')],
      facts: { Operation: verb, 'Relation Name': table?.name ?? '?', Alias: alias },
      targets: node.kind === 'insert' ? [] : this.targetsOf(node, verb),
    };
  }

  /** The partitions that the input reads, each by the alias of its scan. */
  private targetsOf(
    node: Extract<PlanNode, { kind: 'update' | 'delete' }>,
    verb: string,
  ): string[] {
    const { partitions } = node;
    if (partitions === undefined) return [];
    const aliases = new Map<number, string>();
    visitNodes(node.input, (inner) => {
      if (inner.kind !== 'seqScan' && inner.kind !== 'indexScan') return;
      aliases.set(inner.scanId, this.aliasOf(inner));
    });
    return partitions.relations.slice(0, partitions.scanned).map(({ table, scanId }) => {
      const name = this.plan.tables[table]?.name ?? '?';
      return `${verb} on ${this.target(name, aliases.get(scanId) ?? partitions.alias)}`;
    });
  }
}

interface Described {
  readonly type: string;
  readonly title: string;
  readonly properties: readonly ExplainedProperty[];
  readonly children: readonly ExplainedNode[];
  readonly facts?: Readonly<Record<string, string | boolean>>;
  readonly targets?: readonly string[];
}

const JOIN_TITLES: Readonly<Record<JoinType, string>> = {
  inner: 'Inner',
  left: 'Left',
  right: 'Right',
  full: 'Full',
  semi: 'Semi',
  anti: 'Anti',
  nullAnti: 'Anti',
};

/** The hash table of a hash join, which PostgreSQL shows as a node. */
function hashOf(node: PlanNode, inner: ExplainedNode): ExplainedNode {
  return {
    node: { ...node, startupCost: node.totalCost },
    counted: node,
    type: 'Hash',
    title: 'Hash',
    relationship: 'Inner',
    heading: '',
    facts: {},
    properties: [],
    targets: [],
    output: inner.output,
    children: [{ ...inner, relationship: 'Outer' }],
  };
}

/** A subquery without outer values runs once, before what uses its value. */
function isInitPlan(subplan: SubplanExpr): boolean {
  return subplan.values.length === 0 && !subplan.hashed && subplan.comparison === null;
}

/** Expressions that a node evaluates itself. */
function exprsOf(node: PlanNode): Expr[] {
  const exprs: Expr[] = [];
  const add = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(add);
    else if (typeof value === 'object' && value !== null) {
      const part = value as { kind?: unknown; type?: unknown; output?: unknown };
      if (part.output !== undefined) return;
      if (typeof part.kind === 'string' && typeof part.type === 'number') exprs.push(value as Expr);
      else Object.values(value).forEach(add);
    }
  };
  for (const [name, value] of Object.entries(node)) {
    if (!NO_EXPRESSIONS.has(name)) add(value);
  }
  return exprs;
}

/** Fields of nodes without expressions that can hold subplans. */
const NO_EXPRESSIONS: ReadonlySet<string> = new Set(['output', 'checks', 'partitions']);

function subplansOf(node: PlanNode): SubplanExpr[] {
  const found: SubplanExpr[] = [];
  const visit = (expr: Expr): void => {
    if (expr.kind === 'subplan') found.push(expr);
    visitChildren(expr, visit);
  };
  for (const expr of exprsOf(node)) {
    if (someExpr(expr, (part) => part.kind === 'subplan')) visit(expr);
  }
  return found;
}

/** The key as if it were a column of its own. */
function ownColumn(key: SortKey, column: number): SortKey {
  const { type, typmod } = key.expr;
  return { ...key, expr: { kind: 'input', type, typmod, column } };
}
