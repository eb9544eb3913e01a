import type { Volume } from '../volume.ts';
import type { Superblock } from './superblock.ts';
import { hasOwnChecksum } from './xfs-checksum.ts';
import { damaged } from './xfs-damage.ts';

/** Blocks of the volume, counted from its start. */
export interface BlockRun {
  readonly block: number;
  readonly count: number;
}

/** An opened volume: its geometry, and reading by the numbers that XFS uses. */
export class XfsVolume {
  readonly superblock: Superblock;
  readonly #volume: Volume;

  constructor(volume: Volume, superblock: Superblock) {
    this.#volume = volume;
    this.superblock = superblock;
  }

  /** Where `count` blocks from a file system block number on lie; that number holds the group in its upper bits. */
  runAt(fileSystemBlock: number, count: number, what: string): BlockRun {
    const { agBlockBits, agBlocks, agCount, blocks } = this.superblock;
    const group = Math.floor(fileSystemBlock / 2 ** agBlockBits);
    const within = fileSystemBlock % 2 ** agBlockBits;
    const block = group * agBlocks + within;
    if (group >= agCount || within + count > agBlocks || block + count > blocks)
      throw damaged(`${what} leads to block ${fileSystemBlock}, outside the volume`);
    return { block, count };
  }

  /** Byte position of an inode. */
  inodePosition(inode: number): number {
    const { agBlockBits, inodeBits, agBlocks, agCount, blockSize, inodeSize } = this.superblock;
    const inGroup = 2 ** (agBlockBits + inodeBits);
    const group = Math.floor(inode / inGroup);
    const block = Math.floor((inode % inGroup) / 2 ** inodeBits);
    if (!Number.isSafeInteger(inode) || inode <= 0 || group >= agCount || block >= agBlocks) throw damaged(`there is no inode ${inode}`);
    return (group * agBlocks + block) * blockSize + (inode % 2 ** inodeBits) * inodeSize;
  }

  async read(position: number, into: Uint8Array): Promise<void> {
    await this.#volume.read(position, into);
  }

  /** `length` bytes at a position; small enough to be held. */
  async bytesAt(position: number, length: number): Promise<Uint8Array> {
    const into = new Uint8Array(length);
    await this.#volume.read(position, into);
    return into;
  }

  /**
   * Judges a structure that was read from `position`: of version 5 its checksum, and that it was meant for this place
   * (`blockAt`: where it says its position, in units of 512 bytes). What is not so is damaged.
   */
  check(bytes: Uint8Array, fields: { readonly checksumAt: number; readonly blockAt?: number }, position: number, what: string): void {
    if (this.superblock.version < 5) return;
    if (!hasOwnChecksum(bytes, fields.checksumAt)) throw damaged(`${what}: wrong checksum`);
    if (fields.blockAt === undefined) return;
    const meant = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(fields.blockAt);
    if (meant !== BigInt(position / 512)) throw damaged(`${what}: it belongs somewhere else`);
  }
}
