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

async function anImage(name: string, format: 'vhdx' | 'vhd', subformat: 'dynamic' | 'fixed' = 'dynamic'): Promise<Buffer> {
  const path = join(folder, name);
  await using disk = await diskFormats.get(format).create(path, { sizeBytes: 4 * MIB, subformat });
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

  it('is fixed VHD under the name .raw when a person names it, and raw as the disk of a VM', async () => {
    const path = join(folder, 'disk.raw');
    await writeFile(path, await anImage('disk.vhd', 'vhd', 'fixed'));
    expect(await diskFormats.describe(path)).toMatchObject({ format: 'raw', virtualSize: 4 * MIB + 512 });
    expect(await diskFormats.describe(path, { byHand: true })).toMatchObject({ format: 'vhd', virtualSize: 4 * MIB });
    await using disk = await diskFormats.open(path, { byHand: true });
    expect(disk.sizeBytes).toBe(4 * MIB);
  });

  it.each(['vhdx', 'vhd'] as const)(
    'is raw under the name .raw for a person, too, where it is a %s that may lead elsewhere',
    async (format) => {
      const path = join(folder, 'disk.raw');
      await writeFile(path, await anImage(`disk.${format}`, format));
      expect((await diskFormats.describe(path, { byHand: true })).format).toBe('raw');
      // A footer that is damaged makes no image either.
      const damaged = await anImage('damaged.vhd', 'vhd', 'fixed');
      damaged[damaged.length - 100]! ^= 1;
      await writeFile(path, damaged);
      expect((await diskFormats.describe(path, { byHand: true })).format).toBe('raw');
    },
  );

  it.each(['disk.vhdx', 'disk.AVHDX', 'disk.vhd', 'disk.avhd'])('of %s without any signature is no raw disk, but damage', async (name) => {
    await writeFile(join(folder, name), new Uint8Array(MIB));
    await expect(diskFormats.open(join(folder, name))).rejects.toMatchObject({ kind: 'damaged' });
    await writeFile(join(folder, 'disk.bin'), new Uint8Array(MIB));
    expect((await diskFormats.describe(join(folder, 'disk.bin'))).format).toBe('raw');
  });
});
