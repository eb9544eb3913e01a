import { z } from 'zod';
import { isoUtc } from '../lib/times.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Pool } from '../pool/pool.ts';
import type { Ports } from './ports.ts';
import { putRecord } from './vault.ts';

/** What a `base` record says of a datasource. */
const baseSchema = z.object({ version: z.literal(1), manifestId: z.string(), dropped: z.string().optional(), at: z.string() });

/** Makes the next sync scan: the tracking identities of this replica do not speak about the disks that the VM has now. */
export async function dropTrackingBase(ports: Ports, pool: Pool, replica: Manifest, reason: string): Promise<void> {
  const payload: z.infer<typeof baseSchema> = { version: 1, manifestId: replica.id, dropped: reason, at: isoUtc(ports.clock.now()) };
  await putRecord(ports, pool, 'base', replica.datasource, payload);
}

/** Why the tracking of this replica must not be used, if it must not. A record counts only with the manifest that it names. */
export async function droppedReason(pool: Pool, replica: Manifest): Promise<string | undefined> {
  const record = await pool.latestRecord('base', replica.datasource);
  const base = baseSchema.safeParse(record?.payload);
  return base.success && base.data.manifestId === replica.id ? base.data.dropped : undefined;
}
