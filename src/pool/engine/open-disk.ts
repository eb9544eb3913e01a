import { checkDiskRange, type DiskSource, type Extent } from '../../disks/disk-source.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import type { ManifestDisk } from '../../model/manifest.ts';
import { DIGEST_BYTES } from '../block.ts';
import { DiskMapReader, MapDamagedError } from './disk-map-reader.ts';
import type { ReadableBlocks, ThreadPorts } from './engine-ports.ts';
import { leafPages } from './leaf-pages.ts';
import { blockLength, MAP_FAN_OUT, mapGeometry } from './map-geometry.ts';
import { digestAt, isZeroDigest } from './map-page.ts';
import { readBlock } from './read-block.ts';

/** Blocks kept in memory: 8 MiB at 256 KiB a block. */
const CACHED_BLOCKS = 32;
/** Blocks of one read that are fetched at a time. */
const FETCHED_AT_ONCE = 4;

/**
 * A disk of a manifest as a disk source: holes are zero, data is opaque, each block is verified against its digest before a byte
 * of it is handed out. Blocks read lately are kept; reading on from where the last read ended fetches the next block ahead.
 */
export async function openDisk(blocks: ReadableBlocks, disk: ManifestDisk): Promise<DiskSource> {
  return new StoredDisk(await blocks.openPorts(), disk);
}

class StoredDisk implements DiskSource {
  readonly sizeBytes: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  readonly files = [];
  readonly #ports: ThreadPorts;
  readonly #map: DiskMapReader;
  /** By number, the least recently used first. */
  readonly #cache = new Map<number, Promise<Uint8Array | undefined>>();
  #lastEnd = -1;
  #closed: Promise<void> | undefined;

  constructor(ports: ThreadPorts, disk: ManifestDisk) {
    this.sizeBytes = disk.virtualSize;
    this.logicalSectorSize = disk.logicalSectorSize;
    this.physicalSectorSize = disk.physicalSectorSize;
    this.#ports = ports;
    this.#map = new DiskMapReader(ports, Buffer.from(disk.root, 'hex'), mapGeometry(disk.virtualSize, disk.blockSize));
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    checkDiskRange('the recovery point', { offset, length: into.length }, this.sizeBytes);
    if (into.length === 0) return;
    const { blockSize, blocks } = this.#map.geometry;
    const first = Math.floor(offset / blockSize);
    const after = Math.ceil((offset + into.length) / blockSize);
    if (offset === this.#lastEnd && after < blocks) this.#fetchAhead(after);
    this.#lastEnd = offset + into.length;
    for (let group = first; group < after; group += FETCHED_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(FETCHED_AT_ONCE, after - group) }, (_, i) => group + i);
      const fetched = await Promise.all(numbers.map((block) => this.#block(block)));
      for (const [i, raw] of fetched.entries()) copyPart(raw, (group + i) * blockSize - offset, into, blockSize);
    }
  }

  async extents(range: ByteRange): Promise<Extent[]> {
    checkDiskRange('the recovery point', range, this.sizeBytes);
    const { blockSize } = this.#map.geometry;
    const end = range.offset + range.length;
    const extents: Extent[] = [];
    let done = range.offset;
    const add = (until: number, from: 'zero' | 'opaque') => {
      if (until <= done) return;
      const last = extents.at(-1);
      const extent = { offset: done, length: until - done, from };
      if (last?.from === from) extents[extents.length - 1] = { offset: last.offset, length: last.length + extent.length, from };
      else extents.push(extent);
      done = until;
    };
    const lastBlock = Math.ceil(end / blockSize);
    for await (const { index, page } of leafPages(this.#map, Math.floor(range.offset / blockSize), range.length > 0 ? lastBlock : 0)) {
      for (let i = 0; i < page.length / DIGEST_BYTES; i += 1) {
        if (isZeroDigest(digestAt(page, i))) continue;
        const from = (index * MAP_FAN_OUT + i) * blockSize;
        add(Math.min(end, from), 'zero');
        add(Math.min(end, from + blockSize), 'opaque');
      }
    }
    add(end, 'zero');
    return extents;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#cache.values());
    this.#cache.clear();
    await this.#ports[Symbol.asyncDispose]();
  }

  #fetchAhead(block: number): void {
    this.#block(block).catch(() => {});
  }

  /** A block's bytes, undefined for zeros. What could not be read is not remembered. */
  #block(block: number): Promise<Uint8Array | undefined> {
    const cached = this.#cache.get(block);
    const fetched = cached ?? this.#fetch(block);
    this.#cache.delete(block);
    this.#cache.set(block, fetched);
    if (!cached) {
      fetched.catch(() => this.#cache.delete(block));
      if (this.#cache.size > CACHED_BLOCKS) this.#cache.delete(this.#cache.keys().next().value!);
    }
    return fetched;
  }

  async #fetch(block: number): Promise<Uint8Array | undefined> {
    if (this.#closed) throw new Error('the recovery point was closed');
    const digest = await this.#map.digest(0, block);
    if (isZeroDigest(digest)) return undefined;
    const raw = await readBlock(this.#ports, digest);
    if (raw.length !== blockLength(this.#map.geometry, block)) throw new MapDamagedError(digest, raw.length);
    return raw;
  }
}

/** Copies what of a block falls into a buffer; the block begins at `at` of the buffer, which may be before it. */
function copyPart(raw: Uint8Array | undefined, at: number, into: Uint8Array, blockSize: number): void {
  const from = Math.max(0, at);
  const to = Math.min(into.length, at + blockSize);
  if (raw) into.set(raw.subarray(from - at, to - at), from);
  else into.fill(0, from, to);
}
