import type { Capture } from '../hosts/host.ts';
import { isoUtc } from '../lib/times.ts';
import { weakestTracking } from '../model/consistency.ts';
import type { Manifest, StoredManifest } from '../model/manifest.ts';
import { RollGapError } from '../pool/manifest-roll.ts';
import type { Pool, PoolWriter } from '../pool/pool.ts';
import { raiseAlert, resolveAlert } from './alerts.ts';
import { withCapture } from './captured-vm.ts';
import { freezeReplica } from './freeze-replica.ts';
import { changeGroup, type KnownMember } from './groups.ts';
import type { JobOptions } from './job.ts';
import { requireNextNumber } from './lost-manifests.ts';
import { describeTransfer, type MemberReport } from './member-report.ts';
import type { Ports } from './ports.ts';
import { droppedReason } from './tracking-base.ts';
import { findReplica } from './vault.ts';
import { readBackReplica, verifiedAt, verifiedRecords } from './verified.ts';
import { type WrittenDisk, writeDisks } from './write-disk.ts';

/** An alert about a host's change tracking that kept changes back. */
export const TRACKING_ALERT = 'MABS-TRACKING-LIED';

export interface ReplicateOrder extends JobOptions {
  /** Compare everything instead of going by the tracking, and mend what the pool lost. */
  readonly whole: boolean;
  readonly verify: 'now' | 'later';
  /** Freeze the new replica as a recovery point. */
  readonly freeze: boolean;
  /** The VM's lock, held by the caller. */
  readonly lock: string;
}

type Report = Omit<MemberReport, 'vm' | 'status' | 'durationMs'> & { readonly vmName: string };

interface Before {
  readonly pool: Pool;
  readonly replica?: Manifest;
  /** The replica was read back, or made of blocks that were. */
  readonly verified: boolean;
  readonly dropped?: string;
}

/**
 * Brings the replica of a VM up to date and commits it; with `freeze`, makes a point of it. The commit of the manifest is the one
 * moment that counts: before it nothing has changed, after it the rest is repeated by whichever job comes next.
 */
export async function replicate(ports: Ports, known: KnownMember, order: ReplicateOrder): Promise<Report> {
  const before = await lookBefore(ports, known);
  const { stored, points, report, capture } = await captureAndCommit(ports, known, before, order);
  await forgetReplaced(ports, before.pool, stored);
  await rememberName(ports, known, capture.vm.name);
  const label = `${known.member.host}/${capture.vm.name}`;
  const isVerified = stored.manifest.verifiedAt !== undefined;
  if (!isVerified && order.verify === 'now') await readBackReplica(ports, before.pool, stored, points, { ...order, label });
  const [point] = points;
  return {
    ...report,
    vmName: capture.vm.name,
    verified: isVerified || order.verify === 'now',
    replicaId: stored.manifest.id,
    ...(point ? { pointId: point.manifest.id } : {}),
  };
}

async function lookBefore(ports: Ports, { poolName, member }: KnownMember): Promise<Before> {
  const pool = await ports.openPool(poolName);
  await requireNextNumber(ports, pool, poolName);
  const replica = (await findReplica(ports, pool.info.id, member.datasource))?.manifest;
  if (!replica) return { pool, verified: false };
  const verified = verifiedAt(replica, await verifiedRecords(ports, pool.info.id)) !== undefined;
  const dropped = await droppedReason(pool, replica);
  return { pool, replica, verified, ...(dropped === undefined ? {} : { dropped }) };
}

async function captureAndCommit(ports: Ports, known: KnownMember, before: Before, order: ReplicateOrder) {
  const { member, group } = known;
  const host = await ports.openHost(member.host);
  await using writer = await before.pool.beginWrite();
  const captureOrder = { host, member, policy: group.policy, lock: order.lock, ...(order.signal ? { signal: order.signal } : {}) };
  return await withCapture(ports, captureOrder, async (capture, committed) => {
    const written = await writeAll(ports, writer, capture, known, before, order);
    const manifest = manifestOf(ports, known, before, capture, written);
    const stored = await commit(ports, before.pool, writer, manifest);
    committed();
    const points = order.freeze ? [await freezeReplica(ports, before.pool, writer, stored.manifest)] : [];
    await tellLies(ports, `${member.host}/${capture.vm.name}`, written, order.whole);
    return { stored, points, capture, report: describeTransfer(stored.manifest, written, capture) };
  });
}

