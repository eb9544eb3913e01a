import type { BlockRun } from './block-run.ts';
import type { ExtVolume } from './ext-volume.ts';
import { listExtents } from './extent-tree.ts';
import { listMappedBlocks } from './indirect-blocks.ts';
import { INODE_FLAGS, type Inode } from './inode.ts';

/**
 * Where the blocks of a file from `first` up to, not including, `end` lie: ascending; what is not among them is a hole. Reads the nodes
 * of the file's map that matter for the range, each at most once.
 */
export function listBlockRuns(ext: ExtVolume, inode: Inode, first: number, end: number): AsyncGenerator<BlockRun> {
  return inode.flags & INODE_FLAGS.extents ? listExtents(ext, inode, first, end) : listMappedBlocks(ext, inode, first, end);
}
