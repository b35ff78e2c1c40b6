/** Control file: where recovery starts. Two slots, at offsets 0 and 4096, written in turn, so that a
 * torn write leaves the other one. A slot has 128 bytes; integers are little-endian.
 *
 *   offset  size  field
 *        0     8  magic          "HEDLCTRL"
 *        8     4  version        1
 *       12     4  page size      8192
 *       16     8  sequence       counts writes; the valid slot with the higher one holds
 *       24     8  system id      random, given when the store was made
 *       32     8  checkpoint     LSN whose snapshot the data file holds
 *       40     8  redo           LSN from which the log is needed; at most the checkpoint
 *       48     8  page count     of the data file at the checkpoint
 *       56     8  next tree      ids from here on are free, but for those the log uses
 *       64     8  next xid       likewise
 *       72     4  epoch          number of the last opening
 *       76     4  clean          1 after a clean stop: the log ends at the checkpoint
 *       80     4  segment size   of the log
 *       84    40  zeros
 *      124     4  crc32          of bytes 0 .. 124
 *
 * Valid if and only if the checksum and the magic match. Versions: 1, first release. */

import { assert, crc32 } from '../../base/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Directory, File } from '../../io/index.ts';
import type { Lsn } from '../tree.ts';
import { readU64, writeU64 } from '../wal/index.ts';

export const CONTROL_FILE_NAME = 'control';
const NEW_NAME = 'control.new';
export const CONTROL_SLOT_SIZE = 128;
const SLOT_OFFSETS = [0, 4096] as const;
const FILE_SIZE = 8192;
const MAGIC = 'HEDLCTRL';
const VERSION = 1;
const CRC_OFFSET = 124;

/** What the control file says. */
export interface ControlState {
  readonly systemId: number;
  readonly checkpointLsn: Lsn;
  readonly redoLsn: Lsn;
  readonly pageCount: number;
  readonly nextTreeId: number;
  readonly nextXid: number;
  readonly epoch: number;
  readonly clean: boolean;
}

/** Sizes that are fixed when a store is made. */
export interface StoreFormat {
  readonly pageSize: number;
  readonly segmentSize: number;
}

export class ControlFile {
  readonly #file: File;
  readonly #format: StoreFormat;
  #sequence: number;
  #state: ControlState;

  private constructor(file: File, format: StoreFormat, sequence: number, state: ControlState) {
    this.#file = file;
    this.#format = format;
    this.#sequence = sequence;
    this.#state = state;
  }

  static exists(directory: Directory): boolean {
    return directory.exists(CONTROL_FILE_NAME);
  }

  /** Makes the file; once it is there, the store is. */
  static create(directory: Directory, format: StoreFormat, state: ControlState): ControlFile {
    const file = directory.open(NEW_NAME, 'create');
    // Both slots have their space on the disk, so that a full one never stops a checkpoint half way.
    file.writeAt(new Uint8Array(FILE_SIZE), 0);
    file.writeAt(encodeSlot(format, 1, state), SLOT_OFFSETS[1]);
    file.sync();
    file.close();
    directory.rename(NEW_NAME, CONTROL_FILE_NAME);
    directory.sync();
    return ControlFile.open(directory, format);
  }

  /** Fails when the store is damaged, or was made with another version or other sizes. */
  static open(directory: Directory, format: StoreFormat): ControlFile {
    const file = directory.open(CONTROL_FILE_NAME, 'write');
    let best: Uint8Array | null = null;
    let bestSequence = -1;
    for (const offset of SLOT_OFFSETS) {
      const slot = new Uint8Array(CONTROL_SLOT_SIZE);
      file.readAt(slot, offset);
      if (!isSlotValid(slot)) continue;
      const sequence = readU64(viewOf(slot), 16);
      if (sequence > bestSequence) {
        best = slot;
        bestSequence = sequence;
      }
    }
    if (best === null) {
      throw pgError('data_corrupted', `control file "${file.path}" is damaged`, {
        severity: 'FATAL',
        detail: 'Neither of its two slots has a valid checksum.',
        hint: 'Restore the data directory from a backup.',
      });
    }
    verifyFormat(best, format, directory.path);
    return new ControlFile(file, format, bestSequence, decodeSlot(best));
  }

  get state(): ControlState {
    return this.#state;
  }

  /** Makes a new state stable. */
  write(state: ControlState): void {
    const sequence = this.#sequence + 1;
    this.#file.writeAt(encodeSlot(this.#format, sequence, state), SLOT_OFFSETS[sequence & 1]!);
    this.#file.sync();
    this.#sequence = sequence;
    this.#state = state;
  }

  close(): void {
    this.#file.close();
  }
}

/** A slot's bytes, as the checkpoint journal keeps them too. */
export function encodeSlot(format: StoreFormat, sequence: number, state: ControlState): Uint8Array {
  const slot = new Uint8Array(CONTROL_SLOT_SIZE);
  const view = viewOf(slot);
  for (let i = 0; i < MAGIC.length; i++) slot[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, format.pageSize, true);
  writeU64(view, 16, sequence);
  writeU64(view, 24, state.systemId);
  writeU64(view, 32, state.checkpointLsn);
  writeU64(view, 40, state.redoLsn);
  writeU64(view, 48, state.pageCount);
  writeU64(view, 56, state.nextTreeId);
  writeU64(view, 64, state.nextXid);
  view.setUint32(72, state.epoch, true);
  view.setUint32(76, state.clean ? 1 : 0, true);
  view.setUint32(80, format.segmentSize, true);
  view.setUint32(CRC_OFFSET, crc32(slot, 0, CRC_OFFSET), true);
  return slot;
}

export function isSlotValid(slot: Uint8Array): boolean {
  assert(slot.length === CONTROL_SLOT_SIZE, 'a control slot has its size');
  for (let i = 0; i < MAGIC.length; i++) if (slot[i] !== MAGIC.charCodeAt(i)) return false;
  return viewOf(slot).getUint32(CRC_OFFSET, true) === crc32(slot, 0, CRC_OFFSET);
}

export function decodeSlot(slot: Uint8Array): ControlState {
  const view = viewOf(slot);
  return {
    systemId: readU64(view, 24),
    checkpointLsn: readU64(view, 32) as Lsn,
    redoLsn: readU64(view, 40) as Lsn,
    pageCount: readU64(view, 48),
    nextTreeId: readU64(view, 56),
    nextXid: readU64(view, 64),
    epoch: view.getUint32(72, true),
    clean: view.getUint32(76, true) === 1,
  };
}

function verifyFormat(slot: Uint8Array, format: StoreFormat, path: string): void {
  const view = viewOf(slot);
  const found = view.getUint32(8, true);
  if (found !== VERSION) throw incompatible(path, 'format version', found, VERSION);
  const pageSize = view.getUint32(12, true);
  if (pageSize !== format.pageSize) {
    throw incompatible(path, 'page size', pageSize, format.pageSize);
  }
  const segmentSize = view.getUint32(80, true);
  if (segmentSize !== format.segmentSize) {
    throw incompatible(path, 'log segment size', segmentSize, format.segmentSize);
  }
}

function incompatible(path: string, what: string, found: number, expected: number): PgError {
  return pgError('config_file_error', 'database files are incompatible with server', {
    severity: 'FATAL',
    detail:
      `The data directory "${path}" was initialized with ${what} ${found}, ` +
      `but the server uses ${what} ${expected}.`,
  });
}

function viewOf(slot: Uint8Array): DataView {
  return new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
}
