/** Checkpoint journal: pages that a checkpoint is about to overwrite in the data file. Integers are
 * little-endian.
 *
 *   offset  size  field
 *        0     8  magic       "HEDLJRNL"
 *        8     4  version     1
 *       12     4  page size
 *       16     4  page count  of this journal
 *       20     4  body crc    crc32 of the pages
 *       24   128  control     the slot of the control file that the checkpoint will write
 *      152     4  header crc  crc32 of bytes 0 .. 152
 *      512     …  pages, each sealed; their headers say where they go
 *
 * Valid if and only if magic, version and both checksums match; a torn or stale one is not. The header
 * is written last, and when it is synced, the checkpoint has happened: whoever opens the store copies
 * the pages to their places, unless the control file has that checkpoint already.
 * Versions: 1, first release. */

import { assert, crc32 } from '../../base/index.ts';
import type { Directory, File } from '../../io/index.ts';
import {
  CONTROL_SLOT_SIZE,
  type ControlState,
  decodeSlot,
  encodeSlot,
  isSlotValid,
  type StoreFormat,
} from './control-file.ts';

export const JOURNAL_NAME = 'checkpoint.journal';
const MAGIC = 'HEDLJRNL';
const VERSION = 1;
const CONTROL_OFFSET = 24;
const HEADER_CRC_OFFSET = CONTROL_OFFSET + CONTROL_SLOT_SIZE;
const BODY_OFFSET = 512;
/** Pages handed to the system in one write. */
const PAGES_PER_WRITE = 16;

export class CheckpointJournal {
  readonly #file: File;
  readonly #format: StoreFormat;
  readonly #buffer: Uint8Array;
  #buffered = 0;
  #written = 0;
  #crc = 0;

  /** The name is synced with the directory by who opens the store. */
  constructor(directory: Directory, format: StoreFormat) {
    this.#file = directory.open(JOURNAL_NAME, 'create');
    this.#format = format;
    this.#buffer = new Uint8Array(PAGES_PER_WRITE * format.pageSize);
  }

  /** Pages of the journal that is being written. */
  get pageCount(): number {
    return this.#written + this.#buffered;
  }

  begin(): void {
    this.#buffered = 0;
    this.#written = 0;
    this.#crc = 0;
  }

  /** Adds a sealed page, copied. */
  add(bytes: Uint8Array, base: number): void {
    const { pageSize } = this.#format;
    this.#buffer.set(bytes.subarray(base, base + pageSize), this.#buffered * pageSize);
    this.#buffered++;
    if (this.#buffered === PAGES_PER_WRITE) this.#writeBuffer();
  }

  /** Makes the pages added so far stable. */
  sync(): void {
    this.#writeBuffer();
    this.#file.sync();
  }

  /** The point of no return of a checkpoint. */
  commit(state: ControlState): void {
    assert(this.#buffered === 0, 'the pages of the journal are written before its header');
    const header = new Uint8Array(BODY_OFFSET);
    const view = new DataView(header.buffer);
    for (let i = 0; i < MAGIC.length; i++) header[i] = MAGIC.charCodeAt(i);
    view.setUint32(8, VERSION, true);
    view.setUint32(12, this.#format.pageSize, true);
    view.setUint32(16, this.#written, true);
    view.setUint32(20, this.#crc, true);
    header.set(encodeSlot(this.#format, 0, state), CONTROL_OFFSET);
    view.setUint32(HEADER_CRC_OFFSET, crc32(header, 0, HEADER_CRC_OFFSET), true);
    this.#file.writeAt(header, 0);
    this.#file.sync();
  }

  /** The state that a complete journal leads to, or null. */
  read(): ControlState | null {
    const { pageSize } = this.#format;
    const header = new Uint8Array(BODY_OFFSET);
    if (this.#file.readAt(header, 0) < BODY_OFFSET) return null;
    const view = new DataView(header.buffer);
    for (let i = 0; i < MAGIC.length; i++) if (header[i] !== MAGIC.charCodeAt(i)) return null;
    if (view.getUint32(HEADER_CRC_OFFSET, true) !== crc32(header, 0, HEADER_CRC_OFFSET)) {
      return null;
    }
    if (view.getUint32(8, true) !== VERSION || view.getUint32(12, true) !== pageSize) return null;
    this.#written = view.getUint32(16, true);
    if (this.#file.size() < BODY_OFFSET + this.#written * pageSize) return null;
    let crc = 0;
    for (let page = 0; page < this.#written; page++) {
      if (!this.readPage(page)) return null;
      crc = crc32(this.#buffer, 0, pageSize, crc);
    }
    if (crc !== view.getUint32(20, true)) return null;
    const slot = header.slice(CONTROL_OFFSET, CONTROL_OFFSET + CONTROL_SLOT_SIZE);
    return isSlotValid(slot) ? decodeSlot(slot) : null;
  }

  /** Makes the journal that was read stable once more. After a sync that failed, the system may show
   * bytes that are not on the disk; written again, they are, before a page is overwritten. */
  stabilize(): void {
    const header = new Uint8Array(BODY_OFFSET);
    this.#file.readAt(header, 0);
    const { pageSize } = this.#format;
    for (let index = 0; index < this.#written; index++) {
      this.readPage(index);
      this.#file.writeAt(this.page, BODY_OFFSET + index * pageSize);
    }
    this.#file.writeAt(header, 0);
    this.#file.sync();
  }

  /** Reads the page with this index into `page`. */
  readPage(index: number): boolean {
    const { pageSize } = this.#format;
    const page = this.#buffer.subarray(0, pageSize);
    return this.#file.readAt(page, BODY_OFFSET + index * pageSize) === pageSize;
  }

  /** The page last read. */
  get page(): Uint8Array {
    return this.#buffer.subarray(0, this.#format.pageSize);
  }

  /** Gives space beyond `keptSize` back, when the control file has its checkpoint. A journal that stays
   * is older than the control file, and the next one is written over it. */
  drop(keptSize: number): void {
    if (BODY_OFFSET + this.#written * this.#format.pageSize > keptSize) this.#file.truncate(0);
  }

  close(): void {
    this.#file.close();
  }

  #writeBuffer(): void {
    if (this.#buffered === 0) return;
    const { pageSize } = this.#format;
    const length = this.#buffered * pageSize;
    this.#crc = crc32(this.#buffer, 0, length, this.#crc);
    this.#file.writeAt(this.#buffer.subarray(0, length), BODY_OFFSET + this.#written * pageSize);
    this.#written += this.#buffered;
    this.#buffered = 0;
  }
}
