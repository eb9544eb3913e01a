import type { BlockRun } from './block-run.ts';
import { damaged, type ExtVolume, readBlock } from './ext-volume.ts';
import type { Inode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4/ifork.rst, Direct/Indirect Block Addressing. */
const DIRECT = 12;
const LEVELS = 3;

interface Walk {
  readonly ext: ExtVolume;
  readonly inode: Inode;
  readonly first: number;
  readonly end: number;
  /** Blocks of pointers on the way so far: one that comes twice would be a bomb. */
  readonly seen: Set<number>;
}

/** The mapped blocks of a file from `first` to `end`, neighbours joined. */
export async function* listMappedBlocks(ext: ExtVolume, inode: Inode, first: number, end: number): AsyncGenerator<BlockRun> {
  const walk: Walk = { ext, inode, first, end, seen: new Set() };
  const perBlock = ext.superblock.blockSize / 4;
  yield* runsOf(walk, inode.block.subarray(0, DIRECT * 4), 0);
  const view = viewOf(inode.block);
  for (let level = 1, base = DIRECT; level <= LEVELS; base += perBlock ** level, level += 1) {
    yield* listBelow(walk, view.getUint32((DIRECT + level - 1) * 4, true), level, base);
  }
}

/** What `pointer` leads to, `level` blocks of pointers deep; `base` is the first of the file's blocks that it maps. */
async function* listBelow(walk: Walk, pointer: number, level: number, base: number): AsyncGenerator<BlockRun> {
  const { ext, inode, first, end, seen } = walk;
  const perBlock = ext.superblock.blockSize / 4;
  if (pointer === 0 || base >= end || base + perBlock ** level <= first) return;
  if (seen.has(pointer)) throw damaged(ext, `the block map of inode ${inode.number} leads to block ${pointer} twice`);
  seen.add(pointer);
  const bytes = await readBlock(ext, pointer, `a part of the block map of inode ${inode.number}`);
  if (level === 1) {
    yield* runsOf(walk, bytes, base);
    return;
  }
  const view = viewOf(bytes);
  const step = perBlock ** (level - 1);
  const from = Math.max(0, Math.floor((first - base) / step));
  for (let index = from; index < perBlock && base + index * step < end; index += 1) {
    const next = view.getUint32(index * 4, true);
    if (next !== 0) yield* listBelow(walk, next, level - 1, base + index * step);
  }
}

function runsOf({ ext, inode, first, end }: Walk, pointers: Uint8Array, base: number): BlockRun[] {
  const view = viewOf(pointers);
  const { blocks, raw } = ext.superblock;
  const runs: { first: number; count: number; block: number; isWritten: true }[] = [];
  let last: (typeof runs)[number] | undefined;
  for (let index = Math.max(0, first - base); index < pointers.length / 4 && base + index < end; index += 1) {
    const block = view.getUint32(index * 4, true);
    if (block === 0) continue;
    if (block >= blocks || block < raw.firstDataBlock) throw damaged(ext, `the block map of inode ${inode.number} leads off the volume`);
    if (last && block === last.block + last.count && base + index === last.first + last.count) last.count += 1;
    else {
      last = { first: base + index, count: 1, block, isWritten: true };
      runs.push(last);
    }
  }
  return runs;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
