import { pgError } from '../../errors/index.ts';
import {
  FREE_TRUNK_CAPACITY,
  initializePage,
  META_PAGE,
  metaFreeCount,
  metaFreeTrunk,
  metaPageCount,
  PAGE_KIND_FREE_TRUNK,
  type PageNumber,
  pageCountField,
  pageLink,
  pageNumber,
  popFreeEntry,
  pushFreeEntry,
  setMetaFree,
  setMetaPageCount,
  setPageLink,
} from '../page/index.ts';
import { PageRef } from './page-ref.ts';
import type { PageWriter } from './page-writer.ts';

/** Which pages are in no use: the list of trunk pages that the meta page begins, and beyond the page
 * count, all. The list is made of versioned pages like everything else, so that a snapshot has its own. */
export class FreeList {
  readonly #pages: PageWriter;
  readonly #meta = new PageRef();
  readonly #trunk = new PageRef();

  constructor(pages: PageWriter) {
    this.#pages = pages;
  }

  /** Pages of the data file, free ones included, as of the newest version. */
  get pageCount(): number {
    this.#pages.read(META_PAGE, this.#meta);
    return metaPageCount(this.#meta.view, this.#meta.base);
  }

  /** Takes a page and points `ref` at it. Its bytes are arbitrary. */
  allocate(ref: PageRef): PageNumber {
    const pages = this.#pages;
    const meta = this.#meta;
    pages.writable(META_PAGE, meta);
    const trunk = metaFreeTrunk(meta.view, meta.base);
    if (trunk === 0) return this.#extend(ref);
    const freeCount = metaFreeCount(meta.view, meta.base) - 1;
    const { view, base } = this.#readTrunk(trunk);
    if (pageCountField(view, base) === 0) {
      setMetaFree(meta.view, meta.base, pageLink(view, base), freeCount);
      pages.renew(trunk, ref);
      return trunk;
    }
    pages.writable(trunk, this.#trunk);
    const page = popFreeEntry(this.#trunk.view, this.#trunk.base);
    setMetaFree(meta.view, meta.base, trunk, freeCount);
    pages.renew(page, ref);
    return page;
  }

  /** Takes the first page beyond the page count, which `#meta` shows. */
  #extend(ref: PageRef): PageNumber {
    const { view, base } = this.#meta;
    const page = metaPageCount(view, base);
    const { pageCountMax } = this.#pages.memory;
    if (page >= pageCountMax) {
      throw pgError('program_limit_exceeded', 'the database has reached its largest size', {
        detail: `The page table has room for ${pageCountMax} pages.`,
      });
    }
    setMetaPageCount(view, base, page + 1);
    this.#pages.addPage(pageNumber(page), ref);
    return pageNumber(page);
  }

  free(page: PageNumber): void {
    const pages = this.#pages;
    const meta = this.#meta;
    pages.writable(META_PAGE, meta);
    const trunk = metaFreeTrunk(meta.view, meta.base);
    const freeCount = metaFreeCount(meta.view, meta.base) + 1;
    if (trunk !== 0) {
      const { view, base } = this.#readTrunk(trunk);
      if (pageCountField(view, base) < FREE_TRUNK_CAPACITY) {
        pages.writable(trunk, this.#trunk);
        pushFreeEntry(this.#trunk.view, this.#trunk.base, page);
        setMetaFree(meta.view, meta.base, trunk, freeCount);
        return;
      }
    }
    const ref = this.#trunk;
    pages.renew(page, ref);
    initializePage(ref.bytes, ref.view, ref.base, page, PAGE_KIND_FREE_TRUNK, pages.groupLsn);
    setPageLink(ref.view, ref.base, trunk);
    setMetaFree(meta.view, meta.base, page, freeCount);
  }

  #readTrunk(trunk: PageNumber): PageRef {
    this.#pages.read(trunk, this.#trunk);
    return this.#trunk;
  }
}
