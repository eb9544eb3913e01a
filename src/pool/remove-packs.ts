import { z } from 'zod';
import { MabsError } from '../lib/errors.ts';
import { PoolFullError } from '../stores/blob-store.ts';
import type { SealedPack } from './block.ts';
import { openBlockIndex } from './block-index.ts';
import type { Epoch } from './epochs.ts';
import { mergedContent } from './index-merge.ts';
import type { SegmentSummary } from './index-segment.ts';
import { segmentOfPacks } from './index-writer.ts';
import type { PackCount } from './pack-census.ts';
import { PACK_KEY_BYTES, packName, tableEntries } from './pack-format.ts';
import { createPackReader, type StorePackReader } from './pack-reader.ts';
import { readPackTable } from './pack-tables.ts';
import { createPackWriter } from './pack-writer.ts';
import { withPoolLock } from './pool-context.ts';
import type { WriterParts } from './pool-writer.ts';

/** What is to be removed, once the index no longer needs it. */
const removalSchema = z.object({ segments: z.array(z.string()), packs: z.array(z.string()) });

/** The parts of a pool that removing packs works with. */
type Parts = Pick<WriterParts, 'pool' | 'records' | 'index'>;

/** Removes packs of which nothing is needed: first out of the index, then from the store. */
export async function removePacks(parts: Parts, list: number, packs: readonly string[]): Promise<void> {
  if (packs.length > 0) await replaceInIndex(parts, list, packs, []);
}

/**
 * Moves what is needed of packs into new ones and removes them. A pack with a block that cannot be read stays as it is: its other
 * blocks are not touched by a repair that nobody asked for. A volume too full for new packs leaves the packs for another time.
 */
export async function rewritePacks(parts: Parts, epoch: Epoch, list: number, packs: readonly PackCount[]): Promise<void> {
  if (packs.length === 0) return;
  const { store, poolId, keys, random } = parts.pool;
  const writer = createPackWriter({ store, poolId, keys, epoch: epoch.number, random });
  await using reader = createPackReader(store, poolId, keys);
  const moved: string[] = [];
  const written: SealedPack[] = [];
  try {
    for (const pack of packs) {
      if (await movePack(parts, reader, writer, pack)) moved.push(packName(pack.packKey));
    }
    written.push(...(await writer.finish()));
  } catch (error) {
    await writer.abort();
    if (error instanceof PoolFullError) return;
    throw error;
  }
  if (moved.length > 0) await replaceInIndex(parts, list, moved, written);
}

async function movePack(
  { pool }: Parts,
  reader: StorePackReader,
  writer: ReturnType<typeof createPackWriter>,
  { packKey, deadOrdinals }: PackCount,
): Promise<boolean> {
  const { store, poolId, keys } = pool;
  const name = packName(packKey);
  const dead = new Set(deadOrdinals);
  try {
    const { table } = await readPackTable(store, name, poolId, keys);
    for (const entry of tableEntries(name, table)) {
      if (dead.has(entry.ordinal)) continue;
      const { coded } = await reader.readCoded(entry.digest, { ...entry, pack: name });
      await writer.add(entry.digest, { kind: entry.kind, codec: entry.codec, rawLength: entry.rawLength, coded });
    }
    return true;
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'damaged') return false;
    throw error;
  }
}

/** New segments without `gone` and with what was written instead, durable; then a record of what to remove; then the removal. */
export async function replaceInIndex(parts: Parts, list: number, gone: readonly string[], written: readonly SealedPack[]): Promise<void> {
  const { pool, records, index } = parts;
  const names = new Set(gone);
  await withPoolLock(pool, 'index', async () => {
    const affected = (await index.summaries()).filter((summary) => numbersAny(summary, names));
    if (written.length > 0) await index.write(segmentOfPacks(written));
    await using opened = await openBlockIndex(pool.store, { poolId: pool.poolId, segments: affected, condemned: [] }, pool.keys);
    const rest = mergedContent(opened.segments, names);
    if (rest.packKeys.length > 0) await index.write(rest);
    const numbers = await records.numbers('condemned', String(list));
    const removal = { segments: affected.map(({ name }) => name), packs: [...gone] };
    await records.putNumber('condemned', String(list), (numbers.at(-1) ?? 1) + 1, removal);
    await remove(parts, removal);
  });
}

/** Ends removals that a sweep which died had begun. */
export async function finishRemovals(parts: Parts): Promise<void> {
  for (const removal of await removals(parts)) await withPoolLock(parts.pool, 'index', () => remove(parts, removal));
}

/** Names of packs that a sweep has begun to remove. */
export async function pendingRemovals(parts: Parts): Promise<Set<string>> {
  return new Set((await removals(parts)).flatMap(({ packs }) => packs));
}

async function removals({ records }: Parts): Promise<z.infer<typeof removalSchema>[]> {
  const found: z.infer<typeof removalSchema>[] = [];
  for (const owner of (await records.allLatest('condemned')).keys()) {
    for (const number of await records.numbers('condemned', owner)) {
      const removal = removalSchema.safeParse(await records.read('condemned', owner, number)).data;
      if (removal) found.push(removal);
    }
  }
  return found;
}

/** Removes segments, then packs that no other segment numbers. The caller holds the index lock. */
async function remove({ pool, index }: Parts, { segments, packs }: z.infer<typeof removalSchema>): Promise<void> {
  for (const name of segments) await pool.store.remove(name);
  const needed = await index.indexedPacks();
  for (const name of packs) if (!needed.has(name)) await pool.store.remove(name);
}

function numbersAny({ packKeys }: SegmentSummary, names: ReadonlySet<string>): boolean {
  for (let at = 0; at < packKeys.length; at += PACK_KEY_BYTES) {
    if (names.has(packName(packKeys.subarray(at, at + PACK_KEY_BYTES)))) return true;
  }
  return false;
}
