import { pgError } from '../../errors/index.ts';
import {
  overflowLength,
  PAGE_HEADER_SIZE,
  PAGE_KIND_OVERFLOW,
  type PageNumber,
  pageKind,
  pageLink,
} from '../page/index.ts';
import { type PageReader, PageRef } from '../pager/index.ts';

/** Puts long values together from their overflow pages, in a buffer that grows and is used again. */
export class LongValueReader {
  /** The value read last, from 0 to its length. */
  bytes = new Uint8Array(0);
  readonly #reader: PageReader;
  readonly #ref = new PageRef();

  constructor(reader: PageReader) {
    this.#reader = reader;
  }

  read(firstPage: number, length: number, snapshot: number): void {
    if (this.bytes.length < length) {
      this.bytes = new Uint8Array(Math.max(length, Math.min(this.bytes.length * 2, 1 << 24)));
    }
    const ref = this.#ref;
    let page = firstPage as PageNumber;
    let at = 0;
    while (at < length) {
      if (page === 0) throw brokenChain(firstPage, length, at);
      this.#reader.resolve(page, snapshot, ref);
      const { bytes, view, base } = ref;
      const count = overflowLength(view, base);
      if (pageKind(bytes, base) !== PAGE_KIND_OVERFLOW || count === 0 || at + count > length) {
        throw brokenChain(firstPage, length, at);
      }
      this.bytes.set(bytes.subarray(base + PAGE_HEADER_SIZE, base + PAGE_HEADER_SIZE + count), at);
      at += count;
      page = pageLink(view, base);
    }
  }
}

function brokenChain(firstPage: number, length: number, at: number) {
  return pgError('data_corrupted', `invalid long value in overflow page ${firstPage}`, {
    detail: `Expected ${length} bytes, found ${at}.`,
  });
}
