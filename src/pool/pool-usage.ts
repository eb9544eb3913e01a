import type { StoredManifest } from '../model/manifest.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import type { SegmentSummary } from './index-segment.ts';
import type { PoolUsage } from './pool.ts';
import { RESERVE_NAME } from './reserve.ts';

/** What the pool takes and holds. */
export async function poolUsage(
  store: BlobStore,
  segments: readonly SegmentSummary[],
  live: readonly StoredManifest[],
): Promise<PoolUsage> {
  const { capacityBytes, freeBytes } = await store.space();
  let storedBytes = 0;
  for await (const { name, sizeBytes } of store.list('')) if (name !== RESERVE_NAME) storedBytes += sizeBytes;
  const points = live.filter(({ manifest }) => manifest.kind === 'point');
  const logicalBytes = points.reduce((sum, { manifest }) => sum + manifest.disks.reduce((bytes, { dataBytes }) => bytes + dataBytes, 0), 0);
  const blocks = segments.reduce((sum, { entries }) => sum + entries, 0);
  return { capacityBytes, freeBytes, logicalBytes, storedBytes, blocks };
}
