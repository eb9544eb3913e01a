import type { BlockRun } from './block-run.ts';
import { chainCrc32c } from './ext-checksum.ts';
import { damaged, type ExtVolume, readBlock } from './ext-volume.ts';
import type { Inode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4/ifork.rst, Extent Tree. */
const MAGIC = 0xf30a;
const HEADER_SIZE = 12;
const ENTRY_SIZE = 12;
const MAX_DEPTH = 5;
/** A longer length stands for blocks that are allocated and never written: this much less of them. */
const MAX_WRITTEN = 32_768;
const MAX_FILE_BLOCKS = 2 ** 32;

interface Node {
  readonly bytes: Uint8Array;
  readonly depth: number;
  /** The range of the file's blocks that the parent gives to it. */
  readonly low: number;
  readonly high: number;
}

interface Walk {
  readonly ext: ExtVolume;
  readonly inode: Inode;
  readonly first: number;
  readonly end: number;
  /** Nodes on the way so far: one that comes twice would be a loop, or a bomb. */
  readonly seen: Set<number>;
}

/** The extents of a file that touch blocks `first` to `end`, cut to them. */
export async function* listExtents(ext: ExtVolume, inode: Inode, first: number, end: number): AsyncGenerator<BlockRun> {
  const depth = new DataView(inode.block.buffer, inode.block.byteOffset).getUint16(6, true);
  if (depth > MAX_DEPTH) throw damaged(ext, `the extents of inode ${inode.number} are ${depth} levels deep`);
  yield* listNode({ ext, inode, first, end, seen: new Set() }, { bytes: inode.block, depth, low: 0, high: MAX_FILE_BLOCKS });
}

async function* listNode(walk: Walk, node: Node): AsyncGenerator<BlockRun> {
  const count = checkHeader(walk, node);
  if (node.depth === 0) yield* leafRuns(walk, node, count);
  else for (const child of children(walk, node, count)) yield* listNode(walk, await readChild(walk, child));
}

/** The number of entries. */
function checkHeader({ ext, inode }: Walk, { bytes, depth }: Node): number {
  const view = viewOf(bytes);
  const [count, most] = [view.getUint16(2, true), view.getUint16(4, true)];
  const room = Math.floor((bytes.length - HEADER_SIZE) / ENTRY_SIZE);
  const right = view.getUint16(0, true) === MAGIC && count <= most && most <= room && view.getUint16(6, true) === depth;
  if (!right) throw damaged(ext, `a node of the extents of inode ${inode.number} has no valid header`);
  return count;
}

function leafRuns({ ext, inode, first, end }: Walk, { bytes, low, high }: Node, count: number): BlockRun[] {
  const view = viewOf(bytes);
  const runs: BlockRun[] = [];
  let from = low;
  for (let at = HEADER_SIZE; at < HEADER_SIZE + count * ENTRY_SIZE; at += ENTRY_SIZE) {
    const logical = view.getUint32(at, true);
    const length = view.getUint16(at + 4, true);
    const isWritten = length <= MAX_WRITTEN;
    const blocks = isWritten ? length : length - MAX_WRITTEN;
    const block = view.getUint16(at + 6, true) * 2 ** 32 + view.getUint32(at + 8, true);
    const inside = logical >= from && blocks > 0 && logical + blocks <= high;
    const onVolume = block > 0 && block >= ext.superblock.raw.firstDataBlock && block + blocks <= ext.superblock.blocks;
    if (!inside || !onVolume) throw damaged(ext, `an extent of inode ${inode.number} is out of place`);
    from = logical + blocks;
    const [start, stop] = [Math.max(logical, first), Math.min(from, end)];
    if (start < stop) runs.push({ first: start, count: stop - start, block: block + start - logical, isWritten });
  }
  return runs;
}

interface Child {
  readonly block: number;
  readonly depth: number;
  readonly low: number;
  readonly high: number;
}

function* children({ ext, inode, first, end }: Walk, { bytes, depth, low, high }: Node, count: number): Generator<Child> {
  const view = viewOf(bytes);
  const last = HEADER_SIZE + (count - 1) * ENTRY_SIZE;
  for (let at = HEADER_SIZE; at <= last; at += ENTRY_SIZE) {
    const from = view.getUint32(at, true);
    const to = at === last ? high : view.getUint32(at + ENTRY_SIZE, true);
    if (from < low || to <= from || to > high) throw damaged(ext, `the index of the extents of inode ${inode.number} is out of order`);
    const block = view.getUint16(at + 8, true) * 2 ** 32 + view.getUint32(at + 4, true);
    if (from < end && to > first) yield { block, depth: depth - 1, low: from, high: to };
  }
}

async function readChild({ ext, inode, seen }: Walk, { block, depth, low, high }: Child): Promise<Node> {
  if (seen.has(block)) throw damaged(ext, `the extents of inode ${inode.number} lead to block ${block} twice`);
  seen.add(block);
  const bytes = await readBlock(ext, block, `a node of the extents of inode ${inode.number}`);
  if (ext.superblock.hasMetadataChecksums) {
    const tail = HEADER_SIZE + viewOf(bytes).getUint16(4, true) * ENTRY_SIZE;
    const right =
      tail + 4 <= bytes.length && chainCrc32c(inode.checksumSeed, bytes.subarray(0, tail)) === viewOf(bytes).getUint32(tail, true);
    if (!right) throw damaged(ext, `block ${block}, extents of inode ${inode.number}, does not have its checksum`);
  }
  return { bytes, depth, low, high };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
