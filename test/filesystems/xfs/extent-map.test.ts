import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Extent, extentAt } from '../../../src/filesystems/xfs/extent.ts';
import { ExtentMap } from '../../../src/filesystems/xfs/extent-map.ts';
import type { Fork } from '../../../src/filesystems/xfs/inode.ts';
import { parseSuperblock, type Superblock } from '../../../src/filesystems/xfs/superblock.ts';
import { XfsVolume } from '../../../src/filesystems/xfs/xfs-volume.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';
import { fixtureVolume } from '../../builders/fixture-volume.ts';

const BLOCK = 4096;
const HEAD = 24;
const MOST = Math.floor((BLOCK - HEAD) / 16);

let superblock: Superblock;
beforeAll(async () => {
  const first = new Uint8Array(512);
  await (await fixtureVolume('xfs-v4')).read(0, first);
  superblock = parseSuperblock(first)!;
});

/** Sixteen bytes, as the packed form is described: 1, 54, 52 and 21 bits. */
function packed({ start, count, block, unwritten = false }: Partial<Extent> & Pick<Extent, 'start' | 'count' | 'block'>): Buffer {
  const bits = (BigInt(unwritten) << 127n) | (BigInt(start) << 73n) | (BigInt(block) << 21n) | BigInt(count);
  return Buffer.from(bits.toString(16).padStart(32, '0'), 'hex');
}

function aLeaf(extents: readonly Buffer[]): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write('BMAP');
  block.writeUInt16BE(extents.length, 6);
  Buffer.concat(extents).copy(block, HEAD);
  return block;
}

function aNode(level: number, children: readonly (readonly [key: number, block: number])[]): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write('BMAP');
  block.writeUInt16BE(level, 4);
  block.writeUInt16BE(children.length, 6);
  for (const [index, [key, child]] of children.entries()) {
    block.writeBigUInt64BE(BigInt(key), HEAD + index * 8);
    block.writeBigUInt64BE(BigInt(child), HEAD + (MOST + index) * 8);
  }
  return block;
}

/** The root in an inode of 256 bytes. */
function aRoot(level: number, children: readonly (readonly [key: number, block: number])[]): Fork {
  const bytes = Buffer.alloc(156);
  bytes.writeUInt16BE(level, 0);
  bytes.writeUInt16BE(children.length, 2);
  for (const [index, [key, child]] of children.entries()) {
    bytes.writeBigUInt64BE(BigInt(key), 4 + index * 8);
    bytes.writeBigUInt64BE(BigInt(child), 4 + (9 + index) * 8);
  }
  return { format: 'btree', bytes, extents: 0 };
}

/** Extents of a fork on a volume of version 4 that has these blocks. */
async function extentsOf(fork: Fork, blocks: Readonly<Record<number, Buffer>> = {}, window: readonly [number, number] = [0, 2 ** 50]) {
  const bytes = new Uint8Array(64 * BLOCK);
  for (const [number, block] of Object.entries(blocks)) bytes.set(block, Number(number) * BLOCK);
  const volume = new XfsVolume(memorySource(bytes), superblock);
  return await Array.fromAsync(new ExtentMap(volume, fork, 'file 1').within(...window));
}

const extent = (start: number, count: number, block: number): Extent => ({ start, count, block, unwritten: false });
const DAMAGED = { code: 'MABS-FS-DAMAGED' };

it('a packed extent is four numbers', () => {
  for (const one of [
    { start: 0, count: 1, block: 0, unwritten: false },
    { start: 2 ** 52 + 3, count: 2 ** 21 - 1, block: 2 ** 52 - 1, unwritten: true },
    { start: 511, count: 7, block: 2 ** 43 + 2 ** 11 + 5, unwritten: false },
  ]) {
    const bytes = packed(one);
    expect(extentAt(new DataView(bytes.buffer, bytes.byteOffset), 0)).toEqual(one);
  }
});

describe('a list of extents', () => {
  const listed = (extents: readonly Extent[], claimed = extents.length): Fork => ({
    format: 'extents',
    bytes: Buffer.concat(extents.map(packed)),
    extents: claimed,
  });

  it('is read within a window', async () => {
    const all = [extent(0, 2, 10), extent(5, 5, 20), extent(10, 1, 40)];
    expect(await extentsOf(listed(all))).toEqual(all);
    expect(await extentsOf(listed(all), {}, [2, 10])).toEqual([all[1]]);
    expect(await extentsOf(listed(all), {}, [3, 5])).toEqual([]);
  });

  it.each([
    { what: 'out of order', fork: listed([extent(5, 2, 10), extent(0, 2, 20)]) },
    { what: 'overlapping', fork: listed([extent(0, 3, 10), extent(2, 2, 20)]) },
    { what: 'empty ones', fork: listed([extent(0, 0, 10)]) },
    { what: 'more than there is room for', fork: listed([extent(0, 1, 10)], 2) },
    { what: 'more than any inode holds', fork: listed([extent(0, 1, 10)], Number.MAX_SAFE_INTEGER) },
  ])('is damaged with extents that are $what', async ({ fork }) => {
    await expect(extentsOf(fork)).rejects.toMatchObject(DAMAGED);
  });
});

describe('a tree of extents of version 4', () => {
  const blocks = {
    3: aNode(1, [
      [0, 5],
      [100, 6],
    ]),
    5: aLeaf([packed(extent(0, 2, 10)), packed(extent(50, 2, 12))]),
    6: aLeaf([packed(extent(100, 3, 20)), packed(extent(200, 4, 30))]),
    7: aLeaf([packed(extent(1000, 1, 40))]),
    8: aNode(1, [[1000, 7]]),
  };
  const root = aRoot(2, [
    [0, 3],
    [1000, 8],
  ]);

  it('is read in order, and only where the window is', async () => {
    expect((await extentsOf(root, blocks)).map(({ start }) => start)).toEqual([0, 50, 100, 200, 1000]);
    expect((await extentsOf(root, blocks, [150, 250])).map(({ start }) => start)).toEqual([200]);
    // Blocks outside of the window are not looked at.
    expect(await extentsOf(root, { ...blocks, 5: Buffer.alloc(BLOCK), 8: Buffer.alloc(BLOCK) }, [100, 104])).toHaveLength(1);
  });

  it.each([
    { what: 'that leads back to itself', change: { 5: aNode(1, [[0, 3]]) } },
    { what: 'with one block in two places', change: { 3: aNode(1, [[0, 5], [100, 5]]) } }, // biome-ignore format: a row
    { what: 'with keys out of order', change: { 3: aNode(1, [[100, 6], [0, 5]]) } }, // biome-ignore format: a row
    { what: 'with a part that holds nothing', change: { 5: aLeaf([]) } },
    { what: 'with extents that are not of their part', change: { 5: aLeaf([packed(extent(100, 1, 10))]) } },
    { what: 'that leaves the volume', change: { 3: aNode(1, [[0, 1_000_000]]) } },
    { what: 'with a block that is something else', change: { 5: Buffer.alloc(BLOCK) } },
  ])('$what is damaged', async ({ change }) => {
    await expect(extentsOf(root, { ...blocks, ...change })).rejects.toMatchObject(DAMAGED);
  });

  it.each([
    { what: 'no level', fork: aRoot(0, [[0, 3]]) },
    { what: 'levels without end', fork: aRoot(60, [[0, 3]]) },
    { what: 'no room', fork: { format: 'btree', bytes: new Uint8Array(2), extents: 0 } as const },
  ])('with a root of $what is damaged', async ({ fork }) => {
    await expect(extentsOf(fork, blocks)).rejects.toMatchObject(DAMAGED);
  });
});
