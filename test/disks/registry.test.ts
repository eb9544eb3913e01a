import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { diskFormats } from '../../src/disks/registry.ts';

const MIB = 1024 * 1024;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-formats-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function anImage(name: string, format: 'vhdx' | 'vhd'): Promise<Buffer> {
  const path = join(folder, name);
  await using disk = await diskFormats.get(format).create(path, { sizeBytes: 4 * MIB, subformat: 'dynamic' });
  await disk.flush();
  return await readFile(path);
}

describe('the format of an image', () => {
  it.each(['vhdx', 'vhd'] as const)(
    'is %s by its content, under any name but .raw, which is raw whatever a guest wrote',
    async (format) => {
      const content = await anImage(`disk.${format}`, format);
      for (const name of ['disk.img', 'disk', 'disk.avhdx', 'disk.vhd', 'disk.VHDX']) {
        await writeFile(join(folder, name), content);
        expect((await diskFormats.describe(join(folder, name))).format).toBe(format);
      }
      await writeFile(join(folder, 'disk.raw'), content);
      expect(await diskFormats.describe(join(folder, 'disk.raw'))).toMatchObject({ format: 'raw', virtualSize: content.length });
    },
  );

  it.each(['disk.vhdx', 'disk.AVHDX', 'disk.vhd', 'disk.avhd'])('of %s without any signature is no raw disk, but damage', async (name) => {
    await writeFile(join(folder, name), new Uint8Array(MIB));
    await expect(diskFormats.open(join(folder, name))).rejects.toMatchObject({ kind: 'damaged' });
    await writeFile(join(folder, 'disk.bin'), new Uint8Array(MIB));
    expect((await diskFormats.describe(join(folder, 'disk.bin'))).format).toBe('raw');
  });
});
