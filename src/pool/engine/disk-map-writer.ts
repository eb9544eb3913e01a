import type { DiskMapReader } from './disk-map-reader.ts';
import { MAP_FAN_OUT, MAP_PAGE_BYTES, type MapGeometry, nodesAt } from './map-geometry.ts';
import { cutPage, digestAt, isZeroPage, trimPage, ZERO_DIGEST } from './map-page.ts';

/** Stores a page, without the zero digests at its end, unless the pool has it; answers its digest. */
export type StorePage = (page: Uint8Array, baseDigest: Uint8Array) => Promise<Uint8Array>;

/**
 * Writes the map of a disk: the pages that are set, ascending, and those on the way from them to the root. All others are those of
 * the base, unread. One page of each level is held in memory.
 */
export class DiskMapWriter {
  readonly #geometry: MapGeometry;
  readonly #base: DiskMapReader | undefined;
  readonly #store: StorePage;
  /** The page of each level that is being changed. */
  readonly #open: ({ index: number; page: Uint8Array } | undefined)[] = [];
  /** Leaf pages that are written anew in any case, ascending. */
  readonly #touched: number[];
  #root: Uint8Array;
  #lastLeaf = -1;

  /** `rewritten`: leaf pages that are written, with all above them, even when nobody sets them. */
  constructor(geometry: MapGeometry, base: DiskMapReader | undefined, store: StorePage, rewritten: readonly number[] = []) {
    this.#geometry = geometry;
    this.#base = base;
    this.#store = store;
    this.#root = base ? base.root : ZERO_DIGEST;
    const leaves = nodesAt(geometry.blocks, 1);
    const touched = new Set(rewritten);
    // A higher tree begins with the old one, a smaller one no longer has what lay behind its end.
    if (base && base.geometry.levels < geometry.levels) touched.add(0);
    if (base && base.geometry.blocks > geometry.blocks) touched.add(leaves - 1);
    this.#touched = [...touched].filter((leaf) => leaf >= 0 && leaf < leaves).sort((a, b) => a - b);
  }

  /** A leaf page as the base has it, cut where this disk ends; a copy. */
  async baseLeaf(index: number): Promise<Uint8Array> {
    return await this.#basePage(1, index);
  }

  /** Sets a full page of level 1. Pages come in ascending order, each at most once. */
  async setLeaf(index: number, page: Uint8Array): Promise<void> {
    if (index <= this.#lastLeaf) throw new Error(`page ${index} of a disk map comes after page ${this.#lastLeaf}`);
    await this.#rewriteBefore(index);
    if (this.#touched[0] === index) this.#touched.shift();
    this.#lastLeaf = index;
    await this.#put(1, index, page);
  }

  /** Writes what is still open; answers the digest of the root, all zero for a disk of zeros. */
  async finish(): Promise<Uint8Array> {
    const { blocks, levels } = this.#geometry;
    if (blocks === 0) return ZERO_DIGEST;
    await this.#rewriteBefore(Number.POSITIVE_INFINITY);
    for (let level = 2; level <= levels; level += 1) await this.#flush(level);
    return this.#root;
  }

  async #rewriteBefore(index: number): Promise<void> {
    while (this.#touched.length > 0 && this.#touched[0]! < index) {
      const leaf = this.#touched.shift()!;
      await this.#put(1, leaf, await this.baseLeaf(leaf));
    }
  }

  async #put(level: number, index: number, page: Uint8Array): Promise<void> {
    const baseDigest = (await this.#base?.digest(level, index)) ?? ZERO_DIGEST;
    const digest = isZeroPage(page) ? ZERO_DIGEST : await this.#store(trimPage(page), baseDigest);
    if (level === this.#geometry.levels) this.#root = digest;
    else await this.#setChild(level + 1, index, digest);
  }

  async #setChild(level: number, child: number, digest: Uint8Array): Promise<void> {
    const index = Math.floor(child / MAP_FAN_OUT);
    if (this.#open[level]?.index !== index) {
      await this.#flush(level);
      this.#open[level] = { index, page: await this.#basePage(level, index) };
    }
    digestAt(this.#open[level]!.page, child % MAP_FAN_OUT).set(digest);
  }

  async #flush(level: number): Promise<void> {
    const open = this.#open[level];
    this.#open[level] = undefined;
    if (open) await this.#put(level, open.index, open.page);
  }

  async #basePage(level: number, index: number): Promise<Uint8Array> {
    const page = new Uint8Array(MAP_PAGE_BYTES);
    const base = await this.#base?.page(level, index);
    if (base) page.set(base);
    cutPage(page, nodesAt(this.#geometry.blocks, level - 1) - index * MAP_FAN_OUT);
    return page;
  }
}
