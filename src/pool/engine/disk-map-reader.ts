import { MabsError } from '../../lib/errors.ts';
import type { ThreadPorts } from './engine-ports.ts';
import { MAP_FAN_OUT, MAP_PAGE_BYTES, type MapGeometry } from './map-geometry.ts';
import { digestAt, expandPage, isZeroDigest, ZERO_DIGEST } from './map-page.ts';
import { readBlock } from './read-block.ts';

/** Pages kept in memory: 8 MiB. */
const CACHED_PAGES = 1024;

/** Stands for a page that is lost. */
const lostPage: Uint8Array = new Uint8Array(MAP_PAGE_BYTES);

export interface DiskMapReaderOptions {
  /** A page that is lost or damaged reads as all zero, and its digest is put here; else it is an error. */
  readonly lostPages?: Set<string>;
}

/** Reads the map of a disk page by page, whatever the size of the disk, in bounded memory. */
export class DiskMapReader {
  readonly geometry: MapGeometry;
  readonly root: Uint8Array;
  /** The first leaf page below each page that was found lost, or itself. */
  readonly lostLeaves = new Set<number>();
  readonly #ports: Pick<ThreadPorts, 'index' | 'reader'>;
  readonly #lostPages: Set<string> | undefined;
  /** By digest, the least recently used first. */
  readonly #cache = new Map<string, Uint8Array>();

  constructor(
    ports: Pick<ThreadPorts, 'index' | 'reader'>,
    root: Uint8Array,
    geometry: MapGeometry,
    { lostPages }: DiskMapReaderOptions = {},
  ) {
    this.#ports = ports;
    this.root = root;
    this.geometry = geometry;
    this.#lostPages = lostPages;
  }

  /**
   * The digest of a node: a block at level 0, else a page. Levels above the root's are those of a disk that has grown: there only
   * the first node is not zero. It must be written before it can be read; see `page`.
   */
  async digest(level: number, index: number): Promise<Uint8Array> {
    const { levels } = this.geometry;
    if (level === levels) return index === 0 ? this.root : ZERO_DIGEST;
    if (level > levels) return ZERO_DIGEST;
    const parent = await this.page(level + 1, Math.floor(index / MAP_FAN_OUT));
    return parent ? digestAt(parent, index % MAP_FAN_OUT) : ZERO_DIGEST;
  }

  /** A full page, not to be changed; undefined when it is all zero. Above the root: what the page of a grown disk begins with. */
  async page(level: number, index: number): Promise<Uint8Array | undefined> {
    if (level > this.geometry.levels) return index === 0 ? await this.#pageAbove(level) : undefined;
    const digest = await this.digest(level, index);
    if (isZeroDigest(digest)) return undefined;
    const page = await this.#load(digest);
    if (page === lostPage) this.lostLeaves.add(index * MAP_FAN_OUT ** (level - 1));
    return page;
  }

  async #pageAbove(level: number): Promise<Uint8Array | undefined> {
    const below = await this.digest(level - 1, 0);
    return isZeroDigest(below) ? undefined : expandPage(below);
  }

  async #load(digest: Uint8Array): Promise<Uint8Array> {
    const key = Buffer.from(digest).toString('latin1');
    const cached = this.#cache.get(key);
    const page = cached ?? (await this.#fetch(digest));
    if (cached) this.#cache.delete(key);
    this.#cache.set(key, page);
    if (this.#cache.size > CACHED_PAGES) this.#cache.delete(this.#cache.keys().next().value!);
    return page;
  }

  async #fetch(digest: Uint8Array): Promise<Uint8Array> {
    try {
      return toPage(digest, await readBlock(this.#ports, digest));
    } catch (error) {
      const lost = error instanceof MabsError && (error.kind === 'damaged' || error.code === 'MABS-BLOB-MISSING');
      if (!this.#lostPages || !lost) throw error;
      this.#lostPages.add(Buffer.from(digest).toString('hex'));
      return lostPage;
    }
  }
}

/** A full page of a stored block of a map. MABS-MAP-DAMAGED when it cannot be one. */
export function toPage(digest: Uint8Array, stored: Uint8Array): Uint8Array {
  const page = expandPage(stored);
  if (!page) throw new MapDamagedError(digest, stored.length);
  return page;
}

/** A block that should be a page of a disk map is none. */
export class MapDamagedError extends MabsError {
  readonly code = 'MABS-MAP-DAMAGED';
  readonly hint = 'The map of this disk cannot be used: recover from another point, and run `mabs pool check`.';
  override readonly kind = 'damaged';
  constructor(digest: Uint8Array, length: number) {
    super(`block ${Buffer.from(digest).toString('hex')} of ${length} bytes is not a page of a disk map`);
  }
}
