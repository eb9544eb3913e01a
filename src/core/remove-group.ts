import { isoUtc } from '../lib/times.ts';
import { parseVmName } from '../model/names.ts';
import { changeGroup, getGroup, type KnownGroup, type KnownMember, membersOf, vmLabel } from './groups.ts';
import { matchVm, NameAmbiguousError, VmUnknownError } from './inventory.ts';
import { type KnownPoint, listKnownPoints } from './known-points.ts';
import type { Ports } from './ports.ts';
import { trashPoints } from './trash.ts';

/** What taking members out of a group, or the group away, would do. */
export interface RemovalPlan {
  readonly group: KnownGroup;
  /** The whole group goes. */
  readonly whole: boolean;
  readonly members: readonly KnownMember[];
  /** Points of those members that go to the trash; without `deleteData` none does. */
  readonly points: readonly KnownPoint[];
  /** Points that stay because somebody holds them. */
  readonly held: readonly KnownPoint[];
  /** Numbers of the replicas of those members in the group's pool that go to the trash, too. */
  readonly replicas: readonly number[];
}

export interface RemovalReport {
  readonly group: string;
  readonly removed: readonly string[];
  readonly trashedPoints: readonly string[];
  readonly keptPoints: number;
}

/** Plans the end of a group, or of one member of it. Points are kept unless told otherwise. Changes nothing. */
export async function planRemoval(
  ports: Ports,
  request: { readonly group: string; readonly member?: string; readonly deleteData: boolean },
): Promise<RemovalPlan> {
  const group = await getGroup(ports, request.group);
  const all = membersOf([group]);
  const members = request.member === undefined ? all : [memberNamed(all, request.member)];
  const own = new Set(members.map(({ member }) => member.datasource));
  const points = request.deleteData ? (await listKnownPoints(ports)).filter(({ manifest }) => own.has(manifest.datasource)) : [];
  return {
    group,
    whole: request.member === undefined,
    members,
    replicas: request.deleteData ? await replicasOf(ports, group.poolId, own) : [],
    points: points.filter(({ hold }) => !hold),
    held: points.filter(({ hold }) => hold),
  };
}

/** Records the end first: from then on no job makes new points; then moves the points to the trash. */
export async function applyRemoval(ports: Ports, plan: RemovalPlan): Promise<RemovalReport> {
  const { group, poolName } = plan.group;
  const gone = new Set(plan.members.map(({ member }) => member.datasource));
  await changeGroup(ports, group.id, (now) => {
    const members = now.members.filter(({ datasource }) => !gone.has(datasource));
    return plan.whole ? { ...now, members: [], removed: true } : { ...now, members };
  });
  const reason = `removed with its member of the group ${group.name} on ${isoUtc(ports.clock.now())}`;
  await trashPoints(ports, plan.points, reason);
  const pool = await ports.openPool(poolName);
  for (const seq of plan.replicas) await pool.moveToTrash(seq, reason);
  await ports.catalog.removeManifests(pool.info.id, plan.replicas);
  const names = plan.members.map(({ member }) => vmLabel(member));
  const remaining = (await listKnownPoints(ports)).filter(({ manifest }) => gone.has(manifest.datasource));
  return { group: group.name, removed: names, trashedPoints: plan.points.map(({ manifest }) => manifest.id), keptPoints: remaining.length };
}

async function replicasOf({ catalog }: Ports, poolId: string, datasources: ReadonlySet<string>): Promise<number[]> {
  const replicas = await catalog.listManifests({ poolId, kind: 'replica' });
  return replicas.filter(({ manifest }) => datasources.has(manifest.datasource)).map(({ seq }) => seq);
}

function memberNamed(members: readonly KnownMember[], text: string): KnownMember {
  const found = matchVm(members, parseVmName(text), ({ member }) => ({ host: member.host, id: member.vmId, name: member.vmName }));
  if (found.length > 1) {
    throw new NameAmbiguousError(
      text,
      found.map(({ member }) => `${member.host}/{${member.vmId}}`),
    );
  }
  if (!found[0]) {
    throw new VmUnknownError(
      text,
      members.map(({ member }) => vmLabel(member)),
    );
  }
  return found[0];
}
