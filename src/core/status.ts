import { isoUtc } from '../lib/times.ts';
import { listAlerts } from './alerts.ts';
import { type KnownMember, listGroups, membersOf, vmLabel } from './groups.ts';
import { listJobs } from './jobs.ts';
import { type KnownPoint, listKnownPoints } from './known-points.ts';
import type { Ports } from './ports.ts';
import { openPools } from './vault.ts';

/** Agreements to be checked; only those that are asked for count. Milliseconds. */
export interface StatusCriteria {
  /** The newest point must not be older. */
  readonly maxAgeMs?: number;
  /** A point must have been verified within. */
  readonly verifiedWithinMs?: number;
  /** A point must have been drilled within. */
  readonly drilledWithinMs?: number;
}

export interface VmStatus {
  readonly vm: string;
  readonly group: string;
  readonly pool: string;
  /** The guest's state in the replica. */
  readonly lastSyncAt?: string;
  /** The guest's state in the newest point. */
  readonly lastPointAt?: string;
  readonly points: number;
  readonly consistency?: string;
  readonly tracking?: string;
  /** When a point of it was last verified. */
  readonly verifiedAt?: string;
  readonly drilledAt?: string;
  readonly alerts: number;
  readonly state: 'ok' | 'waiting' | 'attention';
  /** What is not met of what was asked for. */
  readonly violations: readonly string[];
}

export interface StatusReport {
  readonly checkedAt: string;
  readonly vms: readonly VmStatus[];
  readonly alerts: readonly { readonly id: string; readonly severity: string; readonly subject: string; readonly message: string }[];
  readonly runningJobs: readonly { readonly id: string; readonly kind: string; readonly subjects: readonly string[] }[];
  readonly unavailablePools: readonly string[];
  /** Whether everything asked for is met; absent when nothing was asked. */
  readonly met?: boolean;
}

/** How every protected VM stands; with criteria, whether what was agreed is met. */
export async function status(ports: Ports, criteria?: StatusCriteria): Promise<StatusReport> {
  const { unavailable } = await openPools(ports);
  const members = membersOf(await listGroups(ports));
  const points = await listKnownPoints(ports);
  const alerts = await listAlerts(ports);
  const replicas = await ports.catalog.listManifests({ kind: 'replica' });
  const vms = members.map((known) => {
    const { datasource } = known.member;
    const own = points.filter(({ manifest }) => manifest.datasource === datasource);
    const replica = replicas.filter(({ manifest }) => manifest.datasource === datasource).at(-1)?.manifest;
    const open = alerts.filter(({ subject }) => subject === vmLabel(known.member)).length;
    return vmStatus(known, own, replica, open, criteria, ports.clock.now());
  });
  const running = (await listJobs(ports, 50)).filter(({ state }) => state === 'running');
  return {
    checkedAt: isoUtc(ports.clock.now()),
    vms,
    alerts: alerts.map(({ id, severity, subject, message }) => ({ id, severity, subject, message })),
    runningJobs: running.map(({ id, kind, subjects }) => ({ id, kind, subjects })),
    unavailablePools: unavailable.map(({ name }) => name),
    ...(criteria ? { met: vms.every(({ violations }) => violations.length === 0) } : {}),
  };
}

function vmStatus(
  { member, group, poolName }: KnownMember,
  points: readonly KnownPoint[],
  replica: KnownPoint['manifest'] | undefined,
  alerts: number,
  criteria: StatusCriteria | undefined,
  now: number,
): VmStatus {
  const newest = points.at(-1)?.manifest;
  const verified = latest(points.map((point) => point.verifiedAt));
  const drilled = latest(points.map((point) => point.drilledAt));
  const shown = newest ?? replica;
  const violations = criteria ? violationsOf(criteria, now, { point: newest?.capturedAt, verified, drilled }) : [];
  return {
    vm: vmLabel(member),
    group: group.name,
    pool: poolName,
    ...(replica ? { lastSyncAt: replica.capturedAt } : {}),
    ...(newest ? { lastPointAt: newest.capturedAt } : {}),
    points: points.length,
    ...(shown ? { consistency: shown.consistency, tracking: shown.tracking } : {}),
    ...(verified === undefined ? {} : { verifiedAt: verified }),
    ...(drilled === undefined ? {} : { drilledAt: drilled }),
    alerts,
    state: alerts > 0 || violations.length > 0 ? 'attention' : newest ? 'ok' : 'waiting',
    violations,
  };
}

/** Where nothing in particular is asked for, a protected VM must at least have a recovery point. */
function violationsOf(
  { maxAgeMs, verifiedWithinMs, drilledWithinMs }: StatusCriteria,
  now: number,
  { point, verified, drilled }: Record<'point' | 'verified' | 'drilled', string | undefined>,
): string[] {
  const isLate = (at: string | undefined, limit: number) => at === undefined || now - Date.parse(at) > limit;
  const violations: string[] = [];
  const asked = maxAgeMs !== undefined || verifiedWithinMs !== undefined || drilledWithinMs !== undefined;
  if (!asked && point === undefined) violations.push('it has no recovery point');
  if (maxAgeMs !== undefined && isLate(point, maxAgeMs)) violations.push(`its newest recovery point is of ${point ?? 'never'}`);
  if (verifiedWithinMs !== undefined && isLate(verified, verifiedWithinMs))
    violations.push(`a point was last verified ${verified ?? 'never'}`);
  if (drilledWithinMs !== undefined && isLate(drilled, drilledWithinMs)) violations.push(`a point was last drilled ${drilled ?? 'never'}`);
  return violations;
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
}
