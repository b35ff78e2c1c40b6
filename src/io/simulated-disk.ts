/** A disk that fails as disks do, from a seed.
 *
 * Every file and directory has two states: what the running system sees, and what is on stable
 * storage. `sync` makes the second equal to the first. At a power cut each write since the last
 * sync is kept, dropped, or torn by sectors of 512 bytes, each on its own (so writes are reordered
 * too), and each creation, rename, removal and truncation likewise is kept or lost. A sector that
 * the file grew by without its bytes reads as zeros.
 *
 * Operations are counted; `cutPowerAt` and `failAt` name one by its number, so that a failure is
 * found again from seed and number. Reads count as operations as well. */

import { SeededRandom } from '../base/index.ts';
import type { Directory, File, OpenMode } from './file.ts';
import { ioError } from './io-error.ts';

const SECTOR_SIZE = 512;
const GROWTH_MIN = 4096;

/** Thrown by every operation from the power cut on, until the disk is restarted. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

type PendingChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

type PendingEntry =
  | { readonly kind: 'create'; readonly name: string; readonly node: Node }
  | { readonly kind: 'remove'; readonly name: string; readonly node: Node }
  | {
      readonly kind: 'rename';
      readonly from: string;
      readonly to: string;
      readonly node: Node;
    };

/** How the changes that were not synced fare at one power cut. */
type Fate = 'keep' | 'drop' | 'each' | 'torn';

class Content {
  bytes = new Uint8Array(0);
  size = 0;

  write(position: number, source: Uint8Array): void {
    const end = position + source.length;
    if (end > this.bytes.length) this.#grow(end);
    this.bytes.set(source, position);
    if (end > this.size) this.size = end;
  }

  truncate(size: number): void {
    if (size > this.bytes.length) this.#grow(size);
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }

  copyFrom(other: Content): void {
    this.bytes = other.bytes.slice(0, other.size);
    this.size = other.size;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, GROWTH_MIN));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
  }
}

class FileNode {
  readonly kind = 'file';
  readonly seen = new Content();
  readonly stable = new Content();
  pending: PendingChange[] = [];
}

class DirectoryNode {
  readonly kind = 'directory';
  readonly path: string;
  seen = new Map<string, Node>();
  stable = new Map<string, Node>();
  pending: PendingEntry[] = [];

  constructor(path: string) {
    this.path = path;
  }
}

type Node = FileNode | DirectoryNode;

/** Options of a simulated disk. */
export interface SimulatedDiskOptions {
  readonly seed: number;
  /** Bytes that all files together may hold. */
  readonly capacity?: number;
}

export class SimulatedDisk {
  readonly #random: SeededRandom;
  readonly #root = new DirectoryNode('disk:');
  /** Restarts so far; files opened before the last one are dead. */
  #generation = 0;
  #used = 0;
  #capacity: number;
  #cutAt = Number.POSITIVE_INFINITY;
  #failAt = Number.POSITIVE_INFINITY;
  #cut = false;
  /** Operations so far. */
  operations = 0;
  /** Operations so far that synced a file or directory. */
  syncs = 0;
  /** Errors injected so far. */
  errors = 0;

  constructor(options: SimulatedDiskOptions) {
    this.#random = new SeededRandom(options.seed);
    this.#capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  }

  /** The root directory, as the system since the last restart sees it. */
  directory(): Directory {
    return new SimulatedDirectory(this, this.#root);
  }

  /** The power fails at the operation of this number, before it has any effect, or, for a write, when
   * it was handed over but not synced. */
  cutPowerAt(operation: number): void {
    this.#cutAt = operation;
  }

  /** The operation of this number (or the next that can) answers with an input/output error. */
  failAt(operation: number): void {
    this.#failAt = operation;
  }

  limitCapacity(capacity: number): void {
    this.#capacity = capacity;
  }

  get used(): number {
    return this.#used;
  }

  get powerIsCut(): boolean {
    return this.#cut;
  }

  /** Loses what a power cut loses and brings the disk back; open files are dead. */
  restartAfterPowerCut(): void {
    const fate = this.#pickFate();
    this.#settleDirectory(this.#root, fate, new Set());
    this.#restart();
  }

  /** The system restarts with all that it saw, as after the death of the process alone. */
  restartAfterProcessDeath(): void {
    this.#restart();
  }

  /** Damages bytes of a file in place, as a bad sector or a stray write does. */
  corrupt(path: string, position: number, bytes: Uint8Array): void {
    const names = path.split('/');
    let node: Node | undefined = this.#root;
    for (const name of names) {
      node = node?.kind === 'directory' ? node.seen.get(name) : undefined;
    }
    if (node?.kind !== 'file') throw ioError('open file', path, 'ENOENT');
    node.seen.write(position, bytes);
    node.stable.write(position, bytes);
  }

  #restart(): void {
    this.#generation++;
    this.#cut = false;
    this.#cutAt = Number.POSITIVE_INFINITY;
    this.#failAt = Number.POSITIVE_INFINITY;
    this.#used = sizeOf(this.#root);
  }

  #pickFate(): Fate {
    const pick = this.#random.below(8);
    return pick === 0 ? 'keep' : pick === 1 ? 'drop' : pick < 5 ? 'each' : 'torn';
  }

