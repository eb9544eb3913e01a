import { damaged, type ExtVolume } from './ext-volume.ts';
import { blockContent } from './file-content.ts';
import { readInlineData } from './inline-data.ts';
import { INODE_FLAGS, type Inode } from './inode.ts';

/** Bytes that stand in place of the block map. */
const FAST_SIZE = 60;
const SECTOR = 512;

/** The bytes of a symbolic link's target: in the inode, inline, or in a block of its own. Of an encrypted one: the encrypted bytes. */
export async function readLinkTarget(ext: ExtVolume, inode: Inode): Promise<Uint8Array> {
  const stored = await storedTarget(ext, inode);
  if (!(inode.flags & INODE_FLAGS.encrypted)) {
    const end = stored.indexOf(0);
    return end < 0 ? stored : stored.subarray(0, end);
  }
  // Its length comes first, in two bytes.
  return stored.subarray(2, 2 + (stored[0] ?? 0) + (stored[1] ?? 0) * 256);
}

async function storedTarget(ext: ExtVolume, inode: Inode): Promise<Uint8Array> {
  if (inode.flags & INODE_FLAGS.inlineData) return readInlineData(ext, inode);
  const { blockSize } = ext.superblock;
  if (inode.size > BigInt(blockSize)) throw damaged(ext, `link ${inode.number} claims a target of ${inode.size} bytes`);
  const size = Number(inode.size);
  if (isFast(ext, inode)) return inode.block.subarray(0, size);
  const target = new Uint8Array(size);
  await blockContent(ext, inode, size).read(0, target);
  return target;
}

/** A target is in the inode when no blocks but those of its extended attributes are counted (Linux, ext4_inode_is_fast_symlink()). */
function isFast({ superblock }: ExtVolume, { size, sectors, attributeBlock }: Inode): boolean {
  const attributeSectors = attributeBlock === 0 ? 0 : (superblock.blockSize * superblock.clusterBlocks) / SECTOR;
  return size < FAST_SIZE && (sectors === 0 || sectors === attributeSectors);
}
