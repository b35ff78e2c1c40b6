import type { ExplainOptions } from './explain-options.ts';
import { type ExplainedNode, type ExplainedProperty, explainTree } from './explain-tree.ts';
import type { Plan, PlanNode } from './plan.ts';
import { isDecidedBefore, pruningOf, type SelectedInputs } from './selected-inputs.ts';

/** What the executor counted of a node: NodeInstrumentation of sql/execute has these fields. */
export interface NodeFigures {
  readonly loops: number;
  readonly rows: number;
  readonly rowsRemoved: number;
  readonly startupTime: number;
  readonly totalTime: number;
  readonly spillBytes: number;
  readonly memoryBytes: number;
  readonly pageRequests: number;
  readonly pageLoads: number;
  readonly selectedInputs?: readonly number[];
}

/** Figures of a run, for EXPLAIN ANALYZE. */
export interface ExplainActuals {
  readonly nodes: ReadonlyMap<PlanNode, NodeFigures>;
  readonly planningMs: number;
  readonly executionMs: number;
}

/** EXPLAIN's output, line by line (one line of several rows of text for JSON). `selected`: the inputs
 * that parameters leave of those that are partitions. */
export function explainPlan(
  plan: Plan,
  options: ExplainOptions,
  actuals: ExplainActuals | null = null,
  selected: SelectedInputs = selectedIn(actuals),
): string[] {
  const tree = explainTree(plan, options.verbose, selected);
  if (options.format === 'json') return [explainJson(tree, options, actuals)];
  const lines: string[] = [];
  printNode(tree, -1, options, actuals, lines);
  if (options.settings.length > 0) lines.push(`Settings: ${settingsText(options.settings)}`);
  if (options.summary && actuals !== null) {
    lines.push(`Planning Time: ${actuals.planningMs.toFixed(3)} ms`);
    if (options.analyze) lines.push(`Execution Time: ${actuals.executionMs.toFixed(3)} ms`);
  }
  return lines;
}

/** The inputs that a run has read, where that was settled before it began. */
function selectedIn(actuals: ExplainActuals | null): SelectedInputs {
  const selected = new Map<PlanNode, readonly number[]>();
  for (const [node, { selectedInputs }] of actuals?.nodes ?? []) {
    const pruning = pruningOf(node);
    if (selectedInputs === undefined || pruning === null || !isDecidedBefore(pruning)) continue;
    selected.set(node, selectedInputs);
  }
  return selected;
}

/** EXPLAIN ANALYZE's output as DataRow messages of one text column. */
export function explainAnalyzed(
  plan: Plan,
  options: unknown,
  nodes: ReadonlyMap<PlanNode, NodeFigures>,
  executionMs: number,
  planningMs = 0,
): { readonly bytes: Uint8Array; readonly length: number; readonly count: number } {
  const actuals = { nodes, planningMs, executionMs };
  const lines = explainPlan(plan, options as ExplainOptions, actuals);
  const encoded = lines.map((line) => new TextEncoder().encode(line));
  const length = encoded.reduce((sum, line) => sum + line.length + DATA_ROW_OVERHEAD, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const line of encoded) {
    bytes[at] = 0x44;
    view.setInt32(at + 1, line.length + DATA_ROW_OVERHEAD - 1);
    view.setInt16(at + 5, 1);
    view.setInt32(at + 7, line.length);
    bytes.set(line, at + DATA_ROW_OVERHEAD);
    at += DATA_ROW_OVERHEAD + line.length;
  }
  return { bytes, length, count: lines.length };
}

/** 'D', int32 length, int16 columns, int32 length of the one value. */
const DATA_ROW_OVERHEAD = 11;

/** A node whose line starts at column `indent`; -1 for the topmost, which has no arrow. */
function printNode(
  explained: ExplainedNode,
  indent: number,
  options: ExplainOptions,
  actuals: ExplainActuals | null,
  lines: string[],
): void {
  let column = indent;
  if (explained.heading !== '') {
    lines.push(' '.repeat(column) + explained.heading);
    column += 2;
  }
  const arrow = indent < 0 ? '' : `${' '.repeat(column)}->  `;
  lines.push(`${arrow}${explained.title}${figuresText(explained, options, actuals)}`);
  const below = indent < 0 ? 2 : column + 6;
  const inner = ' '.repeat(below);
  for (const target of explained.targets) lines.push(inner + target);
  if (explained.output.length > 0) lines.push(`${inner}Output: ${explained.output.join(', ')}`);
  for (const property of explained.properties) {
    lines.push(`${inner}${property.label}: ${valueText(property)}`);
    const removed = removedRows(explained, property, actuals);
    if (removed !== null) lines.push(`${inner}Rows Removed by ${property.label}: ${removed}`);
  }
  for (const line of sortLines(explained, actuals)) lines.push(inner + line);
  const buffers = options.buffers ? buffersText(bufferCounts(explained, actuals)) : '';
  if (buffers !== '') lines.push(`${inner}Buffers: ${buffers}`);
  for (const child of explained.children) printNode(child, below, options, actuals, lines);
}

function valueText(property: ExplainedProperty): string {
  return typeof property.value === 'object' ? property.value.join(', ') : String(property.value);
}

function figuresText(
  explained: ExplainedNode,
  options: ExplainOptions,
  actuals: ExplainActuals | null,
): string {
  const { node } = explained;
  let text = '';
  if (options.costs) {
    const cost = `${node.startupCost.toFixed(2)}..${node.totalCost.toFixed(2)}`;
    text += `  (cost=${cost} rows=${Math.round(node.rows)} width=${Math.round(node.width)})`;
  }
  if (actuals === null) return text;
  const figures = figuresOf(explained, actuals);
  if (figures === undefined || figures.loops === 0) return `${text} (never executed)`;
  const rows = Math.round(figures.rows / figures.loops);
  const time = options.timing
    ? `time=${(figures.startupTime / figures.loops).toFixed(3)}..${(figures.totalTime / figures.loops).toFixed(3)} `
    : '';
  return `${text} (actual ${time}rows=${rows} loops=${figures.loops})`;
}

