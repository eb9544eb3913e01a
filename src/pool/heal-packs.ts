import { MabsError } from '../lib/errors.ts';
import { type Lock, LockedError } from '../lib/locks.ts';
import { PoolFullError } from '../stores/blob-store.ts';
import { type BlockLocation, DIGEST_BYTES } from './block.ts';
import type { SegmentedIndex } from './block-index.ts';
import { beginEpoch } from './epochs.ts';
import { ENTRY_BYTES } from './index-format.ts';
import { createPackReader, type StorePackReader } from './pack-reader.ts';
import { createPackWriter } from './pack-writer.ts';
import type { WriterParts } from './pool-writer.ts';
import { replaceInIndex } from './remove-packs.ts';

/** A pack that is damaged, and the blocks that are needed and have no intact copy in another pack (digests in hex). */
export interface DamagedPack {
  readonly name: string;
  readonly neededOnlyHere: ReadonlySet<string>;
}

interface PackBlock {
  readonly digest: Buffer;
  readonly location: BlockLocation;
}

/**
 * Writes what is intact of damaged packs into new ones and removes them, so that damage to a table, or to a copy that nothing needs,
 * is over. A pack stays as it is when a block that is needed cannot be read: only its source can bring that back. Answers the packs
 * that were replaced; none while a sweep is under way.
 */
export async function healPacks(parts: WriterParts, index: SegmentedIndex, packs: readonly DamagedPack[]): Promise<string[]> {
  const { pool, records } = parts;
  if (packs.length === 0) return [];
  const lock = await trySweepLock(parts);
  if (!lock) return [];
  await using _lock = lock;
  const blocks = await blocksOf(index, new Set(packs.map(({ name }) => name)));
  const epoch = await beginEpoch(pool);
  let ended = false;
  try {
    const healed = await rewriteIntact(parts, epoch.number, packs, blocks);
    await records.removeAll('condemned', String(epoch.number));
    ended = true;
    return healed;
  } catch (error) {
    if (error instanceof PoolFullError) return [];
    throw error;
  } finally {
    await epoch.release(ended);
  }
}

async function rewriteIntact(
  parts: WriterParts,
  epoch: number,
  packs: readonly DamagedPack[],
  blocks: ReadonlyMap<string, PackBlock[]>,
): Promise<string[]> {
  const { store, poolId, keys, random } = parts.pool;
  await using reader = createPackReader(store, poolId, keys);
  const writer = createPackWriter({ store, poolId, keys, epoch, random });
  const healed: string[] = [];
  try {
    for (const pack of packs) {
      const intact = await intactBlocks(reader, pack, blocks.get(pack.name) ?? []);
      if (!intact) continue;
      for (const { digest, location } of intact) {
        const { coded } = await reader.readCoded(digest, location);
        await writer.add(digest, { ...location, coded });
      }
      healed.push(pack.name);
    }
    const written = await writer.finish();
    if (healed.length > 0) await replaceInIndex(parts, epoch, healed, written);
    return healed;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The blocks of a pack that can be read; undefined when one that cannot is needed. */
async function intactBlocks(
  reader: StorePackReader,
  { neededOnlyHere }: DamagedPack,
  blocks: readonly PackBlock[],
): Promise<PackBlock[] | undefined> {
  const intact: PackBlock[] = [];
  for (const block of blocks) {
    try {
      await reader.read(block.digest, block.location);
      intact.push(block);
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      if (neededOnlyHere.has(block.digest.toString('hex'))) return undefined;
    }
  }
  return intact;
}

/** What the index knows of some packs, in the order of their blocks. */
async function blocksOf(index: SegmentedIndex, names: ReadonlySet<string>): Promise<Map<string, PackBlock[]>> {
  const blocks = new Map<string, PackBlock[]>();
  for (const segment of index.segments) {
    if (!segment.packNames().some((name) => names.has(name))) continue;
    for await (const { content } of segment.scan()) {
      for (let at = 0; at < content.length; at += ENTRY_BYTES) {
        const { packNumber, ...entry } = segment.entryAt(content, at);
        const pack = segment.packName(packNumber);
        if (!names.has(pack)) continue;
        const digest = Buffer.from(content.subarray(at, at + DIGEST_BYTES));
        blocks.set(pack, [...(blocks.get(pack) ?? []), { digest, location: { ...entry, pack } }]);
      }
    }
  }
  for (const found of blocks.values()) found.sort((a, b) => a.location.ordinal - b.location.ordinal);
  return blocks;
}

async function trySweepLock({ pool }: WriterParts): Promise<Lock | undefined> {
  try {
    return await pool.locks.acquire(`pool-${pool.id}-sweep`, { what: 'the sweep of the pool', waitMs: 0 });
  } catch (error) {
    if (error instanceof LockedError) return undefined;
    throw error;
  }
}
