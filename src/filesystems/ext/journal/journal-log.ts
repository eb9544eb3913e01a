import type { BlockRun } from '../block-run.ts';
import { damaged, type ExtVolume, readBlock } from '../ext-volume.ts';
import type { Inode } from '../inode.ts';
import { listBlockRuns } from '../list-block-runs.ts';
import { type JournalSuperblock, parseJournalSuperblock } from './journal-superblock.ts';

/** A journal and where its blocks lie on the volume. */
export interface JournalLog {
  readonly ext: ExtVolume;
  readonly superblock: JournalSuperblock;
  /** A block by its number in the journal. */
  read(number: number): Promise<Uint8Array>;
}

/** The journal that an inode holds, or why it cannot be read. */
export async function openLog(ext: ExtVolume, inode: Inode): Promise<JournalLog | string> {
  const { blockSize, blocks } = ext.superblock;
  const claimed = Number(inode.size / BigInt(blockSize));
  const runs: BlockRun[] = [];
  let mapped = 0;
  for await (const run of listBlockRuns(ext, inode, 0, Math.min(claimed, blocks))) {
    runs.push(run);
    mapped += run.count;
  }
  const read = async (number: number) => {
    const run = runs[runs.findLastIndex(({ first }) => first <= number)];
    if (!run || number >= run.first + run.count) throw damaged(ext, `the journal has no block ${number}`);
    return await readBlock(ext, run.block + number - run.first, 'a block of the journal');
  };
  if (mapped === 0) return 'the journal has no blocks';
  // Its extents may name one place again and again.
  if (mapped * blockSize > ext.volume.sizeBytes) return 'the journal is larger than the volume';
  const superblock = parseJournalSuperblock(await read(0), blockSize, mapped);
  return typeof superblock === 'string' ? superblock : { ext, superblock, read };
}
