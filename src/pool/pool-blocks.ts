import type { StoreDescriptor } from '../stores/blob-store.ts';
import type { PoolKeys, SealedPack } from './block.ts';
import type { PoolContext } from './pool-context.ts';
import type { PoolIndex } from './pool-index.ts';
import { openThreadPorts, type WorkerPoolDescriptor } from './thread-ports.ts';

/** The blocks of an opened pool as the engine is given them: ports for this thread, plain data for others. */
export class PoolBlocks {
  readonly blockSize: number;
  readonly compressionLevel: number;
  readonly keys?: PoolKeys;
  readonly #pool: PoolContext;
  readonly #index: PoolIndex;
  readonly #epoch: number | undefined;

  /** `epoch`: of a run that writes. */
  constructor(
    pool: PoolContext,
    index: PoolIndex,
    { blockSize, compressionLevel, epoch }: { readonly blockSize: number; readonly compressionLevel: number; readonly epoch?: number },
  ) {
    this.#pool = pool;
    this.#index = index;
    this.#epoch = epoch;
    this.blockSize = blockSize;
    this.compressionLevel = compressionLevel;
    if (pool.keys) this.keys = pool.keys;
  }

  /** Ports for the calling thread, over all that is indexed by now. */
  async openPorts(): ReturnType<typeof openThreadPorts> {
    return await openThreadPorts(await this.#descriptor(), this.#pool.store);
  }

  /** For other threads; undefined when they cannot open this pool. */
  async describe(): Promise<WorkerPoolDescriptor | undefined> {
    return this.#pool.store.descriptor.type === 'memory' ? undefined : await this.#descriptor();
  }

  /** Makes sealed packs known: once it resolves, ports opened later find their blocks. */
  async indexPacks(packs: readonly SealedPack[]): Promise<void> {
    await this.#index.addPacks(packs);
  }

  async #descriptor(): Promise<WorkerPoolDescriptor> {
    const store: StoreDescriptor = this.#pool.store.descriptor;
    const index = { ...(await this.#index.describe()), ...(this.#epoch === undefined ? {} : { epoch: this.#epoch }) };
    return { store, index, ...(this.#pool.keys ? { keys: this.#pool.keys } : {}) };
  }
}
