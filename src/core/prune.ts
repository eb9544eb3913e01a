import { MabsError } from '../lib/errors.ts';
import { isoUtc } from '../lib/times.ts';
import { applyRetention } from '../model/retention.ts';
import type { SweepPlan } from '../pool/pool.ts';
import { confirmedGroups } from './confirm-groups.ts';
import { removeExpiredDisks } from './expired-disks.ts';
import { listGroups, membersOf } from './groups.ts';
import { type JobOptions, jobOptions, runJob } from './job.ts';
import { type KnownPoint, listKnownPoints, pointVm } from './known-points.ts';
import { cleanLeftovers } from './leftovers.ts';
import { requireWholeRoll } from './lost-manifests.ts';
import { toRetained } from './points.ts';
import type { PoolConfiguration, Ports } from './ports.ts';
import { trashPoints } from './trash.ts';

/** How far the clock may lie behind the newest commit before prune asks. */
const CLOCK_TOLERANCE_MS = 3_600_000;

export const DEFAULT_TRASH_MS = 14 * 86_400_000;

export interface PruneRequest {
  /** The pool's name; all pools when absent. */
  readonly pool?: string;
  /** How long points lie in the trash before their space is given back. */
  readonly trashMs: number;
  /** Gives the space of everything in the trash back at once. */
  readonly emptyTrash: boolean;
}

/** What prune would do in one pool. */
export interface PoolPrunePlan {
  readonly pool: string;
  /** Points that their policy releases. */
  readonly release: readonly PrunedPoint[];
  /** Points whose time in the trash is over. */
  readonly purge: readonly PrunedPoint[];
  /** Replicas that newer ones replaced. */
  readonly replacedReplicas: readonly number[];
  readonly sweep: SweepPlan;
  /** Groups whose policy waits for `mabs group confirm`. */
  readonly unconfirmed: readonly string[];
}

export interface PrunedPoint {
  readonly id: string;
  readonly vm: string;
  readonly capturedAt: string;
  readonly seq: number;
}

export interface PrunePlan {
  readonly plannedAt: string;
  readonly pools: readonly PoolPrunePlan[];
}

export interface PruneReport {
  readonly dryRun: boolean;
  readonly pools: readonly {
    readonly pool: string;
    readonly trashed: readonly PrunedPoint[];
    readonly purged: readonly PrunedPoint[];
    readonly bytesFreed: number;
    readonly blocksFreed: number;
    readonly unconfirmed: readonly string[];
  }[];
  readonly bytesFreed: number;
}

export class ClockJumpedError extends MabsError {
  readonly code = 'MABS-CLOCK-JUMPED';
  readonly hint = 'Set the clock of this machine right; nothing is removed by age while it is in doubt.';
  override readonly kind = 'prerequisite';
  constructor(now: number, newest: string) {
    super(`the clock says ${isoUtc(now)}, but the pool holds a commit of ${newest}`);
  }
}

/** Says what prune would move to the trash, purge and free. Changes nothing. */
export async function planPrune(ports: Ports, request: PruneRequest, options: JobOptions = {}): Promise<PrunePlan> {
  const pools = (await ports.home.listPools()).filter(({ name }) => request.pool === undefined || name === request.pool);
  if (request.pool !== undefined && pools.length === 0) await ports.openPool(request.pool);
  const plans: PoolPrunePlan[] = [];
  for (const pool of pools) plans.push(await planPool(ports, pool, request, options));
  return { plannedAt: isoUtc(ports.clock.now()), pools: plans };
}

/** Carries a plan out: to the trash, out of the trash, then mark and sweep. Each step is a commit of its own. */
export async function applyPrune(ports: Ports, plan: PrunePlan, options: JobOptions = {}): Promise<PruneReport> {
  await cleanLeftovers(ports);
  return runJob(ports, { kind: 'prune', subjects: plan.pools.map(({ pool }) => pool) }, async () => {
    const pools = [];
    for (const own of plan.pools) pools.push(await applyPool(ports, own, options));
    const hosts = await ports.home.listHosts();
    await removeExpiredDisks(
      ports,
      hosts.map(({ name }) => name),
    );
    return reportOf(pools, false);
  });
}

/** A plan in the words of a report: what `--dry-run` prints. */
export function pruneForecast(plan: PrunePlan): PruneReport {
  return reportOf(
    plan.pools.map(({ pool, release, purge, sweep, unconfirmed }) => ({
      pool,
      trashed: release,
      purged: purge,
      bytesFreed: sweep.bytesFreed,
      blocksFreed: sweep.deadBlocks,
      unconfirmed,
    })),
    true,
  );
}

