import { systemRandom } from '../lib/random.ts';
import type { BlobStore, StoreDescriptor } from '../stores/blob-store.ts';
import type { BlockIndex, PackReader, PackWriter, PoolKeys } from './block.ts';
import { type IndexDescriptor, openBlockIndex } from './block-index.ts';
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
  const reader = createPackReader(store, described.poolId, keys);
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
