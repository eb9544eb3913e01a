import { detectContainer } from './detect-container.ts';
import { detectExt } from './detect-ext.ts';
import { detectFat } from './detect-fat.ts';
import { detectExfatCopy, detectNtfs, detectNtfsCopy } from './detect-ntfs.ts';
import { detectSimple } from './detect-simple.ts';
import { detectZfs } from './detect-zfs.ts';
import type { FileSystemSignature, Volume } from './volume.ts';

export type { FileSystemSignature, Volume } from './volume.ts';

type Detector = (volume: Volume) => Promise<FileSystemSignature | undefined>;

/**
 * Containers first: an encrypted or joined volume may still carry the boot sector of what it was before. FAT last: its signature is
 * the weakest, and HPFS, NTFS and exFAT have boot sectors that look much like it.
 */
const detectors: readonly Detector[] = [detectContainer, detectExt, detectSimple, detectNtfs, detectZfs, detectFat];

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

/** All that a volume bears signatures of: several where what lay on it before was not wiped. The first is what `detectFileSystem` names. */
export async function everySignature(volume: Volume): Promise<FileSystemSignature[]> {
  const found: FileSystemSignature[] = [];
  for (const detect of detectors) {
    const signature = await detect(volume);
    if (signature) found.push(signature);
  }
  return found;
}
