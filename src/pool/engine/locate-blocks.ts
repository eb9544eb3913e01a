import { type BlockLocation, DIGEST_BYTES } from '../block.ts';
import { BlockMissingError } from '../pool-errors.ts';
import type { ThreadPorts } from './engine-ports.ts';
import { digestAt } from './map-page.ts';

/** Reads under way at a time: one is read while others are decompressed. */
const READS_AHEAD = 3;

export interface LocatedBlock {
  /** Its place among the digests that were asked for. */
  readonly index: number;
  readonly digest: Uint8Array;
  readonly location: BlockLocation;
}

/** Where the blocks of some digests lie, in the order of packs and of places in them. MABS-BLOCK-MISSING for one that is nowhere. */
export async function locateBlocks({ index }: Pick<ThreadPorts, 'index'>, digests: Uint8Array): Promise<LocatedBlock[]> {
  const located: LocatedBlock[] = [];
  for (let i = 0; i < digests.length / DIGEST_BYTES; i += 1) {
    const digest = digestAt(digests, i);
    const location = await index.find(digest);
    if (!location) throw new BlockMissingError(digest);
    located.push({ index: i, digest, location });
  }
  return located.sort((a, b) => compare(a.location, b.location));
}

/** Reads blocks in the order given, some reads ahead of what `use` works on. Each block is verified. */
export async function readLocated(
  { reader }: Pick<ThreadPorts, 'reader'>,
  blocks: readonly LocatedBlock[],
  use: (block: LocatedBlock, raw: Uint8Array) => void,
): Promise<void> {
  let next = 0;
  const readOn = async () => {
    while (next < blocks.length) {
      const block = blocks[next]!;
      next += 1;
      use(block, await reader.read(block.digest, block.location));
    }
  };
  const readers = Array.from({ length: Math.min(READS_AHEAD, blocks.length) }, readOn);
  const failed = (await Promise.allSettled(readers)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function compare(a: BlockLocation, b: BlockLocation): number {
  if (a.pack !== b.pack) return a.pack < b.pack ? -1 : 1;
  return a.offset - b.offset;
}