function writeAll(ports: Ports, writer: PoolWriter, capture: Capture, known: KnownMember, before: Before, order: ReplicateOrder) {
  const { replica, dropped, pool } = before;
  return writeDisks(capture, {
    diskFormats: ports.diskFormats,
    fileSystems: ports.fileSystems,
    leaveOut: known.group.policy.leaveOut,
    writer,
    blockSize: pool.info.blockSize,
    label: `${known.member.host}/${capture.vm.name}`,
    whole: order.whole,
    verifyNew: replica !== undefined,
    ...(replica ? { replica } : {}),
    ...(dropped === undefined ? {} : { dropped }),
    ...(order.signal ? { signal: order.signal } : {}),
    ...(order.onProgress ? { onProgress: order.onProgress } : {}),
  });
}

async function commit(ports: Ports, pool: Pool, writer: PoolWriter, manifest: Manifest): Promise<StoredManifest> {
  const stored = await writer.commitManifest(manifest);
  await ports.catalog.addManifests(pool.info.id, [stored]);
  return stored;
}

function manifestOf(
  ports: Ports,
  { group, member }: KnownMember,
  before: Before,
  capture: Capture,
  written: readonly WrittenDisk[],
): Manifest {
  const { id, name, generation, os, state, configuration } = capture.vm;
  const disks = written.map(({ disk }) => disk);
  const tracking = disks.length === 0 ? 'initial' : weakestTracking(disks.map((disk) => disk.tracking));
  const reason = disks.find((disk) => disk.tracking === tracking && disk.trackingReason !== undefined)?.trackingReason;
  const now = isoUtc(ports.clock.now());
  const isVerified = before.verified && written.every(({ disk, result }) => disk.tracking !== 'initial' && result.blocksMended === 0);
  return {
    version: 1,
    id: ports.random.uuid(),
    kind: 'replica',
    datasource: member.datasource,
    host: member.host,
    vm: { id, name, generation, os, state },
    group: { id: group.id, name: group.name },
    policy: group.policy,
    capturedAt: isoUtc(capture.capturedAt),
    createdAt: now,
    consistency: capture.consistency,
    ...(capture.consistencyReason === undefined ? {} : { consistencyReason: capture.consistencyReason }),
    tracking,
    ...(reason === undefined ? {} : { trackingReason: reason }),
    disks,
    configuration: {
      json: configuration,
      files: capture.configurationFiles.map((file) => ({ name: file.name, base64: Buffer.from(file.bytes).toString('base64') })),
    },
    ...(isVerified ? { verifiedAt: now } : {}),
    bytesStored: written.reduce((sum, { result }) => sum + result.bytesStored, 0),
  };
}

/**
 * Older replicas are replaced: nothing refers to them, points are manifests of their own. Where the pool has lost a manifest they
 * stay until it is mended: what is stored by now is no worse for it.
 */
async function forgetReplaced(ports: Ports, pool: Pool, newest: StoredManifest): Promise<void> {
  const poolId = pool.info.id;
  const replicas = await ports.catalog.listManifests({ poolId, datasource: newest.manifest.datasource, kind: 'replica' });
  const replaced = replicas.filter(({ seq }) => seq < newest.seq).map(({ seq }) => seq);
  if (replaced.length === 0) return;
  try {
    await pool.purge(replaced);
  } catch (error) {
    if (error instanceof RollGapError) return;
    throw error;
  }
  await ports.catalog.removeManifests(poolId, replaced);
}

async function rememberName(ports: Ports, { group: { id }, member }: KnownMember, vmName: string): Promise<void> {
  if (member.vmName === vmName) return;
  await changeGroup(ports, id, (group) => ({
    ...group,
    members: group.members.map((other) => (other.datasource === member.datasource ? { ...other, vmName } : other)),
  }));
}

/** Raises an alert for each disk whose tracking was caught; a whole comparison that caught none settles an earlier one. */
async function tellLies(ports: Ports, subject: string, written: readonly WrittenDisk[], whole: boolean): Promise<void> {
  if (whole && written.every(({ trackingLied }) => trackingLied === undefined)) return resolveAlert(ports, TRACKING_ALERT, subject);
  for (const { disk, trackingLied } of written) {
    if (trackingLied === undefined) continue;
    await raiseAlert(ports, {
      code: TRACKING_ALERT,
      severity: 'critical',
      subject,
      message: `disk${disk.index}: ${trackingLied}`,
      hint: 'This disk was read whole and is right again. Run a consistency check of the VMs of this host.',
    });
  }
}
