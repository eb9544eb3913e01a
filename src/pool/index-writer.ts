import type { BlobStore, BlobWriter } from '../stores/blob-store.ts';
import type { PoolKeys, SealedPack } from './block.ts';
import { addToFilter, filterBlocksFor } from './index-filter.ts';
import {
  compareDigests,
  createPageCodec,
  digestPrefix,
  ENTRIES_PER_PAGE,
  ENTRY_BYTES,
  encodeSegmentTrailer,
  FILTER_BLOCK_BYTES,
  PAGE_BYTES,
  PAGE_CONTENT_BYTES,
  type PageCodec,
  writeIndexEntry,
} from './index-format.ts';
import { packEpoch, packKeyOf, TABLE_ENTRY_BYTES, tableEntries } from './pack-format.ts';

/** What a segment is made of: entries ascending by digest (of equal ones the newest pack's first), and the packs they number. */
export interface SegmentContent {
  /** At least as many as come; the filter is made for them. */
  readonly expectedEntries: number;
  readonly packKeys: readonly Uint8Array[];
  /** Buffers of whole entries; each may be re-used once the next was asked for. */
  readonly entries: Iterable<Buffer> | AsyncIterable<Buffer>;
}

export interface SegmentTarget {
  readonly store: BlobStore;
  readonly name: string;
  readonly poolId: Uint8Array;
  readonly keys: PoolKeys | undefined;
  readonly salt: Uint8Array;
}

const WRITE_PAGES = 256;

/** Writes one index segment, durable when this resolves; answers its number of entries. Memory: the filter and the fences. */
export async function writeSegment(target: SegmentTarget, content: SegmentContent): Promise<number> {
  const { store, name, poolId, keys, salt } = target;
  const filter = new Uint8Array(filterBlocksFor(content.expectedEntries) * FILTER_BLOCK_BYTES);
  const blob = await store.create(name);
  try {
    const pages = new PageWriter(blob, createPageCodec(poolId, keys, salt));
    const { entries, fences } = await writeEntries(pages, content, filter);
    const entryPages = fences.length;
    await pages.addSection(Buffer.from(Uint32Array.from(fences).buffer));
    await pages.addSection(filter);
    await pages.addSection(Buffer.concat(content.packKeys));
    await pages.flush();
    const filterBlocks = filter.length / FILTER_BLOCK_BYTES;
    const trailer = { sealed: keys !== undefined, poolId, salt, entries, entryPages, filterBlocks, packs: content.packKeys.length };
    await blob.append(encodeSegmentTrailer(trailer));
    await blob.seal();
    return entries;
  } catch (error) {
    await blob.abort();
    throw error;
  }
}

async function writeEntries(
  pages: PageWriter,
  content: SegmentContent,
  filter: Uint8Array,
): Promise<{ entries: number; fences: number[] }> {
  const fences: number[] = [];
  const page = Buffer.alloc(ENTRIES_PER_PAGE * ENTRY_BYTES);
  let filled = 0;
  let entries = 0;
  for await (const piece of content.entries) {
    for (let at = 0; at < piece.length; at += ENTRY_BYTES) {
      if (filled === page.length) {
        await pages.add(page);
        filled = 0;
      }
      if (filled === 0) fences.push(digestPrefix(piece, at));
      piece.copy(page, filled, at, at + ENTRY_BYTES);
      addToFilter(filter, piece, at);
      filled += ENTRY_BYTES;
      entries += 1;
    }
  }
  if (filled > 0) await pages.add(page.subarray(0, filled));
  return { entries, fences };
}

/** Gathers pages into large appends. */
class PageWriter {
  readonly #blob: BlobWriter;
  readonly #codec: PageCodec;
  readonly #buffer = Buffer.alloc(WRITE_PAGES * PAGE_BYTES);
  #filled = 0;
  #next = 0;

  constructor(blob: BlobWriter, codec: PageCodec) {
    this.#blob = blob;
    this.#codec = codec;
  }

  async add(content: Uint8Array): Promise<void> {
    if (this.#filled === this.#buffer.length) await this.flush();
    this.#buffer.set(this.#codec.encode(this.#next, content), this.#filled);
    this.#filled += PAGE_BYTES;
    this.#next += 1;
  }

  async addSection(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PAGE_CONTENT_BYTES) await this.add(bytes.subarray(at, at + PAGE_CONTENT_BYTES));
  }

  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#blob.append(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** The content of a segment for packs just written, sorted in memory: 48 bytes a block. */
export function segmentOfPacks(packs: readonly SealedPack[]): SegmentContent {
  const newestFirst = packs
    .map((pack) => ({ pack, key: requirePackKey(pack.name) }))
    .toSorted((a, b) => packEpoch(b.key) - packEpoch(a.key) || Buffer.compare(a.key, b.key));
  const count = packs.reduce((sum, { table }) => sum + table.length / TABLE_ENTRY_BYTES, 0);
  const entries = Buffer.alloc(count * ENTRY_BYTES);
  let at = 0;
  for (const [packNumber, { pack }] of newestFirst.entries()) {
    for (const { digest, ...entry } of tableEntries(pack.name, pack.table)) {
      writeIndexEntry(entries, at, digest, { ...entry, packNumber });
      at += ENTRY_BYTES;
    }
  }
  return { expectedEntries: count, packKeys: newestFirst.map(({ key }) => key), entries: [sortEntries(entries)] };
}

/** Entries ascending by digest; equal digests keep their order. */
function sortEntries(entries: Buffer): Buffer {
  const count = entries.length / ENTRY_BYTES;
  const leading = new Float64Array(count);
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) {
    leading[index] = entries.readUIntBE(index * ENTRY_BYTES, 6);
    order[index] = index;
  }
  order.sort((a, b) => leading[a]! - leading[b]! || compareDigests(entries, a * ENTRY_BYTES, entries, b * ENTRY_BYTES) || a - b);
  const sorted = Buffer.alloc(entries.length);
  for (const [to, from] of order.entries()) entries.copy(sorted, to * ENTRY_BYTES, from * ENTRY_BYTES, (from + 1) * ENTRY_BYTES);
  return sorted;
}

function requirePackKey(name: string): Uint8Array {
  const key = packKeyOf(name);
  if (!key) throw new Error(`not the name of a pack: ${name}`);
  return key;
}
