import { hash } from 'node:crypto';
import { type ByteRange, coversByte } from '../../lib/byte-range.ts';

const LEAST_BLOCKS = 64;
const MOST_BYTES = 64 * 1024 * 1024;
/** How far from a changed range a block counts as its neighbour, in blocks. */
const NEIGHBOURHOOD = 8;

export interface SampleRequest {
  readonly blockSize: number;
  /** Blocks of the disk that both the base and the disk now have, whole. */
  readonly blocks: number;
  /** Normalized whole blocks that are never sampled: what changed, and what is left out on either side. */
  readonly excluded: readonly ByteRange[];
  /** Normalized whole blocks whose neighbours are preferred. */
  readonly changed: readonly ByteRange[];
  /** Makes the choice repeatable. */
  readonly seed: string;
  /** Whether the base has data in a block. Blocks without are sampled too (tracking can hide a first write), up to as many again. */
  readonly hasData: (block: number) => Promise<boolean>;
}

/**
 * Chooses blocks that the tracking calls unchanged, to compare them with the base: 1 % of them, at least 64, at most 64 MiB of
 * data; half of them neighbours of what changed, the others anywhere. Ascending, without repetition.
 */
export async function sampleBlocks(request: SampleRequest): Promise<number[]> {
  const { blockSize, blocks, excluded, seed, hasData } = request;
  const most = Math.max(1, Math.floor(MOST_BYTES / blockSize));
  const wanted = Math.min(most, Math.max(LEAST_BLOCKS, Math.ceil(blocks / 100)));
  const draw = drawerOf(seed);
  const chosen = new Set<number>();
  let data = 0;
  for (let tries = 0; data < wanted && chosen.size < wanted * 2 && tries < wanted * 8; tries += 1) {
    const block = tries % 2 === 0 ? neighbourOf(request, draw) : Math.floor(draw() * blocks);
    if (block < 0 || block >= blocks || chosen.has(block) || coversByte(excluded, block * blockSize)) continue;
    chosen.add(block);
    if (await hasData(block)) data += 1;
  }
  return [...chosen].sort((a, b) => a - b);
}

function neighbourOf({ changed, blockSize, blocks }: SampleRequest, draw: () => number): number {
  const range = changed[Math.floor(draw() * changed.length)];
  if (!range) return Math.floor(draw() * blocks);
  const distance = Math.floor(draw() * NEIGHBOURHOOD);
  const first = Math.floor(range.offset / blockSize);
  const after = Math.ceil((range.offset + range.length) / blockSize);
  return draw() < 0.5 ? first - 1 - distance : after + distance;
}

/** Numbers from 0 to 1 that follow from a seed: its digest, then the digest of that, and so on. */
function drawerOf(seed: string): () => number {
  let state = hash('sha256', seed, 'buffer');
  let used = 0;
  return () => {
    if (used + 6 > state.length) {
      state = hash('sha256', state, 'buffer');
      used = 0;
    }
    used += 6;
    return state.readUIntBE(used - 6, 6) / 2 ** 48;
  };
}
