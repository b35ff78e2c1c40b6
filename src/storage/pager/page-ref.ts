import { PAGE_SIZE } from '../page/index.ts';

const NO_BYTES = new Uint8Array(new SharedArrayBuffer(0));
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Where a resolved page is: at `base` of `bytes` and `view`. Good until the thread leaves its epoch
 * (a reader) or until the next operation (the writer), and until the ref is resolved again. */
export class PageRef {
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  base = 0;
  #scratchBytes: Uint8Array | null = null;
  #scratchView: DataView = NO_VIEW;

  /** Points the ref at 8 KiB of its own, for a page that finds no room in the pool. */
  useScratch(): void {
    if (this.#scratchBytes === null) {
      const buffer = new SharedArrayBuffer(PAGE_SIZE);
      this.#scratchBytes = new Uint8Array(buffer);
      this.#scratchView = new DataView(buffer);
    }
    this.bytes = this.#scratchBytes;
    this.view = this.#scratchView;
    this.base = 0;
  }
}
