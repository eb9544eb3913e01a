import type { DiskFormats, LogicalVolume, PartitionTable, PhysicalVolume } from '../../disks/disk-format.ts';
import type { DiskSource } from '../../disks/disk-source.ts';
import { detectFileSystem, type Volume } from '../../filesystems/detect.ts';
import { holdsNoFiles } from '../../filesystems/unread-system.ts';
import type { ByteRange } from '../../lib/byte-range.ts';
import { listVolumes, volumeOf } from './disk-volumes.ts';
import { volumeAddress } from './volume-path.ts';

/** A disk of a machine. `index`: its N in `diskN`; absent for an image that is looked at for itself. */
export interface MachineDisk {
  readonly index?: number;
  readonly source: DiskSource;
}

/** Where a part of a volume lies: which of the disks that were given, and where on it. */
export interface DiskPlace extends ByteRange {
  readonly disk: number;
  readonly position: number;
}

/** Something on one or several disks that a file system may lie on. */
export interface MachineVolume extends Volume {
  /** `/p1` in an image, `/disk0/p1` in a machine, `/lv/VG/LV`; `/lv/VG@ID/LV` where several groups have one name (cloned disks). */
  readonly address: string;
  /** What lies on it, as `blkid` names it; null where nothing known does. */
  readonly fileSystem: string | null;
  readonly label?: string;
  /** Type in the partition table; `''` without one and for logical volumes. */
  readonly type: string;
  /** Why it cannot be read, in words. */
  readonly unreadable?: string;
  /** Where the bytes of `range` lie: ascending, adjoining, covering exactly the range. */
  place(range: ByteRange): DiskPlace[];
}

/** Whether a volume may hold files, or would, could it be read: not what nothing known lies on, swap, or a part of a volume group. */
export function mayHoldFiles({ fileSystem, unreadable }: MachineVolume): boolean {
  return unreadable !== undefined || (fileSystem !== null && !holdsNoFiles(fileSystem));
}

/** Bytes of a range that are placed at once: a striped volume has a place for each stripe. */
const PLACED_AT_ONCE = 64 * 1024 ** 2;

/** Where the part of a range that is on the volume lies, a piece at a time, however long it is. */
export function* placesOf(volume: MachineVolume, { offset, length }: ByteRange): Generator<DiskPlace> {
  if (!(offset >= 0 && length >= 0 && Number.isSafeInteger(offset + length))) throw new RangeError(`no range: ${length} at ${offset}`);
  const end = Math.min(offset + length, volume.sizeBytes);
  for (let at = offset; at < end; at += PLACED_AT_ONCE) {
    yield* volume.place({ offset: at, length: Math.min(PLACED_AT_ONCE, end - at) });
  }
}

/** The volumes of a machine: the partitions of its disks, then the logical volumes that lie on them. */
export async function machineVolumes(diskFormats: DiskFormats, disks: readonly MachineDisk[]): Promise<MachineVolume[]> {
  const perDisk = await Promise.all(disks.map((disk, place) => diskPartitions(diskFormats, disk, place)));
  const partitions = perDisk.flatMap((found) => found.partitions);
  return [...partitions, ...(await logicalVolumesOn(diskFormats, partitions))];
}

/** The partitions of one disk; `place` is what their `place` calls the disk. */
export async function diskPartitions(
  diskFormats: DiskFormats,
  { index, source }: MachineDisk,
  place: number,
): Promise<{ readonly scheme: PartitionTable['scheme']; readonly partitions: MachineVolume[] }> {
  const found = await listVolumes(diskFormats, source);
  const partitions = found.partitions.map((partition) => ({
    ...partOfDisk({ index, source }, { offset: partition.start, length: partition.size }, place, partition.index),
    fileSystem: partition.fileSystem,
    ...(partition.label !== undefined && { label: partition.label }),
    type: partition.type,
  }));
  return { scheme: found.partitionTable, partitions };
}

/** A whole disk as its partition 1: what a disk without a table is, whether or not something known lies on it. */
export function wholeDisk({ index, source }: MachineDisk, place: number): MachineVolume {
  return { ...partOfDisk({ index, source }, { offset: 0, length: source.sizeBytes }, place, 1), fileSystem: null, type: '' };
}

/** The logical volumes that lie on those of `volumes` that belong to a volume group. */
export async function logicalVolumesOn(diskFormats: DiskFormats, volumes: readonly MachineVolume[]): Promise<MachineVolume[]> {
  const members = volumes.filter(({ fileSystem }) => fileSystem === 'LVM2_member');
  const logical = members.length > 0 ? await diskFormats.logicalVolumes(members) : [];
  const ids = new Map([...Map.groupBy(logical, ({ group }) => group)].map(([group, of]) => [group, new Set(of.map((one) => one.groupId))]));
  // Systems made from one template name their groups alike: then the id, behind a character that no name holds, tells them apart.
  const nameOf = ({ group, groupId }: LogicalVolume) => (ids.get(group)!.size === 1 ? group : `${group}@${groupId}`);
  return Promise.all(logical.map((volume) => logicalVolumeOf(volume, nameOf(volume), members)));
}

function partOfDisk(
  { index, source }: { readonly index: number | undefined; readonly source: DiskSource },
  range: ByteRange,
  disk: number,
  partition: number,
) {
  return {
    ...volumeOf(source, range),
    address: volumeAddress({ type: 'partition', ...(index !== undefined && { disk: index }), partition }),
    place: ({ offset, length }: ByteRange): DiskPlace[] => [{ offset, length, disk, position: range.offset + offset }],
  };
}

async function logicalVolumeOf(
  logical: LogicalVolume,
  group: string,
  members: readonly (PhysicalVolume & MachineVolume)[],
): Promise<MachineVolume> {
  const { name, sizeBytes, unreadable } = logical;
  const volume: Volume = {
    sizeBytes,
    async read(offset, into) {
      for (const piece of logical.place({ offset, length: into.length })) {
        const at = piece.offset - offset;
        await members[piece.member]!.read(piece.position, into.subarray(at, at + piece.length));
      }
    },
  };
  const found = unreadable === undefined ? await detectFileSystem(volume) : undefined;
  return {
    ...volume,
    address: volumeAddress({ type: 'logical', group, volume: name }),
    fileSystem: found?.name ?? null,
    ...(found?.label !== undefined && { label: found.label }),
    type: '',
    ...(unreadable !== undefined && { unreadable }),
    place: (range) =>
      logical
        .place(range)
        .flatMap(({ member, position, offset, length }) =>
          members[member]!.place({ offset: position, length }).map((place) => ({ ...place, offset: offset + place.offset - position })),
        ),
  };
}
