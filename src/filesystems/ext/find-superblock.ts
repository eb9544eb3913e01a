import { FileSystemDamagedError } from '../file-system.ts';
import { readInside } from '../probe.ts';
import type { Volume } from '../volume.ts';
import { parseSuperblock, SUPERBLOCK_SIZE, type Superblock } from './superblock.ts';

const PRIMARY = 1024;
const SIZES = [4096, 1024, 2048, 8192, 16_384, 32_768, 65_536];
/** Groups with copies, as sparse_super chooses them. */
const COPIES = [1, 3, 5, 7, 9, 25, 27, 49];

export interface FoundSuperblock {
  readonly superblock: Superblock;
  /** What is wrong with the first superblock, when a copy stands in for it. */
  readonly problem?: string;
}

/** The superblock; the copy in a group of the usual size when the first one is damaged. */
export async function findSuperblock(volume: Volume): Promise<FoundSuperblock> {
  const first = await superblockAt(volume, PRIMARY);
  if (typeof first !== 'string') return { superblock: first };
  for (const blockSize of SIZES) {
    const blocksPerGroup = blockSize * 8;
    for (const group of COPIES) {
      const block = group * blocksPerGroup + (blockSize === 1024 ? 1 : 0);
      const found = await superblockAt(volume, block * blockSize);
      if (typeof found !== 'string' && isCopyOf(found, group, blockSize)) return { superblock: found, problem: first };
    }
  }
  throw new FileSystemDamagedError('ext', `${first}, and no copy of it was found`);
}

async function superblockAt(volume: Volume, offset: number): Promise<Superblock | string> {
  const block = await readInside(volume, offset, SUPERBLOCK_SIZE);
  return block ? parseSuperblock(block) : 'the volume ends before its superblock';
}

/** A copy knows the group that it lies in: what lies there by chance, a file that is itself such a volume, mostly does not. */
function isCopyOf({ raw, blockSize }: Superblock, group: number, expectedBlockSize: number): boolean {
  return raw.groupNumber === group && blockSize === expectedBlockSize && raw.blocksPerGroup === blockSize * 8;
}
