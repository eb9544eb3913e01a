import { struct, u16le, u32le } from '../../lib/struct.ts';
import { readInside } from '../probe.ts';
import { chainCrc32c, crc16, le32 } from './ext-checksum.ts';
import { INCOMPAT } from './ext-features.ts';
import { damaged, type ExtVolume, type GroupDescriptor } from './ext-volume.ts';
import { hasSuperblockCopy, type Superblock } from './superblock.ts';

/** Linux, Documentation/filesystems/ext4/group_descr.rst. */
const LOW = struct(32, {
  blockBitmap: u32le(0),
  inodeBitmap: u32le(4),
  inodeTable: u32le(8),
  freeClusters: u16le(12),
  flags: u16le(18),
  bitmapChecksum: u16le(24),
  checksum: u16le(30),
});
const HIGH = struct(32, {
  blockBitmap: u32le(0),
  inodeBitmap: u32le(4),
  inodeTable: u32le(8),
  freeClusters: u16le(12),
  bitmapChecksum: u16le(24),
});

const BLOCK_BITMAP_UNUSED = 2;
const NO_BYTES = new Uint8Array(2);

/** Descriptors that are kept: those of 128 GiB with blocks of 4 KiB. */
const MOST_KEPT = 1024;

/** The descriptor of a group. Damaged when neither it nor a copy leads to inodes. */
export async function readGroup(ext: ExtVolume, group: number): Promise<GroupDescriptor> {
  const kept = ext.groups.get(group);
  if (kept) return kept;
  const found = await findGroup(ext, group);
  if (ext.groups.size >= MOST_KEPT) ext.groups.clear();
  ext.groups.set(group, found);
  return found;
}

/** The first copy that is intact, else the first that leads to inodes. */
async function findGroup(ext: ExtVolume, group: number): Promise<GroupDescriptor> {
  const { superblock, volume } = ext;
  const { descriptorSize, groups } = superblock;
  if (group >= groups) throw damaged(ext, `there is no group ${group}`);
  let doubtful: GroupDescriptor | undefined;
  for (const position of descriptorPositions(superblock, group)) {
    const bytes = await readInside(volume, position, descriptorSize);
    const found = bytes && parseGroup(superblock, group, bytes);
    if (!found || !hasInodeTable(superblock, found)) continue;
    if (found.isIntact) return found;
    doubtful ??= found;
  }
  // As the kernel does on a read-only mount: inodes have checksums of their own.
  if (doubtful) return doubtful;
  throw damaged(ext, `the descriptor of group ${group} is wrong, and so are its copies`);
}

function parseGroup(superblock: Superblock, group: number, bytes: Uint8Array): GroupDescriptor {
  const low = LOW.read(bytes);
  const high = bytes.length >= 64 ? HIGH.read(bytes, 32) : undefined;
  const join = (name: 'blockBitmap' | 'inodeBitmap' | 'inodeTable') => (high ? high[name] * 2 ** 32 : 0) + low[name];
  const [blockBitmap, inodeBitmap] = [join('blockBitmap'), join('inodeBitmap')];
  const hasItsChecksum = superblock.groupChecksums === 'none' || checksumOf(superblock, group, bytes) === low.checksum;
  return {
    blockBitmap,
    inodeBitmap,
    inodeTable: join('inodeTable'),
    freeClusters: (high ? high.freeClusters * 2 ** 16 : 0) + low.freeClusters,
    isBlockBitmapUnused: superblock.groupChecksums !== 'none' && (low.flags & BLOCK_BITMAP_UNUSED) !== 0,
    bitmapChecksum: (high ? high.bitmapChecksum * 2 ** 16 : 0) + low.bitmapChecksum,
    isIntact: hasItsChecksum && isInside(superblock, blockBitmap) && isInside(superblock, inodeBitmap),
  };
}

