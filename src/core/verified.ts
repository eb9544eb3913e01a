import { z } from 'zod';
import type { CachedRecord } from '../catalogs/catalog.ts';
import { isoUtc } from '../lib/times.ts';
import type { Manifest, StoredManifest } from '../model/manifest.ts';
import type { Pool } from '../pool/pool.ts';
import type { JobOptions } from './job.ts';
import type { Ports } from './ports.ts';
import { putRecords } from './vault.ts';

/** What a `verified` record says of a manifest: every block that it names was read back and is right. */
const verifiedSchema = z.object({ version: z.literal(1), at: z.string() });

/** When a manifest was verified: at its commit, or by a read-back that a record tells of. */
export function verifiedAt(manifest: Manifest, records: ReadonlyMap<string, CachedRecord>): string | undefined {
  const record = verifiedSchema.safeParse(records.get(manifest.id)?.payload);
  return record.success ? record.data.at : manifest.verifiedAt;
}

/** The cached records of verification, by the id of their manifest. */
export async function verifiedRecords({ catalog }: Ports, poolId?: string): Promise<Map<string, CachedRecord>> {
  return new Map((await catalog.listRecords('verified', poolId)).map((record) => [record.owner, record]));
}

/** Every record is a file made durable: one that says nearly the same is not written again. */
const RENEWED_AFTER_MS = 86_400_000;

/** Records that manifests were read back and are right; of those that were so within a day the former time stays. */
export async function recordVerified(ports: Ports, pool: Pool, manifestIds: readonly string[]): Promise<void> {
  const now = ports.clock.now();
  const records = await verifiedRecords(ports, pool.info.id);
  const known = new Map((await ports.catalog.listManifests({ poolId: pool.info.id })).map(({ manifest }) => [manifest.id, manifest]));
  const isRecent = (id: string) => {
    const manifest = known.get(id);
    const at = manifest && verifiedAt(manifest, records);
    return at !== undefined && now - Date.parse(at) < RENEWED_AFTER_MS;
  };
  const payload: z.infer<typeof verifiedSchema> = { version: 1, at: isoUtc(now) };
  const due = manifestIds.filter((id) => !isRecent(id));
  await putRecords(
    ports,
    pool,
    'verified',
    due.map((owner) => ({ owner, payload })),
  );
}

/** Reads a replica back whole and records it as verified, and with it the points that froze it just now. */
export async function readBackReplica(
  ports: Ports,
  pool: Pool,
  replica: StoredManifest,
  points: readonly StoredManifest[],
  { signal, onProgress, label }: JobOptions & { readonly label: string },
): Promise<void> {
  await pool.readBack(replica.manifest, {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (progress) => onProgress({ label: `${label} reading back`, ...progress }) } : {}),
  });
  await recordVerified(
    ports,
    pool,
    [replica, ...points].map(({ manifest }) => manifest.id),
  );
}
