import { writeDisks } from '../../src/core/write-disk.ts';
import type { DiskFormat, DiskFormats } from '../../src/disks/disk-format.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import type { Capture, CapturedDisk } from '../../src/hosts/host.ts';
import type { ByteRange } from '../../src/lib/byte-range.ts';
import type { Policy } from '../../src/model/group.ts';
import type { ManifestDisk } from '../../src/model/manifest.ts';
import { GuestDisk, type GuestStep } from './guest-disk.ts';
import { aMemoryDisk } from './memory-disk.ts';
import { aManifest, BLOCK, type TestPool } from './pools.ts';

/** A guest's step, or what the backup does. `interrupted`: a sync whose replica is never committed. */
export type HistoryStep =
  | GuestStep
  | { readonly kind: 'policy'; readonly leaveOut: Policy['leaveOut'] }
  | { readonly kind: 'sync'; readonly how: 'tracked' | 'scan' | 'check' | 'interrupted' };

/**
 * Plays a history of a guest's disk against a pool. After each sync the point has to say exactly what was left out, and to restore to
 * the disk in every other byte. Rejects with what is wrong; answers how often it looked, and how many bytes were left out then.
 */
export async function playHistory(
  { pool }: Pick<TestPool, 'pool'>,
  steps: readonly HistoryStep[],
): Promise<{ syncs: number; leftOut: number }> {
  const guest = new GuestDisk();
  /** Of each state that a replica may stand for: what was written since. */
  const since = new Map<string, ByteRange[]>();
  let leaveOut: Policy['leaveOut'] = ['pagefile'];
  let replica: ManifestDisk | undefined;
  const seen = { syncs: 0, leftOut: 0 };
  for (const [number, step] of steps.entries()) {
    if (step.kind === 'policy') leaveOut = step.leaveOut;
    else if (step.kind !== 'sync') guest.take(step);
    else {
      const writes = guest.takeWrites();
      for (const ranges of since.values()) ranges.push(...writes);
      const trackingId = `T${number}`;
      const written = await sync(pool, guest, { leaveOut, replica, trackingId, how: step.how, since });
      await verify(pool, guest, written, leaveOut);
      seen.syncs += 1;
      seen.leftOut += written.leftOut.reduce((sum, [, length]) => sum + length, 0);
      if (step.how === 'interrupted') continue;
      replica = written;
      since.clear();
      since.set(trackingId, []);
    }
  }
  return seen;
}

interface SyncOrder {
  readonly leaveOut: Policy['leaveOut'];
  readonly replica: ManifestDisk | undefined;
  readonly trackingId: string;
  readonly how: 'tracked' | 'scan' | 'check' | 'interrupted';
  readonly since: ReadonlyMap<string, readonly ByteRange[]>;
}

async function sync(
  pool: TestPool['pool'],
  guest: GuestDisk,
  { leaveOut, replica, trackingId, how, since }: SyncOrder,
): Promise<ManifestDisk> {
  const disk: CapturedDisk = {
    ...{ key: 'd0', index: 0, controller: 'scsi', path: 'disk0.raw', frozenPath: 'disk0.raw', format: 'raw', trackingId },
    changedSince: async (base) => {
      const ranges = how === 'scan' ? undefined : since.get(base ?? '');
      return ranges ? { ranges } : { unknown: 'the tracking was lost' };
    },
  };
  await using writer = await pool.beginWrite();
  const [written] = await writeDisks({ disks: [disk] } as unknown as Capture, {
    ...{ writer, leaveOut, fileSystems: guest.fileSystems(), diskFormats: formatsOf(guest), blockSize: BLOCK, label: 'lab/guest' },
    ...{ whole: how === 'check', verifyNew: true, ...(replica ? { replica: aManifest([replica]) } : {}) },
  });
  if (how !== 'interrupted') await writer.commitManifest(aManifest([written!.disk]));
  if (written!.trackingLied !== undefined) throw new Error(written!.trackingLied);
  return written!.disk;
}

/** Formats of which every image is the guest's disk as it is now. */
function formatsOf({ content }: GuestDisk): DiskFormats {
  const format = { ...diskFormats.get('raw'), open: async () => aMemoryDisk(content) } as DiskFormat;
  return { ...diskFormats, get: () => format };
}

/** Holds a stored disk against the guest's: what is left out, what restores, and that a comparison finds nothing. */
async function verify(pool: TestPool['pool'], guest: GuestDisk, disk: ManifestDisk, leaveOut: Policy['leaveOut']): Promise<void> {
  const expected = guest.leftOut(leaveOut, BLOCK);
  const told = new Uint8Array(expected.length);
  for (const [offset, length] of disk.leftOut) told.fill(1, offset, offset + length);
  assertEqual(told, expected, 'what is left out');
  const kept = guest.content.map((byte, at) => (expected[at] ? 0 : byte));
  const target = aMemoryDisk(disk.virtualSize);
  await pool.restoreDisk(disk, target);
  assertEqual(target.bytes, kept, 'what restores');
  const { differing } = await pool.compareDisk(disk, aMemoryDisk(guest.content));
  if (differing.length > 0) throw new Error(`a comparison finds a difference at ${differing[0]!.offset}`);
}

function assertEqual(found: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(found, expected) === 0) return;
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  throw new Error(`${what} is wrong at ${at}: ${found[at]} instead of ${expected[at]}`);
}
