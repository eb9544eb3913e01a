import { BlobMissingError, type BlobStore, PoolFullError } from '../stores/blob-store.ts';

/** An object that only takes room. */
export const RESERVE_NAME = 'reserve';
export const RESERVE_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** Sets room aside, so that space can still be given back when the volume is full. */
export async function makeReserve(store: BlobStore, sizeBytes: number): Promise<void> {
  if (sizeBytes === 0) return;
  const writer = await store.create(RESERVE_NAME);
  try {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes));
    for (let left = sizeBytes; left > 0; left -= piece.length) await writer.append(piece.subarray(0, Math.min(left, piece.length)));
    await writer.seal();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Runs what gives space back; on a full volume once more with the room that was set aside. */
export async function withReserve<T>(store: BlobStore, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PoolFullError) || !(await hasReserve(store))) throw error;
    await store.remove(RESERVE_NAME);
    return await run();
  }
}

/** Sets room aside again once there is some. */
export async function restoreReserve(store: BlobStore, sizeBytes: number): Promise<void> {
  if (sizeBytes === 0) return;
  try {
    if (!(await hasReserve(store)) && (await store.space()).freeBytes > 4 * sizeBytes) await makeReserve(store, sizeBytes);
  } catch (error) {
    if (!(error instanceof PoolFullError)) throw error;
  }
}

async function hasReserve(store: BlobStore): Promise<boolean> {
  try {
    await using _reader = await store.open(RESERVE_NAME);
    return true;
  } catch (error) {
    if (error instanceof BlobMissingError) return false;
    throw error;
  }
}
