import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/lib/random.ts';
import type { PoolKeys } from '../../src/pool/block.ts';
import { summarizeIndex } from '../../src/pool/block-index.ts';
import type { WritableBlocks } from '../../src/pool/engine/engine-ports.ts';
import { segmentOfPacks, writeSegment } from '../../src/pool/index-writer.ts';
import { openThreadPorts } from '../../src/pool/thread-ports.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openLocalStore } from '../../src/stores/local/local-store.ts';
import { somePoolId } from './pool-blocks.ts';

/** Blocks of a pool as the engine sees them, without manifests, records, locks and owners. */
export interface EnginePool extends AsyncDisposable {
  readonly blocks: WritableBlocks;
  readonly store: BlobStore;
  readonly path: string;
}

/** A pool's blocks in a temporary folder. */
export async function anEnginePool(options: { blockSize?: number; keys?: PoolKeys; compressionLevel?: number } = {}): Promise<EnginePool> {
  const path = await mkdtemp(join(tmpdir(), 'mabs-engine-'));
  const store = openLocalStore(path);
  const { keys } = options;
  let segments = 0;
  const describe = async () => ({
    store: store.descriptor,
    ...(keys ? { keys } : {}),
    index: { poolId: somePoolId, segments: await summarizeIndex(store, somePoolId, keys), condemned: [], epoch: 1 },
  });
  const blocks: WritableBlocks = {
    blockSize: options.blockSize ?? 65_536,
    compressionLevel: options.compressionLevel ?? 1,
    ...(keys ? { keys } : {}),
    describe,
    openPorts: async () => openThreadPorts(await describe(), store),
    async indexPacks(packs) {
      segments += 1;
      const name = `index/${segments.toString(16).padStart(8, '0')}-0123456789abcdef.idx`;
      await writeSegment({ store, name, poolId: somePoolId, keys, salt: systemRandom.bytes(32) }, segmentOfPacks(packs));
    },
  };
  return { blocks, store, path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
