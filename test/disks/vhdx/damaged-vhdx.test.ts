import { mkdtempSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { fixChecksums, PLACE } from '../../builders/vhdx-bytes.ts';

const MIB = 1024 * 1024;
const SIZE = 5 * MIB;
const folder = mkdtempSync(join(tmpdir(), 'mabs-vhdx-damaged-'));
const path = join(folder, 'disk.vhdx');
afterAll(() => rm(folder, { recursive: true, force: true }));

let intact: Uint8Array;
beforeAll(async () => {
  {
    await using disk = await vhdxFormat.create(path, { subformat: 'dynamic', sizeBytes: SIZE, blockSize: 2 * MIB });
    await disk.write(4 * MIB, new Uint8Array(MIB).fill(3));
  }
  intact = new Uint8Array(await readFile(path));
});

/** Opens the image after `spoil`, with right checksums, and reads all of it; answers its last byte. */
async function readSpoiled(spoil: (view: DataView, image: Uint8Array) => void): Promise<number> {
  const image = intact.slice();
  spoil(new DataView(image.buffer), image);
  await writeFile(path, image);
  await using disk = await vhdxFormat.open(path);
  const content = new Uint8Array(disk.sizeBytes);
  await disk.read(0, content);
  return content.at(-1)!;
}

/** Puts a value where it stands in both copies of a structure, with the checksum made right. */
const inBoth = (copies: readonly number[], put: (view: DataView, at: number) => void) => (view: DataView, image: Uint8Array) => {
  for (const at of copies) put(view, at);
  fixChecksums(image);
};

const entryOfLastBlock = PLACE.bat + 16;
const setEntry = (value: bigint) => (view: DataView) => view.setBigUint64(entryOfLastBlock, value, true);
/** The items lie one after the other behind the metadata table: parameters, size, id, logical and physical sector size. */
const ITEMS = PLACE.metadata + 65_536;
const regionEntry = (index: number) => PLACE.regionTables.map((table) => table + 16 + index * 32);
const metadataEntry = (index: number) => PLACE.metadata + 32 + index * 32;

describe('a VHDX that is damaged', () => {
  it.each([
    { what: 'a header', spoil: (_: DataView, image: Uint8Array) => image.fill(0xff, PLACE.headers[1] + 100, PLACE.headers[1] + 200) },
    { what: 'a region table', spoil: (_: DataView, image: Uint8Array) => image.fill(0, PLACE.regionTables[0], PLACE.regionTables[0] + 64) },
  ])('is read by the other copy of $what', async ({ spoil }) => expect(await readSpoiled(spoil)).toBe(3));

  it('goes by the header with the highest sequence number', async () => {
    const spoil = (view: DataView, image: Uint8Array) => {
      // The older header says that the log is in use, which would be refused: there are no entries.
      view.setUint32(PLACE.headers[0] + 48, 1, true);
      fixChecksums(image);
    };
    expect(await readSpoiled(spoil)).toBe(3);
  });

  it.each([
    { what: 'both headers', code: 'HEADER', spoil: (_: DataView, image: Uint8Array) => image.fill(1, 65_536 + 8, 131_072 + 16) },
    { what: 'the signature', code: 'HEADER', spoil: (_: DataView, image: Uint8Array) => image.fill(0, 0, 1) },
    { what: 'the version', code: 'HEADER', spoil: inBoth(PLACE.headers, (view, at) => view.setUint16(at + 66, 2, true)) },
    { what: 'both region tables', code: 'REGION', spoil: (_: DataView, image: Uint8Array) => image.fill(1, 196_700, 262_300) },
    {
      what: 'a region past the end',
      code: 'REGION',
      spoil: inBoth(regionEntry(0), (view, at) => view.setBigUint64(at + 16, 1n << 40n, true)),
    },
    {
      what: 'regions that overlap',
      code: 'REGION',
      spoil: inBoth(regionEntry(0), (view, at) => view.setBigUint64(at + 16, 2n << 20n, true)),
    },
    {
      what: 'a region off its grid',
      code: 'REGION',
      spoil: inBoth(regionEntry(0), (view, at) => view.setBigUint64(at + 16, (3n << 20n) + 512n, true)),
    },
    {
      what: 'an unknown region that is required',
      code: 'REGION',
      spoil: inBoth(regionEntry(0), (view, at) => view.setUint32(at, 1, true)),
    },
    {
      what: 'more regions than there can be',
      code: 'REGION',
      spoil: inBoth(PLACE.regionTables, (view, at) => view.setUint32(at + 8, 2048, true)),
    },
    {
      what: 'the metadata table',
      code: 'METADATA',
      spoil: (_: DataView, image: Uint8Array) => image.fill(0, PLACE.metadata, PLACE.metadata + 4),
    },
    { what: 'an unknown item that is required', code: 'METADATA', spoil: (view: DataView) => view.setUint32(metadataEntry(1), 1, true) },
    {
      what: 'an item outside its region',
      code: 'METADATA',
      spoil: (view: DataView) => view.setUint32(metadataEntry(1) + 16, 0xffff_fff0, true),
    },
    { what: 'a block size of 3 MiB', code: 'METADATA', spoil: (view: DataView) => view.setUint32(ITEMS, 3 * MIB, true) },
    { what: 'a block size of 512 MiB', code: 'METADATA', spoil: (view: DataView) => view.setUint32(ITEMS, 512 * MIB, true) },
    { what: 'a size beyond 64 TiB', code: 'METADATA', spoil: (view: DataView) => view.setBigUint64(ITEMS + 8, (1n << 46n) + 512n, true) },
    { what: 'a size beyond 2^53', code: 'METADATA', spoil: (view: DataView) => view.setBigUint64(ITEMS + 8, 1n << 63n, true) },
    { what: 'a sector size of 520', code: 'METADATA', spoil: (view: DataView) => view.setUint32(ITEMS + 32, 520, true) },
    { what: 'a parent without a locator', code: 'METADATA', spoil: (view: DataView) => view.setUint32(ITEMS + 4, 2, true) },
    {
      what: 'a size that the table has no room for',
      code: 'BLOCK',
      spoil: (view: DataView) => view.setBigUint64(ITEMS + 8, 1n << 46n, true),
    },
    { what: 'a block past the end', code: 'BLOCK', spoil: setEntry((1n << 40n) | 6n) },
    { what: 'a block beyond 2^53', code: 'BLOCK', spoil: setEntry(0xffff_ffff_fff0_0006n) },
    { what: 'a block inside the table', code: 'BLOCK', spoil: setEntry((3n << 20n) | 6n) },
    { what: "a block at the file's very start", code: 'BLOCK', spoil: setEntry(6n) },
    { what: 'a block of unknown state', code: 'BLOCK', spoil: setEntry(4n) },
    { what: 'a partially present block without a parent', code: 'BLOCK', spoil: setEntry((4n << 20n) | 7n) },
  ])('in $what is refused', async ({ code, spoil }) => {
    await expect(readSpoiled(spoil)).rejects.toMatchObject({ code: `MABS-VHDX-${code}`, kind: 'damaged' });
  });

  it.each([
    { state: 'not present', value: 0n },
    { state: 'undefined', value: 1n },
    { state: 'zero', value: 2n },
    { state: 'unmapped', value: (4n << 20n) | 3n },
    { state: 'unmapped, as drafts of the format had it', value: 5n },
  ])('no more: a block that is $state reads as zero', async ({ value }) => expect(await readSpoiled(setEntry(value))).toBe(0));

  it('is refused when the file was cut off, but only by what was cut', async () => {
    await writeFile(path, intact);
    await truncate(path, PLACE.payload + MIB);
    {
      // The last block reaches past the disk's end: what is missing there is nobody's.
      await using disk = await vhdxFormat.open(path);
      await disk.read(4 * MIB, new Uint8Array(MIB));
    }
    await truncate(path, PLACE.payload + MIB - 1);
    await using disk = await vhdxFormat.open(path);
    await disk.read(0, new Uint8Array(MIB));
    await expect(disk.extents({ offset: 4 * MIB, length: 512 })).rejects.toMatchObject({ code: 'MABS-VHDX-BLOCK' });
    await truncate(path, PLACE.bat);
    await expect(vhdxFormat.open(path)).rejects.toMatchObject({ code: 'MABS-VHDX-REGION' });
    await truncate(path, 100_000);
    await expect(vhdxFormat.describe(path)).rejects.toMatchObject({ kind: 'damaged' });
    expect(await vhdxFormat.detect(path)).toBe(true);
  });
});
