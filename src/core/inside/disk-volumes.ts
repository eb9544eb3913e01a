import type { DiskFormats, Partition, PartitionTable } from '../../disks/disk-format.ts';
import type { DiskSource } from '../../disks/disk-source.ts';
import { detectFileSystem, type FileSystemSignature, type Volume } from '../../filesystems/detect.ts';
import { signatureOfType } from '../../filesystems/unread-system.ts';

/** One partition, as commands print it. Bytes. */
export interface DiskVolume {
  /** As Linux numbers them. */
  readonly index: number;
  readonly start: number;
  readonly size: number;
  readonly type: string;
  /** What lies on it, as `blkid` names it; null where nothing known does. */
  readonly fileSystem: string | null;
  readonly label?: string;
  /** The name that a GPT gives the partition. */
  readonly name?: string;
}

export interface DiskVolumes {
  readonly partitionTable: PartitionTable['scheme'];
  readonly partitions: readonly DiskVolume[];
}

/** Types of an MBR that stand for an extended partition, which holds others and nothing else. */
export const EXTENDED_TYPES: ReadonlySet<string> = new Set(['5', 'f', '85']);

/**
 * The volumes on a disk: its partitions, or the whole disk as partition 1 where it holds a file system and no table. An MBR whose
 * partitions hold nothing known is a left-over where the disk as a whole is a file system: then that is what counts.
 */
export async function listVolumes(diskFormats: DiskFormats, disk: DiskSource): Promise<DiskVolumes> {
  const table = await diskFormats.partitions(disk);
  const partitions = await Promise.all(table.partitions.map((partition) => describePartition(disk, partition)));
  const told = table.scheme === 'gpt' || partitions.some(({ fileSystem }) => fileSystem !== null);
  if (told) return { partitionTable: table.scheme, partitions };
  const whole = await detectFileSystem(volumeOf(disk, { offset: 0, length: disk.sizeBytes }));
  if (!whole) return { partitionTable: table.scheme, partitions };
  const volume = { index: 1, start: 0, size: disk.sizeBytes, type: '', ...fileSystemOf(whole) };
  return { partitionTable: 'none', partitions: [volume] };
}

async function describePartition(disk: DiskSource, partition: Partition): Promise<DiskVolume> {
  const found = EXTENDED_TYPES.has(partition.type) ? undefined : await detectFileSystem(volumeOf(disk, partition));
  return {
    index: partition.index,
    start: partition.offset,
    size: partition.length,
    type: partition.type,
    ...fileSystemOf(found ?? signatureOfType(partition.type)),
    ...(partition.name !== undefined && { name: partition.name }),
  };
}

function fileSystemOf(found: FileSystemSignature | undefined): Pick<DiskVolume, 'fileSystem' | 'label'> {
  return { fileSystem: found?.name ?? null, ...(found?.label !== undefined && { label: found.label }) };
}

/** The part of a disk that a partition names, cut at the disk's end. */
export function volumeOf(disk: DiskSource, { offset, length }: Pick<Partition, 'offset' | 'length'>): Volume {
  const sizeBytes = Math.max(0, Math.min(length, disk.sizeBytes - offset));
  return { sizeBytes, read: (at, into) => disk.read(offset + at, into) };
}
