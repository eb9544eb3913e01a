import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rawFormat } from '../../../src/disks/raw/raw-format.ts';
import { keepsTheDiskSourceContract } from '../../contracts/disk-source.ts';
import { keepsTheWritableDiskContract } from '../../contracts/writable-disk.ts';

let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-raw-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function aRawImage(content: Uint8Array): Promise<string> {
  const path = join(folder, `${made++}.raw`);
  await writeFile(path, content);
  return path;
}

describe('a raw image', () => {
  keepsTheDiskSourceContract(async (content) => rawFormat.open(await aRawImage(content)), { sizes: [1_048_576, 1_000_001] });
  keepsTheWritableDiskContract(rawFormat, 'raw');

  it('may have a size that is not whole sectors', async () => {
    expect(await rawFormat.describe(await aRawImage(new Uint8Array(1001)))).toMatchObject({ virtualSize: 1001, subformat: 'fixed' });
  });

  it('stays sparse where zeros are written', async () => {
    const path = join(folder, 'sparse.raw');
    const size = 64 * 1024 * 1024;
    {
      await using disk = await rawFormat.create(path, { sizeBytes: size, subformat: 'fixed' });
      await disk.write(8 * 1024 * 1024, new Uint8Array(16 * 1024 * 1024));
      await disk.writeZeros({ offset: 0, length: size });
      await disk.write(4096, Uint8Array.of(1));
    }
    const { size: fileSize, blocks } = await stat(path);
    expect(fileSize).toBe(size);
    if (process.platform === 'linux') expect(blocks * 512).toBeLessThan(1024 * 1024);
  });

  it('has neither parent nor blocks', async () => {
    const path = join(folder, 'child.raw');
    for (const options of [{ parent: 'x' }, { blockSize: 4096 }, { diskId: 'x' }]) {
      await expect(rawFormat.create(path, { sizeBytes: 512, subformat: 'fixed', ...options })).rejects.toMatchObject({ kind: 'usage' });
    }
    await expect(rawFormat.create(path, { sizeBytes: 512, subformat: 'differencing' })).rejects.toMatchObject({ code: 'MABS-RAW-OPTION' });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    { what: 'a missing file', path: () => join(folder, 'nothing.raw'), code: 'MABS-FILE-MISSING' },
    { what: 'a folder', path: () => folder, code: 'MABS-NOT-A-FILE' },
  ])('names $what', async ({ path, code }) => {
    await expect(rawFormat.open(path())).rejects.toMatchObject({ code });
  });
});
