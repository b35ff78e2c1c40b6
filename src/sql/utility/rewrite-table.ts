import {
  clusterKeyOf,
  encodeClusterKey,
  encodeRowId,
  encodeTuple,
  layoutOf,
} from '../../access/index.ts';
import { assert, ByteWriter } from '../../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import type { ColumnVector, DataChunk } from '../../chunk/index.ts';
import type { Expr } from '../expression.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { beginRun, storedExpressions } from './execution.ts';
import { buildIndex, clusterRows } from './index-build.ts';
import { changeRelation } from './relation-change.ts';
import { scanChunks, scanTree } from './table-scan.ts';

/** Gives a table another clustering: by the primary key in `changes.indexes`, or by row ids when
 * `changes.clusterKey` is null. All rows move to a new tree, and since the values of secondary
 * indexes are clustered keys, these are built anew. */
export function* recluster(
  command: Command,
  table: RelationDescriptor,
  changes: Pick<RelationDescriptor, 'columns' | 'clusterKey' | 'indexes' | 'constraints'> &
    Partial<RelationDescriptor>,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const { environment } = command;
  const next = withNewTrees(command, { ...table, ...changes });
  const primary = next.indexes.find((index) => index.clustered);
  if (primary !== undefined) yield* clusterRows(command, table, next, primary);
  else {
    const key = new ByteWriter(8);
    yield* scanTree(environment, table.tree, (cursor) => {
      encodeRowId(environment.rows.nextRowId(next.tree), key.reset());
      const { valueBytes, valueStart, valueEnd } = cursor;
      environment.putEntry(next.tree, key.bytes, 0, 8, valueBytes, valueStart, valueEnd);
    });
  }
  return yield* finishRewrite(command, table, next);
}

/** Computes every row of a table anew, into new trees. `values[i]` computes column i from the old
 * row; null keeps it. */
export function* rewriteRows(
  command: Command,
  table: RelationDescriptor,
  changes: Partial<RelationDescriptor>,
  values: readonly (Expr | null)[],
  verify: (rows: DataChunk, next: RelationDescriptor) => void,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const { environment } = command;
  const next = withNewTrees(command, { ...table, ...changes });
  const cluster = clusterKeyOf(next);
  const primary = next.indexes.find((index) => index.clustered);
  const layout = layoutOf(next);
  const run = beginRun(environment);
  const compiler = storedExpressions(run, 1024);
  const evaluators = values.map((value) => (value === null ? null : compiler.compile(value)));
  const wanted = table.columns.map((_, i) => i);
  const key = new ByteWriter(64);
  const tuple = new ByteWriter(256);
  // A changed type may order the keys otherwise, or make two of them equal; then a second pass
  // sorts. The rows lie in a tree of their own until then.
  const changesKey = primary?.columns.some(({ column }) => values[column] !== null) === true;
  const target = changesKey ? { ...next, tree: environment.createTree(), clusterKey: null } : next;
  try {
    yield* scanChunks(environment, table, wanted, (rows) => {
      const columns: ColumnVector[] = evaluators.map(
        (evaluator, i) => evaluator?.evaluate(rows) ?? rows.columns[i]!,
      );
      verify({ columns, count: rows.count, selection: null }, next);
      for (let row = 0; row < rows.count; row++) {
        key.reset();
        if (target.clusterKey === null) {
          encodeRowId(environment.rows.nextRowId(target.tree), key);
        } else encodeClusterKey(cluster, columns, row, key);
        encodeTuple(layout, columns, row, tuple.reset());
        const { bytes, position } = tuple;
        environment.putEntry(target.tree, key.bytes, 0, key.position, bytes, 0, position);
      }
    });
  } finally {
    run.end();
  }
  if (changesKey) {
    assert(primary !== undefined, 'a clustered table has a primary index');
    environment.nextCommand();
    yield* clusterRows(command, target, next, primary);
    environment.dropTree(target.tree);
  }
  return yield* finishRewrite(command, table, next);
}

/** Builds the secondary indexes and puts the new descriptor in place of the old. */
function* finishRewrite(
  command: Command,
  table: RelationDescriptor,
  next: RelationDescriptor,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  command.environment.nextCommand();
  for (const index of next.indexes) if (!index.clustered) yield* buildIndex(command, next, index);
  dropTrees(command, table);
  return changeRelation(command, table, next);
}

/** The descriptor with a new tree for the rows and for every index. */
export function withNewTrees(command: Command, table: RelationDescriptor): RelationDescriptor {
  const { environment } = command;
  const tree = environment.createTree();
  const indexes = table.indexes.map((index) => ({
    ...index,
    tree: index.clustered ? tree : environment.createTree(),
  }));
  return { ...table, tree, indexes };
}

export function dropTrees(command: Command, table: RelationDescriptor): void {
  command.environment.dropTree(table.tree);
  for (const index of table.indexes) dropIndexTree(command, index);
}

export function dropIndexTree(command: Command, index: IndexDescriptor): void {
  if (!index.clustered && index.tree !== 0) command.environment.dropTree(index.tree);
}
