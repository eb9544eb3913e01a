import type { BlobReader, BlobStore } from '../stores/blob-store.ts';
import { type BlockLocation, DIGEST_BYTES, type PoolKeys } from './block.ts';
import { filterMayHave } from './index-filter.ts';
import {
  createPageCodec,
  decodeSegmentTrailer,
  digestPrefix,
  ENTRIES_PER_PAGE,
  ENTRY_BYTES,
  FILTER_BLOCK_BYTES,
  fencePages,
  filterPages,
  type IndexEntry,
  PAGE_BYTES,
  PAGE_CONTENT_BYTES,
  type PageCodec,
  packPages,
  readIndexEntry,
} from './index-format.ts';
import { PACK_KEY_BYTES, packName } from './pack-format.ts';
import { PoolObjectDamagedError } from './pool-errors.ts';

/** What is kept in memory of a segment: plain data over shared memory, so that all threads use one copy. */
export interface SegmentSummary {
  readonly name: string;
  readonly entries: number;
  readonly entryPages: number;
  readonly salt: Uint8Array;
  /** The first 32 bits of the first digest of each page of entries. */
  readonly fences: Uint32Array;
  readonly filter: Uint8Array;
  /** Keys of the packs that entries number, PACK_KEY_BYTES each. */
  readonly packKeys: Uint8Array;
}

const CACHED_PAGES = 512;
const READ_PAGES = 256;

/** Reads and verifies what has to be in memory of a segment: about 1.3 bytes an entry. */
export async function summarizeSegment(
  store: BlobStore,
  name: string,
  poolId: Uint8Array,
  keys: PoolKeys | undefined,
): Promise<SegmentSummary> {
  await using blob = await store.open(name);
  if (blob.sizeBytes < PAGE_BYTES || blob.sizeBytes % PAGE_BYTES !== 0)
    throw new PoolObjectDamagedError(name, 0, 'its size is not that of whole pages');
  const last = Buffer.alloc(PAGE_BYTES);
  await blob.read(blob.sizeBytes - PAGE_BYTES, last);
  const trailer = decodeSegmentTrailer(name, last, blob.sizeBytes, poolId, keys !== undefined);
  const { entries, entryPages, filterBlocks, packs } = trailer;
  const salt = Uint8Array.from(trailer.salt);
  const codec = createPageCodec(poolId, keys, salt);
  const fences = new Uint32Array(new SharedArrayBuffer(entryPages * 4));
  const filter = new Uint8Array(new SharedArrayBuffer(filterBlocks * FILTER_BLOCK_BYTES));
  const packKeys = new Uint8Array(new SharedArrayBuffer(packs * PACK_KEY_BYTES));
  let page = entryPages;
  await readSection(blob, codec, page, new Uint8Array(fences.buffer));
  page += fencePages(entryPages);
  await readSection(blob, codec, page, filter);
  page += filterPages(filterBlocks);
  await readSection(blob, codec, page, packKeys);
  page += packPages(packs);
  return { name, entries, entryPages, salt, fences, filter, packKeys };
}

async function readSection(blob: BlobReader, codec: PageCodec, firstPage: number, into: Uint8Array): Promise<void> {
  const pages = Math.ceil(into.length / PAGE_CONTENT_BYTES);
  for (let done = 0; done < pages; done += READ_PAGES) {
    const count = Math.min(READ_PAGES, pages - done);
    const bytes = Buffer.alloc(count * PAGE_BYTES);
    await blob.read((firstPage + done) * PAGE_BYTES, bytes);
    for (let index = 0; index < count; index += 1) {
      const content = codec.decode(blob.name, firstPage + done + index, bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES));
      const at = (done + index) * PAGE_CONTENT_BYTES;
      into.set(content.subarray(0, Math.min(PAGE_CONTENT_BYTES, into.length - at)), at);
    }
  }
}

/** A block's place in a segment: the number of its entry, and where it lies. */
export interface SegmentHit {
  readonly position: number;
  readonly packNumber: number;
  readonly location: BlockLocation;
}

/** An index segment opened for look-ups: reads a page of 4 KiB when the filter does not rule a digest out. */
export class IndexSegment implements AsyncDisposable {
  readonly summary: SegmentSummary;
  readonly #blob: BlobReader;
  readonly #codec: PageCodec;
  readonly #pages = new Map<number, Buffer>();
  readonly #packNames: string[] = [];

  private constructor(summary: SegmentSummary, blob: BlobReader, codec: PageCodec) {
    this.summary = summary;
    this.#blob = blob;
    this.#codec = codec;
  }

