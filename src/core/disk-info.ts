import type { DiskFormats, DiskImageInfo, OpenImageOptions } from '../disks/disk-format.ts';
import type { DiskSource } from '../disks/disk-source.ts';
import { MabsError } from '../lib/errors.ts';
import { type DiskVolumes, listVolumes } from './inside/disk-volumes.ts';

/** What `disk info` says of an image: the container, and the volumes on the disk. */
export type DiskInfo = DiskImageInfo & DiskVolumes;

/**
 * Describes an image. One whose parent is missing or is another disk is described too, without the volumes that only its content
 * could tell; a damaged image fails with its error (kind damaged).
 */
export async function describeDisk(diskFormats: DiskFormats, path: string, options: OpenImageOptions = {}): Promise<DiskInfo> {
  const byHand = { ...options, byHand: true };
  const info = await diskFormats.describe(path, byHand);
  return { ...info, ...(await volumesOf(diskFormats, path, byHand)) };
}

async function volumesOf(diskFormats: DiskFormats, path: string, options: OpenImageOptions): Promise<DiskVolumes> {
  let disk: DiskSource;
  try {
    disk = await diskFormats.open(path, options);
  } catch (error) {
    if (error instanceof MabsError && error.kind === 'prerequisite') return { partitionTable: 'none', partitions: [] };
    throw error;
  }
  await using source = disk;
  return await listVolumes(diskFormats, source);
}
