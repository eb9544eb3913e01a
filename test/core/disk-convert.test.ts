import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { convertDisk } from '../../src/core/disk-convert.ts';
import { copyDisk } from '../../src/core/disk-copy.ts';
import { createDisk } from '../../src/core/disk-create.ts';
import { describeDisk } from '../../src/core/disk-info.ts';
import { mapDisk } from '../../src/core/disk-map.ts';
import { writeDisk } from '../../src/core/disk-write.ts';
import type { DiskFormatName, WritableDisk } from '../../src/disks/disk-format.ts';
import { diskFormats } from '../../src/disks/registry.ts';
import { TargetFullError } from '../../src/lib/random-access-file.ts';
import { compareWithQemu, hasQemuImg, qemuImg } from '../builders/qemu-img.ts';
import { aContent } from '../contracts/disk-source.ts';

const MiB = 1024 * 1024;
let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-convert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newPath = (extension: string) => join(folder, `${made++}.${extension}`);

async function anImage(format: DiskFormatName, content: Uint8Array, parent?: string): Promise<string> {
  const image = newPath(format);
  const subformat = parent === undefined ? 'dynamic' : 'differencing';
  await createDisk(diskFormats, { image, format, create: { subformat, sizeBytes: content.length, ...(parent && { parent }) } });
  await writeDisk(diskFormats, { image, offset: 0, content: { kind: 'bytes', bytes: content } });
  return image;
}

async function contentOf(image: string): Promise<Buffer> {
  const output = newPath('raw');
  await convertDisk(diskFormats, { image, output, format: 'raw', subformat: 'fixed' });
  return readFile(output);
}

const QEMU_FORMAT = { vhd: 'vpc', vhdx: 'vhdx' } as const;

describe('a conversion', () => {
  const content = aContent(9 * MiB);
  it.each(
    (['vhdx', 'vhd', 'raw'] as const).flatMap((from) =>
      (['vhdx', 'vhd', 'raw'] as const).flatMap((to) => (['dynamic', 'fixed'] as const).map((subformat) => ({ from, to, subformat }))),
    ),
  )('from $from to $subformat $to keeps every byte and the size', async ({ from, to, subformat }) => {
    const image = await anImage(from, content);
    const output = newPath(to);
    const report = await convertDisk(diskFormats, { image, output, format: to, subformat });
    expect(report).toMatchObject({ path: output, format: to, virtualSize: content.length });
    expect(await diskFormats.describe(output)).toMatchObject({ format: to, subformat: to === 'raw' ? 'fixed' : subformat });
    expect(Buffer.compare(await contentOf(output), content)).toBe(0);
    if (hasQemuImg && to !== 'raw') await compareWithQemu(output, QEMU_FORMAT[to], content);
    if (hasQemuImg && to === 'vhdx') await qemuImg('check', '-q', output);
  });

  it('of a child takes in its parents, and maps to both', async () => {
    const base = await anImage('vhd', content);
    const image = newPath('vhd');
    await createDisk(diskFormats, { image, format: 'vhd', create: { subformat: 'differencing', parent: base } });
    await writeDisk(diskFormats, { image, offset: 5, content: { kind: 'random', seed: 'child', length: 3000 } });
    const expected = Buffer.from(content);
    await writeDisk(diskFormats, { image: base, offset: 8 * MiB, content: { kind: 'bytes', bytes: new Uint8Array(9) } });
    expected.fill(0, 8 * MiB, 8 * MiB + 9);
    const got = await contentOf(image);
    expected.set(got.subarray(5, 3005), 5);
    expect(Buffer.compare(got, expected)).toBe(0);
    expect(new Set((await mapDisk(diskFormats, image)).map(({ file }) => file))).toEqual(new Set([image, base, undefined]));
  });

  it('never writes over a parent of what it reads', async () => {
    const base = await anImage('vhd', content);
    const image = newPath('vhd');
    await createDisk(diskFormats, { image, format: 'vhd', create: { subformat: 'differencing', parent: base } });
    const converting = convertDisk(diskFormats, { image, output: base, format: 'raw', subformat: 'fixed', overwrite: true });
    await expect(converting).rejects.toMatchObject({ code: 'MABS-OUTPUT-IS-INPUT' });
    expect(Buffer.compare(await contentOf(base), content)).toBe(0);
  });

  it('rounds a raw image up to whole sectors where the format needs it', async () => {
    const image = newPath('raw');
    await createDisk(diskFormats, { image, format: 'raw', create: { subformat: 'fixed', sizeBytes: 1_000_001 } });
    for (const format of ['vhdx', 'vhd'] as const) {
      const output = newPath(format);
      await convertDisk(diskFormats, { image, output, format, subformat: 'dynamic' });
      expect((await diskFormats.describe(output)).virtualSize).toBe(1_000_448);
    }
  });

  it('keeps 4096-byte sectors in a VHDX, and makes no VHD of them', async () => {
    const image = newPath('vhdx');
    await createDisk(diskFormats, { image, format: 'vhdx', create: { subformat: 'dynamic', sizeBytes: 8 * MiB, logicalSectorSize: 4096 } });
    const output = newPath('vhdx');
    await convertDisk(diskFormats, { image, output, format: 'vhdx', subformat: 'fixed' });
    expect(await diskFormats.describe(output)).toMatchObject({ logicalSectorSize: 4096, physicalSectorSize: 4096 });
    const toVhd = convertDisk(diskFormats, { image, output: newPath('vhd'), format: 'vhd', subformat: 'dynamic' });
    await expect(toVhd).rejects.toMatchObject({ code: 'MABS-VHD-OPTION', kind: 'usage' });
  });
});

describe('an orphan', () => {
  it('is described, and refused by whatever reads content', async () => {
    for (const format of ['vhd', 'vhdx'] as const) {
      const base = await anImage(format, aContent(MiB));
      const image = newPath(format);
      await createDisk(diskFormats, { image, format, create: { subformat: 'differencing', parent: base } });
      await rm(base);
      expect(await describeDisk(diskFormats, image)).toMatchObject({
        subformat: 'differencing',
        parent: { path: base, status: 'missing' },
        partitionTable: 'none',
        partitions: [],
      });
      const output = newPath('raw');
      for (const reading of [
        () => convertDisk(diskFormats, { image, output, format: 'raw', subformat: 'fixed' }),
        () => mapDisk(diskFormats, image),
        () => writeDisk(diskFormats, { image, offset: 0, content: { kind: 'zero', length: 1 } }),
      ]) {
        await expect(reading()).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING', kind: 'prerequisite' });
      }
      await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  it('has no parent of another format', async () => {
    const base = await anImage('vhd', aContent(MiB));
    const making = createDisk(diskFormats, { image: newPath('vhdx'), format: 'vhdx', create: { subformat: 'differencing', parent: base } });
    await expect(making).rejects.toMatchObject({ code: 'MABS-PARENT-FORMAT', kind: 'usage' });
  });
});

describe('a copy', () => {
  it('reads while it writes, and ends both before it fails when the target is full', async () => {
    await using source = await diskFormats.open(await anImage('raw', Buffer.alloc(20 * MiB, 1)));
    let writing = 0;
    const target = {
      write: async (offset: number) => {
        writing++;
        await new Promise((resolve) => setImmediate(resolve));
        writing--;
        if (offset >= 8 * MiB) throw new TargetFullError('target', {});
      },
    } as unknown as WritableDisk;
    await expect(copyDisk(source, target)).rejects.toMatchObject({ code: 'MABS-TARGET-FULL', kind: 'space' });
    expect(writing).toBe(0);
  });
});
