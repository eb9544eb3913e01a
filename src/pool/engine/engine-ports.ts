import type { BlobStore, StoreDescriptor } from '../../stores/blob-store.ts';
import type { BlockIndex, PackReader, PackWriter, PoolKeys, SealedPack } from '../block.ts';

/** What one thread is given of the pool. Nothing of it is shared with another thread. */
export interface ThreadPorts extends AsyncDisposable {
  readonly reader: PackReader;
  /** What was indexed when the ports were opened. */
  readonly index: BlockIndex;
  /** A writer of packs; the caller ends it with `finish` or `abort`. */
  createPackWriter(): PackWriter;
}

/** Plain data (structured clone, shared memory allowed) from which another thread opens its own ports. */
export interface ThreadDescriptor {
  readonly store: StoreDescriptor;
  readonly keys?: PoolKeys;
  /** Whatever the index needs to be opened without reading it all again, such as filters in shared memory. */
  readonly index: unknown;
}

/** How a worker makes ports of a descriptor; `store` was opened from `descriptor.store`. */
export type OpenThreadPorts = (descriptor: ThreadDescriptor, store: BlobStore) => Promise<ThreadPorts>;

/** A pool as its readers see it. */
export interface ReadableBlocks {
  /** Bytes of the virtual disk in a block. */
  readonly blockSize: number;
  readonly keys?: PoolKeys;
  /** Ports for the calling thread, over all that is indexed by now. */
  openPorts(): Promise<ThreadPorts>;
  /** For workers; undefined when no other thread can open this pool (a store in memory): then everything runs inline. */
  describe(): Promise<ThreadDescriptor | undefined>;
}

/** A pool as one run that adds to it sees it; it holds the run's epoch. */
export interface WritableBlocks extends ReadableBlocks {
  /** Level of zstd, 1 to 19. */
  readonly compressionLevel: number;
  /**
   * Makes sealed packs known: once it resolves, ports opened later find their blocks. Called about once per GiB stored or per
   * minute and at the end of each disk, so that an interrupted run sends little again.
   */
  indexPacks(packs: readonly SealedPack[]): Promise<void>;
}
