import { detectContainer } from './detect-container.ts';
import { detectExt } from './detect-ext.ts';
import { detectFat } from './detect-fat.ts';
import { detectExfatCopy, detectNtfs, detectNtfsCopy } from './detect-ntfs.ts';
import { detectFarSignature, detectNearSignature } from './detect-signatures.ts';
import { detectSwap } from './detect-swap.ts';
import { detectZfs } from './detect-zfs.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

export type { FileSystemSignature, Volume } from './volume.ts';

type Detector = (volume: Volume) => Promise<FileSystemSignature | undefined>;

/**
 * Where a volume bears several signatures, the first of these counts. Containers first: an encrypted or joined volume may still carry the
 * boot sector of what it was before. NTFS and exFAT, whose boot sectors name them, before what lies further in, and need not have been
 * wiped when they were made. HPFS, among the latter, before FAT: its boot sector looks much like one of FAT. Swap last: mkswap clears the
 * boot sector, while a system that is made on a former swap area may leave the mark at the end of its first page.
 */
const detectors: readonly Detector[] = [
  detectContainer,
  detectExt,
  detectNearSignature,
  detectNtfs,
  detectFarSignature,
  detectZfs,
  detectFat,
  detectSwap,
];

/**
 * Names what lies on a volume by its signatures alone; reads some sectors, at most about 1 MiB. `undefined`: nothing known. What is
 * damaged past its signature still has its name, without a label. Fails only when reading the volume fails.
 */
export async function detectFileSystem(volume: Volume): Promise<FileSystemSignature | undefined> {
  for (const detect of detectors) {
    const found = await detect(volume);
    if (found) return found;
  }
  return (await detectNtfsCopy(volume)) ?? (await detectExfatCopy(volume));
}
