import { createCipheriv } from 'node:crypto';
import { open } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DiskSource, Extent } from '../../src/disks/disk-source.ts';

export interface DiskSourceContractOptions {
  /** Sizes of the contents tried; each must be one that the format can hold exactly. */
  readonly sizes?: readonly number[];
}

/**
 * What every disk source keeps. `open` makes a disk that holds exactly `content` and opens it; the disk is disposed of here.
 * Contents are part zero, part pattern, with edges that are not sector-aligned.
 */
export function keepsTheDiskSourceContract(
  open: (content: Uint8Array) => Promise<DiskSource>,
  { sizes = [3 * 1024 * 1024, 1024 * 1024 + 4096] }: DiskSourceContractOptions = {},
): void {
  it('reads any range as it was written', async () => {
    for (const size of sizes) {
      const content = aContent(size);
      await using disk = await open(content);
      expect(disk.sizeBytes).toBe(size);
      const ranges = fc
        .tuple(fc.nat(size), fc.nat(300_000))
        .map(([offset, length]) => ({ offset, length: Math.min(length, size - offset) }));
      await fc.assert(
        fc.asyncProperty(ranges, async ({ offset, length }) => {
          const into = new Uint8Array(length).fill(0xee);
          await disk.read(offset, into);
          expect(same(into, content.subarray(offset, offset + length))).toBe(true);
        }),
        { numRuns: 40 },
      );
      const whole = new Uint8Array(size);
      await disk.read(0, whole);
      expect(same(whole, content)).toBe(true);
    }
  });

  it('answers extents that cover any range exactly, joined, and agree with what it reads', async () => {
    for (const size of sizes) {
      const content = aContent(size);
      await using disk = await open(content);
      const ranges = fc.tuple(fc.nat(size), fc.nat(size)).map(([offset, length]) => ({ offset, length: Math.min(length, size - offset) }));
      await fc.assert(
        fc.asyncProperty(ranges, async (range) => {
          const extents = await disk.extents(range);
          expectCovering(extents, range.offset, range.length);
          for (const extent of extents) expectExtentHolds(disk, extent, content);
        }),
        { numRuns: 20 },
      );
      await expectExtentsRead(disk, content);
    }
  });

  it('refuses ranges past the end and of no sense, touching nothing', async () => {
    const size = sizes[0]!;
    await using disk = await open(aContent(size));
    const into = new Uint8Array(8).fill(0xee);
    for (const offset of [size - 7, size + 1, -1, 0.5, Number.NaN, 2 ** 60]) {
      await expect(disk.read(offset, into)).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
      await expect(disk.extents({ offset, length: 8 })).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    }
    await expect(disk.extents({ offset: 0, length: -1 })).rejects.toMatchObject({ code: 'MABS-DISK-RANGE' });
    expect(into).toEqual(new Uint8Array(8).fill(0xee));
    await disk.read(size, new Uint8Array(0));
    expect(await disk.extents({ offset: size, length: 0 })).toEqual([]);
  });

  it('may be disposed of twice', async () => {
    const disk = await open(aContent(sizes[0]!));
    await disk[Symbol.asyncDispose]();
    await disk[Symbol.asyncDispose]();
  });
}

/** Islands of pattern in zeros: a head, one odd range, one sector-aligned range across MiB borders, and the very end. */
export function aContent(size: number, seed = 7): Uint8Array {
  const content = new Uint8Array(size);
  const islands = [
    { start: 0, end: 700 },
    { start: 100_001, end: 130_007 },
    { start: Math.floor(size / 3), end: Math.floor(size / 2) },
    { start: size - 513, end: size },
  ];
  // Incompressible, and the same for the same seed.
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  for (const { start, end } of islands) {
    const from = Math.max(0, start);
    content.set(cipher.update(Buffer.alloc(Math.max(0, Math.min(end, size) - from))), from);
  }
  return content;
}

/** Extents are ascending, adjoining, cover exactly the range, and neighbours that continue each other are joined. */
export function expectCovering(extents: readonly Extent[], offset: number, length: number): void {
  let at = offset;
  let last: Extent | undefined;
  for (const extent of extents) {
    expect(extent.offset).toBe(at);
    expect(extent.length).toBeGreaterThan(0);
    if (last) expect(continues(last, extent)).toBe(false);
    at += extent.length;
    last = extent;
  }
  expect(at).toBe(offset + length);
}

function continues(a: Extent, b: Extent): boolean {
  if (a.from === 'file' && b.from === 'file') return a.file === b.file && a.position + a.length === b.position;
  return a.from === b.from && a.from !== 'file';
}

function expectExtentHolds(disk: DiskSource, extent: Extent, content: Uint8Array): void {
  if (extent.from === 'zero') expect(allZero(content.subarray(extent.offset, extent.offset + extent.length))).toBe(true);
  if (extent.from === 'file') expect(disk.files[extent.file]).toBeDefined();
}

/** Reads the whole disk by its extents alone, as another thread would, and compares. */
export async function expectExtentsRead(disk: DiskSource, content: Uint8Array): Promise<void> {
  const got = new Uint8Array(content.length);
  for (const extent of await disk.extents({ offset: 0, length: disk.sizeBytes })) {
    const part = got.subarray(extent.offset, extent.offset + extent.length);
    if (extent.from === 'opaque') await disk.read(extent.offset, part);
    if (extent.from === 'file') {
      await using handle = await open(disk.files[extent.file]!.path, 'r');
      const { bytesRead } = await handle.read(part, 0, part.length, extent.position);
      expect(bytesRead).toBe(part.length);
    }
  }
  expect(same(got, content)).toBe(true);
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const allZero = (bytes: Uint8Array) => same(bytes, new Uint8Array(bytes.length));
