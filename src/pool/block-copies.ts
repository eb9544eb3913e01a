import { MabsError } from '../lib/errors.ts';
import type { BlockLocation, PackReader } from './block.ts';
import type { SegmentedIndex } from './block-index.ts';
import { packEpoch, packKeyOf } from './pack-format.ts';
import { BlockMissingError } from './pool-errors.ts';

/** Copies of a block, the one that was stored last first. */
export function newestFirst(copies: readonly BlockLocation[]): BlockLocation[] {
  const epochOf = ({ pack }: BlockLocation) => packEpoch(packKeyOf(pack)!);
  return copies.toSorted((a, b) => epochOf(b) - epochOf(a));
}

/** The block out of whichever copy is intact, the newest tried first. Rejects as the newest did when none is. */
export async function readAnyCopy(reader: PackReader, index: SegmentedIndex, digest: Uint8Array): Promise<Uint8Array> {
  let trouble: unknown;
  for (const location of newestFirst(await index.findAll(digest))) {
    try {
      return await reader.read(digest, location);
    } catch (error) {
      if (!(error instanceof MabsError && error.kind === 'damaged')) throw error;
      trouble ??= error;
    }
  }
  throw trouble ?? new BlockMissingError(digest);
}
