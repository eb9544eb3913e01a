import { KIB } from './vhdx-units.ts';

/** Bytes of the file in a page; regions and bitmap blocks begin on one, so no table entry crosses two. */
export const PAGE_SIZE = 64 * KIB;
const MAX_CLEAN_PAGES = 64;

/** A piece of the file's tables in memory. Bytes from `dirtyFrom` to `dirtyTo` are not in the file yet. */
export interface Page {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  dirtyFrom: number;
  dirtyTo: number;
}

/**
 * Pages of the block allocation table and of sector bitmaps, read on demand. At most 64 clean ones are kept (4 MiB), so that
 * the table of a 64 TB disk (up to 512 MiB) is never in memory whole; changed ones stay until they were written.
 */
export class PageCache {
  readonly #read: (position: number, into: Uint8Array) => Promise<void>;
  readonly #clean = new Map<number, Page>();
  readonly #dirty = new Map<number, Page>();

  /** `read` fills a buffer from a position of the file. */
  constructor(read: (position: number, into: Uint8Array) => Promise<void>) {
    this.#read = read;
  }

  /** The page that holds `position`, if it is in memory. */
  peek(position: number): Page | undefined {
    const start = position - (position % PAGE_SIZE);
    return this.#dirty.get(start) ?? this.#clean.get(start);
  }

  /** The page that holds `position`. */
  async load(position: number): Promise<Page> {
    const start = position - (position % PAGE_SIZE);
    const present = this.peek(start);
    if (present) return present;
    const bytes = new Uint8Array(PAGE_SIZE);
    await this.#read(start, bytes);
    // Another caller may have loaded it meanwhile, and changed it: there must be one page only.
    const meanwhile = this.peek(start);
    if (meanwhile) return meanwhile;
    const page = { position: start, bytes, view: new DataView(bytes.buffer), dirtyFrom: PAGE_SIZE, dirtyTo: 0 };
    if (this.#clean.size >= MAX_CLEAN_PAGES) this.#clean.delete(this.#clean.keys().next().value!);
    this.#clean.set(start, page);
    return page;
  }

  /** Records that `length` bytes at `position` of the file were changed in their page. */
  markDirty(page: Page, position: number, length: number): void {
    page.dirtyFrom = Math.min(page.dirtyFrom, position - page.position);
    page.dirtyTo = Math.max(page.dirtyTo, position - page.position + length);
    this.#clean.delete(page.position);
    this.#dirty.set(page.position, page);
  }

  get dirtyPages(): number {
    return this.#dirty.size;
  }

  /** Writes the changed parts of the pages that `which` names, in ascending order, and answers how many there were. */
  async writeDirty(which: (position: number) => boolean, write: (position: number, bytes: Uint8Array) => Promise<void>): Promise<number> {
    const pages = [...this.#dirty.values()].filter((page) => which(page.position)).sort((a, b) => a.position - b.position);
    for (const page of pages) {
      const { dirtyFrom, dirtyTo } = page;
      await write(page.position + dirtyFrom, page.bytes.subarray(dirtyFrom, dirtyTo));
      page.dirtyFrom = PAGE_SIZE;
      page.dirtyTo = 0;
      this.#dirty.delete(page.position);
      if (this.#clean.size < MAX_CLEAN_PAGES) this.#clean.set(page.position, page);
    }
    return pages.length;
  }
}
