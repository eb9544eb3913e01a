import { type Dirent, type DirentList, parseDirectoryBlock, parseDirents } from './directory-block.ts';
import { findByHash } from './directory-index.ts';
import { damaged, type ExtVolume, readBlock } from './ext-volume.ts';
import { inlineRest } from './extended-attributes.ts';
import { INLINE_HEAD } from './inline-data.ts';
import { INODE_FLAGS, type Inode } from './inode.ts';
import { listBlockRuns } from './list-block-runs.ts';

/** Inline directories begin with the number of the parent. */
const PARENT_SIZE = 4;

/** The names in a directory in the order of its blocks. What is damaged is left out; when all others are told, it rejects. */
export async function* listDirents(ext: ExtVolume, inode: Inode): AsyncGenerator<Dirent> {
  let problem: string | undefined;
  for await (const list of direntLists(ext, inode)) {
    yield* list.entries;
    problem ??= list.problem;
  }
  if (problem !== undefined) throw damaged(ext, `directory ${inode.number}: ${problem}; the names there are missing`);
}

/** The first entry that `isWanted`. By the index where `exactName` is given and the directory has one; an index that misleads is passed by. */
export async function findDirent(
  ext: ExtVolume,
  inode: Inode,
  isWanted: (dirent: Dirent) => boolean,
  exactName?: Uint8Array,
): Promise<Dirent | undefined> {
  const isIndexed = (inode.flags & INODE_FLAGS.indexed) !== 0 && !(inode.flags & INODE_FLAGS.inlineData);
  if (exactName && isIndexed) {
    const found = (await findByHash(ext, inode, exactName)).find(isWanted);
    if (found) return found;
  }
  for await (const dirent of listDirents(ext, inode)) if (isWanted(dirent)) return dirent;
  return undefined;
}

function direntLists(ext: ExtVolume, inode: Inode): AsyncIterable<DirentList> | Iterable<DirentList> {
  return inode.flags & INODE_FLAGS.inlineData ? inlineLists(ext, inode) : blockLists(ext, inode);
}

function inlineLists(ext: ExtVolume, inode: Inode): DirentList[] {
  const head = parseDirents(ext, inode.block.subarray(PARENT_SIZE, INLINE_HEAD));
  return inode.size <= BigInt(INLINE_HEAD) ? [head] : [head, parseDirents(ext, inlineRest(ext, inode))];
}

async function* blockLists(ext: ExtVolume, inode: Inode): AsyncGenerator<DirentList> {
  const { blockSize, blocks } = ext.superblock;
  let left = blocks;
  const end = Number((inode.size + BigInt(blockSize - 1)) / BigInt(blockSize));
  for await (const { block, count, isWritten } of listBlockRuns(ext, inode, 0, end)) {
    for (let index = 0; isWritten && index < count; index += 1) {
      left -= 1;
      if (left < 0) throw damaged(ext, `directory ${inode.number} has more blocks than the volume`);
      yield parseDirectoryBlock(ext, inode, await readBlock(ext, block + index, `a part of directory ${inode.number}`));
    }
  }
}
