import {
  type DataRowShape,
  dataRowShape,
  layoutOf,
  writeDataRowFromTuple,
} from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type { PointReadRun } from '../../session/index.ts';
import { MAIN_THREAD, type Snapshots } from '../../shm/index.ts';
import {
  PartitionPruner,
  type PointRead,
  parameterValues,
  partitionedPointRead,
  pointRead,
} from '../../sql/plan/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import {
  estimateEntries,
  isPageMiss,
  type PageReader,
  type TreeId,
  TreeLookup,
  type TreeRoots,
} from '../../storage/index.ts';
import {
  type Datum,
  DEFAULT_TYPE_CONTEXT,
  encodeKeyPart,
  INT2_MAX,
  INT2_MIN,
  INT4_MAX,
  INT4_MIN,
  OID,
  type SqlType,
  type TypeContext,
  typeByOid,
} from '../../types/index.ts';

/** Answers reads of one row by its whole clustered key on the main thread, without a hop: the key is
 * encoded, looked up, and the row's DataRow is written from the bytes of its tuple.
 *
 * What makes a plan such a read is said in sql/plan/point-read.ts; every other plan is remembered as none. A page that
 * is not in memory sends the statement to a reader.
 */
export class PointReader {
  private readonly reader: PageReader;
  private readonly roots: TreeRoots;
  private readonly snapshots: Snapshots;
  private readonly lookup: TreeLookup;
  private readonly programs = new WeakMap<Plan, PointProgram | PartitionPrograms | 'none'>();
  private readonly key = new ByteWriter(64);
  private readonly out = new ByteWriter(4096);
  private readonly context: { -readonly [K in keyof TypeContext]: TypeContext[K] } = {
    ...DEFAULT_TYPE_CONTEXT,
  };
  private contextOf: PointReadRun['types'] | null = null;

  constructor(reader: PageReader, roots: TreeRoots, snapshots: Snapshots) {
    this.reader = reader;
    this.roots = roots;
    this.snapshots = snapshots;
    this.lookup = new TreeLookup(reader);
  }

  /** False when the statement has to be run elsewhere; nothing was sent then. */
  run(read: PointReadRun): boolean {
    const { plan } = read.plan;
    let known = this.programs.get(plan);
    if (known === undefined) {
      known = analyse(plan) ?? 'none';
      this.programs.set(plan, known);
    }
    const program = known instanceof PartitionPrograms ? known.choose(read.parameters) : known;
    if (program === 'none') return false;
    // Parameters that no partition can have a row for.
    if (program === null) return true;
    const key = this.key.reset();
    if (!encodeProgramKey(program, read.parameters, key)) {
      // A key that no row can have.
      return true;
    }
    const { reader, lookup, snapshots } = this;
    const snapshot = snapshots.acquire(MAIN_THREAD);
    reader.enter();
    try {
      const root = this.roots.find(program.tree, snapshot);
      if (root === 0) return false;
      if (lookup.find(root, snapshot, key.bytes, 0, key.position)) {
        const out = this.out.reset();
        const shape = program.shape(read.formats);
        writeDataRowFromTuple(shape, lookup.valueBytes, lookup.valueStart, out, this.typesOf(read));
        read.sink.dataRows(out.bytes, 0, out.position, 1);
        read.rowCount = 1;
      }
      return true;
    } catch (thrown) {
      if (isPageMiss(thrown)) return false;
      throw thrown;
    } finally {
      reader.leave();
      snapshots.release(MAIN_THREAD);
    }
  }

  /** A guess at the number of entries of a tree, from those of its pages that are in memory; null where
   * too few are. */
  estimateEntries(tree: number): number | null {
    const { reader, snapshots } = this;
    const snapshot = snapshots.acquire(MAIN_THREAD);
    reader.enter();
    try {
      const root = this.roots.find(tree as TreeId, snapshot);
      return root === 0 ? 0 : estimateEntries(reader, root, snapshot);
    } catch (thrown) {
      if (isPageMiss(thrown)) return null;
      throw thrown;
    } finally {
      reader.leave();
      snapshots.release(MAIN_THREAD);
    }
  }

  private typesOf(read: PointReadRun): TypeContext {
    if (this.contextOf !== read.types) {
      this.contextOf = read.types;
      Object.assign(this.context, read.types);
    }
    return this.context;
  }
}

interface KeyPart {
  readonly type: SqlType;
  /** Parameter to take the value from, or -1 for `constant`. */
  readonly parameter: number;
  readonly constant: Datum;
  /** Range of an integer column that is compared with a wider integer. */
  readonly minimum: number;
  readonly maximum: number;
}

