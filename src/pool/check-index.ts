import { MabsError } from '../lib/errors.ts';
import { listSegments, openBlockIndex } from './block-index.ts';
import type { ObjectDamage } from './check-objects.ts';
import { damageOf } from './check-pack.ts';
import { listEpochs } from './epochs.ts';
import { ENTRY_BYTES } from './index-format.ts';
import { summarizeSegment } from './index-segment.ts';
import { packEpoch, packKeyOf } from './pack-format.ts';
import { assertOwned, FencedError } from './pool-owner.ts';
import type { WriterParts } from './pool-writer.ts';
import { pendingRemovals } from './remove-packs.ts';

export interface IndexCheck {
  readonly damage: ObjectDamage[];
  /** The index was damaged or lacked packs, and is whole again. */
  readonly repaired: boolean;
}

/**
 * Reads every page of the index and holds its packs against those that are there. The index is a cache of what stands in the packs:
 * where it is damaged or lacks some, the home that owns the pool makes it whole at once.
 */
export async function checkIndex(parts: WriterParts): Promise<IndexCheck> {
  const damage = await damagedSegments(parts);
  const unindexed = damage.length > 0 ? [] : await unindexedPacks(parts);
  for (const file of unindexed) damage.push({ file, offset: 0, kind: 'not-indexed' });
  if (damage.length === 0 || !(await isOwned(parts))) return { damage, repaired: false };
  if (unindexed.length > 0) await parts.index.repair();
  else await parts.index.rebuild();
  const left = await damagedSegments(parts);
  return { damage, repaired: left.length === 0 };
}

async function damagedSegments({ pool }: WriterParts): Promise<ObjectDamage[]> {
  const { store, poolId, keys } = pool;
  const damage: ObjectDamage[] = [];
  for (const name of await listSegments(store)) {
    try {
      const segments = [await summarizeSegment(store, name, poolId, keys)];
      await using index = await openBlockIndex(store, { poolId, segments, condemned: [] }, keys);
      for (const segment of index.segments) {
        for await (const { content } of segment.scan()) {
          for (let at = 0; at < content.length; at += ENTRY_BYTES) segment.packKey(segment.entryAt(content, at).packNumber);
        }
      }
    } catch (error) {
      const found = damageOf(error);
      // Merged away meanwhile.
      if (found.kind !== 'missing') damage.push({ file: name, ...found, kind: 'index' });
    }
  }
  return damage;
}

/** Packs of ended epochs that no segment numbers and no sweep is about to remove: a segment was lost. */
async function unindexedPacks(parts: WriterParts): Promise<string[]> {
  const { pool, index } = parts;
  const open = new Set((await listEpochs(pool)).open);
  const packs: string[] = [];
  for await (const { name } of pool.store.list('packs/')) packs.push(name);
  const indexed = await index.indexedPacks();
  const leaving = await pendingRemovals(parts);
  return packs.filter((name) => {
    const key = packKeyOf(name);
    return key !== undefined && !indexed.has(name) && !leaving.has(name) && !open.has(packEpoch(key));
  });
}

/** Whether this home may change the pool. */
export async function isOwned({ pool, records }: WriterParts): Promise<boolean> {
  try {
    await assertOwned(pool, records);
    return true;
  } catch (error) {
    if (error instanceof FencedError || (error instanceof MabsError && error.kind === 'damaged')) return false;
    throw error;
  }
}