async function planPool(
  ports: Ports,
  configuration: PoolConfiguration,
  request: PruneRequest,
  options: JobOptions,
): Promise<PoolPrunePlan> {
  const pool = await ports.openPool(configuration.name);
  await requireWholeRoll(ports, pool, configuration.name);
  await checkClock(ports, pool.info.id);
  const points = (await listKnownPoints(ports)).filter(({ poolId }) => poolId === pool.info.id);
  const { retention, unconfirmed } = await policiesOf(ports, configuration);
  const now = ports.clock.now();
  const released = new Set(
    applyRetention(
      points.map((point) => toRetained(point, retention)),
      now,
    ).release.map(({ id }) => id),
  );
  const release = points.filter(({ manifest }) => released.has(manifest.id));
  const trash = await pool.listTrash();
  const due = trash.filter(({ trashedAt }) => request.emptyTrash || now - Date.parse(trashedAt) > request.trashMs);
  // With --empty-trash, what goes into the trash now leaves it in the same run.
  const purge = [...due.map(({ seq, manifest }) => prunedPoint(seq, manifest)), ...(request.emptyTrash ? release.map(asPruned) : [])];
  const replacedReplicas = await listReplaced(ports, pool.info.id);
  const without = [...purge.map(({ seq }) => seq), ...replacedReplicas];
  const sweep = await pool.planSweep({ without, ...(options.signal ? { signal: options.signal } : {}) });
  return { pool: configuration.name, release: release.map(asPruned), purge, replacedReplicas, sweep, unconfirmed };
}

async function applyPool(ports: Ports, plan: PoolPrunePlan, options: JobOptions): Promise<PruneReport['pools'][number]> {
  const pool = await ports.openPool(plan.pool);
  await requireWholeRoll(ports, pool, plan.pool);
  // Looked up again: a point may have been held or removed since the plan was made.
  const ids = new Set(plan.release.map(({ id }) => id));
  const release = (await listKnownPoints(ports)).filter(({ manifest, hold }) => ids.has(manifest.id) && !hold);
  await trashPoints(ports, release, 'older than the policy of its group');
  const inTrash = new Set((await pool.listTrash()).map(({ seq }) => seq));
  const purged = plan.purge.filter(({ seq }) => inTrash.has(seq));
  const replaced = await listReplaced(ports, pool.info.id);
  const seqs = [...purged.map(({ seq }) => seq), ...replaced];
  if (seqs.length > 0) await pool.purge(seqs);
  await ports.catalog.removeManifests(pool.info.id, replaced);
  const { onProgress, signal } = jobOptions(options);
  const swept = await pool.sweep({
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (progress) => onProgress({ label: `${plan.pool} sweeping`, ...progress }) } : {}),
  });
  return {
    pool: plan.pool,
    trashed: release.map(asPruned),
    purged,
    bytesFreed: swept.bytesFreed,
    blocksFreed: swept.deadBlocks,
    unconfirmed: plan.unconfirmed,
  };
}

/** How long each datasource's points are kept; groups that wait for confirmation say nothing yet. */
async function policiesOf(ports: Ports, configuration: PoolConfiguration) {
  const groups = (await listGroups(ports)).filter(({ poolId }) => poolId === configuration.id);
  const confirmed = await confirmedGroups(ports, configuration);
  const isConfirmed = (id: string) => confirmed === 'all' || confirmed.has(id);
  const speaking = membersOf(groups.filter(({ group }) => isConfirmed(group.id)));
  return {
    retention: new Map(speaking.map(({ member, group }) => [member.datasource, group.policy.retentionMs])),
    unconfirmed: groups.filter(({ group }) => !isConfirmed(group.id)).map(({ group }) => group.name),
  };
}

async function checkClock({ catalog, clock }: Ports, poolId: string): Promise<void> {
  const newest = (await catalog.listManifests({ poolId }))
    .map(({ manifest }) => manifest.createdAt)
    .sort()
    .at(-1);
  if (newest !== undefined && Date.parse(newest) > clock.now() + CLOCK_TOLERANCE_MS) throw new ClockJumpedError(clock.now(), newest);
}

/** Replicas that are not the newest of their datasource. */
async function listReplaced({ catalog }: Ports, poolId: string): Promise<number[]> {
  const replicas = await catalog.listManifests({ poolId, kind: 'replica' });
  const own = Map.groupBy(replicas, ({ manifest }) => manifest.datasource);
  return [...own.values()].flatMap((replicasOfOne) =>
    replicasOfOne
      .map(({ seq }) => seq)
      .sort((a, b) => a - b)
      .slice(0, -1),
  );
}

function asPruned(point: KnownPoint): PrunedPoint {
  return prunedPoint(point.seq, point.manifest);
}

function prunedPoint(seq: number, manifest: KnownPoint['manifest']): PrunedPoint {
  return { id: manifest.id, vm: pointVm({ manifest }), capturedAt: manifest.capturedAt, seq };
}

function reportOf(pools: PruneReport['pools'], dryRun: boolean): PruneReport {
  return { dryRun, pools, bytesFreed: pools.reduce((sum, { bytesFreed }) => sum + bytesFreed, 0) };
}