/** A point read, ready to run. */
class PointProgram {
  readonly tree: TreeId;
  readonly parts: readonly KeyPart[];
  private readonly table: Parameters<typeof layoutOf>[0];
  private readonly columns: readonly number[];
  private textShape: DataRowShape | null = null;
  private otherShape: DataRowShape | null = null;

  constructor(
    table: Parameters<typeof layoutOf>[0],
    parts: readonly KeyPart[],
    columns: readonly number[],
  ) {
    this.tree = table.tree;
    this.table = table;
    this.parts = parts;
    this.columns = columns;
  }

  shape(formats: Uint8Array): DataRowShape {
    if (isAllText(formats)) {
      this.textShape ??= this.makeShape(formats);
      return this.textShape;
    }
    if (this.otherShape === null || !sameFormats(this.otherShape.formats, formats)) {
      this.otherShape = this.makeShape(formats);
    }
    return this.otherShape;
  }

  private makeShape(formats: Uint8Array): DataRowShape {
    const all = this.columns.map((_, i) => formats[i] ?? 0);
    return dataRowShape(layoutOf(this.table), this.columns, all);
  }
}

function isAllText(formats: Uint8Array): boolean {
  for (let i = 0; i < formats.length; i++) if (formats[i] !== 0) return false;
  return true;
}

function sameFormats(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== (b[i] ?? 0)) return false;
  return true;
}

/** A point read of a partitioned table: a program for each partition that the plan reads. */
class PartitionPrograms {
  private readonly programs: readonly PointProgram[];
  private readonly pruner: PartitionPruner;
  private readonly selected: number[] = [];

  constructor(programs: readonly PointProgram[], pruner: PartitionPruner) {
    this.programs = programs;
    this.pruner = pruner;
  }

  /** The program of the only partition that the parameters leave; null when they leave none, 'none'
   * when they leave several. */
  choose(parameters: readonly Datum[]): PointProgram | 'none' | null {
    const { selected } = this;
    selected.length = 0;
    this.pruner.select(parameterValues(parameters), selected);
    if (selected.length > 1) return 'none';
    return selected.length === 0 ? null : this.programs[selected[0]!]!;
  }
}

/** The plan as a program; null when it is no point read, or compares a key with another type. */
function analyse(plan: Plan): PointProgram | PartitionPrograms | null {
  const read = pointRead(plan);
  if (read !== null) return programOf(read);
  const partitioned = partitionedPointRead(plan);
  if (partitioned === null) return null;
  const programs: PointProgram[] = [];
  for (const each of partitioned.reads) {
    const program = programOf(each);
    if (program === null) return null;
    programs.push(program);
  }
  return new PartitionPrograms(programs, new PartitionPruner(partitioned.pruning));
}

function programOf({ table, key, columns }: PointRead): PointProgram | null {
  const parts: KeyPart[] = [];
  for (const [i, expr] of key.entries()) {
    const part = keyPart(table.columns[table.clusterKey![i]!]!.type, expr);
    if (part === null) return null;
    parts.push(part);
  }
  return new PointProgram(table, parts, columns);
}

const INTEGERS: Readonly<Record<number, readonly [number, number]>> = {
  [OID.int2]: [INT2_MIN, INT2_MAX],
  [OID.int4]: [INT4_MIN, INT4_MAX],
  [OID.int8]: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function keyPart(columnType: number, expr: PointRead['key'][number]): KeyPart | null {
  const range = INTEGERS[columnType];
  const isInteger = range !== undefined && INTEGERS[expr.type] !== undefined;
  if (expr.type !== columnType && !isInteger) return null;
  return {
    type: typeByOid(columnType),
    parameter: expr.kind === 'param' ? expr.index : -1,
    constant: expr.kind === 'const' ? expr.value : null,
    minimum: isInteger && columnType !== OID.int8 ? range[0] : Number.NEGATIVE_INFINITY,
    maximum: isInteger && columnType !== OID.int8 ? range[1] : Number.POSITIVE_INFINITY,
  };
}

/** False when no row has such a key: a null, or an integer out of the column's range. */
function encodeProgramKey(
  program: PointProgram,
  parameters: readonly Datum[],
  out: ByteWriter,
): boolean {
  const { parts } = program;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const value = part.parameter < 0 ? part.constant : parameters[part.parameter]!;
    if (value === null) return false;
    if (typeof value === 'number' && (value < part.minimum || value > part.maximum)) return false;
    if (typeof value === 'bigint' && part.maximum !== Number.POSITIVE_INFINITY) return false;
    encodeKeyPart(part.type, value, false, false, out);
  }
  return true;
}
