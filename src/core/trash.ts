import type { KnownPoint } from './known-points.ts';
import type { Ports } from './ports.ts';

/** Moves points to the trash: in the pool first, which is the removal, then in the catalog. */
export async function trashPoints(ports: Ports, points: readonly KnownPoint[], reason: string): Promise<void> {
  for (const { poolName, poolId, seq } of points) {
    await (await ports.openPool(poolName)).moveToTrash(seq, reason);
    await ports.catalog.removeManifests(poolId, [seq]);
  }
}