/** The checksum counts as zero in CRC-32C, and is left out of CRC-16. */
function checksumOf({ groupChecksums, checksumSeed, raw }: Superblock, group: number, bytes: Uint8Array): number {
  const before = bytes.subarray(0, LOW.offsetOf.checksum);
  const after = bytes.subarray(LOW.offsetOf.checksum + 2);
  if (groupChecksums === 'crc16') return crc16(crc16(crc16(crc16(0xffff, raw.uuid), le32(group)), before), after);
  return chainCrc32c(chainCrc32c(chainCrc32c(chainCrc32c(checksumSeed, le32(group)), before), NO_BYTES), after) & 0xffff;
}

function hasInodeTable(superblock: Superblock, { inodeTable }: GroupDescriptor): boolean {
  return isInside(superblock, inodeTable, inodeTableBlocks(superblock));
}

function isInside({ raw, blocks }: Superblock, block: number, count = 1): boolean {
  return block > 0 && block >= raw.firstDataBlock && block + count <= blocks;
}

export function inodeTableBlocks({ raw, inodeSize, blockSize }: Superblock): number {
  return Math.ceil((raw.inodesPerGroup * inodeSize) / blockSize);
}

export function firstBlockOf({ raw }: Superblock, group: number): number {
  return raw.firstDataBlock + group * raw.blocksPerGroup;
}

/** Copies beyond the second are only made by old systems without sparse_super; two more are tried. */
const COPIES = [1, 3, 5];

/** Where copies of a group's descriptor lie, in bytes: the one in use first. */
function descriptorPositions(superblock: Superblock, group: number): number[] {
  const { blockSize, descriptorSize, groups } = superblock;
  const perBlock = Math.floor(blockSize / descriptorSize);
  const index = Math.floor(group / perBlock);
  const within = (group % perBlock) * descriptorSize;
  const blocks = isInMetaGroup(superblock, index)
    ? metaGroupBlocks(superblock, index * perBlock, perBlock)
    : [0, ...COPIES]
        .filter((copy) => copy < groups && hasSuperblockCopy(superblock, copy))
        .map((copy) => copyStart(superblock, copy) + 1 + index);
  return blocks.map((block) => block * blockSize + within);
}

/** From here on the descriptors of a block's worth of groups lie in the first, second and last of these groups. */
function isInMetaGroup({ raw }: Superblock, descriptorBlock: number): boolean {
  return (raw.incompat & INCOMPAT.metaBg) !== 0 && descriptorBlock >= raw.firstMetaGroup;
}

function metaGroupBlocks(superblock: Superblock, first: number, perBlock: number): number[] {
  return [first, first + 1, first + perBlock - 1]
    .filter((group) => group < superblock.groups)
    .map((group) => copyStart(superblock, group) + (hasSuperblockCopy(superblock, group) ? 1 : 0));
}

/** The block that holds the superblock of a group that has one. The first superblock lies at 1024, whatever the blocks are numbered from. */
function copyStart(superblock: Superblock, group: number): number {
  return group === 0 && superblock.blockSize === 1024 ? 1 : firstBlockOf(superblock, group);
}

/** Blocks of a group that its copy of the superblock and descriptors fills, from the group's start; with what is reserved for growth. */
export function copyBlocks(superblock: Superblock, group: number): number {
  const { blockSize, descriptorSize, groups, raw } = superblock;
  const perBlock = Math.floor(blockSize / descriptorSize);
  const isMeta = isInMetaGroup(superblock, Math.floor(group / perBlock));
  const hasDescriptors = isMeta && [0, 1, perBlock - 1].includes(group % perBlock);
  if (!hasSuperblockCopy(superblock, group)) return hasDescriptors ? 1 : 0;
  const descriptors = raw.incompat & INCOMPAT.metaBg ? raw.firstMetaGroup : Math.ceil(groups / perBlock);
  const beforeFirst = group === 0 && blockSize === 1024 && raw.firstDataBlock === 0 ? 1 : 0;
  return beforeFirst + 1 + (isMeta ? Number(hasDescriptors) : descriptors + raw.reservedDescriptorBlocks);
}
