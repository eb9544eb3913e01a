import { mkdtempSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CreateImageOptions } from '../../../src/disks/disk-format.ts';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { hasQemuImg, qemuImg } from '../../builders/qemu-img.ts';
import { expectQemuAgrees } from '../../builders/vhdx-check.ts';
import { keepsTheDiskSourceContract } from '../../contracts/disk-source.ts';
import { keepsTheWritableDiskContract } from '../../contracts/writable-disk.ts';

const MIB = 1024 * 1024;
const TIB = MIB * MIB;
const folder = mkdtempSync(join(tmpdir(), 'mabs-vhdx-'));
let made = 0;
const newPath = () => join(folder, `disk${made++}.vhdx`);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A VHDX that holds `content`. */
async function aVhdx(content: Uint8Array, options: Omit<CreateImageOptions, 'sizeBytes'>): Promise<string> {
  const path = newPath();
  await using disk = await vhdxFormat.create(path, { ...options, sizeBytes: content.length });
  await disk.write(0, content);
  return path;
}

/** A child over a parent that holds the first half of `content`, and garbage where the child has the second. */
async function aDifferencingVhdx(content: Uint8Array, options: Partial<CreateImageOptions>): Promise<string> {
  const half = Math.floor(content.length / 2);
  const inParent = content.slice();
  inParent.fill(0xcc, half);
  const parent = await aVhdx(inParent, { subformat: 'dynamic', ...options });
  const path = newPath();
  await using child = await vhdxFormat.create(path, { subformat: 'differencing', sizeBytes: content.length, parent });
  await child.write(half, content.subarray(half));
  return path;
}

/** Of two blocks, the second cut short by the disk's end. */
const small = { sizes: [MIB + 4096] };
const sizeBytes = 2 * MIB + 4096;
const qemuAgrees = { check: expectQemuAgrees };

describe('a dynamic VHDX', () => {
  const create = { subformat: 'dynamic', blockSize: MIB } as const;
  keepsTheDiskSourceContract(async (content) => vhdxFormat.open(await aVhdx(content, create)));
  keepsTheWritableDiskContract(vhdxFormat, 'vhdx', { create, ...qemuAgrees });
});

describe('a dynamic VHDX of 4096-byte sectors', () => {
  const create = { subformat: 'dynamic', blockSize: 2 * MIB, logicalSectorSize: 4096 } as const;
  keepsTheDiskSourceContract(async (content) => vhdxFormat.open(await aVhdx(content, create)), small);
  // qemu-img knows sectors of 512 bytes only.
  keepsTheWritableDiskContract(vhdxFormat, 'vhdx', { create, sizeBytes });
});

describe('a fixed VHDX', () => {
  const create = { subformat: 'fixed', blockSize: 2 * MIB } as const;
  keepsTheDiskSourceContract(async (content) => vhdxFormat.open(await aVhdx(content, create)), small);
  keepsTheWritableDiskContract(vhdxFormat, 'vhdx', { create, sizeBytes, ...qemuAgrees });
});

describe.each([512, 4096] as const)('a differencing VHDX of %i-byte sectors', (logicalSectorSize) => {
  const parent = newPath();
  beforeAll(async () => {
    await using _ = await vhdxFormat.create(parent, { subformat: 'dynamic', sizeBytes, logicalSectorSize });
  });
  keepsTheDiskSourceContract(async (content) => vhdxFormat.open(await aDifferencingVhdx(content, { logicalSectorSize })), small);
  keepsTheWritableDiskContract(vhdxFormat, 'vhdx', { create: { subformat: 'differencing', parent, blockSize: MIB }, sizeBytes });
});

describe('making a VHDX', () => {
  it.each([
    { subformat: 'dynamic', sizeBytes: 64 * TIB, blockSize: MIB },
    { subformat: 'dynamic', sizeBytes: 64 * TIB, blockSize: 256 * MIB, logicalSectorSize: 4096 },
    { subformat: 'fixed', sizeBytes: 40 * 1024 * MIB, blockSize: 32 * MIB },
  ] as const)('of $sizeBytes bytes, $subformat, takes next to no memory and space', async (options) => {
    const path = newPath();
    {
      await using disk = await vhdxFormat.create(path, options);
      await disk.write(options.sizeBytes - 512, new Uint8Array(512).fill(7));
      await disk.write(5000 * MIB + 1, Uint8Array.of(9));
    }
    await using disk = await vhdxFormat.open(path);
    const sector = new Uint8Array(512);
    await disk.read(options.sizeBytes - 512, sector);
    expect(sector).toEqual(new Uint8Array(512).fill(7));
    expect(await disk.extents({ offset: 100 * MIB, length: 64 * MIB })).toHaveLength(1);
    if (process.platform === 'linux') expect((await stat(path)).blocks * 512).toBeLessThan(4 * MIB);
    // qemu-img would hold a table of 512 MiB in memory, and knows no 4096-byte sectors.
    if (hasQemuImg && options.sizeBytes < TIB) await qemuImg('check', '-q', '-f', 'vhdx', path);
    await rm(path);
  });

  it('keeps what it was told', async () => {
    const path = newPath();
    const diskId = '01234567-89ab-cdef-0123-456789abcdef';
    const options = { subformat: 'fixed', sizeBytes: 3 * MIB, logicalSectorSize: 512, physicalSectorSize: 512, diskId } as const;
    await (await vhdxFormat.create(path, options))[Symbol.asyncDispose]();
    expect(await vhdxFormat.describe(path)).toEqual({
      ...{ format: 'vhdx', subformat: 'fixed', virtualSize: 3 * MIB, blockSize: 32 * MIB },
      ...{ logicalSectorSize: 512, physicalSectorSize: 512, diskId, dirtyLog: false },
    });
  });

  it.each([
    { what: 'no size', options: { sizeBytes: 0 } },
    { what: 'a broken sector', options: { sizeBytes: 513 } },
    { what: 'more than 64 TiB', options: { sizeBytes: 64 * TIB + 512 } },
    { what: 'blocks of no power of two', options: { sizeBytes: MIB, blockSize: 3 * MIB } },
    { what: 'a parent that nobody asked for', options: { sizeBytes: MIB, parent: 'x.vhdx' } },
    { what: 'a disk id that is none', options: { sizeBytes: MIB, diskId: 'me' } },
  ])('refuses $what', async ({ options }) => {
    const path = newPath();
    await expect(vhdxFormat.create(path, { subformat: 'dynamic', ...options })).rejects.toMatchObject({ code: 'MABS-VHDX-OPTION' });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a VHDX made by qemu-img', () => {
  it.each(['dynamic', 'fixed'])('%s, is read and written in place', async (subformat) => {
    const path = newPath();
    const sizeBytes = 20 * MIB;
    if (!hasQemuImg) return;
    await qemuImg('create', '-q', '-f', 'vhdx', '-o', `subformat=${subformat},block_size=1M`, path, `${sizeBytes}`);
    const content = new Uint8Array(sizeBytes);
    content.fill(0x5a, 3 * MIB - 100, 7 * MIB + 11);
    {
      await using disk = await vhdxFormat.openForWriting(path);
      await disk.write(3 * MIB - 100, content.subarray(3 * MIB - 100, 7 * MIB + 11));
    }
    expect(await vhdxFormat.describe(path)).toMatchObject({ subformat, virtualSize: sizeBytes, blockSize: MIB });
    await expectQemuAgrees(path, content);
  });
});
