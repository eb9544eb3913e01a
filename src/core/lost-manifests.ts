import type { Catalog } from '../catalogs/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import { MabsError } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import type { Pool } from '../pool/pool.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import type { Ports } from './ports.ts';
import { type LostObjects, refreshManifests } from './refresh-catalog.ts';

/** An alert about manifests that a pool no longer has. */
export const MANIFESTS_LOST_ALERT = 'MABS-POOL-MANIFESTS-LOST';

/** Manifests that this home has seen in the pool are there no more, and nobody removed them. */
export class ManifestsLostError extends MabsError {
  readonly code = MANIFESTS_LOST_ALERT;
  readonly hint =
    'Is the whole volume there, and not an older copy? Bring the files back; or take what is there for all there is: mabs pool import --path DIR';
  override readonly kind = 'damaged';
  constructor(pool: string, seqs: readonly number[]) {
    super(
      `${seqs.length} manifests are gone from the pool ${pool} that nobody removed: ${seqs.slice(0, 10).join(', ')}${seqs.length > 10 ? ' and more' : ''}`,
    );
  }
}

/**
 * Brings the cached manifests up to date before anything is added to the pool; MABS-POOL-MANIFESTS-LOST where the newest are lost, since
 * their numbers must not be given again. One that is lost among others stops no job.
 */
export async function requireNextNumber({ catalog }: Pick<Ports, 'catalog'>, pool: Pool, poolName: string): Promise<void> {
  const lost = await refreshManifests(catalog, pool);
  if (lost.length === 0) return;
  const { highest } = await pool.listRoll();
  const newest = lost.filter((seq) => seq > highest);
  if (newest.length > 0) throw new ManifestsLostError(poolName, newest);
}

/**
 * The same before anything is removed from the pool; MABS-POOL-MANIFESTS-LOST where any are lost: what is short of something proves
 * nothing.
 */
export async function requireWholeRoll({ catalog }: Pick<Ports, 'catalog'>, pool: Pool, poolName: string): Promise<void> {
  const lost = await refreshManifests(catalog, pool);
  if (lost.length > 0) throw new ManifestsLostError(poolName, lost);
}

/** Keeps the alert about what a pool has lost: raised while something is missing, resolved when it is back. */
export async function tellLostObjects(
  ports: { readonly catalog: Catalog; readonly clock: Clock; readonly random: Random },
  poolName: string,
  { manifests, records }: LostObjects,
): Promise<void> {
  const isOpen = (await ports.catalog.listAlerts()).some(({ code, subject }) => code === MANIFESTS_LOST_ALERT && subject === poolName);
  if (manifests.length + records.length > 0) {
    const { message, hint } = manifests.length > 0 ? new ManifestsLostError(poolName, manifests) : new RecordsLostError(poolName, records);
    await raiseAlert(ports, { code: MANIFESTS_LOST_ALERT, severity: 'critical', subject: poolName, message, hint });
  } else if (isOpen) await resolveAlert(ports, MANIFESTS_LOST_ALERT, poolName);
}

/** The same of holds and groups: what they said still holds in this home, so nothing is refused for them. */
class RecordsLostError extends MabsError {
  readonly code = MANIFESTS_LOST_ALERT;
  readonly hint = 'This home goes by what it remembers of them. Is the volume whole? Run mabs pool check.';
  override readonly kind = 'damaged';
  constructor(pool: string, records: LostObjects['records']) {
    super(`records are gone from the pool ${pool} that nobody removed: ${records.slice(0, 5).map(recordName).join(', ')}`);
  }
}

/** Where a record lies in its pool. */
export function recordName({ kind, owner, number }: LostObjects['records'][number]): string {
  return `records/${kind}/${owner}/${String(number).padStart(8, '0')}`;
}
