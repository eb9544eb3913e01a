import { type FileSystem, type FileSystems, FileSystemUnsupportedError } from '../../filesystems/file-system.ts';
import { signatureOfType, unreadSystemError } from '../../filesystems/unread-system.ts';
import { EXTENDED_TYPES } from './disk-volumes.ts';
import type { MachineVolume } from './machine-volumes.ts';

const OTHER_DISKS =
  'Of images, name all disks of its volume group (--with IMAGE); else recover the disks, and read it with its own system.';

/**
 * Opens the file system of a volume. MABS-FS-UNSUPPORTED for what holds no file system that mabs
 * reads, with the volume's name and what it holds; kind `damaged` for one that is broken at its root.
 */
export async function openFileSystem(fileSystems: FileSystems, volume: MachineVolume): Promise<FileSystem> {
  const { address } = volume;
  if (volume.unreadable !== undefined) throw new FileSystemUnsupportedError(`${address} cannot be read: ${volume.unreadable}`, OTHER_DISKS);
  if (EXTENDED_TYPES.has(volume.type) && volume.fileSystem === null) {
    throw new FileSystemUnsupportedError(`${address} is an extended partition, which only holds others`, 'Name one from p5 on.');
  }
  const joined = signatureOfType(volume.type);
  try {
    if (joined) throw unreadSystemError(joined.name);
    return await fileSystems.open(volume);
  } catch (error) {
    if (!(error instanceof FileSystemUnsupportedError)) throw error;
    throw new FileSystemUnsupportedError(`${address}: ${error.message}`, error.hint);
  }
}
