import { mkdtempSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { fixChecksums, PLACE } from '../../builders/vhdx-bytes.ts';
import { expectQemuAgrees } from '../../builders/vhdx-check.ts';
import { expectCovering, expectExtentsRead } from '../../contracts/disk-source.ts';

const MIB = 1024 * 1024;
const SIZE = 6 * MIB;
const root = mkdtempSync(join(tmpdir(), 'mabs-chain-'));
let made = 0;
afterAll(() => rm(root, { recursive: true, force: true }));

async function newFolder(): Promise<string> {
  const folder = join(root, `${made++}`);
  await mkdir(folder);
  return folder;
}

async function create(path: string, parent?: string, sizeBytes = SIZE): Promise<void> {
  const options = parent
    ? ({ subformat: 'differencing', parent, blockSize: 2 * MIB } as const)
    : ({ subformat: 'dynamic', blockSize: MIB } as const);
  await using disk = await vhdxFormat.create(path, { ...options, sizeBytes });
  await disk.flush();
}

async function write(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await using disk = await vhdxFormat.openForWriting(path);
  await disk.write(offset, bytes);
}

async function contentOf(path: string): Promise<Uint8Array> {
  await using disk = await vhdxFormat.open(path);
  const content = new Uint8Array(disk.sizeBytes);
  await disk.read(0, content);
  return content;
}

const filled = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** base.vhdx holding ones in its second half, under child.avhdx holding three sectors of twos there. */
async function aPair(): Promise<{ folder: string; base: string; child: string; content: Uint8Array }> {
  const folder = await newFolder();
  const [base, child] = [join(folder, 'base.vhdx'), join(folder, 'child.avhdx')];
  await create(base);
  await write(base, SIZE / 2, filled(SIZE / 2, 1));
  await create(child, base);
  await write(child, SIZE / 2 + 512, filled(1536, 2));
  const content = new Uint8Array(SIZE).fill(1, SIZE / 2).fill(2, SIZE / 2 + 512, SIZE / 2 + 2048);
  return { folder, base, child, content };
}

describe('a chain of VHDX', () => {
  it('shows the newest of what its images hold, whatever was written where, and merges into the same', async () => {
    const aWrite = fc.record({
      image: fc.nat(2),
      offset: fc.nat(SIZE - 1),
      length: fc.oneof(fc.nat(2000), fc.nat(3 * MIB)),
      fill: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(aWrite, { minLength: 1, maxLength: 10 }), async (writes) => {
        const folder = await newFolder();
        const paths = [0, 1, 2].map((image) => join(folder, `${image}.vhdx`));
        const model = new Uint8Array(SIZE);
        for (const [image, path] of paths.entries()) {
          await create(path, paths[image - 1]);
          await using disk = await vhdxFormat.openForWriting(path);
          for (const { offset, length, fill } of writes.filter((write) => write.image === image)) {
            const end = Math.min(SIZE, offset + length);
            if (fill === 0) await disk.writeZeros({ offset, length: end - offset });
            else await disk.write(offset, filled(end - offset, fill));
            model.fill(fill, offset, end);
          }
        }
        for (const [image, path] of paths.toReversed().entries()) {
          expect(same(await contentOf(path), model)).toBe(true);
          await using disk = await vhdxFormat.open(path);
          expect(disk.files).toHaveLength(3 - image);
          expectCovering(await disk.extents({ offset: 0, length: SIZE }), 0, SIZE);
          await expectExtentsRead(disk, model);
          if (image < 2) await vhdxFormat.mergeIntoParent!(path);
        }
        await expectQemuAgrees(paths[0]!, model);
        await rm(folder, { recursive: true });
      }),
      { numRuns: 4 },
    );
  });

  it('keeps sectors of a partially present block apart from those of the parent', async () => {
    const { child } = await aPair();
    await using disk = await vhdxFormat.open(child);
    const extents = await disk.extents({ offset: SIZE / 2, length: 4096 });
    expect(extents).toMatchObject([
      { length: 512, file: 1 },
      { length: 1536, file: 0 },
      { length: 2048, file: 1 },
    ]);
  });

  it('finds a parent that moved with its child by the relative path', async () => {
    const { folder, child, content } = await aPair();
    const elsewhere = join(root, `${made++}`);
    await rename(folder, elsewhere);
    expect(same(await contentOf(child.replace(folder, elsewhere)), content)).toBe(true);
  });

  it('finds a parent by its absolute path when the child moved alone, and beside the child by its name', async () => {
    const { base, child, content } = await aPair();
    const far = join(await newFolder(), 'far.avhdx');
    await rename(child, far);
    expect(same(await contentOf(far), content)).toBe(true);
    const beside = await newFolder();
    await rename(base, join(beside, 'base.vhdx'));
    await rename(far, join(beside, 'far.avhdx'));
    expect(same(await contentOf(join(beside, 'far.avhdx')), content)).toBe(true);
  });

  it('is told its parent by the caller, which is verified all the same', async () => {
    const { base, child, content, folder } = await aPair();
    const parent = join(folder, 'renamed.vhdx');
    await rename(base, parent);
    await expect(vhdxFormat.open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING', kind: 'prerequisite' });
    expect(await vhdxFormat.describe(child)).toMatchObject({ subformat: 'differencing', parent: { path: base, status: 'missing' } });
    await using disk = await vhdxFormat.open(child, { parent });
    const got = new Uint8Array(SIZE);
    await disk.read(0, got);
    expect(same(got, content)).toBe(true);
    expect(await vhdxFormat.describe(child, { parent })).toMatchObject({ parent: { path: parent, status: 'found' } });
    const other = join(folder, 'other.vhdx');
    await create(other);
    await expect(vhdxFormat.open(child, { parent: other })).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG' });
  });

  it('misses a parent whose name no file can have', async () => {
    const { child } = await aPair();
    const parent = join(root, 'x'.repeat(5000));
    await expect(vhdxFormat.open(child, { parent })).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING' });
    expect(await vhdxFormat.describe(child, { parent: root })).toMatchObject({ parent: { path: root, status: 'missing' } });
  });

  it('refuses a parent for an image that has none', async () => {
    const { base } = await aPair();
    const options = { parent: base };
    for (const look of [vhdxFormat.open, vhdxFormat.describe, vhdxFormat.openForWriting]) {
      await expect(look(base, options)).rejects.toMatchObject({ code: 'MABS-VHDX-OPTION', kind: 'usage' });
    }
  });

  it('refuses a parent that was changed after its child was made', async () => {
    const { base, child } = await aPair();
    await write(base, 0, filled(1, 9));
    await expect(vhdxFormat.open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG', kind: 'prerequisite' });
    await expect(vhdxFormat.openForWriting(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG' });
    expect(await vhdxFormat.describe(child)).toMatchObject({ parent: { path: base, status: 'wrong' } });
  });

  it('takes a file that is no VHDX, or is damaged, for a wrong parent', async () => {
    const { base, child } = await aPair();
    await writeFile(base, filled(MIB, 7));
    expect(await vhdxFormat.describe(child)).toMatchObject({ parent: { path: base, status: 'wrong' } });
    await expect(vhdxFormat.open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG' });
  });

  it('refuses a chain that comes back to itself', async () => {
    const { base, child } = await aPair();
    // The child takes its parent's name and identity, so that it is its own parent.
    const [image, parent] = [await readFile(child), await readFile(base)];
    for (const header of PLACE.headers) image.set(parent.subarray(PLACE.headers[0] + 32, PLACE.headers[0] + 48), header + 32);
    fixChecksums(image);
    await writeFile(base, image);
    for (const path of [base, child])
      await expect(vhdxFormat.open(path)).rejects.toMatchObject({ code: 'MABS-DISK-CHAIN', kind: 'damaged' });
  });

  it('reads zeros past the end of a parent that is smaller', async () => {
    const { base, child, folder } = await aPair();
    const larger = join(folder, 'larger.avhdx');
    await cp(child, larger);
    // Grown as Hyper-V does it: only the virtual size in the metadata changes.
    const image = await readFile(larger);
    const at = image.indexOf(Buffer.from(BigUint64Array.of(BigInt(SIZE)).buffer), 2 * MIB);
    image.writeBigUInt64LE(BigInt(SIZE + 5 * MIB), at);
    await writeFile(larger, image);
    const content = await contentOf(larger);
    expect(content.length).toBe(SIZE + 5 * MIB);
    expect(same(content.subarray(0, SIZE), await contentOf(child))).toBe(true);
    expect(same(content.subarray(SIZE), new Uint8Array(5 * MIB))).toBe(true);
    await expect(vhdxFormat.mergeIntoParent!(larger)).rejects.toMatchObject({ code: 'MABS-VHDX-MERGE' });
    expect((await stat(base)).isFile()).toBe(true);
  });
});

describe('merging a VHDX into its parent', () => {
  it('leaves the parent reading as the child did, with a new identity, and the child alone', async () => {
    const { base, child, content } = await aPair();
    const before = await readFile(child);
    await vhdxFormat.mergeIntoParent!(child);
    expect(same(await contentOf(base), content)).toBe(true);
    expect(same(await readFile(child), before)).toBe(true);
    await expect(vhdxFormat.open(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG' });
  });

  it('can be done again, when the caller says that it goes on', async () => {
    const { base, child, content } = await aPair();
    await vhdxFormat.mergeIntoParent!(child);
    await expect(vhdxFormat.mergeIntoParent!(child)).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-WRONG' });
    await vhdxFormat.mergeIntoParent!(child, { resume: true });
    expect(same(await contentOf(base), content)).toBe(true);
  });

  it('refuses an image without a parent, and one whose parent is gone', async () => {
    const { base, child } = await aPair();
    await expect(vhdxFormat.mergeIntoParent!(base)).rejects.toMatchObject({ code: 'MABS-VHDX-MERGE' });
    await rm(base);
    await expect(vhdxFormat.mergeIntoParent!(child, { resume: true })).rejects.toMatchObject({ code: 'MABS-DISK-PARENT-MISSING' });
  });
});
