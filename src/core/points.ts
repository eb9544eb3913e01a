import { isoUtc } from '../lib/times.ts';
import type { Consistency, Tracking } from '../model/consistency.ts';
import type { LeftOutNote } from '../model/manifest.ts';
import { diskName, parseVmName } from '../model/names.ts';
import { anchorOf, expiryOf } from '../model/retention.ts';
import { listGroups, membersOf } from './groups.ts';
import { getWholePoint, type KnownPoint, listKnownPoints, pointsOfVm, pointVm } from './known-points.ts';
import type { Ports } from './ports.ts';
import { openPools, throwIfUnavailable } from './vault.ts';

/** A recovery point as `point list` prints it. */
export interface PointRow {
  readonly id: string;
  readonly vm: string;
  readonly capturedAt: string;
  readonly createdAt: string;
  readonly consistency: Consistency;
  readonly tracking: Tracking;
  /** Bytes of data of its disks: not zero, not left out. */
  readonly size: number;
  readonly held: boolean;
  readonly verifiedAt?: string;
  readonly drilledAt?: string;
  /** From when on the policy releases it; absent for one that it never releases (held, or the newest verified of its VM). */
  readonly expiresAt?: string;
  readonly disks: readonly PointDiskRow[];
}

export interface PointDiskRow {
  readonly disk: string;
  readonly virtualSize: number;
  readonly root: string;
  readonly sha256?: string;
  /** Bytes of ranges that were not kept. */
  readonly leftOut: number;
}

/** What `point show` adds. */
export interface PointDetails extends PointRow {
  readonly vmId: string;
  readonly pool: string;
  readonly group?: string;
  readonly consistencyReason?: string;
  readonly trackingReason?: string;
  readonly hold?: { readonly reason: string; readonly owner: string; readonly until?: string };
  readonly diskDetails: readonly {
    readonly disk: string;
    readonly path: string;
    readonly controller: string;
    readonly format: string;
    readonly tracking: Tracking;
    readonly trackingReason?: string;
    readonly dataBytes: number;
    /** `[offset, length]` in bytes of what was not kept; reads as zero. */
    readonly leftOut: readonly (readonly [offset: number, length: number])[];
    /** What that is, and what could not be left out and why. */
    readonly leftOutNotes: readonly LeftOutNote[];
  }[];
  readonly configuration: unknown;
}

/**
 * Recovery points, of one VM or of all, by the time of the guest's state. Those of a pool that cannot be opened now are told as they
 * were last seen; where none was, why it cannot be opened is thrown: an empty list is no proof that there is nothing.
 */
export async function listPoints(ports: Ports, vm?: string): Promise<PointRow[]> {
  const all = await listKnownPoints(ports);
  if (all.length === 0) throwIfUnavailable(await openPools(ports));
  const points = vm === undefined ? all : await pointsOfVm(ports, all, parseVmName(vm), vm);
  const expiries = await expiriesOf(ports, all);
  return points.map((point) => rowOf(point, expiries));
}

/** Everything that is known of one point. */
export async function showPoint(ports: Ports, text: string): Promise<PointDetails> {
  const point = await getWholePoint(ports, text);
  const { manifest, hold } = point;
  const expiries = await expiriesOf(ports, await listKnownPoints(ports));
  return {
    ...rowOf(point, expiries),
    vmId: manifest.vm.id,
    pool: point.poolName,
    ...(manifest.group ? { group: manifest.group.name } : {}),
    ...(manifest.consistencyReason === undefined ? {} : { consistencyReason: manifest.consistencyReason }),
    ...(manifest.trackingReason === undefined ? {} : { trackingReason: manifest.trackingReason }),
    ...(hold ? { hold: { reason: hold.reason, owner: hold.owner, ...(hold.until === undefined ? {} : { until: hold.until }) } } : {}),
    diskDetails: manifest.disks.map(({ index, path, controller, format, tracking, trackingReason, dataBytes, leftOut, leftOutNotes }) => ({
      disk: diskName(index),
      path,
      controller,
      format,
      tracking,
      ...(trackingReason === undefined ? {} : { trackingReason }),
      dataBytes,
      leftOut,
      leftOutNotes: leftOutNotes ?? [],
    })),
    configuration: manifest.configuration.json,
  };
}

/** When the policies of now release each point, by id; those that they never release are absent. */
export async function expiriesOf(ports: Ports, points: readonly KnownPoint[]): Promise<Map<string, number>> {
  const retention = await retentionByDatasource(ports);
  const expiries = new Map<string, number>();
  for (const own of Map.groupBy(points, ({ manifest }) => manifest.datasource).values()) {
    const retained = own.map((point) => toRetained(point, retention));
    const anchor = anchorOf(retained);
    for (const point of retained) {
      if (!point.held && point !== anchor && point.retentionMs !== undefined) expiries.set(point.id, expiryOf(point));
    }
  }
  return expiries;
}

/** How long the group of each protected VM keeps points, by datasource. */
export async function retentionByDatasource(ports: Ports): Promise<Map<string, number>> {
  const members = membersOf(await listGroups(ports));
  return new Map(members.map(({ member, group }) => [member.datasource, group.policy.retentionMs]));
}

/** A point as retention looks at it. */
export function toRetained({ manifest, hold, verifiedAt }: KnownPoint, retention: ReadonlyMap<string, number>) {
  const retentionMs = retention.get(manifest.datasource);
  return {
    id: manifest.id,
    datasource: manifest.datasource,
    capturedAt: Date.parse(manifest.capturedAt),
    held: hold !== undefined,
    verified: verifiedAt !== undefined,
    ...(retentionMs === undefined ? {} : { retentionMs }),
  };
}

function rowOf(point: KnownPoint, expiries: ReadonlyMap<string, number>): PointRow {
  const { manifest, sha256 = {} } = point;
  const expiry = expiries.get(manifest.id);
  return {
    id: manifest.id,
    vm: pointVm(point),
    capturedAt: manifest.capturedAt,
    createdAt: manifest.createdAt,
    consistency: manifest.consistency,
    tracking: manifest.tracking,
    size: manifest.disks.reduce((sum, disk) => sum + disk.dataBytes, 0),
    held: point.hold !== undefined,
    ...(point.verifiedAt === undefined ? {} : { verifiedAt: point.verifiedAt }),
    ...(point.drilledAt === undefined ? {} : { drilledAt: point.drilledAt }),
    ...(expiry === undefined ? {} : { expiresAt: isoUtc(expiry) }),
    disks: manifest.disks.map((disk) => {
      const name = diskName(disk.index);
      return {
        disk: name,
        virtualSize: disk.virtualSize,
        root: disk.root,
        ...(sha256[name] === undefined ? {} : { sha256: sha256[name] }),
        leftOut: disk.leftOut.reduce((sum, [, length]) => sum + length, 0),
      };
    }),
  };
}