  /** MABS-BLOB-MISSING when the segment was merged into another meanwhile. */
  static async open(store: BlobStore, summary: SegmentSummary, poolId: Uint8Array, keys: PoolKeys | undefined): Promise<IndexSegment> {
    return new IndexSegment(summary, await store.open(summary.name), createPageCodec(poolId, keys, summary.salt));
  }

  mayHave(digest: Uint8Array): boolean {
    return filterMayHave(this.summary.filter, digest);
  }

  /** All entries of a digest: mostly one, more where a block was stored again. */
  async find(digest: Uint8Array): Promise<SegmentHit[]> {
    const { fences, entries } = this.summary;
    const prefix = digestPrefix(digest);
    const hits: SegmentHit[] = [];
    for (let page = Math.max(0, firstAtLeast(fences, prefix) - 1); page < fences.length && fences[page]! <= prefix; page += 1) {
      const content = this.#pages.get(page) ?? (await this.#read(page));
      const count = Math.min(ENTRIES_PER_PAGE, entries - page * ENTRIES_PER_PAGE);
      for (let index = firstEntryAtLeast(content, count, digest); index < count && matches(content, index, digest); index += 1) {
        hits.push(this.#hit(page * ENTRIES_PER_PAGE + index, content, index * ENTRY_BYTES));
      }
    }
    return hits;
  }

  /** The content of entry pages from `firstPage` on, in order, without filling the cache: for merges and checks. */
  async *scan(firstPage = 0): AsyncGenerator<{ readonly position: number; readonly content: Buffer }> {
    const { entryPages, entries } = this.summary;
    for (let page = firstPage; page < entryPages; page += READ_PAGES) {
      const count = Math.min(READ_PAGES, entryPages - page);
      const bytes = Buffer.alloc(count * PAGE_BYTES);
      await this.#blob.read(page * PAGE_BYTES, bytes);
      for (let index = 0; index < count; index += 1) {
        const content = this.#codec.decode(this.summary.name, page + index, bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES));
        const position = (page + index) * ENTRIES_PER_PAGE;
        yield { position, content: content.subarray(0, Math.min(ENTRIES_PER_PAGE, entries - position) * ENTRY_BYTES) };
      }
    }
  }

  entryAt(content: Buffer, at: number): IndexEntry {
    return readIndexEntry(this.summary.name, content, at);
  }

  packName(packNumber: number): string {
    const known = this.#packNames[packNumber];
    if (known) return known;
    const name = packName(this.packKey(packNumber));
    this.#packNames[packNumber] = name;
    return name;
  }

  /** Names of all packs that the segment numbers. */
  packNames(): string[] {
    return Array.from({ length: this.summary.packKeys.length / PACK_KEY_BYTES }, (_, packNumber) => this.packName(packNumber));
  }

  packKey(packNumber: number): Uint8Array {
    const { packKeys, name } = this.summary;
    const at = packNumber * PACK_KEY_BYTES;
    if (at + PACK_KEY_BYTES > packKeys.length) throw new PoolObjectDamagedError(name, 0, `it has no pack number ${packNumber}`);
    return packKeys.subarray(at, at + PACK_KEY_BYTES);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pages.clear();
    await this.#blob[Symbol.asyncDispose]();
  }

  async #read(page: number): Promise<Buffer> {
    const bytes = Buffer.alloc(PAGE_BYTES);
    await this.#blob.read(page * PAGE_BYTES, bytes);
    const content = this.#codec.decode(this.summary.name, page, bytes);
    if (this.#pages.size >= CACHED_PAGES) this.#pages.delete(this.#pages.keys().next().value as number);
    this.#pages.set(page, content);
    return content;
  }

  #hit(position: number, content: Buffer, at: number): SegmentHit {
    const { packNumber, ...entry } = this.entryAt(content, at);
    return { position, packNumber, location: { ...entry, pack: this.packName(packNumber) } };
  }
}

/** Index of the first fence that is not less than `prefix`. */
function firstAtLeast(fences: Uint32Array, prefix: number): number {
  let low = 0;
  let high = fences.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fences[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstEntryAtLeast(content: Buffer, count: number, digest: Uint8Array): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (content.compare(digest, 0, DIGEST_BYTES, middle * ENTRY_BYTES, middle * ENTRY_BYTES + DIGEST_BYTES) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function matches(content: Buffer, index: number, digest: Uint8Array): boolean {
  return content.compare(digest, 0, DIGEST_BYTES, index * ENTRY_BYTES, index * ENTRY_BYTES + DIGEST_BYTES) === 0;
}
