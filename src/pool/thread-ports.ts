import { MabsError } from '../lib/errors.ts';
import { systemRandom } from '../lib/random.ts';
import type { BlobStore, StoreDescriptor } from '../stores/blob-store.ts';
import type { BlockIndex, BlockLocation, PackReader, PackWriter, PoolKeys } from './block.ts';
import { newestFirst } from './block-copies.ts';
import { type IndexDescriptor, openBlockIndex, type SegmentedIndex, summarizeIndex } from './block-index.ts';
import { createPackReader } from './pack-reader.ts';
import { createPackWriter } from './pack-writer.ts';

/** Plain data from which any thread opens its own way into a pool; `index` is an `IndexDescriptor` with the run's epoch. */
export interface WorkerPoolDescriptor {
  readonly store: StoreDescriptor;
  readonly keys?: PoolKeys;
  readonly index: IndexDescriptor & {
    /** The epoch under which packs are written; absent for readers. */
    readonly epoch?: number;
  };
}

/** A thread's own ports into the pool. Imports nothing but what reading and writing blocks needs, since each worker loads it. */
export async function openThreadPorts(
  descriptor: { readonly keys?: PoolKeys; readonly index: unknown },
  store: BlobStore,
): Promise<AsyncDisposable & { readonly reader: PackReader; readonly index: BlockIndex; createPackWriter(): PackWriter }> {
  const { keys } = descriptor;
  const described = descriptor.index as WorkerPoolDescriptor['index'];
  const index = await openBlockIndex(store, described, keys);
  const reader = new AnyCopyReader(createPackReader(store, described.poolId, keys), index, async () => {
    const segments = await summarizeIndex(store, described.poolId, keys, described.segments);
    return await openBlockIndex(store, { ...described, segments }, keys);
  });
  return {
    reader,
    index,
    createPackWriter() {
      if (described.epoch === undefined) throw new Error('a reader of a pool writes no packs');
      return createPackWriter({ store, poolId: described.poolId, keys, epoch: described.epoch, random: systemRandom });
    },
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await index[Symbol.asyncDispose]();
    },
  };
}

/**
 * Reads a block where it is said to lie, and if it is lost or damaged there, wherever else the index knows a copy: a sweep may have
 * moved it since the index was opened, or a consistency check have stored it again.
 */
class AnyCopyReader implements PackReader {
  readonly #reader: PackReader;
  readonly #index: SegmentedIndex;
  readonly #reopen: () => Promise<SegmentedIndex>;

  constructor(reader: PackReader, index: SegmentedIndex, reopen: () => Promise<SegmentedIndex>) {
    this.#reader = reader;
    this.#index = index;
    this.#reopen = reopen;
  }

  async read(digest: Uint8Array, location: BlockLocation): Promise<Uint8Array> {
    try {
      return await this.#reader.read(digest, location);
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      const other = (await this.#readElsewhere(this.#index, digest, location)) ?? (await this.#readByNewIndex(digest, location));
      if (!other) throw error;
      return other;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }

  async #readByNewIndex(digest: Uint8Array, location: BlockLocation): Promise<Uint8Array | undefined> {
    await using index = await this.#reopen();
    return await this.#readElsewhere(index, digest, location);
  }

  async #readElsewhere(index: SegmentedIndex, digest: Uint8Array, failed: BlockLocation): Promise<Uint8Array | undefined> {
    for (const location of newestFirst(await index.findAll(digest))) {
      if (location.pack === failed.pack && location.ordinal === failed.ordinal) continue;
      try {
        return await this.#reader.read(digest, location);
      } catch (error) {
        if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      }
    }
    return undefined;
  }
}