/** Figures of the outermost plan node that was counted. */
function figuresOf(explained: ExplainedNode, actuals: ExplainActuals): NodeFigures | undefined {
  let node: PlanNode | undefined = explained.type === 'Hash' ? explained.counted : explained.node;
  while (node !== undefined) {
    const figures = actuals.nodes.get(node);
    if (figures !== undefined) return figures;
    node = node.kind === 'project' || node.kind === 'filter' ? node.input : undefined;
  }
  return undefined;
}

function removedRows(
  explained: ExplainedNode,
  property: ExplainedProperty,
  actuals: ExplainActuals | null,
): number | null {
  if (actuals === null || property.removes === undefined) return null;
  const figures = actuals.nodes.get(explained.counted);
  if (figures === undefined || figures.loops === 0) return null;
  const removed = Math.round(figures.rowsRemoved / figures.loops);
  return removed > 0 ? removed : null;
}

function sortLines(explained: ExplainedNode, actuals: ExplainActuals | null): string[] {
  if (actuals === null || explained.counted.kind !== 'sort') return [];
  const figures = actuals.nodes.get(explained.counted);
  if (figures === undefined || figures.loops === 0) return [];
  const kilobytes = (bytes: number) => Math.max(1, Math.ceil(bytes / 1024));
  if (figures.spillBytes > 0) {
    return [`Sort Method: external merge  Disk: ${kilobytes(figures.spillBytes)}kB`];
  }
  const method = explained.counted.limit === null ? 'quicksort' : 'top-N heapsort';
  return [`Sort Method: ${method}  Memory: ${kilobytes(figures.memoryBytes)}kB`];
}

/** Pages that a node and its inputs found in memory, and those they read from a file. */
interface BufferCounts {
  readonly hit: number;
  readonly read: number;
}

function bufferCounts(explained: ExplainedNode, actuals: ExplainActuals | null): BufferCounts {
  const figures = actuals === null ? undefined : figuresOf(explained, actuals);
  if (figures === undefined) return { hit: 0, read: 0 };
  const { pageRequests, pageLoads } = figures;
  // A page that moves while it is read is read again.
  return { hit: Math.max(0, pageRequests - pageLoads), read: pageLoads };
}

function buffersText({ hit, read }: BufferCounts): string {
  const parts: string[] = [];
  if (hit > 0) parts.push(`hit=${hit}`);
  if (read > 0) parts.push(`read=${read}`);
  return parts.length === 0 ? '' : `shared ${parts.join(' ')}`;
}

function settingsText(settings: ExplainOptions['settings']): string {
  return settings.map(({ name, value }) => `${name} = '${value.replaceAll("'", "''")}'`).join(', ');
}

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

function explainJson(
  tree: ExplainedNode,
  options: ExplainOptions,
  actuals: ExplainActuals | null,
): string {
  const top: Record<string, Json> = { Plan: jsonNode(tree, options, actuals) };
  if (options.settings.length > 0) {
    top.Settings = Object.fromEntries(options.settings.map(({ name, value }) => [name, value]));
  }
  if (options.summary && actuals !== null) {
    top['Planning Time'] = round(actuals.planningMs);
    if (options.analyze) top['Execution Time'] = round(actuals.executionMs);
  }
  return JSON.stringify([top], null, 2);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function jsonNode(
  explained: ExplainedNode,
  options: ExplainOptions,
  actuals: ExplainActuals | null,
): Json {
  const { node } = explained;
  const json: Record<string, Json> = { 'Node Type': explained.type };
  if (explained.relationship !== '') json['Parent Relationship'] = explained.relationship;
  if (explained.heading !== '') json['Subplan Name'] = explained.heading;
  json['Parallel Aware'] = false;
  json['Async Capable'] = false;
  for (const [name, value] of Object.entries(explained.facts)) json[name] = value;
  if (options.costs) {
    json['Startup Cost'] = Math.round(node.startupCost * 100) / 100;
    json['Total Cost'] = Math.round(node.totalCost * 100) / 100;
    json['Plan Rows'] = Math.round(node.rows);
    json['Plan Width'] = Math.round(node.width);
  }
  if (actuals !== null) {
    const figures = figuresOf(explained, actuals);
    const loops = figures?.loops ?? 0;
    if (options.timing) {
      json['Actual Startup Time'] = loops === 0 ? 0 : round((figures?.startupTime ?? 0) / loops);
      json['Actual Total Time'] = loops === 0 ? 0 : round((figures?.totalTime ?? 0) / loops);
    }
    json['Actual Rows'] = loops === 0 ? 0 : Math.round((figures?.rows ?? 0) / loops);
    json['Actual Loops'] = loops;
  }
  if (explained.output.length > 0) json.Output = explained.output;
  for (const property of explained.properties) {
    json[property.label] = property.value;
    const removed = removedRows(explained, property, actuals);
    if (actuals !== null && property.removes !== undefined) {
      json[`Rows Removed by ${property.label}`] = removed ?? 0;
    }
  }
  if (options.buffers && actuals !== null) {
    const { hit, read } = bufferCounts(explained, actuals);
    json['Shared Hit Blocks'] = hit;
    json['Shared Read Blocks'] = read;
  }
  if (explained.children.length > 0) {
    json.Plans = explained.children.map((child) => jsonNode(child, options, actuals));
  }
  return json;
}
