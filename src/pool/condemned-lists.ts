import { MabsError } from '../lib/errors.ts';
import { BlobMissingError } from '../stores/blob-store.ts';
import { CondemnedBlocks } from './condemned-blocks.ts';
import { decodeObject, encodeObject, ObjectKind } from './object-envelope.ts';
import type { PoolContext } from './pool-context.ts';

const MAX_LIST_BYTES = 512 * 1024 * 1024;
const LIST = /^condemned\/([0-9a-f]{8})$/;
export const condemnedName = (number: number) => `condemned/${number.toString(16).padStart(8, '0')}`;

export interface CondemnedList {
  /** The epoch of the sweep that wrote it. */
  readonly number: number;
  /** Of a damaged list: everything. Readers need none of it, writers re-use nothing, and nothing is freed by it. */
  readonly blocks: CondemnedBlocks;
}

/** Every list of condemned blocks that a sweep has not ended yet, ascending; mostly none or one. */
export async function listCondemned(pool: PoolContext): Promise<CondemnedList[]> {
  const lists: CondemnedList[] = [];
  for (const number of await condemnedNumbers(pool)) {
    const blocks = await readCondemned(pool, number);
    if (blocks) lists.push({ number, blocks });
  }
  return lists;
}

async function condemnedNumbers({ store }: PoolContext): Promise<number[]> {
  const names = (await Array.fromAsync(store.list('condemned/'))).map(({ name }) => LIST.exec(name)?.[1]);
  return names
    .filter((digits) => digits !== undefined)
    .map((digits) => Number.parseInt(digits, 16))
    .sort((a, b) => a - b);
}

/** A list, or undefined when a sweep has ended and removed it meanwhile: then nothing of it is in the index any more. */
async function readCondemned(pool: PoolContext, number: number): Promise<CondemnedBlocks | undefined> {
  const name = condemnedName(number);
  try {
    const payload = decodeObject(
      { name, kind: ObjectKind.condemned, poolId: pool.poolId },
      pool.keys,
      await pool.store.get(name, MAX_LIST_BYTES),
    );
    const shared = new Uint8Array(new SharedArrayBuffer(payload.length));
    shared.set(payload);
    return new CondemnedBlocks(shared);
  } catch (error) {
    if (error instanceof BlobMissingError) return undefined;
    if (error instanceof RangeError || (error instanceof MabsError && error.kind === 'damaged')) return CondemnedBlocks.everything;
    throw error;
  }
}

/** Writes a list, durable when this resolves: writers that begin from now on use nothing of it. */
export async function putCondemned(pool: PoolContext, number: number, bytes: Uint8Array): Promise<void> {
  const name = condemnedName(number);
  const place = { name, kind: ObjectKind.condemned, poolId: pool.poolId };
  await pool.store.put(name, encodeObject(place, pool.keys, pool.random.bytes(32), bytes));
}
