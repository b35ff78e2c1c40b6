import { readColumnOfTuple } from '../../../access/index.ts';
import type { CatalogView } from '../../../catalog/descriptors.ts';
import {
  type ColumnVector,
  createVector,
  type DataChunk,
  readDatum,
  writeDatum,
} from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import { type Datum, typeByOid } from '../../../types/index.ts';
import { Binder } from '../../bind/binder.ts';
import { coerceToTarget } from '../../bind/coercion.ts';
import { partitionChecks, passesCheck } from '../../bind/partition-checks.ts';
import type { RowLockStrength } from '../../bind/query.ts';
import type { Expr } from '../../expression.ts';
import type { FunctionContext } from '../../functions/index.ts';
import { type ColumnValue, generate, generatedValues } from '../column-values.ts';
import type { ChangeOutcome, ExecutionEnvironment, RowOperations } from '../environment.ts';
import { ExpressionCompiler } from '../expression/compile.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import { IndexValues } from '../index-values.ts';
import { lockStrength } from '../lock-strength.ts';
import { type PartitionTest, RowConstraints } from '../row-constraints.ts';
import { Run } from '../run.ts';
import type { Reference } from './reference.ts';
import { RowMove } from './row-move.ts';
import { wholeKey } from './violations.ts';

/** What became of the row of the parent. */
export type ParentChange = 'delete' | 'update';

/** CASCADE, SET NULL or SET DEFAULT for one row of the child after the other, compiled once. */
export class ChildChange {
  readonly action: 'c' | 'n' | 'd';
  readonly strength: RowLockStrength;
  readonly #reference: Reference;
  readonly #run = new Run(0);
  /** Columns that get another value; none: the row is deleted. */
  readonly #columns: readonly number[];
  readonly #values: readonly Evaluator[];
  readonly #generated: readonly ColumnValue[];
  /** Columns that change: those that get another value, and what is computed of them. */
  readonly #changed: readonly number[];
  readonly #constraints: RowConstraints;
  /** The places of the child among the partitions of tables above; a row that gets out of them moves. */
  readonly #places: readonly PartitionTest[];
  readonly #catalog: CatalogView;
  readonly #catalogVersion: number;
  readonly #compiler: ExpressionCompiler;
  #move: RowMove | null = null;
  #isMoving = false;
  readonly #old: ColumnVector[];
  readonly #new: DataChunk;
  /** Compute what indexes have of the row as it was, and as it becomes. */
  readonly #oldValues: IndexValues | null;
  readonly #newValues: IndexValues | null;
  /** The key that the row of the parent has now. */
  readonly #key: DataChunk;

