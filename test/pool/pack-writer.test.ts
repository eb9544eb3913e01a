import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { systemRandom } from '../../src/lib/random.ts';
import { createPackWriter } from '../../src/pool/pack-writer.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { FaultyStore } from '../builders/faulty-store.ts';
import { addBlock, someBytes, somePoolId } from '../builders/pool-blocks.ts';

const BLOCKS = 40;
const aWriter = (store: BlobStore) =>
  createPackWriter({ store, poolId: somePoolId, keys: undefined, epoch: 1, random: systemRandom, targetBytes: 1_000_000 });

/** Writes packs of about two appends each, of which every operation may fail. */
async function writePacks(store: BlobStore): Promise<string[]> {
  const writer = aWriter(store);
  try {
    for (let block = 0; block < BLOCKS; block += 1) await addBlock(writer, someBytes(String(block), 100_000));
    return (await writer.finish()).map(({ name }) => name);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

describe('a writer of packs', () => {
  it('answers every pack that it sealed, and only after that', async () => {
    const store = openMemoryStore(randomUUID());
    const names = await writePacks(store);
    expect(names.length).toBeGreaterThan(2);
    const listed = await Array.fromAsync(store.list('packs/'));
    expect(listed.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('tells a failure of work done in the background, whichever operation fails', async () => {
    const counting = new FaultyStore(openMemoryStore(randomUUID()), { stopAt: Number.POSITIVE_INFINITY });
    await writePacks(counting);
    for (let stopAt = 1; stopAt <= counting.operations; stopAt += 1) {
      const store = openMemoryStore(randomUUID());
      await expect(writePacks(new FaultyStore(store, { stopAt, once: true }))).rejects.toThrow('the process died');
    }
  });

  it('leaves nothing half-written when it is aborted in the middle', async () => {
    const store = openMemoryStore(randomUUID());
    const writer = aWriter(store);
    for (let block = 0; block < BLOCKS; block += 1) await addBlock(writer, someBytes(String(block), 100_000));
    await writer.abort();
    expect(await store.removeTemporary('packs/', () => false)).toBe(0);
  });
});
