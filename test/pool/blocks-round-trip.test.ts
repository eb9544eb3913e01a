import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../src/lib/random.ts';
import type { PoolKeys, SealedPack } from '../../src/pool/block.ts';
import { openBlockIndex, summarizeIndex } from '../../src/pool/block-index.ts';
import { segmentOfPacks, writeSegment } from '../../src/pool/index-writer.ts';
import { createPackReader } from '../../src/pool/pack-reader.ts';
import { readPackTable } from '../../src/pool/pack-tables.ts';
import { createPackWriter } from '../../src/pool/pack-writer.ts';
import type { BlobStore } from '../../src/stores/blob-store.ts';
import { openMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { addBlock, someBytes, someKeys, somePoolId } from '../builders/pool-blocks.ts';

const poolId = somePoolId;
const aStore = () => openMemoryStore(randomUUID());

async function writePacks(
  store: BlobStore,
  blocks: readonly Uint8Array[],
  keys?: PoolKeys,
  targetBytes = 100_000,
): Promise<{ digests: Buffer[]; packs: SealedPack[] }> {
  const writer = createPackWriter({ store, poolId, keys, epoch: 1, random: systemRandom, targetBytes });
  const digests: Buffer[] = [];
  for (const block of blocks) digests.push(await addBlock(writer, block, keys));
  return { digests, packs: await writer.finish() };
}

async function openIndex(store: BlobStore, packs: readonly SealedPack[], keys?: PoolKeys) {
  const name = 'index/00000001-0123456789abcdef.idx';
  await writeSegment({ store, name, poolId, keys, salt: systemRandom.bytes(32) }, segmentOfPacks(packs));
  return openBlockIndex(store, { poolId, segments: await summarizeIndex(store, poolId, keys), condemned: [] }, keys);
}

describe.each([
  { what: 'a plain pool', keys: undefined },
  { what: 'an encrypted pool', keys: someKeys },
])('blocks of $what', ({ keys }) => {
  it('come back as they were, whatever their length and content', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 200 })), {
          minLength: 1,
          maxLength: 30,
        }),
        async (shapes) => {
          const store = aStore();
          const blocks = shapes.map(([pattern, times]) => Buffer.concat(Array.from({ length: times }, () => pattern)));
          const { digests, packs } = await writePacks(store, blocks, keys, 20_000);
          await using index = await openIndex(store, packs, keys);
          await using reader = createPackReader(store, poolId, keys);
          for (const [at, block] of blocks.entries()) {
            const location = await index.find(digests[at]!);
            expect(Buffer.from(await reader.read(digests[at]!, location!)).equals(block)).toBe(true);
          }
        },
      ),
      { numRuns: 25 },
    ));

  it('are found among many by look-ups of single pages, and others are not', async () => {
    const store = aStore();
    const blocks = Array.from({ length: 3000 }, (_, at) => someBytes(`${at}`, 40));
    const { digests, packs } = await writePacks(store, blocks, keys, 30_000);
    expect(packs.length).toBeGreaterThan(3);
    await using index = await openIndex(store, packs, keys);
    expect(index.entries).toBe(3000);
    for (const digest of digests) expect(await index.find(digest)).toBeDefined();
    const strangers = Array.from({ length: 3000 }, (_, at) => someBytes(`stranger ${at}`, 32));
    let asked = 0;
    for (const digest of strangers) {
      const answer = index.find(digest);
      if (answer !== undefined) asked += 1;
      expect(await answer).toBeUndefined();
    }
    expect(asked).toBeLessThan(120);
  });

  it('are listed by the table in their pack', async () => {
    const store = aStore();
    const { packs } = await writePacks(store, [someBytes('a', 5000), someBytes('b', 100)], keys);
    const read = await readPackTable(store, packs[0]!.name, poolId, keys);
    expect(Buffer.from(read.table).equals(packs[0]!.table)).toBe(true);
    expect(read.sizeBytes).toBe(packs[0]!.sizeBytes);
  });

  it('are never returned wrong when any one bit of a pack is flipped', async () => {
    const store = aStore();
    const blocks = [someBytes('a', 60), Buffer.alloc(3000, 'text '), someBytes('c', 20)];
    const { digests, packs } = await writePacks(store, blocks, keys);
    await using index = await openIndex(store, packs, keys);
    const locations = await Promise.all(digests.map((digest) => index.find(digest)));
    const whole = await store.get(packs[0]!.name);
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      const copy = aStore();
      await copy.put(packs[0]!.name, flipped);
      await using reader = createPackReader(copy, poolId, keys);
      for (const [number, digest] of digests.entries()) {
        const raw = await reader.read(digest, locations[number]!).catch((error) => error);
        if (raw instanceof Uint8Array) expect(Buffer.from(raw).equals(blocks[number]!)).toBe(true);
        else expect(raw.kind).toMatch(/damaged|newer/);
      }
    }
  });
});
