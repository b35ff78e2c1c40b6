import { layoutOf, RowChanges, readTupleDatums } from '../../../src/access/index.ts';
import {
  bootstrapObjects,
  Catalog,
  type CatalogChange,
  PUBLIC_SCHEMA,
  type RelationDescriptor,
  resolveSearchPath,
} from '../../../src/catalog/index.ts';
import { PgError, type PgErrorFields, pgError } from '../../../src/errors/index.ts';
import { EMPTY_CURSOR } from '../../../src/runtime/worker/empty-cursor.ts';
import { MovedRows } from '../../../src/runtime/worker/row-ids.ts';
import type { SequenceOperations, SpillFile } from '../../../src/sql/execute/environment.ts';
import {
  ForeignKeyChecks,
  type ForeignKeyServices,
  ReferenceCache,
} from '../../../src/sql/execute/foreign-keys/index.ts';
import type { FunctionContext } from '../../../src/sql/functions/index.ts';
import { parseStatements } from '../../../src/sql/parse/index.ts';
import {
  executeUtility,
  type UtilityEnvironment,
  utilityTag,
} from '../../../src/sql/utility/index.ts';
import type { Cursor, TreeId } from '../../../src/storage/index.ts';
import { LockTable, OverlayCursor, Transaction, tableLockTag } from '../../../src/txn/index.ts';
import { type Datum, int8, typeByOid } from '../../../src/types/index.ts';
import { context } from '../functions/context.ts';

/** A database that is one transaction which never ends: utility statements run in it as in the writer. */
export class Database implements UtilityEnvironment {
  catalog = new Catalog(() => undefined);
  get searchPath() {
    return resolveSearchPath(this.catalog, ['public'], this.functions.session.processId);
  }
  readonly functions: FunctionContext = {
    ...context,
    objectNames: {
      nameOf: (_kind, oid) => this.catalog.relationByOid(oid)?.name ?? null,
      oidOf: (_kind, name) => this.table(name.replace(/^public\./, '')).oid,
    },
  };
  readonly role = 10;
  workMem = 1 << 20;
  inBlock = false;
  readonly systemViews = null;
  readonly transaction = new Transaction(1, 'read committed', 0);
  readonly locks = new LockTable<Transaction>(() => {});
  readonly notices: string[] = [];
  readonly trees = new Set<TreeId>();
  readonly spilled: number[] = [];
  readonly rows: RowChanges;
  readonly foreignKeys: ForeignKeyChecks;
  private readonly sequenceValues = new Map<number, { last: bigint; isCalled: boolean }>();
  private oid = 16384;
  private tree = 100;
  private copyData: Uint8Array[] = [];

  constructor() {
    this.catalog.apply(bootstrapObjects(), 1);
    const rowIds = new Map<TreeId, number>();
    this.rows = new RowChanges({
      locks: this.locks,
      newest: EMPTY_CURSOR,
      newestLsn: () => 1,
      rowIds: {
        next: (tree) => {
          const id = rowIds.get(tree) ?? 1;
          rowIds.set(tree, id + 1);
          return id;
        },
      },
      moves: new MovedRows(),
    });
    this.transaction.snapshot = 1;
    this.foreignKeys = new ForeignKeyChecks(this.foreignKeyServices());
  }

  private foreignKeyServices(): ForeignKeyServices {
    const { transaction, locks, rows } = this;
    const catalog = () => this.catalog;
    return {
      transaction,
      changes: rows,
      references: new ReferenceCache(),
      get catalog() {
        return catalog();
      },
      newestCommit: 1,
      lockTable: (relation, mode, wait) =>
        locks.acquire(transaction, 'table', tableLockTag(relation), mode, wait) === 'granted',
      nextCommand() {
        transaction.command++;
      },
      cursorAt: (tree, _commit, own) =>
        own === 'none'
          ? EMPTY_CURSOR
          : new OverlayCursor(
              EMPTY_CURSOR,
              transaction.writes,
              tree,
              own === 'all' ? transaction.command + 1 : transaction.command,
            ),
      closeCursor() {},
    };
  }

