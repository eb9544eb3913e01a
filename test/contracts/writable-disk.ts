import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CreateImageOptions, DiskFormat, WritableDisk } from '../../src/disks/disk-format.ts';
import type { DiskSource } from '../../src/disks/disk-source.ts';
import { expectCovering, expectExtentsRead } from './disk-source.ts';

export interface WritableDiskContractOptions {
  readonly sizeBytes?: number;
  readonly create?: Omit<CreateImageOptions, 'sizeBytes'>;
  /** Called with each finished image: checks of the format's own, such as an independent tool. */
  readonly check?: (path: string, content: Uint8Array) => Promise<void>;
}

/** What every format that can be written keeps. `extension` is that of its files, without a dot. */
export function keepsTheWritableDiskContract(
  format: DiskFormat,
  extension: string,
  { sizeBytes = 5 * 1024 * 1024, create = { subformat: 'dynamic' }, check }: WritableDiskContractOptions = {},
): void {
  let folder: string;
  let made = 0;
  const newPath = () => join(folder, `disk${made++}.${extension}`);
  const options: CreateImageOptions = { ...create, sizeBytes };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mabs-contract-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('makes an image that reads as zero and that it recognises', async () => {
    const path = newPath();
    {
      await using disk = await format.create(path, options);
      await disk.flush();
    }
    expect(await format.detect(path)).toBe(true);
    expect(await format.describe(path)).toMatchObject({ format: format.name, virtualSize: sizeBytes, dirtyLog: false });
    await using disk = await format.open(path);
    await expectContent(disk, new Uint8Array(sizeBytes));
    await check?.(path, new Uint8Array(sizeBytes));
  });

  it('refuses to make an image where a file is, and leaves that file alone', async () => {
    const path = newPath();
    await using kept = await open(path, 'w');
    await kept.writeFile('mine');
    await expect(format.create(path, options)).rejects.toMatchObject({ code: expect.stringMatching(/EXIST/) });
    expect((await stat(path)).size).toBe(4);
  });

  it('reads back any writes, zeros included, in the same session and after opening again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aChange(sizeBytes), { minLength: 1, maxLength: 12 }), fc.nat(11), async (changes, reopenAt) => {
        const path = newPath();
        const model = new Uint8Array(sizeBytes);
        let disk = await format.create(path, options);
        try {
          for (const [index, change] of changes.entries()) {
            if (index === reopenAt) {
              await disk.flush();
              await disk[Symbol.asyncDispose]();
              disk = await format.openForWriting(path);
            }
            await apply(disk, model, change);
          }
          await expectContent(disk, model);
          await disk.flush();
        } finally {
          await disk[Symbol.asyncDispose]();
        }
        await using again = await format.open(path);
        await expectContent(again, model);
        await expectExtentsRead(again, model);
        expectCovering(await again.extents({ offset: 0, length: sizeBytes }), 0, sizeBytes);
        await check?.(path, model);
        await rm(path);
      }),
      { numRuns: 6 },
    );
  });

  it('refuses to write past the end', async () => {
    await using disk = await format.create(newPath(), options);
    await expect(disk.write(sizeBytes - 3, new Uint8Array(4))).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    await expect(disk.writeZeros({ offset: sizeBytes, length: 1 })).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    await expect(disk.allocate([{ offset: -1, length: 2 }])).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
  });

  if (create.subformat !== 'differencing') {
    it('makes room that others may write into by its extents, and that reads as zero until then', async () => {
      const path = newPath();
      const model = new Uint8Array(sizeBytes);
      {
        await using disk = await format.create(path, options);
        await apply(disk, model, { at: 1000, length: 3000, zero: false, fill: 0x5a });
        const room = { offset: Math.floor(sizeBytes / 4), length: Math.floor(sizeBytes / 2) };
        await disk.allocate([{ offset: 0, length: 8192 }, room]);
        await expectContent(disk, model);
        const extents = [...(await disk.extents({ offset: 0, length: 8192 })), ...(await disk.extents(room))];
        for (const extent of extents) {
          expect(extent.from).toBe('file');
          if (extent.from !== 'file') continue;
          const bytes = new Uint8Array(extent.length).fill(0xa5);
          await using handle = await open(disk.files[extent.file]!.path, 'r+');
          await handle.write(bytes, 0, bytes.length, extent.position);
          model.set(bytes, extent.offset);
        }
        await disk.flush();
      }
      await using disk = await format.open(path);
      await expectContent(disk, model);
      await check?.(path, model);
    });
  }
}

interface Change {
  readonly at: number;
  readonly length: number;
  readonly zero: boolean;
  readonly fill: number;
}

function aChange(size: number): fc.Arbitrary<Change> {
  const length = fc.oneof(fc.nat(3000), fc.nat(70_000), fc.nat(Math.floor(size / 2)), fc.constantFrom(0, 512, 4096, 1_048_576));
  return fc.record({ at: fc.nat(size), length, zero: fc.boolean(), fill: fc.integer({ min: 1, max: 255 }) }).map((change) => ({
    ...change,
    length: Math.min(change.length, size - change.at),
  }));
}

async function apply(disk: WritableDisk, model: Uint8Array, { at, length, zero, fill }: Change): Promise<void> {
  if (zero) {
    await disk.writeZeros({ offset: at, length });
    model.fill(0, at, at + length);
  } else {
    const bytes = Buffer.alloc(
      length,
      Uint8Array.from({ length: 251 }, (_, index) => (index * 7 + fill) & 0xff),
    );
    await disk.write(at, bytes);
    model.set(bytes, at);
  }
}

async function expectContent(disk: DiskSource, content: Uint8Array): Promise<void> {
  const got = new Uint8Array(content.length);
  await disk.read(0, got);
  expect(Buffer.compare(got, content)).toBe(0);
}