  #settleDirectory(directory: DirectoryNode, fate: Fate, settled: Set<FileNode>): void {
    for (const entry of directory.pending) {
      const kept = fate === 'keep' || (fate !== 'drop' && this.#random.chance(0.5));
      if (kept) applyEntry(directory.stable, entry);
    }
    directory.pending = [];
    directory.seen = new Map(directory.stable);
    for (const node of directory.stable.values()) {
      if (node.kind === 'directory') this.#settleDirectory(node, fate, settled);
      else if (!settled.has(node)) this.#settleFile(node, fate, settled);
    }
  }

  #settleFile(file: FileNode, fate: Fate, settled: Set<FileNode>): void {
    settled.add(file);
    for (const change of file.pending) this.#settleChange(file.stable, change, fate);
    file.pending = [];
    file.seen.copyFrom(file.stable);
  }

  #settleChange(stable: Content, change: PendingChange, fate: Fate): void {
    const random = this.#random;
    const kept = fate === 'keep' || (fate !== 'drop' && random.chance(0.5));
    if (change.kind === 'truncate') {
      if (kept) stable.truncate(change.size);
      return;
    }
    if (fate !== 'torn') {
      if (kept) stable.write(change.position, change.bytes);
      return;
    }
    const { position, bytes } = change;
    const bias = random.below(5) / 4;
    for (let start = 0; start < bytes.length; ) {
      const end = Math.min(bytes.length, start + SECTOR_SIZE - ((position + start) % SECTOR_SIZE));
      if (random.chance(bias)) stable.write(position + start, bytes.subarray(start, end));
      start = end;
    }
  }

  // What follows is for the files and directories of this disk.

  get generation(): number {
    return this.#generation;
  }

  /** Counts an operation; returns true when it has to fail with EIO. */
  count(generation: number): boolean {
    if (this.#cut || generation !== this.#generation) throw new PowerCut('the power is cut');
    this.operations++;
    if (this.operations >= this.#cutAt) {
      this.#cut = true;
      throw new PowerCut(`the power was cut at operation ${this.operations}`);
    }
    if (this.operations < this.#failAt) return false;
    this.#failAt = Number.POSITIVE_INFINITY;
    this.errors++;
    return true;
  }

  /** True when the next operation that is counted meets the power cut. */
  get cutIsNext(): boolean {
    return !this.#cut && this.operations + 1 >= this.#cutAt;
  }

  /** How many of `growth` more bytes fit; they are taken. */
  allocate(growth: number): number {
    const granted = Math.min(growth, Math.max(0, this.#capacity - this.#used));
    this.#used += granted;
    return granted;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }

  /** A sync that failed: the system forgets that the pages were dirty, some are lost for good. */
  failSync(file: FileNode): void {
    for (const change of file.pending) this.#settleChange(file.stable, change, 'torn');
    file.pending = [];
  }
}

function applyEntry(entries: Map<string, Node>, entry: PendingEntry): void {
  switch (entry.kind) {
    case 'create':
      entries.set(entry.name, entry.node);
      return;
    case 'remove':
      if (entries.get(entry.name) === entry.node) entries.delete(entry.name);
      return;
    case 'rename':
      if (entries.get(entry.from) !== entry.node) return;
      entries.delete(entry.from);
      entries.set(entry.to, entry.node);
  }
}

function sizeOf(node: Node): number {
  if (node.kind === 'file') return node.seen.size;
  let size = 0;
  for (const child of node.seen.values()) size += sizeOf(child);
  return size;
}

class SimulatedDirectory implements Directory {
  readonly path: string;
  readonly #disk: SimulatedDisk;
  readonly #node: DirectoryNode;
  readonly #generation: number;

  constructor(disk: SimulatedDisk, node: DirectoryNode) {
    this.path = node.path;
    this.#disk = disk;
    this.#node = node;
    this.#generation = disk.generation;
  }

  open(name: string, mode: OpenMode): File {
    const path = this.#pathOf(name);
    if (this.#disk.count(this.#generation)) throw ioError('open file', path, 'EIO');
    let node = this.#node.seen.get(name);
    if (node !== undefined && mode === 'exclusive') throw ioError('create file', path, 'EEXIST');
    if (node?.kind === 'directory') throw ioError('open file', path, 'EISDIR');
    if (node === undefined) {
      if (mode === 'read' || mode === 'write') throw ioError('open file', path, 'ENOENT');
      node = new FileNode();
      this.#change({ kind: 'create', name, node });
    }
    return new SimulatedFile(this.#disk, path, node);
  }

  exists(name: string): boolean {
    return this.#node.seen.has(name);
  }

  remove(name: string): void {
    const path = this.#pathOf(name);
    if (this.#disk.count(this.#generation)) throw ioError('remove file', path, 'EIO');
    const node = this.#node.seen.get(name);
    if (node === undefined) throw ioError('remove file', path, 'ENOENT');
    this.#disk.release(sizeOf(node));
    this.#change({ kind: 'remove', name, node });
  }

  rename(from: string, to: string): void {
    const source = this.#pathOf(from);
    const target = this.#pathOf(to);
    if (this.#disk.count(this.#generation)) throw ioError('rename file', source, 'EIO', target);
    const node = this.#node.seen.get(from);
    if (node === undefined) throw ioError('rename file', source, 'ENOENT', target);
    const replaced = this.#node.seen.get(to);
    if (replaced !== undefined && replaced !== node) this.#disk.release(sizeOf(replaced));
    this.#change({ kind: 'rename', from, to, node });
  }

  list(): string[] {
    if (this.#disk.count(this.#generation)) throw ioError('open directory', this.path, 'EIO');
    return [...this.#node.seen.keys()].sort();
  }

  makeDirectory(name: string): Directory {
    const path = this.#pathOf(name);
    if (this.#disk.count(this.#generation)) throw ioError('create directory', path, 'EIO');
    let node = this.#node.seen.get(name);
    if (node?.kind === 'file') throw ioError('create directory', path, 'EEXIST');
    if (node === undefined) {
      node = new DirectoryNode(path);
      this.#change({ kind: 'create', name, node });
    }
    return new SimulatedDirectory(this.#disk, node);
  }

  sync(): void {
    if (this.#disk.count(this.#generation)) throw ioError('fsync file', this.path, 'EIO');
    this.#disk.syncs++;
    this.#node.stable = new Map(this.#node.seen);
    this.#node.pending = [];
  }

  #pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  #change(entry: PendingEntry): void {
    applyEntry(this.#node.seen, entry);
    this.#node.pending.push(entry);
  }
}

class SimulatedFile implements File {
  readonly path: string;
  readonly #disk: SimulatedDisk;
  readonly #node: FileNode;
  readonly #generation: number;

  constructor(disk: SimulatedDisk, path: string, node: FileNode) {
    this.path = path;
    this.#disk = disk;
    this.#node = node;
    this.#generation = disk.generation;
  }

  readAt(buffer: Uint8Array, position: number): number {
    if (this.#disk.count(this.#generation)) throw ioError('read file', this.path, 'EIO');
    const { bytes, size } = this.#node.seen;
    const count = Math.max(0, Math.min(buffer.length, size - position));
    if (count > 0) buffer.set(bytes.subarray(position, position + count));
    return count;
  }

  writeAt(buffer: Uint8Array, position: number): void {
    // The bytes reach the system before the power fails, so that a torn last write is met as well.
    if (this.#disk.cutIsNext && this.#generation === this.#disk.generation) {
      this.#node.pending.push({ kind: 'write', position, bytes: buffer.slice() });
    }
    if (this.#disk.count(this.#generation)) throw ioError('write to file', this.path, 'EIO');
    const growth = Math.max(0, position + buffer.length - this.#node.seen.size);
    const granted = this.#disk.allocate(growth);
    const fits = buffer.slice(0, Math.max(0, buffer.length - (growth - granted)));
    this.#node.seen.write(position, fits);
    this.#node.pending.push({ kind: 'write', position, bytes: fits });
    if (granted < growth) throw ioError('write to file', this.path, 'ENOSPC');
  }

  sync(): void {
    if (this.#disk.count(this.#generation)) {
      this.#disk.failSync(this.#node);
      throw ioError('fsync file', this.path, 'EIO');
    }
    this.#disk.syncs++;
    const node = this.#node;
    for (const change of node.pending) {
      if (change.kind === 'write') node.stable.write(change.position, change.bytes);
      else node.stable.truncate(change.size);
    }
    node.pending = [];
  }

  truncate(size: number): void {
    if (this.#disk.count(this.#generation)) throw ioError('truncate file', this.path, 'EIO');
    const growth = size - this.#node.seen.size;
    if (growth <= 0) this.#disk.release(-growth);
    else if (this.#disk.allocate(growth) < growth) {
      throw ioError('truncate file', this.path, 'ENOSPC');
    }
    this.#node.seen.truncate(size);
    this.#node.pending.push({ kind: 'truncate', size });
  }

  size(): number {
    if (this.#disk.count(this.#generation)) throw ioError('stat file', this.path, 'EIO');
    return this.#node.seen.size;
  }

  close(): void {}
}
