import { isoUtc } from '../lib/times.ts';
import type { Manifest, StoredManifest } from '../model/manifest.ts';
import type { Pool, PoolWriter } from '../pool/pool.ts';
import type { Ports } from './ports.ts';

/** Makes a recovery point of a replica: a manifest of its own that names the same blocks. No data is copied. */
export async function freezeReplica(ports: Ports, pool: Pool, writer: PoolWriter, replica: Manifest): Promise<StoredManifest> {
  const point: Manifest = {
    ...replica,
    id: ports.random.uuid(),
    kind: 'point',
    createdAt: isoUtc(ports.clock.now()),
    replicaId: replica.id,
    bytesStored: 0,
  };
  const stored = await writer.commitManifest(point);
  await ports.catalog.addManifests(pool.info.id, [stored]);
  return stored;
}
