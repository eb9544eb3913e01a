import { cachedVolume } from '../cached-volume.ts';
import { type FileSystemDriver, type FileSystemInfo, FileSystemUnsupportedError } from '../file-system.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import type { Volume } from '../volume.ts';
import { findSuperblock } from './find-superblock.ts';
import { nothingIsPending } from './log-state.ts';
import type { Superblock } from './superblock.ts';
import { XfsFileSystem } from './xfs-file-system.ts';
import { XfsVolume } from './xfs-volume.ts';

/** XFS, versions 4 and 5. */
export const xfsDriver: FileSystemDriver = {
  types: ['xfs'],
  async open(source) {
    const { superblock, isCopy } = await findSuperblock(source);
    if (superblock.unknownFeatures.length > 0) {
      throw new FileSystemUnsupportedError(
        `xfs: a feature that this version of mabs does not read: ${superblock.unknownFeatures.join(', ')}`,
      );
    }
    const volume = new XfsVolume(cachedVolume(source), superblock);
    const notes = notesOn(superblock, isCopy, source);
    const isClean = await logIsClean(volume, notes);
    const system = new XfsFileSystem(volume, infoOf(superblock, source, isClean && notes.length === 0, notes));
    await system.root();
    return system;
  },
};

function notesOn({ blocks, blockSize, needsRepair }: Superblock, isCopy: boolean, { sizeBytes }: Volume): string[] {
  const notes: string[] = [];
  if (isCopy) notes.push('The superblock is damaged: a copy of it is used.');
  if (needsRepair) notes.push('The file system marks itself as in need of xfs_repair.');
  if (blocks * blockSize > sizeBytes) notes.push(`The file system is larger than its volume: ${blocks * blockSize} bytes on ${sizeBytes}.`);
  return notes;
}

/** A log that cannot be read is one that may hold something. */
async function logIsClean(volume: XfsVolume, notes: string[]): Promise<boolean> {
  if (await unlessDamaged(() => nothingIsPending(volume))) return true;
  notes.push(
    volume.superblock.logStart === 0
      ? 'The log lies on another device and is not looked at: the newest changes may not be seen.'
      : 'The file system was in use and its log is not replayed: changes of the last minute may not be seen, or seen in part.',
  );
  return false;
}

function infoOf(superblock: Superblock, { sizeBytes }: Volume, isClean: boolean, notes: readonly string[]): FileSystemInfo {
  const { blocks, blockSize, freeBlocks, label, uuid } = superblock;
  return {
    type: 'xfs',
    ...(label !== undefined && { label }),
    uuid,
    sizeBytes: Math.min(blocks * blockSize, sizeBytes),
    clusterSize: blockSize,
    // Counted on unmount only (`lazy-count`).
    ...(isClean && { freeBytes: freeBlocks * blockSize }),
    journal: isClean ? 'clean' : 'dirty',
    notes,
  };
}
