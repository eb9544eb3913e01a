import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ByteRange } from '../../../src/lib/byte-range.ts';
import { compareDisk } from '../../../src/pool/engine/compare-disk.ts';
import type { DiskWriteRequest } from '../../../src/pool/pool.ts';
import { anEnginePool, type EnginePool } from '../../builders/engine-pool.ts';
import { asManifestDisk, inline, restoreContent, writeContent } from '../../builders/engine-run.ts';
import { aFileDisk } from '../../builders/file-disk.ts';
import { someBytes } from '../../builders/pool-blocks.ts';

const BLOCK = 512;
const SIZE = 200 * BLOCK;

let pool: EnginePool;
beforeAll(async () => {
  pool = await anEnginePool({ blockSize: BLOCK });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

/** Blocks `from` to `to` of the disk. */
const blocks = (from: number, to: number): ByteRange => ({ offset: from * BLOCK, length: (to - from) * BLOCK });

function without(content: Buffer, leftOut: readonly ByteRange[]): Buffer {
  const copy = Buffer.from(content);
  for (const { offset, length } of leftOut) copy.fill(0, offset, offset + length);
  return copy;
}

/** A disk stored with something left out: its content and the base that the next write compares with. */
async function aStored(leftOut: ByteRange[]) {
  const content = someBytes(`left out ${leftOut[0]?.offset}`, SIZE);
  const { root, dataBytes } = await writeContent(pool, content, { leftOut });
  return { content, base: { root, dataBytes, virtualSize: SIZE, leftOut } };
}

async function restored(result: { root: string; dataBytes: number }, size = SIZE): Promise<Buffer> {
  return await restoreContent(pool, asManifestDisk(pool, size, result));
}

describe('what is left out', () => {
  it('is neither read nor stored, and the rest of a block that it cuts is', async () => {
    const leftOut = [{ offset: 10 * BLOCK + 100, length: 20 * BLOCK }];
    const content = someBytes('cut', SIZE);
    const result = await writeContent(pool, content, { leftOut });
    expect(result).toMatchObject({ bytesScanned: SIZE - 20 * BLOCK, bytesTransferred: SIZE - 19 * BLOCK, dataBytes: SIZE - 19 * BLOCK });
    expect((await restored(result)).equals(without(content, leftOut))).toBe(true);
  });

  it('is read once it no longer is, though the tracking says that nothing changed', async () => {
    const { content, base } = await aStored([{ offset: 10 * BLOCK + 100, length: 20 * BLOCK }]);
    const leftOut = [blocks(12, 20)];
    const result = await writeContent(pool, content, { base, ranges: [], sample: true, seed: 'a', leftOut });
    expect(result).toMatchObject({ bytesScanned: (21 - 8) * BLOCK, bytesTransferred: (21 - 8) * BLOCK, sampleMismatches: 0 });
    expect((await restored(result)).equals(without(content, leftOut))).toBe(true);
  });

  it('becomes zero when it was not before, though the tracking says that nothing changed', async () => {
    const { content, base } = await aStored([]);
    const leftOut = [{ offset: 30 * BLOCK + 1, length: 3 * BLOCK }];
    const result = await writeContent(pool, content, { base, ranges: [], sample: true, seed: 'b', leftOut });
    expect(result).toMatchObject({ bytesScanned: BLOCK, bytesTransferred: 2 * BLOCK, dataBytes: SIZE - 2 * BLOCK, sampleMismatches: 0 });
    expect((await restored(result)).equals(without(content, leftOut))).toBe(true);
  });

  it('may change as it likes: no sampling and no comparison looks at it', async () => {
    const leftOut = [{ offset: 3 * BLOCK + 7, length: 150 * BLOCK }];
    const { content, base } = await aStored(leftOut);
    someBytes('page file', 150 * BLOCK).copy(content, 3 * BLOCK + 7);
    for (const request of [{ ranges: [], sample: true, seed: 'c' }, {}, { mend: true }] satisfies Partial<DiskWriteRequest>[]) {
      const result = await writeContent(pool, content, { base, leftOut, ...request });
      expect(result).toMatchObject({ root: base.root, blocksDiffering: 0, bytesTransferred: 0, sampleMismatches: 0, blocksMended: 0 });
    }
  });

  it('counts as no difference where it is on one side only; what differs elsewhere does', async () => {
    const { content, base } = await aStored([blocks(0, 50)]);
    content.fill(1, 100 * BLOCK, 102 * BLOCK);
    const result = await writeContent(pool, content, { base, leftOut: [blocks(40, 90)] });
    expect(result).toMatchObject({ blocksDiffering: 2, bytesChanged: 2 * BLOCK, bytesTransferred: (40 + 1) * BLOCK });
    expect((await restored(result)).equals(without(content, [blocks(40, 90)]))).toBe(true);
  });

  it('does not hide from the sampling what lies beside it', async () => {
    const leftOut = [blocks(0, 190)];
    const { content, base } = await aStored(leftOut);
    content.fill(2, 190 * BLOCK);
    const result = await writeContent(pool, content, { base, ranges: [], sample: true, seed: 'd', leftOut });
    expect(result.sampleMismatches).toBeGreaterThan(0);
  });

  it('ends with the disk where that shrank, and is read where it grew', async () => {
    const leftOut = [blocks(90, 200)];
    const { content, base } = await aStored(leftOut);
    const shorter = content.subarray(0, 100 * BLOCK + 9);
    const small = await writeContent(pool, shorter, { base, leftOut: [] });
    expect((await restored(small, shorter.length)).equals(shorter)).toBe(true);
    const longer = Buffer.concat([content, someBytes('grown', 70 * BLOCK + 1)]);
    const large = await writeContent(pool, longer, { base, ranges: [], leftOut: [blocks(95, 210)] });
    expect((await restored(large, longer.length)).equals(without(longer, [blocks(95, 210)]))).toBe(true);
  });

  it('is mended from the source where the pool lost what was kept', async () => {
    await using own = await anEnginePool({ blockSize: BLOCK });
    const content = someBytes('mend', SIZE);
    const leftOut = [{ offset: 20 * BLOCK + 11, length: 100 * BLOCK }];
    const first = await writeContent(own, content, { leftOut });
    for await (const { name } of own.store.list('packs/')) await own.store.remove(name);
    const base = { root: first.root, virtualSize: SIZE, leftOut };
    const mended = await writeContent(own, content, { base, leftOut, mend: true });
    expect(mended).toMatchObject({ root: first.root, dataBytes: first.dataBytes });
    const whole = await restoreContent(own, asManifestDisk(own, SIZE, mended, leftOut));
    expect(whole.equals(without(content, leftOut))).toBe(true);
  });

  it('is not looked at when a source is compared with a point; what is beside it is', async () => {
    const leftOut = [{ offset: 5 * BLOCK + 3, length: 60 * BLOCK }];
    const { content, base } = await aStored(leftOut);
    const disk = asManifestDisk(pool, SIZE, base, leftOut);
    someBytes('other', 60 * BLOCK).copy(content, 5 * BLOCK + 3);
    await using changed = await aFileDisk(join(pool.path, 'compared'), content);
    expect(await compareDisk(inline, pool.blocks, disk, changed)).toEqual({ differing: [], bytesRead: SIZE - 60 * BLOCK });
    await changed.write(65 * BLOCK + 3, Buffer.from([content[65 * BLOCK + 3]! ^ 1]));
    expect((await compareDisk(inline, pool.blocks, disk, changed)).differing).toEqual([blocks(65, 66)]);
  });
});