  constructor(
    reference: Reference,
    change: ParentChange,
    catalog: CatalogView,
    context: FunctionContext,
  ) {
    const { child, constraint, conversions, foreign } = reference;
    const vector = (type: number) => createVector(typeByOid(type), 1);
    this.#reference = reference;
    this.action = (change === 'delete' ? foreign.onDelete : foreign.onUpdate) as 'c' | 'n' | 'd';
    this.#old = child.columns.map(({ type }) => vector(type));
    this.#new = { columns: [...this.#old], count: 1, selection: null };
    const key = conversions.map(({ parent }) => vector(parent.oid));
    this.#key = { columns: key, count: 1, selection: null };
    this.#columns = assignedColumns(reference, change);
    const compiler = new ExpressionCompiler(this.#run, 1, () => {
      throw new Error('defaults and checks hold no subqueries');
    });
    const newKey = (column: number) =>
      assignedKey(reference, constraint.columns.indexOf(column), catalog, context);
    this.#values = this.#columns.map((column) =>
      compiler.compile(this.action === 'c' ? newKey(column) : this.#setValue(column)),
    );
    this.#generated = this.#isDelete ? [] : generatedValues(child, this.#columns, compiler);
    this.#changed = [...this.#columns, ...this.#generated.map(({ column }) => column)];
    const checks = child.constraints.flatMap(({ kind, name, check }) =>
      kind === 'check' && check !== null
        ? [{ name, test: compiler.compile(check.expr as Expr) }]
        : [],
    );
    this.#constraints = new RowConstraints(this.#run, child, checks);
    this.#places = partitionChecks(catalog, child).map((check) => ({
      check,
      keys: compiler.all(check.keys),
    }));
    this.#catalog = catalog;
    this.#catalogVersion = catalog.version;
    this.#compiler = compiler;
    const mayLeave = this.#isDelete || this.#places.length > 0;
    this.#oldValues = IndexValues.ofTable(child, compiler, mayLeave ? null : this.#changed);
    this.#newValues = IndexValues.ofTable(child, compiler, this.#changed);
    const assigned = this.#changed.map((column) => ({ column }));
    this.strength = this.#isDelete ? 'update' : lockStrength(child, assigned);
  }

  get #isDelete(): boolean {
    return this.#columns.length === 0;
  }

  #setValue(column: number): Expr {
    const { type, typmod, default: initial } = this.#reference.child.columns[column]!;
    if (this.action === 'd' && initial !== null) return initial.expr as Expr;
    return { kind: 'const', type, typmod, value: null };
  }

  /** Whether it was compiled for the bounds of now. */
  isCurrent({ version }: CatalogView): boolean {
    return this.#places.length === 0 || this.#catalogVersion === version;
  }

  /** Begins with the rows of one key; `now` is the key that the parent has instead. */
  begin(environment: ExecutionEnvironment, now: readonly Datum[] | null): void {
    this.#run.begin(environment);
    this.#reference.conversions.forEach(({ parent }, i) => {
      const vector = this.#key.columns[i]!;
      vector.reset();
      writeDatum(vector, 0, parent, now?.[i] ?? null);
    });
  }

  end(): void {
    this.#run.end();
  }

  /** Takes a row of the child and computes what it becomes. */
  read(tuple: Uint8Array): void {
    const { childLayout } = this.#reference;
    for (let i = 0; i < this.#old.length; i++) {
      this.#old[i]!.reset();
      readColumnOfTuple(childLayout, i, tuple, 0, this.#old[i]!, 0);
    }
    this.#oldValues?.take({ ...this.#new, columns: this.#old });
    if (this.#isDelete) return;
    const { columns } = this.#new;
    this.#columns.forEach((column, i) => {
      columns[column] = this.#values[i]!.evaluate(this.#key);
    });
    generate(this.#new, this.#generated);
    this.#isMoving = !this.#places.every((place) => this.#staysIn(place));
    if (this.#isMoving) {
      this.#move ??= new RowMove(this.#reference, this.#catalog, this.#run, this.#compiler);
      this.#move.begin(this.#oldValues?.of(0) ?? this.#old, this.#new);
      return;
    }
    this.#constraints.prepare(this.#new);
    this.#constraints.verify(0);
    this.#newValues?.take(this.#new);
  }

  #staysIn({ check, keys }: PartitionTest): boolean {
    const values = keys.map((key) => readDatum(key.evaluate(this.#new), 0, key.type));
    return passesCheck(check, values);
  }

  apply(rows: RowOperations, key: Uint8Array): ChangeOutcome {
    const { child } = this.#reference;
    const old = this.#oldValues?.of(0) ?? this.#old;
    if (this.#isDelete) return rows.delete(child, key, 0, key.length, old, 0);
    if (this.#isMoving) return this.#move!.apply(rows, key);
    const changed = this.#newValues?.of(0) ?? this.#new.columns;
    return rows.update(child, key, 0, key.length, old, changed, 0, this.#changed);
  }

  /** The statement that PostgreSQL would run, for the context of errors. */
  statement(catalog: CatalogView): string {
    const { child, constraint } = this.#reference;
    const nameOf = (column: number) => quoted(child.columns[column]!.name);
    const { table: whole } = wholeKey(catalog, child, constraint);
    const schema = catalog.schemaByOid(whole.schema)?.name ?? '';
    const only = whole.kind === 'partitioned' ? '' : 'ONLY ';
    const table = `${only}${quoted(schema)}.${quoted(whole.name)}`;
    const values = this.action === 'c' ? this.#columns.length : 0;
    const where = constraint.columns.map((column, i) => {
      const { sameFamily, parent } = this.#reference.conversions[i]!;
      const cast = sameFamily ? '' : `::pg_catalog.${quoted(parent.name)}`;
      return `$${values + i + 1} OPERATOR(pg_catalog.=) ${nameOf(column)}${cast}`;
    });
    const condition = `WHERE ${where.join(' AND ')}`;
    if (this.#isDelete) return `DELETE FROM ${table} ${condition}`;
    const words = { c: '', n: 'NULL', d: 'DEFAULT' };
    const set = this.#columns.map(
      (column, i) => `${nameOf(column)} = ${words[this.action] || `$${i + 1}`}`,
    );
    return `UPDATE ${table} SET ${set.join(', ')} ${condition}`;
  }
}

/** The columns of the child that get another value. */
function assignedColumns(
  { constraint, foreign }: Reference,
  change: ParentChange,
): readonly number[] {
  if (change === 'update') return constraint.columns;
  if (foreign.onDelete === 'c') return [];
  return foreign.deleteColumns.length > 0 ? foreign.deleteColumns : constraint.columns;
}

/** The new key of the parent, as it is assigned to a column of the child. */
function assignedKey(
  { child, constraint, conversions }: Reference,
  at: number,
  catalog: CatalogView,
  context: FunctionContext,
): Expr {
  const { parent } = conversions[at]!;
  const { name, type, typmod } = child.columns[constraint.columns[at]!]!;
  const input: Expr = { kind: 'input', type: parent.oid, typmod: -1, column: at };
  const binder = new Binder(
    {
      catalog,
      searchPath: [],
      processId: 0,
      parameterTypes: [],
      literals: [],
      parameterCount: 0,
      text: '',
      types: context,
    },
    new Set(),
  );
  const expr = coerceToTarget(binder, input, type, typmod, 'assignment');
  if (expr !== undefined) return expr;
  throw pgError(
    'datatype_mismatch',
    `column "${name}" is of type ${typeByOid(type).sqlName} but expression is of type ${parent.sqlName}`,
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const IDLE = new WeakMap<Reference, Record<ParentChange, ChildChange[]>>();

/** A compiled change that nobody uses; give it back with `releaseChange`. */
export function takeChange(
  reference: Reference,
  change: ParentChange,
  catalog: CatalogView,
  context: FunctionContext,
): ChildChange {
  const idle = IDLE.get(reference)?.[change].pop();
  if (idle?.isCurrent(catalog) === true) return idle;
  return new ChildChange(reference, change, catalog, context);
}

export function releaseChange(
  reference: Reference,
  change: ParentChange,
  compiled: ChildChange,
): void {
  compiled.end();
  let idle = IDLE.get(reference);
  if (idle === undefined) {
    idle = { delete: [], update: [] };
    IDLE.set(reference, idle);
  }
  idle[change].push(compiled);
}
