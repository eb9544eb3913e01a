import type { CapturedDisk } from '../hosts/host.ts';
import type { ByteRange } from '../lib/byte-range.ts';
import type { Tracking } from '../model/consistency.ts';
import type { Manifest, ManifestDisk } from '../model/manifest.ts';

/** How a disk of a capture is to be written into the pool. */
export interface DiskPlan {
  /** What the replica holds of this disk; absent for one that it does not know. */
  readonly base?: ManifestDisk;
  /** What has to be read; absent: everything. */
  readonly ranges?: readonly ByteRange[];
  readonly tracking: Tracking;
  readonly reason?: string;
}

export interface DiskPlanFacts {
  readonly replica?: Manifest;
  /** Why the replica's tracking identity must not be used, where it must not. */
  readonly dropped?: string;
  readonly virtualSize: number;
  readonly blockSize: number;
}

/**
 * Decides what of a disk is read: all of a new one, the tracked ranges of one that the replica knows, and all of it, compared with
 * the replica, where the tracking cannot be used. The reason is kept with the disk.
 */
export async function planTracked(disk: CapturedDisk, facts: DiskPlanFacts): Promise<DiskPlan> {
  const base = baseOf(disk, facts);
  if (!base) return { tracking: 'initial', ...(facts.replica ? { reason: 'the replica does not have this disk yet' } : {}) };
  if (facts.dropped !== undefined) return { base, tracking: 'scan', reason: facts.dropped };
  if (base.virtualSize !== facts.virtualSize) {
    return { base, tracking: 'scan', reason: `the disk was resized from ${base.virtualSize} to ${facts.virtualSize} bytes` };
  }
  if (base.trackingId === undefined) return { base, tracking: 'scan', reason: 'the replica holds no tracking identity of this disk' };
  const changed = await disk.changedSince(base.trackingId);
  if ('unknown' in changed) return { base, tracking: 'scan', reason: changed.unknown };
  return { base, ranges: changed.ranges, tracking: 'rct' };
}

/** Reads and compares everything, whatever the tracking says. */
export function planWhole(disk: CapturedDisk, facts: DiskPlanFacts): DiskPlan {
  const base = baseOf(disk, facts);
  return base ? { base, tracking: 'scan', reason: 'consistency check' } : { tracking: 'initial' };
}

function baseOf(disk: CapturedDisk, { replica, blockSize }: DiskPlanFacts): ManifestDisk | undefined {
  return replica?.disks.find(({ key, blockSize: cut }) => key === disk.key && cut === blockSize);
}
