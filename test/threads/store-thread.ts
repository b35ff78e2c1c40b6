import { parentPort, workerData } from 'node:worker_threads';
import { openNodeDirectory } from '../../src/io/index.ts';
import {
  Doorbell,
  SharedMemory,
  type SharedMemoryParts,
  SharedWords,
  Snapshots,
  WRITER_THREAD,
} from '../../src/shm/index.ts';
import {
  BTreeWriter,
  checkStore,
  formatDataFile,
  PAGE_SIZE,
  PageReader,
  PageRef,
  PageTreeCursor,
  PageWriter,
  type TreeId,
  TreeRoots,
} from '../../src/storage/index.ts';
import { sealPage } from '../../src/storage/page/index.ts';
import { seededRandom } from './compiled.ts';

export const TREE = 1 as TreeId;
export const ACCOUNT_COUNT = 20_000;
export const BALANCE = 1000;
const VALUE_LENGTH = 100;
/** Words of `StoreTask.flags`. */
export const FLAG_READY = 0;
export const FLAG_STOP = 1;

export interface StoreTask {
  readonly role: 'write' | 'read';
  readonly parts: SharedMemoryParts;
  readonly flags: SharedArrayBuffer;
  readonly directory: string;
  readonly thread: number;
  readonly seed: number;
}

export interface StoreResult {
  /** Groups committed, or snapshots read. */
  readonly count: number;
  readonly checkpointCount: number;
  readonly spilledCountMax: number;
  readonly loadCount: number;
  readonly defects: readonly string[];
}

function setAccount(key: Uint8Array, account: number): void {
  new DataView(key.buffer).setUint32(4, account);
}

