import { copyFile, mkdir, mkdtemp, open, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DiskSubformat } from '../../../src/disks/disk-format.ts';
import type { DiskSource } from '../../../src/disks/disk-source.ts';
import { vhdFormat } from '../../../src/disks/vhd/vhd-format.ts';
import { compareWithQemu, hasQemuImg, qemuImg } from '../../builders/qemu-img.ts';
import { patchFooter, patchHeader } from '../../builders/vhd-images.ts';
import { aContent, keepsTheDiskSourceContract } from '../../contracts/disk-source.ts';
import { keepsTheWritableDiskContract } from '../../contracts/writable-disk.ts';

const MiB = 1024 * 1024;
let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mabs-vhd-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newPath = () => join(folder, `${made++}.vhd`);

async function aVhd(content: Uint8Array, subformat: DiskSubformat = 'dynamic', blockSize?: number): Promise<string> {
  const path = newPath();
  await using disk = await vhdFormat.create(path, { sizeBytes: content.length, subformat, ...(blockSize && { blockSize }) });
  await disk.write(0, content);
  await disk.flush();
  return path;
}

/** A child that holds the odd half of the content over a parent that holds the even half, cut at odd places. */
async function aChain(content: Uint8Array): Promise<string> {
  const other = Buffer.from(content);
  for (let at = 150_000; at < content.length; at += 300_000) other.fill(0xee, at, Math.min(at + 150_000, other.length));
  const base = await aVhd(other);
  const child = newPath();
  await using disk = await vhdFormat.create(child, { sizeBytes: 0, subformat: 'differencing', parent: base });
  for (let at = 150_000; at < content.length; at += 300_000) await disk.write(at, content.subarray(at, at + 150_000));
  await disk.flush();
  return child;
}

async function read(path: string): Promise<Buffer> {
  await using disk = await vhdFormat.open(path);
  return await readDisk(disk);
}

async function readDisk(disk: DiskSource): Promise<Buffer> {
  const into = Buffer.alloc(disk.sizeBytes);
  await disk.read(0, into);
  return into;
}

describe('a fixed VHD', () => {
  keepsTheDiskSourceContract(async (content) => vhdFormat.open(await aVhd(content, 'fixed')));
  keepsTheWritableDiskContract(vhdFormat, 'vhd', { create: { subformat: 'fixed' } });
});

describe('a dynamic VHD', () => {
  keepsTheDiskSourceContract(async (content) => vhdFormat.open(await aVhd(content)), { sizes: [3 * MiB + 512, 8 * MiB] });
  const check = hasQemuImg ? { check: (path: string, content: Uint8Array) => compareWithQemu(path, 'vpc', content) } : {};
  keepsTheWritableDiskContract(vhdFormat, 'vhd', { create: { subformat: 'dynamic' }, ...check });
});

describe('a dynamic VHD with blocks of 512 KiB', () => {
  keepsTheWritableDiskContract(vhdFormat, 'vhd', { create: { subformat: 'dynamic', blockSize: 512 * 1024 } });
});

