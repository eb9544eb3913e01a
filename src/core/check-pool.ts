import { MabsError } from '../lib/errors.ts';
import { manifestName } from '../pool/manifest-roll.ts';
import type { CheckDepth, Pool, PoolCheckResult } from '../pool/pool.ts';
import { FencedError } from '../pool/pool-owner.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import { type JobOptions, runJob } from './job.ts';
import { recordName } from './lost-manifests.ts';
import { getPoolConfiguration } from './open-ports.ts';
import type { Ports } from './ports.ts';
import { refreshCatalog } from './refresh-catalog.ts';
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
    const result = await withLostObjects(ports, pool, checked);
    await settle(ports, pool, poolName, result);
    const { status, blocksRead, bytesRead, damage, complete, verified } = result;
    return { pool: poolName, depth, status, blocksRead, bytesRead, damage, complete, verified: verified.length };
  };
  return runJob(ports, { kind: 'pool-check', subjects: [poolName] }, run, ({ status }) => (status === 'damaged' ? 'partly' : 'ok'));
}

/** What the pool alone cannot tell: manifests and records that this home has seen and that are there no more. */
async function withLostObjects({ catalog }: Ports, pool: Pool, result: PoolCheckResult): Promise<PoolCheckResult> {
  const { manifests, records } = await refreshCatalog(catalog, pool);
  if (manifests.length + records.length === 0) return result;
  const known = new Map((await catalog.listManifests({ poolId: pool.info.id })).map(({ seq, manifest }) => [seq, manifest]));
  const lost = [
    ...manifests.map((seq) => {
      const manifest = known.get(seq);
      return { file: manifestName(seq), affectedPoints: manifest?.kind === 'point' ? [manifest.id] : [] };
    }),
    ...records.map((record) => ({ file: recordName(record), affectedPoints: record.kind === 'hold' ? [record.owner] : [] })),
  ];
  const told = new Set(result.damage.filter(({ kind }) => kind !== 'missing').map(({ file }) => file));
  const damage = lost.filter(({ file }) => !told.has(file)).map((each) => ({ ...each, offset: 0, kind: 'missing' }));
  const others = result.damage.filter(({ file }) => told.has(file) || !damage.some((each) => each.file === file));
  return { ...result, status: 'damaged', damage: [...others, ...damage] };
}

/** Notes what is proven. A home that only reads the pool, or cannot tell whether it owns it, keeps no note. */
async function noteVerified(ports: Ports, pool: Pool, ids: readonly string[]): Promise<void> {
  try {
    await recordVerified(ports, pool, ids);
  } catch (error) {
    if (!(error instanceof FencedError || (error instanceof MabsError && error.kind === 'damaged'))) throw error;
  }
}

async function verifiedIds(ports: Ports, pool: Pool): Promise<Set<string>> {
  const ids = new Set((await verifiedRecords(ports, pool.info.id)).keys());
  for (const { manifest } of await ports.catalog.listManifests({ poolId: pool.info.id })) if (manifest.verifiedAt) ids.add(manifest.id);
  return ids;
}

async function settle(ports: Ports, pool: Pool, name: string, { status, damage, verified, complete }: PoolCheckResult): Promise<void> {
  await noteVerified(ports, pool, verified);
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