  /** Runs the statements of a text; answers their tags, or the first error. */
  run(text: string, ...copyData: string[]): string {
    this.copyData = copyData.map((piece) => Buffer.from(piece));
    const tags: string[] = [];
    try {
      for (const { node } of parseStatements(text)) tags.push(this.runOne(node, text));
    } catch (thrown) {
      if (!(thrown instanceof PgError)) throw thrown;
      tags.push(errorText(thrown.fields));
    }
    return tags.join('; ');
  }

  private runOne(node: Parameters<typeof executeUtility>[0], text: string): string {
    const { transaction } = this;
    const mark = transaction.writes.mark;
    const catalog = this.catalog;
    const trees = [...this.trees];
    this.rows.use(transaction);
    try {
      const execution = executeUtility(node, text, this);
      for (let steps = 0; ; steps++) {
        const step = execution.next();
        if (step.done === true) {
          const { tag } = step.value;
          if (!tag.startsWith('SELECT') && !tag.startsWith(utilityTag(node))) {
            throw new Error(`${tag} for ${utilityTag(node)}`);
          }
          return tag;
        }
        if (step.value === 'wait' && steps > 1000) throw new Error('waits for ever');
      }
    } catch (thrown) {
      transaction.writes.rollbackTo(mark);
      this.catalog = catalog;
      this.trees.clear();
      for (const tree of trees) this.trees.add(tree);
      throw thrown;
    } finally {
      transaction.command++;
    }
  }

  /** The rows of a table, as texts joined by `|`, in the order of its tree. */
  rowsOf(name: string): string[] {
    const table = this.table(name);
    const layout = layoutOf(table);
    return this.entries(table.tree, (cursor) => {
      const values = readTupleDatums(layout, cursor.valueBytes, cursor.valueStart);
      return values
        .filter((_, i) => !table.columns[i]!.dropped)
        .map((value, i) => this.text(value, table.columns.filter((c) => !c.dropped)[i]!.type))
        .join('|');
    });
  }

  /** The trees that the catalog's tables use; all others must have been dropped. */
  usedTrees(): Set<TreeId> {
    const used = new Set<TreeId>();
    for (const relation of this.catalog.relations()) {
      if (relation.kind !== 'table') continue;
      used.add(relation.tree);
      for (const index of relation.indexes) used.add(index.tree);
    }
    return used;
  }

  /** Number of entries in each index, which must be that of the rows. */
  indexSizes(name: string): Record<string, number> {
    const sizes: Record<string, number> = {};
    for (const index of this.table(name).indexes) {
      sizes[index.name] = this.entries(index.tree, () => 0).length;
    }
    return sizes;
  }

  entries<T>(tree: TreeId, read: (cursor: Cursor) => T): T[] {
    const cursor = this.openCursor(tree);
    const found: T[] = [];
    for (let more = cursor.first(); more; more = cursor.next()) found.push(read(cursor));
    return found;
  }

  table(name: string): RelationDescriptor {
    const found = this.catalog.relationByName(PUBLIC_SCHEMA, name);
    if (found === undefined) throw new Error(`no relation ${name}`);
    return found;
  }

  private text(value: Datum, type: number): string {
    return value === null ? 'null' : typeByOid(type).output(value, this.functions);
  }

  // ---------------------------------------------------------------- UtilityEnvironment

  change(change: CatalogChange): void {
    this.catalog = this.catalog.with([change], this.catalog.version + 1);
  }

  nextOid(): number {
    return this.oid++;
  }

  createTree(): TreeId {
    const tree = this.tree++ as TreeId;
    this.trees.add(tree);
    return tree;
  }