describe('a differencing VHD', () => {
  keepsTheDiskSourceContract(async (content) => vhdFormat.open(await aChain(content)));

  it('takes writes of its own without touching its parent', async () => {
    const base = await aVhd(aContent(5 * MiB));
    const child = await aChildOf(base);
    const model = Buffer.from(aContent(5 * MiB));
    {
      await using disk = await vhdFormat.openForWriting(child);
      await disk.write(MiB + 7, Buffer.alloc(700_001, 3));
      await disk.writeZeros({ offset: 100_000, length: 20_000 });
      model.fill(3, MiB + 7, MiB + 7 + 700_001).fill(0, 100_000, 120_000);
      expect(Buffer.compare(await readDisk(disk), model)).toBe(0);
    }
    expect(Buffer.compare(await read(child), model)).toBe(0);
    expect(Buffer.compare(await read(base), aContent(5 * MiB))).toBe(0);
  });

  it.each([
    { what: 'a dynamic parent', subformat: 'dynamic' as const },
    { what: 'a fixed parent', subformat: 'fixed' as const },
  ])('merges into $what, which then reads as it did', async ({ subformat }) => {
    const base = await aVhd(aContent(5 * MiB), subformat);
    const child = await aChildOf(base);
    {
      await using disk = await vhdFormat.openForWriting(child);
      await disk.write(2 * MiB - 5, aContent(MiB, 99));
      await disk.writeZeros({ offset: 0, length: 4096 });
    }
    const merged = await read(child);
    await vhdFormat.mergeIntoParent!(child);
    expect(Buffer.compare(await read(base), merged)).toBe(0);
    await vhdFormat.mergeIntoParent!(child, { resume: true });
    expect(Buffer.compare(await read(base), merged)).toBe(0);
  });

  it('is found to be without its parent, and described all the same', async () => {
    const base = await aVhd(aContent(MiB));
    const child = await aChildOf(base);
    await rename(base, `${base}.away`);
    expect(await vhdFormat.describe(child)).toMatchObject({ subformat: 'differencing', parent: { path: base, status: 'missing' } });
    for (const open of [vhdFormat.open, vhdFormat.openForWriting]) {
      await expect(open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING', kind: 'prerequisite' });
    }
    const options = { parent: `${base}.away` };
    expect(await vhdFormat.describe(child, options)).toMatchObject({ parent: { path: options.parent, status: 'found' } });
    await using disk = await vhdFormat.open(child, options);
    expect(Buffer.compare(await readDisk(disk), aContent(MiB))).toBe(0);
  });

  it('takes no other disk for its parent', async () => {
    const base = await aVhd(aContent(MiB));
    const child = await aChildOf(base);
    await rm(base);
    await copyFile(await aVhd(aContent(MiB)), base);
    expect(await vhdFormat.describe(child)).toMatchObject({ parent: { path: base, status: 'wrong' } });
    await expect(vhdFormat.open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG', kind: 'prerequisite' });
    await writeFile(base, 'no disk at all');
    expect(await vhdFormat.describe(child)).toMatchObject({ parent: { status: 'wrong' } });
  });

  it('finds a parent that was moved together with it', async () => {
    const base = await aVhd(aContent(MiB));
    const child = await aChildOf(base);
    const elsewhere = join(folder, `moved${made++}`);
    await mkdir(elsewhere);
    await rename(base, join(elsewhere, 'base.vhd'));
    await copyFile(child, join(elsewhere, 'child.vhd'));
    await patchHeader(join(elsewhere, 'child.vhd'), (header) => {
      new Uint8Array(header.buffer).fill(0, 64);
      new Uint8Array(header.buffer).set(Buffer.from('C:\\VMs\\base.vhd', 'utf16le').swap16(), 64);
    });
    expect(await vhdFormat.describe(join(elsewhere, 'child.vhd'))).toMatchObject({ parent: { status: 'found' } });
  });

  it('refuses a chain that comes back to itself', async () => {
    const base = await aVhd(aContent(MiB));
    const child = await aChildOf(base);
    const id = (await vhdFormat.describe(child)).diskId!;
    await patchHeader(child, (header) => new Uint8Array(header.buffer).set(Buffer.from(id.replaceAll('-', ''), 'hex'), 40));
    await expect(vhdFormat.open(child, { parent: child })).rejects.toMatchObject({ code: 'MABS-DISK-CHAIN', kind: 'damaged' });
  });

  it('merges neither a disk without a parent nor one that lost it', async () => {
    const base = await aVhd(aContent(MiB));
    await expect(vhdFormat.mergeIntoParent!(base)).rejects.toMatchObject({ code: 'MABS-VHD-MERGE' });
    const child = await aChildOf(base);
    await rm(base);
    await expect(vhdFormat.mergeIntoParent!(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING' });
  });
});

describe('the size of a VHD', () => {
  const sizes = { current: 20 * MiB, geometry: 500 * 4 * 17 * 512 };
  it.each([
    { who: 'Hyper-V', creator: 'win ', size: sizes.current },
    { who: 'Azure', creator: 'wa\0\0', size: sizes.current },
    { who: 'disk2vhd', creator: 'd2v ', size: sizes.current },
    { who: 'VirtualBox', creator: 'vbox', size: sizes.current },
    { who: 'XenServer', creator: 'tap\0', size: sizes.current },
    { who: 'QEMU by size', creator: 'qem2', size: sizes.current },
    { who: 'Virtual PC', creator: 'vpc ', size: sizes.geometry },
    { who: 'QEMU by geometry', creator: 'qemu', size: sizes.geometry },
  ])('is what $who says it is', async ({ creator, size }) => {
    const path = await aVhd(new Uint8Array(sizes.current));
    await patchFooter(path, (footer) => {
      for (const [index, character] of [...creator].entries()) footer.setUint8(28 + index, character.charCodeAt(0));
      footer.setUint16(56, 500);
      footer.setUint8(58, 4);
      footer.setUint8(59, 17);
    });
    expect((await vhdFormat.describe(path)).virtualSize).toBe(size);
    expect((await read(path)).length).toBe(size);
  });

  it('is the one in the footer when the geometry is the largest there is', async () => {
    const path = await aVhd(new Uint8Array(sizes.current));
    await patchFooter(path, (footer) => {
      for (const [index, character] of [...'vpc '].entries()) footer.setUint8(28 + index, character.charCodeAt(0));
      footer.setUint16(56, 65_535);
      footer.setUint8(58, 16);
      footer.setUint8(59, 255);
    });
    expect((await vhdFormat.describe(path)).virtualSize).toBe(sizes.current);
  });

  it('may be anything up to 2040 GiB in whole sectors', async () => {
    const GiB = 1024 * MiB;
    for (const sizeBytes of [512, 40 * GiB + 512, 2040 * GiB]) {
      const path = newPath();
      await (await vhdFormat.create(path, { sizeBytes, subformat: 'dynamic' }))[Symbol.asyncDispose]();
      expect((await vhdFormat.describe(path)).virtualSize).toBe(sizeBytes);
      if (hasQemuImg) expect(JSON.parse(await qemuImg('info', '--output=json', '-f', 'vpc', path))['virtual-size']).toBe(sizeBytes);
      await rm(path);
    }
    for (const sizeBytes of [0, 100, 2040 * GiB + 512, -512, Number.NaN]) {
      await expect(vhdFormat.create(newPath(), { sizeBytes, subformat: 'dynamic' })).rejects.toMatchObject({ code: 'MABS-VHD-OPTION' });
    }
  });
});

describe('a VHD that is not as it should be', () => {
  it('is read by the copy of its footer when the footer at its end is damaged or cut off', async () => {
    const content = aContent(3 * MiB);
    const path = await aVhd(content);
    const { size } = await stat(path);
    {
      await using file = await open(path, 'r+');
      await file.write(Buffer.alloc(512, 7), 0, 512, size - 512);
    }
    expect(Buffer.compare(await read(path), content)).toBe(0);
    await truncate(path, size - 512);
    expect(await vhdFormat.detect(path)).toBe(true);
    expect(Buffer.compare(await read(path), content)).toBe(0);
    {
      await using disk = await vhdFormat.openForWriting(path);
      await disk.write(0, Buffer.from('mended'));
    }
    if (hasQemuImg) await compareWithQemu(path, 'vpc', Buffer.concat([Buffer.from('mended'), content.subarray(6)]));
  });

  it('is read with a footer of 511 bytes, as Virtual Server wrote it', async () => {
    const content = aContent(MiB);
    const path = await aVhd(content, 'fixed');
    await truncate(path, MiB + 511);
    expect(await vhdFormat.detect(path)).toBe(true);
    expect(Buffer.compare(await read(path), content)).toBe(0);
  });

  it('reads as zero where a fixed image ends too early, and is not written', async () => {
    const content = aContent(MiB);
    const path = await aVhd(content, 'fixed');
    await patchFooter(path, (footer) => footer.setBigUint64(48, BigInt(2 * MiB)));
    const got = await read(path);
    expect(Buffer.compare(got.subarray(0, MiB), content)).toBe(0);
    expect(got.subarray(MiB + 512).every((byte) => byte === 0)).toBe(true);
    await expect(vhdFormat.openForWriting(path)).rejects.toMatchObject({ code: 'MABS-VHD-FOOTER' });
  });

  it('honours the bits of a dynamic image: what has none is zero', async () => {
    const content = Buffer.alloc(2 * MiB, 9);
    const path = await aVhd(content);
    {
      await using disk = await vhdFormat.open(path);
      const [extent] = await disk.extents({ offset: 0, length: 512 });
      await using file = await open(path, 'r+');
      await file.write(Uint8Array.of(0x7f), 0, 1, (extent as { position: number }).position - 512);
    }
    content.fill(0, 0, 512);
    expect(Buffer.compare(await read(path), content)).toBe(0);
    await using disk = await vhdFormat.openForWriting(path);
    await disk.allocate([{ offset: 0, length: 512 }]);
    expect(await disk.extents({ offset: 0, length: 512 })).toMatchObject([{ from: 'file' }]);
    expect(Buffer.compare(await readDisk(disk), content)).toBe(0);
  });

  it.each([
    {
      what: 'both footers damaged',
      code: 'FOOTER',
      damage: (path: string) => patchFooter(path, (view) => view.setUint8(70, 1), { seal: false }),
    },
    { what: 'an unknown type', code: 'FOOTER', damage: (path: string) => patchFooter(path, (view) => view.setUint32(60, 5)) },
    { what: 'an unknown version', code: 'FOOTER', damage: (path: string) => patchFooter(path, (view) => view.setUint32(12, 0x20000)) },
    {
      what: 'a size above 2040 GiB',
      code: 'FOOTER',
      damage: (path: string) => patchFooter(path, (view) => view.setBigUint64(48, 2n ** 60n)),
    },
    {
      what: 'a header past the end',
      code: 'HEADER',
      damage: (path: string) => patchFooter(path, (view) => view.setBigUint64(16, 2n ** 40n)),
    },
    {
      what: 'a header offset above 2^53',
      code: 'FOOTER',
      damage: (path: string) => patchFooter(path, (view) => view.setBigUint64(16, 2n ** 60n)),
    },
    { what: 'no header signature', code: 'HEADER', damage: (path: string) => patchHeader(path, (view) => view.setUint8(0, 1)) },
    {
      what: 'a wrong header checksum',
      code: 'HEADER',
      damage: (path: string) => patchHeader(path, (view) => view.setUint8(100, 1), { seal: false }),
    },
    {
      what: 'blocks of no power of two',
      code: 'HEADER',
      damage: (path: string) => patchHeader(path, (view) => view.setUint32(32, 1_000_000)),
    },
    { what: 'blocks of no size', code: 'HEADER', damage: (path: string) => patchHeader(path, (view) => view.setUint32(32, 0)) },
    { what: 'a table that is too small', code: 'HEADER', damage: (path: string) => patchHeader(path, (view) => view.setUint32(28, 1)) },
    {
      what: 'a table past the end',
      code: 'HEADER',
      damage: (path: string) => patchHeader(path, (view) => view.setBigUint64(16, 2n ** 30n)),
    },
    { what: 'a block past the end', code: 'BLOCK', damage: (path: string) => patchTable(path, 0, 0x00ff_ffff) },
    { what: 'a block over the header', code: 'BLOCK', damage: (path: string) => patchTable(path, 0, 1) },
  ])('is refused as damaged with $what', async ({ code, damage }) => {
    const path = await aVhd(aContent(5 * MiB));
    await damage(path);
    expect(await vhdFormat.detect(path)).toBe(true);
    await expect(read(path)).rejects.toMatchObject({ code: `MABS-VHD-${code}`, kind: 'damaged' });
  });
});

describe('a VHD made by QEMU', () => {
  const onQemu = hasQemuImg ? it : it.skip;
  onQemu.each([{ options: 'subformat=dynamic' }, { options: 'subformat=fixed' }, { options: 'subformat=dynamic,force_size=on' }])(
    'with $options reads as it was written, and after writing into it as QEMU reads it',
    async ({ options }) => {
      const raw = join(folder, 'source.raw');
      await writeFile(raw, aContent(9 * MiB));
      const path = newPath();
      await qemuImg('convert', '-f', 'raw', '-O', 'vpc', '-o', options, raw, path);
      const content = Buffer.alloc((await vhdFormat.describe(path)).virtualSize);
      content.set(aContent(9 * MiB));
      expect(Buffer.compare(await read(path), content)).toBe(0);
      {
        await using disk = await vhdFormat.openForWriting(path);
        await disk.write(MiB - 300, aContent(3 * MiB, 5));
      }
      content.set(aContent(3 * MiB, 5), MiB - 300);
      await compareWithQemu(path, 'vpc', content);
    },
  );
});

async function aChildOf(parent: string): Promise<string> {
  const path = newPath();
  await (await vhdFormat.create(path, { sizeBytes: 0, subformat: 'differencing', parent }))[Symbol.asyncDispose]();
  return path;
}

async function patchTable(path: string, block: number, entry: number): Promise<void> {
  await using file = await open(path, 'r+');
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(entry);
  await file.write(bytes, 0, 4, 1536 + block * 4);
}
