import { FileSystemDamagedError } from '../file-system.ts';
import { readInside } from '../probe.ts';
import type { Volume } from '../volume.ts';
import type { Superblock } from './superblock.ts';

/** A volume and what its superblock says of it: what every reader of a structure needs. */
export interface ExtVolume {
  /** With what the journal has to say laid over it; small reads are kept. */
  readonly volume: Volume;
  readonly superblock: Superblock;
  /** Descriptors of groups that were read, a bounded number of them. */
  readonly groups: Map<number, GroupDescriptor>;
}

/** A group of blocks: where its maps and inodes lie. */
export interface GroupDescriptor {
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly freeClusters: number;
  /** The bitmap was never written: everything is free but the group's own structures. */
  readonly isBlockBitmapUnused: boolean;
  /** Of the block bitmap, as many bits of CRC-32C as are kept. */
  readonly bitmapChecksum: number;
  /** Its maps lie within the volume, and its checksum is right where it has one. */
  readonly isIntact: boolean;
}

/** One block. `what` names it in errors; it is damaged when the block lies outside the file system or the volume. */
export async function readBlock({ volume, superblock }: ExtVolume, block: number, what: string): Promise<Uint8Array> {
  const { blockSize, raw, blocks, type } = superblock;
  const inside = block >= raw.firstDataBlock && block < blocks;
  const bytes = inside ? await readInside(volume, block * blockSize, blockSize) : undefined;
  if (!bytes) throw new FileSystemDamagedError(type, `${what} is said to lie in block ${block}, which is not on the volume`);
  return bytes;
}

export function damaged({ superblock }: ExtVolume, what: string): FileSystemDamagedError {
  return new FileSystemDamagedError(superblock.type, what);
}
