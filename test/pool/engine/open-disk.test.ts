import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDisk } from '../../../src/pool/engine/open-disk.ts';
import { anEnginePool, type EnginePool } from '../../builders/engine-pool.ts';
import { asManifestDisk, writeContent } from '../../builders/engine-run.ts';
import { someBytes } from '../../builders/pool-blocks.ts';
import { keepsTheDiskSourceContract } from '../../contracts/disk-source.ts';

let pool: EnginePool;
beforeAll(async () => {
  pool = await anEnginePool({ blockSize: 4096 });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

async function stored(content: Uint8Array) {
  return asManifestDisk(pool, content.length, await writeContent(pool, content));
}

describe('a disk of a recovery point', () => {
  keepsTheDiskSourceContract(async (content) => openDisk(pool.blocks, await stored(content)), { sizes: [3_145_728, 1_048_576 + 4095] });

  it('says where it has holes, in whole blocks', async () => {
    const content = Buffer.concat([Buffer.alloc(8192), someBytes('island', 4097), Buffer.alloc(2_000_000)]);
    await using disk = await openDisk(pool.blocks, await stored(content));
    expect(await disk.extents({ offset: 100, length: content.length - 100 })).toEqual([
      { offset: 100, length: 8092, from: 'zero' },
      { offset: 8192, length: 8192, from: 'opaque' },
      { offset: 16_384, length: content.length - 16_384, from: 'zero' },
    ]);
  });

  it('hands out no byte of a damaged block, and the rest all the same', async () => {
    await using own = await anEnginePool({ blockSize: 4096 });
    const content = someBytes('damaged', 40_960);
    const disk = asManifestDisk(own, content.length, await writeContent(own, content));
    const packs = await Array.fromAsync(own.store.list('packs/'));
    const { name } = packs.sort((a, b) => b.sizeBytes - a.sizeBytes)[0]!;
    const bytes = Buffer.from(await own.store.get(name));
    bytes[bytes.indexOf(content.subarray(20_480, 20_500))]! ^= 1;
    await own.store.remove(name);
    await own.store.put(name, bytes);
    await using opened = await openDisk(own.blocks, disk);
    const into = Buffer.alloc(4096);
    await expect(opened.read(20_480, into)).rejects.toMatchObject({ code: 'MABS-BLOCK-DAMAGED', file: name });
    expect(into.equals(Buffer.alloc(4096))).toBe(true);
    await opened.read(16_384, into);
    expect(into.equals(content.subarray(16_384, 20_480))).toBe(true);
  });
});
