import { detectFileSystem } from '../../filesystems/detect.ts';
import { EXTENDED_TYPES } from './disk-volumes.ts';
import type { MachineDisk, MachineVolume } from './machine-volumes.ts';

const LVM = 'LVM2_member';

/**
 * Volumes whose bytes may be another's too, and why: partitions that overlap, partitions on a disk that as a whole bears a signature,
 * and logical volumes where either holds for a physical one. That logical volumes do not overlap is settled by their metadata.
 */
export async function overlappingVolumes(
  volumes: readonly MachineVolume[],
  disks: readonly MachineDisk[],
): Promise<Map<MachineVolume, string>> {
  const reasons = new Map<MachineVolume, string>();
  const partitions = volumes.filter((volume) => isPartition(volume) && !EXTENDED_TYPES.has(volume.type) && volume.sizeBytes > 0);
  for (const [disk, own] of Map.groupBy(partitions, (volume) => startOf(volume).disk)) {
    const whole = own.some((volume) => volume.sizeBytes === disks[disk]!.source.sizeBytes)
      ? undefined
      : await detectFileSystem(disks[disk]!.source);
    for (const volume of whole ? own : []) reasons.set(volume, `the disk as a whole bears the signature of ${whole!.name}`);
    markOverlaps(own, reasons);
  }
  if (partitions.some((volume) => volume.fileSystem === LVM && reasons.has(volume))) {
    for (const volume of volumes) if (!isPartition(volume)) reasons.set(volume, 'a physical volume of this machine overlaps a partition');
  }
  return reasons;
}

const isPartition = ({ address }: MachineVolume) => !address.startsWith('/lv/');

function startOf(volume: MachineVolume): { readonly disk: number; readonly position: number } {
  return volume.place({ offset: 0, length: 1 })[0]!;
}

function markOverlaps(partitions: readonly MachineVolume[], reasons: Map<MachineVolume, string>): void {
  let furthest: { readonly volume: MachineVolume; readonly end: number } | undefined;
  for (const volume of partitions.toSorted((a, b) => startOf(a).position - startOf(b).position)) {
    const { position } = startOf(volume);
    if (furthest && position < furthest.end) {
      reasons.set(volume, `it overlaps ${furthest.volume.address}`);
      reasons.set(furthest.volume, `it overlaps ${volume.address}`);
    }
    if (!furthest || position + volume.sizeBytes > furthest.end) furthest = { volume, end: position + volume.sizeBytes };
  }
}
