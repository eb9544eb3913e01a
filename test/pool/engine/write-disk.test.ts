import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ByteRange, roundOut, totalLength } from '../../../src/lib/byte-range.ts';
import type { DiskWriteResult } from '../../../src/pool/pool.ts';
import { anEnginePool, type EnginePool } from '../../builders/engine-pool.ts';
import { asManifestDisk, restoreContent, writeContent } from '../../builders/engine-run.ts';
import { someBytes, someKeys } from '../../builders/pool-blocks.ts';

const BLOCK = 512;

let pool: EnginePool;
beforeAll(async () => {
  pool = await anEnginePool({ blockSize: BLOCK });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

/** A write of a guest: bytes, or zeros. */
const aWrite = (size: number) =>
  fc.record({
    offset: fc.integer({ min: 0, max: size - 1 }),
    length: fc.integer({ min: 1, max: 3000 }),
    byte: fc.constantFrom(0, 1, 2, undefined),
  });

const aSize = fc.integer({ min: 1, max: 400_000 });

/** A disk, then several states of it: size, what the guest wrote, what is left out. */
const aHistory = aSize.chain((size) =>
  fc.record({
    size: fc.constant(size),
    seed: fc.string(),
    writes: fc.array(aWrite(size), { maxLength: 8 }),
    states: fc.array(
      fc.record({
        size: fc.oneof(fc.constant(undefined), aSize),
        writes: fc.array(aWrite(size), { maxLength: 5 }),
        falselyChanged: fc.array(aWrite(size), { maxLength: 2 }),
        leftOut: fc.array(aWrite(size), { maxLength: 2 }),
      }),
      { maxLength: 4 },
    ),
  }),
);

function resized(content: Buffer, size: number): Buffer {
  const copy = Buffer.alloc(size);
  content.copy(copy);
  return copy;
}

function apply(
  content: Buffer,
  writes: readonly { offset: number; length: number; byte: number | undefined }[],
  seed: string,
): ByteRange[] {
  return writes
    .filter(({ offset }) => offset < content.length)
    .map(({ offset, length, byte }) => {
      const end = Math.min(content.length, offset + length);
      if (byte === undefined) content.set(someBytes(`${seed}${offset}`, end - offset), offset);
      else content.fill(byte, offset, end);
      return { offset, length: end - offset };
    });
}

function without(content: Buffer, leftOut: readonly ByteRange[]): Buffer {
  const copy = Buffer.from(content);
  for (const { offset, length } of leftOut) copy.fill(0, offset, offset + length);
  return copy;
}

function bytesOfData(content: Buffer): number {
  let sum = 0;
  for (let at = 0; at < content.length; at += BLOCK) {
    const block = content.subarray(at, at + BLOCK);
    if (block.some((byte) => byte !== 0)) sum += block.length;
  }
  return sum;
}

describe('writing a disk', () => {
  it('names by tracking, by scan and from nothing the same map, and restores what was there', () =>
    fc.assert(
      fc.asyncProperty(aHistory, async ({ size, seed, writes, states }) => {
        await using pool = await anEnginePool({ blockSize: BLOCK });
        let content: Buffer = Buffer.alloc(size);
        apply(content, writes, seed);
        let result: DiskWriteResult = await writeContent(pool, content);
        let base = { root: result.root, virtualSize: size, leftOut: [] as ByteRange[], dataBytes: result.dataBytes };
        for (const state of states) {
          content = resized(content, state.size ?? content.length);
          const changed = apply(content, state.writes, seed);
          const leftOut = state.leftOut.filter(({ offset, length }) => offset + length <= content.length);
          const kept = without(content, leftOut);
          const ranges = [...changed, ...state.falselyChanged];
          result = await writeContent(pool, content, { base, ranges, leftOut, sample: true, seed });
          expect(result.sampleMismatches).toBe(0);
          const { dataBytes: _, ...baseOfUnknownSize } = base;
          const scanned = await writeContent(pool, content, { base: baseOfUnknownSize, leftOut });
          const initial = await writeContent(pool, content, { leftOut });
          expect([scanned.root, initial.root]).toEqual([result.root, result.root]);
          expect([result.blocksDiffering, result.bytesChanged]).toEqual([scanned.blocksDiffering, scanned.bytesChanged]);
          expect(initial.bytesTransferred).toBe(0);
          expect([result.dataBytes, scanned.dataBytes, initial.dataBytes]).toEqual(Array(3).fill(bytesOfData(kept)));
          const restored = await restoreContent(pool, asManifestDisk(pool, content.length, result));
          expect(restored.equals(kept)).toBe(true);
          base = { root: result.root, virtualSize: content.length, leftOut, dataBytes: result.dataBytes };
        }
      }),
      { numRuns: 40 },
    ));

  it('scans no more than the changed ranges rounded out to blocks', async () => {
    const content = someBytes('whole', 300_000);
    const first = await writeContent(pool, content);
    const changed = Buffer.from(content);
    const ranges = [
      { offset: 1000, length: 1 },
      { offset: 70_000, length: 5000 },
      { offset: 299_999, length: 1 },
    ];
    for (const { offset, length } of ranges) changed.fill(7, offset, offset + length);
    const base = { root: first.root, virtualSize: content.length, leftOut: [] };
    const result = await writeContent(pool, changed, { base, ranges });
    expect(result.bytesScanned).toBe(totalLength(roundOut(ranges, BLOCK, content.length)));
    expect(result.bytesChanged).toBe(result.bytesScanned);
    expect(result.bytesSampled).toBe(0);
  });

  it('stores no block twice, within a disk, across disks and across runs', async () => {
    await using own = await anEnginePool({ blockSize: BLOCK });
    const block = someBytes('one block', BLOCK);
    const content = Buffer.concat([block, block, Buffer.alloc(BLOCK), block]);
    expect(await writeContent(own, content)).toMatchObject({ bytesTransferred: BLOCK, blocksDiffering: 3, dataBytes: 3 * BLOCK });
    const clone = await writeContent(own, Buffer.concat([Buffer.alloc(BLOCK * 20), content]));
    expect(clone).toMatchObject({ bytesTransferred: 0, blocksDiffering: 3 });
    expect(await writeContent(own, content)).toMatchObject({ bytesTransferred: 0, bytesStored: 0 });
  });

  it('stores nothing for a disk of zeros', async () => {
    await using own = await anEnginePool({ blockSize: BLOCK });
    const result = await writeContent(own, Buffer.alloc(1_000_000));
    expect(result).toEqual({
      ...{ root: '0'.repeat(64), dataBytes: 0, bytesScanned: 0, bytesSampled: 0, bytesChanged: 0, blocksDiffering: 0 },
      ...{ bytesTransferred: 0, bytesStored: 0, sampleMismatches: 0, blocksMended: 0 },
    });
    expect(await Array.fromAsync(own.store.list('packs/'))).toEqual([]);
  });

  it('gives an encrypted pool other names, and the same content back', async () => {
    await using sealed = await anEnginePool({ blockSize: BLOCK, keys: someKeys });
    const content = someBytes('secret', 20_000);
    const [plain, encrypted] = [await writeContent(pool, content), await writeContent(sealed, content)];
    expect(encrypted.root).not.toBe(plain.root);
    expect((await restoreContent(sealed, asManifestDisk(sealed, content.length, encrypted))).equals(content)).toBe(true);
  });

  it('reads a source without files through the source itself', async () => {
    const content = someBytes('opaque', 50_000);
    const [direct, opaque] = [await writeContent(pool, content), await writeContent(pool, content, {}, { opaque: true })];
    expect(opaque.root).toBe(direct.root);
    expect((await restoreContent(pool, asManifestDisk(pool, content.length, direct), { opaque: true })).equals(content)).toBe(true);
  });
});

describe('progress', () => {
  it('rises to the bytes that were to be looked at', async () => {
    const told: { doneBytes: number; totalBytes: number }[] = [];
    const content = someBytes('progress', 100_000);
    const { root } = await writeContent(pool, content, { onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toEqual({ doneBytes: 100_000, totalBytes: 100_000 });
    told.length = 0;
    const base = { root, virtualSize: content.length, leftOut: [] };
    await writeContent(pool, content, { base, ranges: [{ offset: 5, length: 1 }], onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toEqual({ doneBytes: BLOCK, totalBytes: BLOCK });
  });

  it('of what is left out is not made by reading it', async () => {
    const content = someBytes('left out', 100_000);
    const result = await writeContent(pool, content, { leftOut: [{ offset: 1000, length: 90_000 }] });
    expect(result.bytesScanned).toBe(10_000);
  });
});

describe('sampling', () => {
  it('finds that the tracking hid changes', async () => {
    const content = someBytes('tracked', 400_000);
    const first = await writeContent(pool, content);
    const changed = someBytes('other', 400_000);
    const base = { root: first.root, virtualSize: content.length, leftOut: [] };
    const result = await writeContent(pool, changed, { base, ranges: [{ offset: 0, length: 1 }], sample: true, seed: 'x' });
    expect(result.sampleMismatches).toBeGreaterThanOrEqual(64);
    expect(result.bytesSampled).toBeGreaterThanOrEqual(64 * BLOCK);
  });

  it('finds data where the base has a hole, and a hole where it has data', async () => {
    const content = Buffer.concat([someBytes('data', 20_480), Buffer.alloc(20_480)]);
    const first = await writeContent(pool, content);
    const swapped = Buffer.concat([Buffer.alloc(20_480), someBytes('data', 20_480)]);
    const base = { root: first.root, virtualSize: content.length, leftOut: [] };
    const result = await writeContent(pool, swapped, { base, ranges: [], sample: true, seed: 'y' });
    expect(result.sampleMismatches).toBeGreaterThan(40);
  });
});

describe('mending', () => {
  it('stores again what the pool lost: blocks and pages of the map', async () => {
    await using own = await anEnginePool({ blockSize: BLOCK });
    const content = Buffer.concat([someBytes('mend', 150_000), Buffer.alloc(300_000), someBytes('more', 5000)]);
    const first = await writeContent(own, content);
    const base = { root: first.root, virtualSize: content.length, leftOut: [] };
    for await (const { name } of own.store.list('packs/')) await own.store.remove(name);
    await expect(writeContent(own, content, { base })).rejects.toMatchObject({ code: 'MABS-BLOB-MISSING' });
    const mended = await writeContent(own, content, { base, mend: true });
    expect(mended.root).toBe(first.root);
    expect(mended.blocksMended).toBe(Math.ceil(155_000 / BLOCK) + 1);
    expect((await restoreContent(own, asManifestDisk(own, content.length, mended))).equals(content)).toBe(true);
    expect(await writeContent(own, content, { base, mend: true })).toMatchObject({ blocksMended: 0, bytesStored: 0 });
  });

  it('drops a lost page whose blocks are now all zero', async () => {
    await using own = await anEnginePool({ blockSize: BLOCK });
    const content = Buffer.concat([Buffer.alloc(262_144), someBytes('gone', 5000)]);
    const first = await writeContent(own, content);
    for await (const { name } of own.store.list('packs/')) await own.store.remove(name);
    const empty = Buffer.alloc(content.length);
    const base = { root: first.root, virtualSize: content.length, leftOut: [] };
    const mended = await writeContent(own, empty, { base, mend: true });
    expect(mended.root).toBe('0'.repeat(64));
    expect(mended.dataBytes).toBe(0);
  });
});
