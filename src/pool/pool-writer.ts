import type { Manifest, StoredManifest } from '../model/manifest.ts';
import { BlobExistsError } from '../stores/blob-store.ts';
import type { EngineThreads } from './engine/engine-threads.ts';
import { writeDisk } from './engine/write-disk.ts';
import { beginEpoch, type Epoch, endEpoch, epochOfMarker, listEpochs, livingEpochs } from './epochs.ts';
import type { ManifestRoll } from './manifest-roll.ts';
import type { DiskWriteRequest, DiskWriteResult, PoolWriter } from './pool.ts';
import { PoolBlocks } from './pool-blocks.ts';
import { type PoolContext, withPoolLock } from './pool-context.ts';
import type { PoolHeader } from './pool-header.ts';
import type { PoolIndex } from './pool-index.ts';
import { assertOwned, FencedError } from './pool-owner.ts';
import type { PoolRecords } from './pool-records.ts';

/** The parts of an opened pool that a writer works with. */
export interface WriterParts {
  readonly pool: PoolContext;
  readonly header: PoolHeader;
  readonly records: PoolRecords;
  readonly roll: ManifestRoll;
  readonly index: PoolIndex;
  readonly threads: EngineThreads;
}

/** Begins a run that adds to the pool: takes an epoch, then adopts what writers that died have left. */
export async function beginWrite(parts: WriterParts): Promise<PoolWriter> {
  await assertOwned(parts.pool, parts.records);
  const epoch = await beginEpoch(parts.pool);
  try {
    await adoptDeadEpochs(parts);
    return new EpochWriter(parts, epoch);
  } catch (error) {
    await epoch.release(false);
    throw error;
  }
}

/** Makes known what writers that died had sealed, so that their blocks are not stored again, and removes what they left unsealed. */
export async function adoptDeadEpochs({ pool, index }: Pick<WriterParts, 'pool' | 'index'>): Promise<void> {
  if ((await deadEpochs(pool)).length === 0) return;
  // One at a time; who waited finds nothing left to adopt.
  await withPoolLock(pool, 'adopt', async () => {
    for (const epoch of await deadEpochs(pool)) {
      await index.adopt(epoch);
      await endEpoch(pool, epoch);
    }
    await removeUnfinishedMarkers(pool);
  });
  await withPoolLock(pool, 'index', () => pool.store.removeTemporary('index/', () => false));
  // These are only written under the commit lock, so whatever is there is left over.
  await withPoolLock(pool, 'commit', async () => {
    for (const prefix of ['manifests/', 'records/', 'purged/']) await pool.store.removeTemporary(prefix, () => false);
  });
}

async function deadEpochs(pool: PoolContext): Promise<number[]> {
  const listing = await listEpochs(pool);
  const living = new Set(await livingEpochs(pool, listing));
  return listing.open.filter((epoch) => !living.has(epoch));
}

/** Removes temporary markers, but those of writers that live and of one that is just beginning: its number is above all others. */
async function removeUnfinishedMarkers(pool: PoolContext): Promise<void> {
  const listing = await listEpochs(pool);
  const living = new Set(await livingEpochs(pool, listing));
  await pool.store.removeTemporary('epochs/', (name) => {
    const epoch = epochOfMarker(name);
    return epoch === undefined || epoch > listing.highest || living.has(epoch);
  });
}

class EpochWriter implements PoolWriter {
  readonly #parts: WriterParts;
  readonly #epoch: Epoch;
  readonly #blocks: PoolBlocks;
  #open = true;

  constructor(parts: WriterParts, epoch: Epoch) {
    this.#parts = parts;
    this.#epoch = epoch;
    const { blockSize, compressionLevel } = parts.header;
    this.#blocks = new PoolBlocks(parts.pool, parts.index, { blockSize, compressionLevel, epoch: epoch.number });
  }

  async writeDisk(request: DiskWriteRequest): Promise<DiskWriteResult> {
    return await writeDisk(this.#parts.threads, this.#blocks, await this.#withUsableBase(request));
  }

  async commitManifest(manifest: Manifest): Promise<StoredManifest> {
    const { pool, records, roll } = this.#parts;
    if (!this.#open) throw new Error('this writer has ended');
    return await withPoolLock(pool, 'commit', async () => {
      await assertOwned(pool, records);
      try {
        return await roll.append(manifest);
      } catch (error) {
        // Within one home the lock keeps the numbers apart: only another home can have taken this one.
        if (error instanceof BlobExistsError) throw new FencedError();
        throw error;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#parts.index.adopt(this.#epoch.number);
      await this.#epoch.release(true);
    } catch {
      // What was committed is committed. The next writer finds the epoch open, with nobody holding it, and ends it.
      await this.#epoch.release(false);
    }
  }

  /**
   * A base is compared with without asking for each of its blocks, so none of them may be condemned. A mark condemns the root of a
   * map exactly when no manifest reaches it: a base whose root may not be re-used was purged meanwhile and is not used at all.
   */
  async #withUsableBase(request: DiskWriteRequest): Promise<DiskWriteRequest> {
    const { base, ranges: _ranges, ...rest } = request;
    if (!base || /^0+$/.test(base.root)) return request;
    await using index = await this.#parts.index.open();
    const root = await index.find(Buffer.from(base.root, 'hex'));
    const reusable = await index.findReusable(Buffer.from(base.root, 'hex'));
    return root && !reusable ? { ...rest, sample: false } : request;
  }
}
