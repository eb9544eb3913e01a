import { manifestName } from '../pool/manifest-roll.ts';
import type { CheckDepth, Pool, PoolCheckResult } from '../pool/pool.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import { type JobOptions, runJob } from './job.ts';
import { getPoolConfiguration } from './open-ports.ts';
import type { Ports } from './ports.ts';
import { refreshManifests } from './refresh-catalog.ts';
import { recordVerified, verifiedRecords } from './verified.ts';

export const POOL_DAMAGED_ALERT = 'MABS-POOL-DAMAGED';

export interface PoolCheckRequest {
  readonly pool: string;
  readonly depth: CheckDepth;
  /** Milliseconds; none when absent. */
  readonly budgetMs?: number;
  readonly resume: boolean;
}

/** What `pool check` prints. */
export interface PoolCheckReport {
  readonly pool: string;
  readonly depth: CheckDepth;
  readonly status: PoolCheckResult['status'];
  readonly blocksRead: number;
  readonly bytesRead: number;
  readonly damage: PoolCheckResult['damage'];
  /** False when the budget ended first. */
  readonly complete: boolean;
  /** Replicas and points that are proven by this check. */
  readonly verified: number;
}

/** Reads back what a pool holds, remembers what is proven, and raises an alert for what is damaged. */
export async function checkPool(
  ports: Ports,
  { pool: name, depth, budgetMs, resume }: PoolCheckRequest,
  { signal, onProgress }: JobOptions = {},
): Promise<PoolCheckReport> {
  const { name: poolName } = await getPoolConfiguration(ports.home, name);
  const pool = await ports.openPool(poolName);
  const run = async (): Promise<PoolCheckReport> => {
    const checked = await pool.check({
      depth,
      resume,
      alreadyVerified: await verifiedIds(ports, pool),
      ...(budgetMs !== undefined && { budgetMs }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress: (progress) => onProgress({ label: `checking ${poolName}`, ...progress }) }),
    });
    const result = await withLostManifests(ports, pool, checked);
    await settle(ports, pool, poolName, result);
    const { status, blocksRead, bytesRead, damage, complete, verified } = result;
    return { pool: poolName, depth, status, blocksRead, bytesRead, damage, complete, verified: verified.length };
  };
  return runJob(ports, { kind: 'pool-check', subjects: [poolName] }, run, ({ status }) => (status === 'damaged' ? 'partly' : 'ok'));
}

/** What the pool alone cannot tell: manifests that this home has seen and that are there no more. */
async function withLostManifests({ catalog }: Ports, pool: Pool, result: PoolCheckResult): Promise<PoolCheckResult> {
  const lost = new Set(await refreshManifests(catalog, pool));
  if (lost.size === 0) return result;
  const known = await catalog.listManifests({ poolId: pool.info.id });
  const damage = known
    .filter(({ seq }) => lost.has(seq))
    .map(({ seq, manifest: { id, kind } }) => ({
      file: manifestName(seq),
      offset: 0,
      kind: 'missing',
      affectedPoints: kind === 'point' ? [id] : [],
    }));
  const others = result.damage.filter(({ file }) => !damage.some((each) => each.file === file));
  return { ...result, status: 'damaged', damage: [...others, ...damage] };
}

async function verifiedIds(ports: Ports, pool: Pool): Promise<Set<string>> {
  const ids = new Set((await verifiedRecords(ports, pool.info.id)).keys());
  for (const { manifest } of await ports.catalog.listManifests({ poolId: pool.info.id })) if (manifest.verifiedAt) ids.add(manifest.id);
  return ids;
}

async function settle(ports: Ports, pool: Pool, name: string, { status, damage, verified, complete }: PoolCheckResult): Promise<void> {
  await recordVerified(ports, pool, verified);
  if (status === 'damaged') {
    const points = new Set(damage.flatMap(({ affectedPoints }) => affectedPoints)).size;
    await raiseAlert(ports, {
      code: POOL_DAMAGED_ALERT,
      severity: 'critical',
      subject: name,
      message: `${damage.length} places in pool ${name} are damaged; ${points} recovery points need them`,
      hint: 'Run mabs consistency-check for the VMs concerned: it brings blocks back from the source.',
    });
  } else if (complete) await resolveAlert(ports, POOL_DAMAGED_ALERT, name);
}
