import { assert, ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { ConstraintDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { type ColumnVector, readDatum } from '../../chunk/index.ts';
import type { PgError } from '../../errors/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import {
  missingParent,
  mixedNulls,
  partitionReference,
  Reference,
} from '../execute/foreign-keys/index.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { currentRelation } from './relation-change.ts';
import { RowReader, scanTree } from './table-scan.ts';

/** Tests a foreign key on all rows that the table has: 23503. */
export function* validateForeignKey(
  command: Command,
  child: RelationDescriptor,
  constraint: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  if (child.kind === 'partitioned') {
    yield* validateParts(command, child, constraint);
    return;
  }
  const { environment } = command;
  const parent = currentRelation(command, constraint.foreign!.table);
  assert(parent !== undefined, 'a table referred to stays');
  const reference = new Reference(child, constraint, parent);
  const reader = new RowReader(child, constraint.columns);
  const test = new RowTest(command, reference);
  try {
    yield* scanTree(environment, child.tree, (cursor) => {
      reader.read(cursor);
      test.row(reader.columns);
    });
  } finally {
    test.close();
  }
}

/** The rows of a partitioned table are in its partitions, which have parts of the foreign key. */
function* validateParts(
  command: Command,
  child: RelationDescriptor,
  { oid }: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const partition of command.catalog.partitionsOf(child.oid)) {
    const part = partition.constraints.find(({ parent }) => parent === oid);
    if (part !== undefined) yield* validateForeignKey(command, partition, part);
  }
}

/** Tests one row after the other. */
class RowTest {
  private readonly command: Command;
  private readonly reference: Reference;
  /** Cursors on the indexes of the table referred to, which may have several partitions. */
  private readonly parents = new Map<TreeId, Cursor>();
  private readonly key = new ByteWriter(64);
  /** The last key that was found; neighbours often have the same. */
  private readonly found = new ByteWriter(64);

  constructor(command: Command, reference: Reference) {
    this.command = command;
    this.reference = reference;
  }

  close(): void {
    for (const cursor of this.parents.values()) this.command.environment.closeCursor(cursor);
  }

  row(columns: readonly ColumnVector[]): void {
    const { constraint, foreign } = this.reference;
    const nulls = constraint.columns.filter((column) => columns[column]!.isNull(0)).length;
    if (nulls === constraint.columns.length || (nulls > 0 && foreign.match === 's')) return;
    if (nulls > 0) throw mixedNulls(this.reference, this.schema());
    if (!this.hasParent(columns)) throw this.violation(columns);
  }

  private hasParent(columns: readonly ColumnVector[]): boolean {
    const { key, found } = this;
    const { functions } = this.command.environment;
    if (!this.reference.encodeParentKey(columns, 0, functions, key.reset())) return false;
    const { bytes, position } = key;
    if (compareByteRanges(bytes, 0, position, found.bytes, 0, found.position) === 0) return true;
    const reference = this.partition(columns);
    if (reference === null) return false;
    const parents = this.cursor(reference.parentIndex.tree);
    if (!parents.seek(bytes, position, 'ge')) return false;
    const { keyBytes, keyStart, keyEnd } = parents;
    if (compareByteRanges(bytes, 0, position, keyBytes, keyStart, keyEnd) !== 0) return false;
    found.reset();
    found.range(bytes, 0, position);
    return true;
  }

  /** The reference to the table that would have the key; null where there is none. */
  private partition(columns: readonly ColumnVector[]): Reference | null {
    const { reference, command } = this;
    if (reference.parent.partitioning === null) return reference;
    const values = reference.referencing(columns, 0);
    const key = reference.toParentKey(values, command.environment.functions);
    return key === null ? null : partitionReference(command.catalog, reference, key);
  }

  private cursor(tree: TreeId): Cursor {
    let cursor = this.parents.get(tree);
    if (cursor === undefined) {
      cursor = this.command.environment.newestCursor(tree);
      this.parents.set(tree, cursor);
    }
    return cursor;
  }

  private violation(columns: readonly ColumnVector[]): PgError {
    const { constraint, conversions } = this.reference;
    const values = constraint.columns.map((column, i) =>
      readDatum(columns[column]!, 0, conversions[i]!.child),
    );
    const { functions } = this.command.environment;
    return missingParent(this.reference, values, this.schema(), functions);
  }

  private schema(): string | undefined {
    return this.command.catalog.schemaByOid(this.reference.child.schema)?.name;
  }
}
