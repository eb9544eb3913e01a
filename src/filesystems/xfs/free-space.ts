import type { ByteRange } from '../../lib/byte-range.ts';
import { ascii, struct, u16be, u32be } from '../../lib/struct.ts';
import { damaged } from './xfs-damage.ts';
import type { XfsVolume } from './xfs-volume.ts';

/** XFS Algorithms & Data Structures, AG Free Space Management: the second sector of a group. */
const GROUP = struct(220, { magic: ascii(0, 4), number: u32be(8), length: u32be(12), root: u32be(16), levels: u32be(28) });
const GROUP_FIELDS = { checksumAt: 216 };
const NODE = struct(16, { magic: ascii(0, 4), level: u16be(4), count: u16be(6) });
const NODE_5_SIZE = 56;
const NODE_5_FIELDS = { checksumAt: 52, blockAt: 16 };
const RECORD_SIZE = 8;
/** `XFS_BTREE_MAXLEVELS`. */
const MAX_LEVELS = 9;

/** What a part of the tree may speak of: blocks of its group. */
interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** The free extents of all groups, ascending, from the trees that are sorted by block. */
export async function* freeRanges(volume: XfsVolume): AsyncGenerator<ByteRange> {
  const { agCount, agBlocks, blocks, blockSize } = volume.superblock;
  let last: { offset: number; length: number } | undefined;
  for (let number = 0; number < agCount; number++) {
    const end = Math.min(agBlocks, blocks - number * agBlocks);
    for await (const { start, end: until } of freeInGroup(volume, number, end)) {
      const offset = (number * agBlocks + start) * blockSize;
      const length = (until - start) * blockSize;
      if (last && last.offset + last.length === offset) last.length += length;
      else {
        if (last) yield last;
        last = { offset, length };
      }
    }
  }
  if (last) yield last;
}

async function* freeInGroup(volume: XfsVolume, number: number, end: number): AsyncGenerator<Bounds> {
  const { agBlocks, blockSize, sectorSize } = volume.superblock;
  const what = `free space of group ${number}`;
  const position = number * agBlocks * blockSize + sectorSize;
  const sector = await volume.bytesAt(position, sectorSize);
  const group = GROUP.read(sector);
  if (group.magic !== 'XAGF' || group.number !== number || group.length !== end) throw damaged(`${what}: its head is none`);
  volume.check(sector, GROUP_FIELDS, position, what);
  if (group.levels === 0 || group.levels > MAX_LEVELS) throw damaged(`${what}: its tree has ${group.levels} levels`);
  yield* readNode(volume, { first: number * agBlocks, block: group.root, level: group.levels - 1, isRoot: true, what }, { start: 0, end });
}

/** `first`: the group's first block. Parts have to lie where their parent says and to hold something, so none is read twice. */
async function* readNode(
  volume: XfsVolume,
  { first, block, level, isRoot, what }: { first: number; block: number; level: number; isRoot: boolean; what: string },
  bounds: Bounds,
): AsyncGenerator<Bounds> {
  const { blockSize, version, agBlocks } = volume.superblock;
  if (block >= agBlocks) throw damaged(`${what}: its tree leads outside`);
  const position = (first + block) * blockSize;
  const bytes = await volume.bytesAt(position, blockSize);
  const node = NODE.read(bytes);
  if (node.magic !== (version === 5 ? 'AB3B' : 'ABTB') || node.level !== level)
    throw damaged(`${what}: block ${block} of its tree is none`);
  volume.check(bytes, NODE_5_FIELDS, position, what);
  const head = version === 5 ? NODE_5_SIZE : NODE.size;
  const most = Math.floor((blockSize - head) / (level === 0 ? RECORD_SIZE : RECORD_SIZE + 4));
  if (node.count > most || (node.count === 0 && !isRoot)) throw damaged(`${what}: block ${block} of its tree claims ${node.count} entries`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let least = bounds.start;
  for (let index = 0; index < node.count; index++) {
    const at = head + index * RECORD_SIZE;
    const start = view.getUint32(at);
    const end = level === 0 ? start + view.getUint32(at + 4) : index + 1 < node.count ? view.getUint32(at + RECORD_SIZE) : bounds.end;
    if (start < least || end <= start || end > bounds.end) throw damaged(`${what}: its tree is out of order`);
    least = end;
    if (level === 0) yield { start, end };
    else {
      const child = view.getUint32(head + most * RECORD_SIZE + index * 4);
      yield* readNode(volume, { first, block: child, level: level - 1, isRoot: false, what }, { start, end });
    }
  }
}