  dropTree(tree: TreeId): void {
    if (!this.trees.delete(tree)) throw new Error(`tree ${tree} does not exist`);
  }

  isNewTree(tree: TreeId): boolean {
    return this.trees.has(tree);
  }

  lockTable(relation: number, name: string, mode: number, nowait = false): 'granted' | 'wait' {
    const tag = tableLockTag(relation);
    const answer = this.locks.acquire(this.transaction, 'table', tag, mode, !nowait);
    if (answer === 'busy') {
      throw pgError('lock_not_available', `could not obtain lock on relation "${name}"`);
    }
    return answer === 'waiting' ? 'wait' : 'granted';
  }

  openCursor(tree: TreeId): Cursor {
    return new OverlayCursor(EMPTY_CURSOR, this.transaction.writes, tree, this.transaction.command);
  }

  readonly heldSnapshot = null;

  newestCursor(tree: TreeId): Cursor {
    return this.openCursor(tree);
  }

  closeCursor(): void {}

  putEntry(
    tree: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { writes, command } = this.transaction;
    writes.put(tree, key, keyStart, keyEnd, value, valueStart, valueEnd, command);
  }

  nextCommand(): void {
    this.transaction.command++;
  }

  setSequence(relation: number, value: { last: bigint; isCalled: boolean } | null): void {
    if (value === null) this.sequenceValues.delete(relation);
    else this.sequenceValues.set(relation, value);
  }

  sequenceValue(relation: number): { last: bigint; isCalled: boolean } {
    const value = this.sequenceValues.get(relation);
    if (value === undefined) throw new Error(`no sequence ${relation}`);
    return value;
  }

  readonly sequences: SequenceOperations = {
    nextval: (relation) => {
      const { last, isCalled } = this.sequenceValue(relation);
      const { increment } = this.catalog.relationByOid(relation)!.sequence!;
      const next = isCalled ? last + increment : last;
      this.sequenceValues.set(relation, { last: next, isCalled: true });
      return int8(next);
    },
    currval: (relation) => int8(this.sequenceValue(relation).last),
    setval: (relation, value, isCalled) => {
      this.sequenceValues.set(relation, { last: BigInt(value), isCalled });
      return value;
    },
    lastval: () => 0,
    putBack: (relation, _last, kept) => {
      this.sequenceValues.set(relation, { last: BigInt(kept), isCalled: true });
    },
  };

  checkpoint(): boolean {
    return true;
  }

  createSpillFile(): SpillFile {
    const parts: Uint8Array[] = [];
    let length = 0;
    return {
      write: (bytes, start, end) => {
        const position = length;
        parts.push(bytes.slice(start, end));
        length += end - start;
        this.spilled.push(end - start);
        return position;
      },
      read: (position, count, target, at) => {
        Buffer.concat(parts).copy(target, at, position, position + count);
      },
      close() {},
    };
  }

  shouldPause(): boolean {
    return true;
  }

  checkInterrupts(): void {}

  notice(fields: Partial<PgErrorFields> & { readonly message: string }): void {
    const detail = fields.detail === undefined ? '' : ` (${fields.detail.replaceAll('\n', '; ')})`;
    this.notices.push(`${fields.severity ?? 'NOTICE'}: ${fields.message}${detail}`);
  }

  takeNotices(): string[] {
    return this.notices.splice(0);
  }

  startCopyIn(): void {}

  nextCopyData(): Uint8Array | null | 'done' {
    return this.copyData.shift() ?? 'done';
  }
}

function errorText(fields: PgErrorFields): string {
  const parts = [`${fields.sqlstate} ${fields.message}`];
  if (fields.detail !== undefined) parts.push(`DETAIL ${fields.detail.replaceAll('\n', '; ')}`);
  if (fields.hint !== undefined) parts.push(`HINT ${fields.hint}`);
  if (fields.where !== undefined) parts.push(`CONTEXT ${fields.where}`);
  return parts.join(' / ');
}
