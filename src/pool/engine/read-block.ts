import { MabsError } from '../../lib/errors.ts';
import type { BlockLocation } from '../block.ts';
import { BlockMissingError } from '../pool-errors.ts';
import type { ThreadPorts } from './engine-ports.ts';

/** Finds a block and reads it, verified. MABS-BLOCK-MISSING when the pool has none of this digest. */
export async function readBlock({ index, reader }: Pick<ThreadPorts, 'index' | 'reader'>, digest: Uint8Array): Promise<Uint8Array> {
  const location = await index.find(digest);
  if (!location) throw new BlockMissingError(digest);
  return await reader.read(digest, location);
}

/** Whether the stored copy of a block is whole: false when it is damaged or its pack is gone, and any other failure is thrown. */
export async function isReadable({ reader }: Pick<ThreadPorts, 'reader'>, digest: Uint8Array, location: BlockLocation): Promise<boolean> {
  try {
    await reader.read(digest, location);
    return true;
  } catch (error) {
    if (error instanceof MabsError && (error.kind === 'damaged' || error.code === 'MABS-BLOB-MISSING')) return false;
    throw error;
  }
}
