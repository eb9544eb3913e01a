import type { FileSystem } from '../../filesystems/file-system.ts';

/** Files in which NTFS keeps itself: its first records, by the names that they have in the root. */
const NTFS_OWN: ReadonlySet<string> = new Set(
  ['MFT', 'MFTMirr', 'LogFile', 'Volume', 'AttrDef', 'Bitmap', 'Boot', 'BadClus', 'Secure', 'UpCase', 'Extend'].map((name) => `$${name}`),
);
const NONE: ReadonlySet<string> = new Set();

/** Names in the root of a file system in which it keeps itself: of no use as files, unless somebody names one. */
export function ownFilesOf({ info }: Pick<FileSystem, 'info'>): ReadonlySet<string> {
  return info.type === 'ntfs' ? NTFS_OWN : NONE;
}
