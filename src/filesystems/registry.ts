import { detectFileSystem } from './detect.ts';
import type { FileSystemDriver, FileSystems } from './file-system.ts';
import { unreadSystemError } from './unread-system.ts';

/** A driver and the names that `detectFileSystem` gives to what it opens; loaded when it is first needed. */
interface DriverEntry {
  readonly types: readonly string[];
  readonly load: () => Promise<FileSystemDriver>;
}

const drivers: readonly DriverEntry[] = [
  { types: ['ext2', 'ext3', 'ext4'], load: async () => (await import('./ext/ext-driver.ts')).extDriver },
  { types: ['exfat'], load: async () => (await import('./exfat/exfat-driver.ts')).exfatDriver },
  { types: ['ntfs'], load: async () => (await import('./ntfs/ntfs-driver.ts')).ntfsDriver },
  { types: ['vfat'], load: async () => (await import('./fat/fat-driver.ts')).fatDriver },
  { types: ['xfs'], load: async () => (await import('./xfs/xfs-driver.ts')).xfsDriver },
];

/** Every file system that mabs reads. */
export const fileSystems: FileSystems = {
  async open(volume) {
    const found = await detectFileSystem(volume);
    const entry = found && drivers.find(({ types }) => types.includes(found.name));
    if (!entry) throw unreadSystemError(found?.name);
    return (await entry.load()).open(volume);
  },
};
