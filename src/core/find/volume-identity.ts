import { createHash } from 'node:crypto';
import type { Pool } from '../../pool/pool.ts';
import type { MachineVolume } from '../inside/machine-volumes.ts';
import type { KnownPoint } from '../known-points.ts';

/**
 * Names the content of a volume of a recovery point, from disk maps alone: where two answers are equal, the same files lie on both.
 * Of a logical volume, which may lie in any number of pieces, all disks of the point tell.
 */
export async function volumeIdentity(pool: Pool, { manifest }: KnownPoint, volume: MachineVolume): Promise<string> {
  const identity = createHash('sha256').update(`${pool.info.id} ${volume.sizeBytes} `);
  if (volume.address.startsWith('/lv/')) {
    identity.update(volume.address);
    for (const { key, root } of manifest.disks) identity.update(`${key}\0${root}\0`);
  } else {
    for (const { disk, position, length } of volume.place({ offset: 0, length: volume.sizeBytes })) {
      identity.update(await pool.identifyRange(manifest.disks[disk]!, { offset: position, length }));
    }
  }
  return identity.digest('hex');
}

/** What a volume is called across the points of one VM: by its disk's identity, whatever its place among the disks. */
export function volumeKey({ manifest }: KnownPoint, volume: MachineVolume): string {
  const [place] = volume.address.startsWith('/lv/') ? [] : volume.place({ offset: 0, length: 1 });
  return place ? `${manifest.disks[place.disk]!.key}\0${volume.address.slice(volume.address.lastIndexOf('/'))}` : volume.address;
}
