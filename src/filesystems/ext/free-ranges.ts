import { type ByteRange, normalizeRanges } from '../../lib/byte-range.ts';
import { readInside } from '../probe.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { chainCrc32c } from './ext-checksum.ts';
import type { ExtVolume, GroupDescriptor } from './ext-volume.ts';
import { copyBlocks, firstBlockOf, inodeTableBlocks, readGroup } from './group-descriptor.ts';

/** Clusters that belong to nothing, by the groups' bitmaps; a group whose bitmap cannot be trusted has none. */
export async function* listFreeRanges(ext: ExtVolume, sizeBytes: number): AsyncGenerator<ByteRange> {
  const { blockSize } = ext.superblock;
  const groups = groupsWithin(ext);
  const structures = structuresOnce(ext, groups);
  let open: { offset: number; length: number } | undefined;
  for (let group = 0; group < groups; group += 1) {
    for (const { offset: first, length: count } of await freeOfGroup(ext, group, structures)) {
      const offset = first * blockSize;
      const length = Math.min(count * blockSize, sizeBytes - offset);
      if (length <= 0) continue;
      if (open && open.offset + open.length === offset) open.length += length;
      else {
        if (open) yield open;
        open = { offset, length };
      }
    }
  }
  if (open) yield open;
}

/** Groups that begin on the volume: a superblock that is wrong may claim billions. */
function groupsWithin({ superblock, volume }: ExtVolume): number {
  const { groups, raw, blockSize } = superblock;
  return Math.min(groups, Math.ceil(volume.sizeBytes / (raw.blocksPerGroup * blockSize)));
}

/** The free blocks of a group, in numbers of blocks. */
async function freeOfGroup(ext: ExtVolume, group: number, structures: () => Promise<ByteRange[]>): Promise<ByteRange[]> {
  const descriptor = await intactGroup(ext, group);
  if (!descriptor) return [];
  const bitmap = descriptor.isBlockBitmapUnused
    ? await unusedBitmap(ext, group, await structures())
    : await readBitmap(ext, group, descriptor);
  return bitmap ? clearBits(ext, group, bitmap) : [];
}

async function intactGroup(ext: ExtVolume, group: number): Promise<GroupDescriptor | undefined> {
  const descriptor = await unlessDamaged(() => readGroup(ext, group));
  return descriptor?.isIntact ? descriptor : undefined;
}

async function readBitmap(ext: ExtVolume, group: number, descriptor: GroupDescriptor): Promise<Uint8Array | undefined> {
  const { superblock, volume } = ext;
  const { blockSize, raw, clusterBlocks, checksumSeed, descriptorSize } = superblock;
  const bitmap = await unlessDamaged(() => readInside(volume, descriptor.blockBitmap * blockSize, blockSize));
  if (!bitmap) return undefined;
  if (superblock.hasMetadataChecksums) {
    const right = chainCrc32c(checksumSeed, bitmap.subarray(0, raw.blocksPerGroup / clusterBlocks / 8));
    if (descriptor.bitmapChecksum !== (descriptorSize >= 64 ? right : right & 0xffff)) return undefined;
  }
  // A bitmap that does not know its own group's structures is no bitmap (Linux, ext4_valid_block_bitmap()).
  const own = ownStructures(ext, descriptor).flatMap(({ offset, length }) => clustersWithin(ext, group, offset, length));
  return own.every((cluster) => bitmap[cluster >> 3]! & (1 << (cluster & 7))) ? bitmap : undefined;
}

/** What a bitmap would say that was never written: used is what the group's copy of the superblock and any group's structures fill. */
async function unusedBitmap(ext: ExtVolume, group: number, structures: readonly ByteRange[]): Promise<Uint8Array> {
  const bitmap = new Uint8Array(ext.superblock.blockSize);
  const copy = { offset: firstBlockOf(ext.superblock, group), length: copyBlocks(ext.superblock, group) };
  for (const { offset, length } of [copy, ...structures]) {
    for (const cluster of clustersWithin(ext, group, offset, length)) bitmap[cluster >> 3]! |= 1 << (cluster & 7);
  }
  return bitmap;
}

function clearBits({ superblock }: ExtVolume, group: number, bitmap: Uint8Array): ByteRange[] {
  const { raw, blocks, clusterBlocks } = superblock;
  const start = firstBlockOf(superblock, group);
  const end = Math.min(start + raw.blocksPerGroup, blocks);
  const clusters = Math.ceil((end - start) / clusterBlocks);
  const ranges: ByteRange[] = [];
  for (let cluster = 0; cluster < clusters; ) {
    const isWholeByte = (cluster & 7) === 0 && cluster + 8 <= clusters;
    if (isWholeByte && bitmap[cluster >> 3] === 0xff) {
      cluster += 8;
      continue;
    }
    const from = cluster;
    while (cluster < clusters && !(bitmap[cluster >> 3]! & (1 << (cluster & 7)))) cluster += 1;
    const offset = start + from * clusterBlocks;
    if (cluster > from) ranges.push({ offset, length: Math.min((cluster - from) * clusterBlocks, end - offset) });
    else cluster += 1;
  }
  return ranges;
}

/** Which clusters of a group, counted from its start, some blocks fill. */
function clustersWithin({ superblock }: ExtVolume, group: number, block: number, count: number): number[] {
  const start = firstBlockOf(superblock, group);
  const from = Math.max(block, start);
  const to = Math.min(block + count, start + superblock.raw.blocksPerGroup, superblock.blocks);
  if (from >= to) return [];
  const first = Math.floor((from - start) / superblock.clusterBlocks);
  const last = Math.floor((to - 1 - start) / superblock.clusterBlocks);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function ownStructures({ superblock }: ExtVolume, { blockBitmap, inodeBitmap, inodeTable }: GroupDescriptor): ByteRange[] {
  return [
    { offset: blockBitmap, length: 1 },
    { offset: inodeBitmap, length: 1 },
    { offset: inodeTable, length: inodeTableBlocks(superblock) },
  ];
}

/** Groups after which what was gathered is joined: with flex_bg those of many groups adjoin. */
const JOIN_AFTER = 1024;

/** The blocks of all groups' bitmaps and inodes, gathered when first asked for: flex_bg puts them into other groups. */
function structuresOnce(ext: ExtVolume, groups: number): () => Promise<ByteRange[]> {
  let gathered: Promise<ByteRange[]> | undefined;
  const gather = async () => {
    let ranges: ByteRange[] = [];
    for (let group = 0; group < groups; group += 1) {
      const descriptor = await intactGroup(ext, group);
      if (descriptor) ranges.push(...ownStructures(ext, descriptor));
      if (group % JOIN_AFTER === 0) ranges = normalizeRanges(ranges);
    }
    return normalizeRanges(ranges);
  };
  return () => {
    gathered ??= gather();
    return gathered;
  };
}