function nap(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function write(task: StoreTask): StoreResult {
  const memory = SharedMemory.attach(task.parts);
  const flags = new SharedWords(task.flags);
  const directory = openNodeDirectory(task.directory);
  const files = {
    data: directory.open('data', 'create'),
    spill: directory.open('spill', 'create'),
  };
  formatDataFile(files.data, 1);
  const pager = new PageWriter(memory, files);
  pager.open(1);
  const trees = new BTreeWriter(pager);
  const random = seededRandom(task.seed);
  const bell = new Doorbell(memory, WRITER_THREAD);
  const snapshots = new Snapshots(memory);
  const roots = new TreeRoots(pager.reader);
  const cursor = new PageTreeCursor(pager.reader, roots);
  const key = new Uint8Array(8);
  const value = new Uint8Array(VALUE_LENGTH);
  const view = new DataView(value.buffer);
  let lsn = 1;
  const put = (account: number, balance: number) => {
    setAccount(key, account);
    view.setInt32(0, balance);
    trees.put(TREE, key, 0, 8, value, 0, VALUE_LENGTH, lsn);
  };
  pager.beginGroup(++lsn);
  trees.createTree(TREE);
  for (let account = 0; account < ACCOUNT_COUNT; account++) put(account, BALANCE);
  pager.publish();
  flags.store(FLAG_READY, 1);
  const balances = new Int32Array(ACCOUNT_COUNT).fill(BALANCE);
  const image = new Uint8Array(PAGE_SIZE);
  const ref = new PageRef();
  let count = 0;
  let checkpointCount = 0;
  let spilledCountMax = 0;
  let checkpoint: { lsn: number; pages: IterableIterator<number> } | null = null;
  while (flags.load(FLAG_STOP) === 0) {
    pager.beginGroup(++lsn);
    for (let transfers = 1 + random(20); transfers > 0; transfers--) {
      const from = random(ACCOUNT_COUNT);
      const to = random(10) === 0 ? random(ACCOUNT_COUNT) : (from + 1) % ACCOUNT_COUNT;
      const amount = random(100);
      balances[from]! -= amount;
      balances[to]! += amount;
      if (random(50) === 0) {
        // An account is closed and its balance moved on, so that pages merge and split too.
        setAccount(key, from);
        trees.delete(TREE, key, 0, 8);
        balances[to]! += balances[from]!;
        balances[from] = 0;
        put(to, balances[to]!);
      } else {
        put(from, balances[from]!);
        put(to, balances[to]!);
      }
    }
    pager.publish();
    count++;
    spilledCountMax = Math.max(spilledCountMax, pager.spilledCount);
    // A checkpoint goes on in slices between the commits.
    if (checkpoint === null && count % 300 === 0) {
      const at = snapshots.acquire(WRITER_THREAD);
      checkpoint = { lsn: at, pages: pager.checkpointStarted()[Symbol.iterator]() };
    }
    for (let slice = 0; checkpoint !== null && slice < 10; slice++) {
      const next = checkpoint.pages.next();
      if (next.done === true) {
        snapshots.release(WRITER_THREAD);
        pager.checkpointFinished();
        checkpoint = null;
        checkpointCount++;
        break;
      }
      pager.reserve();
      pager.reader.enter();
      pager.reader.resolve(next.value as never, checkpoint.lsn, ref);
      image.set(ref.bytes.subarray(ref.base, ref.base + PAGE_SIZE));
      pager.reader.leave();
      sealPage(image);
      files.data.writeAt(image, next.value * PAGE_SIZE);
    }
    const heard = bell.listen();
    pager.reclaim();
    if (random(20) === 0) bell.sleep(heard, 1);
  }
  const snapshot = snapshots.acquire(WRITER_THREAD);
  pager.reader.enter();
  cursor.reset(TREE, snapshot);
  let sum = 0;
  for (let on = cursor.first(); on; on = cursor.next()) {
    sum += new DataView(cursor.valueBytes.buffer).getInt32(cursor.valueStart);
    pager.reader.leave();
    pager.reserve();
    pager.reader.enter();
    cursor.refresh();
  }
  pager.reader.leave();
  if (sum !== ACCOUNT_COUNT * BALANCE) throw new Error(`the writer's own sum is ${sum}`);
  const { defects } = checkStore(new PageReader(memory, WRITER_THREAD, files), snapshot);
  const { loadCount } = pager.reader;
  return { count, checkpointCount, spilledCountMax, loadCount, defects };
}

function read(task: StoreTask): StoreResult {
  const memory = SharedMemory.attach(task.parts);
  const flags = new SharedWords(task.flags);
  const directory = openNodeDirectory(task.directory);
  while (flags.load(FLAG_READY) === 0) nap(1);
  const reader = new PageReader(memory, task.thread, {
    data: directory.open('data', 'read'),
    spill: directory.open('spill', 'read'),
  });
  const snapshots = new Snapshots(memory);
  const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
  const random = seededRandom(task.seed + task.thread);
  const key = new Uint8Array(8);
  let count = 0;
  while (flags.load(FLAG_STOP) === 0) {
    const snapshot = snapshots.acquire(task.thread);
    cursor.reset(TREE, snapshot);
    reader.enter();
    let sum = 0;
    let isOn = cursor.first();
    while (isOn) {
      const run = cursor.leafRun(1 + random(200))!;
      const view = run.view;
      // A pause within an epoch: what the run shows must stay, however much the writer reuses.
      if (random(200) === 0) nap(1 + random(8));
      for (let i = 0; i < run.count; i++) sum += view.getInt32(run.valueStart[i]!);
      if (random(20) === 0) {
        reader.leave();
        if (random(5) === 0) nap(1);
        reader.enter();
        cursor.refresh();
      }
      isOn = cursor.next();
    }
    for (let i = 0; i < 50; i++) {
      setAccount(key, random(ACCOUNT_COUNT));
      cursor.seek(key, 8, 'ge');
    }
    reader.leave();
    snapshots.release(task.thread);
    if (sum !== ACCOUNT_COUNT * BALANCE) throw new Error(`the sum at ${snapshot} is ${sum}`);
    count++;
  }
  return {
    count,
    checkpointCount: 0,
    spilledCountMax: 0,
    loadCount: reader.loadCount,
    defects: [],
  };
}

if (parentPort !== null && (workerData as StoreTask | null)?.flags !== undefined) {
  const task = workerData as StoreTask;
  parentPort.postMessage(task.role === 'write' ? write(task) : read(task));
}
