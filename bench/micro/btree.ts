/** The B+tree on one thread, everything in memory: page search, lookup, put, scan, bulk load.
 *
 * Run `npm run build`, then `node dist/bench/micro/btree.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { openMemoryDirectory } from '../../src/io/index.ts';
import { SharedMemory, Snapshots } from '../../src/shm/index.ts';
import {
  BTreeWriter,
  BulkLoader,
  formatDataFile,
  PageReader,
  PageRef,
  PageTreeCursor,
  PageWriter,
  type TreeId,
  TreeLookup,
  TreeRoots,
} from '../../src/storage/index.ts';
import { LEAF_CELL_HEADER, searchSlots } from '../../src/storage/page/index.ts';

const ENTRY_COUNT = 1_000_000;
/** About the size of a row of pgbench_accounts. */
const VALUE_LENGTH = 100;
/** Operations in one run of a task, so that the clock is read rarely. */
const BATCH = 1000;
const ACCOUNTS = 1 as TreeId;

export async function benchBtree(): Promise<Bench> {
  const memory = SharedMemory.create({ frameCount: 32768, threadCount: 4 });
  const directory = openMemoryDirectory();
  const files = {
    data: directory.open('data', 'create'),
    spill: directory.open('spill', 'create'),
  };
  formatDataFile(files.data, 1);
  const pager = new PageWriter(memory, files);
  pager.open(1);
  const trees = new BTreeWriter(pager);
  const key = new Uint8Array(8);
  const keyView = new DataView(key.buffer);
  const value = new Uint8Array(VALUE_LENGTH);
  let lsn = 1;
  const inGroup = (change: () => void) => {
    pager.beginGroup(++lsn);
    change();
    pager.publish();
  };
  const setKey = (n: number) => keyView.setUint32(4, n);
  const load = (tree: TreeId) => {
    trees.createTree(tree);
    const loader = new BulkLoader(trees, tree);
    for (let n = 0; n < ENTRY_COUNT; n++) {
      setKey(n);
      loader.add(key, 0, 8, value, 0, VALUE_LENGTH, lsn);
    }
    loader.finish();
  };
  const started = performance.now();
  inGroup(() => load(ACCOUNTS));
  const loadNs = ((performance.now() - started) * 1e6) / ENTRY_COUNT;
  console.log(`bulk load: ${loadNs.toFixed(0)} ns an entry, ${pager.pageCount} pages`);

  const reader = new PageReader(memory, 0, null);
  const roots = new TreeRoots(reader);
  const lookup = new TreeLookup(reader);
  const cursor = new PageTreeCursor(reader, roots);
  const snapshots = new Snapshots(memory);
  const ref = new PageRef();
  let random = 1;
  const nextKey = () => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return Math.floor((random / 0x1_0000_0000) * ENTRY_COUNT);
  };
  const expectTrue = (found: boolean) => {
    if (!found) throw new Error('wrong answer');
  };

  const bench = new Bench({
    name: `B+tree, ${BATCH} operations a run`,
    time: 500,
    warmupTime: 200,
  });
  bench.add('page search', () => {
    const root = roots.rootOf(ACCOUNTS, lsn);
    reader.resolve(root, lsn, ref);
    for (let i = 0; i < BATCH; i++) {
      setKey(nextKey());
      searchSlots(ref.bytes, ref.view, ref.base, key, 0, 8, LEAF_CELL_HEADER);
    }
  });
  bench.add('lookup', () => {
    const snapshot = snapshots.acquire(0);
    reader.enter();
    const root = roots.rootOf(ACCOUNTS, snapshot);
    for (let i = 0; i < BATCH; i++) {
      setKey(nextKey());
      expectTrue(lookup.find(root, snapshot, key, 0, 8));
    }
    reader.leave();
    snapshots.release(0);
  });
  bench.add('lookup with its own snapshot and epoch', () => {
    for (let i = 0; i < BATCH; i++) {
      const snapshot = snapshots.acquire(0);
      reader.enter();
      setKey(nextKey());
      expectTrue(lookup.find(roots.rootOf(ACCOUNTS, snapshot), snapshot, key, 0, 8));
      reader.leave();
      snapshots.release(0);
    }
  });
  bench.add('cursor seek', () => {
    reader.enter();
    cursor.reset(ACCOUNTS, lsn);
    for (let i = 0; i < BATCH; i++) {
      setKey(nextKey());
      expectTrue(cursor.seek(key, 8, 'ge'));
    }
    reader.leave();
  });
  bench.add('cursor next', () => {
    reader.enter();
    cursor.reset(ACCOUNTS, lsn);
    setKey(nextKey() >>> 1);
    expectTrue(cursor.seek(key, 8, 'ge'));
    for (let i = 0; i < BATCH; i++) expectTrue(cursor.next());
    reader.leave();
  });
  bench.add('leaf runs', () => {
    reader.enter();
    cursor.reset(ACCOUNTS, lsn);
    setKey(nextKey() >>> 1);
    expectTrue(cursor.seek(key, 8, 'ge'));
    let left = BATCH;
    while (left > 0) {
      const run = cursor.leafRun(left);
      if (run === null) break;
      left -= run.count;
      if (left > 0) expectTrue(cursor.next());
    }
    reader.leave();
  });
  bench.add('update of the same length, 1 a group', () => {
    for (let i = 0; i < BATCH; i++) {
      inGroup(() => {
        setKey(nextKey());
        trees.put(ACCOUNTS, key, 0, 8, value, 0, VALUE_LENGTH, lsn);
      });
    }
  });
  bench.add('update of the same length, 1000 a group', () => {
    inGroup(() => {
      for (let i = 0; i < BATCH; i++) {
        setKey(nextKey());
        trees.put(ACCOUNTS, key, 0, 8, value, 0, VALUE_LENGTH, lsn);
      }
    });
  });
  let appended = 0;
  let tree = 2;
  inGroup(() => trees.createTree(tree as TreeId));
  bench.add('append, 1000 a group', () => {
    inGroup(() => {
      if (appended > ENTRY_COUNT) {
        trees.dropTree(tree++ as TreeId);
        trees.freeDropped(ENTRY_COUNT);
        trees.createTree(tree as TreeId);
        appended = 0;
      }
      for (let i = 0; i < BATCH; i++) {
        setKey(appended++);
        trees.put(tree as TreeId, key, 0, 8, value, 0, VALUE_LENGTH, lsn);
      }
    });
  });
  await bench.run();
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = await benchBtree();
  console.table(
    bench.tasks.map((task) => {
      const { result } = task;
      if (!('latency' in result)) return { task: task.name, 'ns/operation': String(result.state) };
      return {
        task: task.name,
        'ns/operation': Math.round((result.latency.p50 * 1e6) / BATCH),
        'p99 ns': Math.round((result.latency.p99 * 1e6) / BATCH),
      };
    }),
  );
}
