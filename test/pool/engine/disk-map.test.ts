import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BlockLocation } from '../../../src/pool/block.ts';
import { DiskMapReader } from '../../../src/pool/engine/disk-map-reader.ts';
import { DiskMapWriter } from '../../../src/pool/engine/disk-map-writer.ts';
import { leafPages } from '../../../src/pool/engine/leaf-pages.ts';
import { MAP_FAN_OUT, mapGeometry } from '../../../src/pool/engine/map-geometry.ts';
import { digestAt, ZERO_DIGEST } from '../../../src/pool/engine/map-page.ts';
import { walkMap } from '../../../src/pool/engine/walk-map.ts';

/** Pages by digest, in memory. */
class Pages {
  readonly stored = new Map<string, Uint8Array>();
  reads = 0;
  readonly ports = {
    index: { entries: 0, find: () => ({}) as BlockLocation, findReusable: () => undefined, async [Symbol.asyncDispose]() {} },
    reader: { read: async (digest: Uint8Array) => this.get(digest), async [Symbol.asyncDispose]() {} },
  };

  get(digest: Uint8Array): Uint8Array {
    this.reads += 1;
    const page = this.stored.get(Buffer.from(digest).toString('hex'));
    if (!page) throw new Error('no such page');
    return page;
  }

  put = async (page: Uint8Array): Promise<Uint8Array> => {
    const digest = hash('sha256', page, 'buffer');
    this.stored.set(digest.toString('hex'), Uint8Array.from(page));
    return digest;
  };
}

const BLOCK = 64 * 1024;
const digestOf = (block: number, version: number) => hash('sha256', `${block} ${version}`, 'buffer');

/** Writes blocks into a map, over a base; answers the root. */
async function write(pages: Pages, blocks: number, changes: ReadonlyMap<number, Uint8Array>, base?: { root: Uint8Array; blocks: number }) {
  const reader = base && new DiskMapReader(pages.ports, base.root, mapGeometry(base.blocks * BLOCK, BLOCK));
  const writer = new DiskMapWriter(mapGeometry(blocks * BLOCK, BLOCK), reader, pages.put);
  const leaves = Map.groupBy(
    [...changes.keys()].filter((block) => block < blocks).sort((a, b) => a - b),
    (block) => Math.floor(block / MAP_FAN_OUT),
  );
  for (const [leaf, changed] of leaves) {
    const page = await writer.baseLeaf(leaf);
    for (const block of changed) digestAt(page, block % MAP_FAN_OUT).set(changes.get(block)!);
    await writer.setLeaf(leaf, page);
  }
  return await writer.finish();
}

/** Up to five levels: a disk of 64 TiB has four. */
const aCount = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 60_000, max: 70_000 }), fc.integer({ min: 1, max: 2 ** 33 }));

const aState = aCount.chain((blocks) =>
  fc.record({
    blocks: fc.constant(blocks),
    changed: fc.uniqueArray(fc.integer({ min: 0, max: blocks - 1 }), { maxLength: 6 }),
    cleared: fc.uniqueArray(fc.integer({ min: 0, max: blocks - 1 }), { maxLength: 3 }),
  }),
);

describe('the map of a disk', () => {
  it('is the same whether it was written whole or change by change, through every change of size', () =>
    fc.assert(
      fc.asyncProperty(fc.array(aState, { minLength: 1, maxLength: 5 }), async (states) => {
        const pages = new Pages();
        const model = new Map<number, Uint8Array>();
        let base: { root: Uint8Array; blocks: number } | undefined;
        for (const [version, { blocks, changed, cleared }] of states.entries()) {
          const changes = new Map<number, Uint8Array>();
          for (const block of changed) changes.set(block, digestOf(block, version));
          for (const block of [...cleared, ...[...model.keys()].slice(0, 2)]) changes.set(block, ZERO_DIGEST);
          for (const [block, digest] of changes) model.set(block, digest);
          for (const [block, digest] of model) if (digest === ZERO_DIGEST || block >= blocks) model.delete(block);
          const root = await write(pages, blocks, changes, base);
          expect(Buffer.from(root).equals(await write(new Pages(), blocks, model))).toBe(true);
          expect(await named(pages, root, blocks)).toEqual(new Map([...model].map(([block, digest]) => [block, hexOf(digest)])));
          base = { root, blocks };
        }
      }),
      { numRuns: 150 },
    ));

  it('of 64 TiB is changed by reading and writing only the pages on the way to the change', async () => {
    const pages = new Pages();
    const blocks = 2 ** 28;
    const root = await write(pages, blocks, new Map([0, 1, 2 ** 27, blocks - 1].map((block) => [block, digestOf(block, 0)])));
    pages.reads = 0;
    const before = pages.stored.size;
    await write(pages, blocks, new Map([[2 ** 27 + 5, digestOf(1, 1)]]), { root, blocks });
    expect(pages.reads).toBeLessThanOrEqual(4);
    expect(pages.stored.size - before).toBe(4);
  });

  it('finds the pages that name blocks of a range without reading others', async () => {
    const pages = new Pages();
    const blocks = 2 ** 28;
    const root = await write(pages, blocks, new Map([5, 300, 2 ** 20, 2 ** 27].map((block) => [block, digestOf(block, 0)])));
    const map = new DiskMapReader(pages.ports, root, mapGeometry(blocks * BLOCK, BLOCK));
    const found = await Array.fromAsync(leafPages(map, 256, 2 ** 20 + 1));
    expect(found.map(({ index }) => index)).toEqual([1, 4096]);
  });

  it('passes by what a visitor has seen', async () => {
    const pages = new Pages();
    const blocks = 70_000;
    const root = await write(pages, blocks, new Map([0, 69_999].map((block) => [block, digestOf(block, 0)])));
    const seen: number[] = [];
    const visited: number[] = [];
    await walkMap(
      async (digest) => pages.get(digest),
      { root: hexOf(root), virtualSize: blocks * BLOCK, blockSize: BLOCK },
      {
        page: (_digest, level) => seen.push(level) !== 4,
        block: (_digest, index) => void visited.push(index),
      },
    );
    expect(seen).toEqual([3, 2, 1, 2]);
    expect(visited).toEqual([0]);
  });

  it('with a page that cannot be one is told as damaged', async () => {
    const pages = new Pages();
    const root = await pages.put(new Uint8Array(33));
    const map = new DiskMapReader(pages.ports, root, mapGeometry(BLOCK, BLOCK));
    await expect(map.page(1, 0)).rejects.toMatchObject({ code: 'MABS-MAP-DAMAGED', kind: 'damaged' });
  });
});

async function named(pages: Pages, root: Uint8Array, blocks: number): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  await walkMap(
    async (digest) => pages.get(digest),
    { root: hexOf(root), virtualSize: blocks * BLOCK, blockSize: BLOCK },
    {
      page: () => true,
      block: (digest, index) => void found.set(index, hexOf(digest)),
    },
  );
  return new Map([...found].sort(([a], [b]) => a - b));
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
