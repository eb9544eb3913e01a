import type { DiskFormats } from '../../disks/disk-format.ts';
import type { CapturedDisk } from '../../hosts/host.ts';
import { throwIfAborted } from '../../lib/errors.ts';
import { diskName } from '../../model/names.ts';
import { type MachineDisk, type MachineVolume, machineVolumes, placesOf } from '../inside/machine-volumes.ts';
import { overlappingVolumes } from '../inside/volume-overlaps.ts';
import { type LeftOut, LeftOutDraft, type LeftOutPart } from './left-out-draft.ts';
import { LeftOutRanges } from './left-out-ranges.ts';
import { type LookOptions, lookAtVolume, type VolumeFinding } from './left-out-volume.ts';

export interface LeftOutOrder extends LookOptions {
  readonly diskFormats: DiskFormats;
  /** Bytes of a pool block. */
  readonly blockSize: number;
  readonly signal?: AbortSignal;
}

/**
 * What the policy leaves out of the disks of a capture, in their order. The images are open only meanwhile. Whatever cannot be looked
 * at is kept whole, and its reason told: nothing here fails a sync. Rejects only as interrupted.
 */
export async function findLeftOut(disks: readonly CapturedDisk[], order: LeftOutOrder): Promise<LeftOut[]> {
  const drafts = disks.map(() => new LeftOutDraft());
  if (order.leaveOut.length > 0) await lookAtDisks(disks, drafts, order);
  return drafts.map((draft) => draft.finish());
}

async function lookAtDisks(captured: readonly CapturedDisk[], drafts: readonly LeftOutDraft[], order: LeftOutOrder): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const disks: MachineDisk[] = [];
  const draftOf: LeftOutDraft[] = [];
  for (const [place, { format, frozenPath, index }] of captured.entries()) {
    try {
      disks.push({ index, source: opened.use(await order.diskFormats.get(format).open(frozenPath)) });
      draftOf.push(drafts[place]!);
    } catch (error) {
      drafts[place]!.take({ volume: `/${diskName(index)}`, kept: reasonOf(error) });
    }
  }
  try {
    const volumes = await machineVolumes(order.diskFormats, disks);
    const overlaps = await overlappingVolumes(volumes, disks);
    for (const volume of volumes) {
      throwIfAborted(order.signal);
      for (const { disk, ...part } of await lookSafely(volume, overlaps.get(volume), order)) draftOf[disk]!.take(part);
    }
  } catch (error) {
    throwIfAborted(order.signal);
    for (const [place, { index }] of disks.entries())
      draftOf[place]!.takeNothing({ volume: `/${diskName(index!)}`, kept: reasonOf(error) });
  }
}

type Part = LeftOutPart & { readonly disk: number };

/** What is left out of a volume, by disk; all of it or, where anything fails, nothing. */
async function lookSafely(volume: MachineVolume, overlap: string | undefined, order: LeftOutOrder): Promise<Part[]> {
  const disk = homeOf(volume);
  const address = { volume: volume.address };
  try {
    const parts: Part[] = [];
    for (const finding of await lookAtVolume(volume, overlap, order)) {
      if ('kept' in finding) parts.push({ disk, ...address, ...finding });
      else
        for (const [on, ranges] of await placed(volume, finding, order)) parts.push({ disk: on, ...address, what: finding.what, ranges });
    }
    return parts;
  } catch (error) {
    throwIfAborted(order.signal);
    return [{ disk, ...address, kept: reasonOf(error) }];
  }
}

/** Where ranges of a volume lie, by disk; free units cut to whole blocks, so that none is kept in half. */
async function placed(volume: MachineVolume, { what, ranges }: Extract<VolumeFinding, { ranges: unknown }>, order: LeftOutOrder) {
  const byDisk = new Map<number, LeftOutRanges>();
  for await (const range of ranges) {
    throwIfAborted(order.signal);
    for (const place of placesOf(volume, range)) {
      const kept = byDisk.get(place.disk) ?? new LeftOutRanges(order.blockSize);
      byDisk.set(place.disk, kept);
      const there = { offset: place.position, length: place.length };
      if (what === 'free') kept.addWholeBlocks(there);
      else kept.add(there);
    }
  }
  return [...byDisk].map(([disk, kept]) => [disk, kept.finish()] as const);
}

/** The disk that a note about a whole volume goes to: where it begins. */
function homeOf(volume: MachineVolume): number {
  if (volume.unreadable !== undefined || volume.sizeBytes === 0) return 0;
  return volume.place({ offset: 0, length: 1 })[0]!.disk;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
