import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { type LogEntrySpec, PLACE, putLog } from '../../builders/vhdx-bytes.ts';
import { expectQemuAgrees } from '../../builders/vhdx-check.ts';
import { expectCovering, expectExtentsRead } from '../../contracts/disk-source.ts';

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'mabs-vhdx-log-'));
let made = 0;
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A clean image of 8 MiB whose second MiB is filled; the bytes of its file. */
let clean: Uint8Array;
const content = new Uint8Array(8 * MIB);
content.fill(0x11, MIB, 2 * MIB);

beforeAll(async () => {
  const path = join(folder, 'clean.vhdx');
  {
    await using disk = await vhdxFormat.create(path, { subformat: 'dynamic', sizeBytes: 8 * MIB, blockSize: MIB });
    await disk.write(MIB, content.subarray(MIB, 2 * MIB));
  }
  clean = new Uint8Array(await readFile(path));
});

async function withLog(entries: readonly LogEntrySpec[], start = 0): Promise<string> {
  const path = join(folder, `${made++}.vhdx`);
  const image = clean.slice();
  putLog(image, entries, start);
  await writeFile(path, image);
  return path;
}

/** The first sector of the table with block 0 present at the file's end, as a log would hold it. */
function tableWithBlockZero(): Uint8Array {
  const sector = clean.slice(PLACE.bat, PLACE.bat + 4096);
  new DataView(sector.buffer).setBigUint64(0, BigInt(clean.length) | 6n, true);
  return sector;
}

const sectorOf = (fill: number) => new Uint8Array(4096).fill(fill);
const payloadSector = (fill: number) => ({ at: PLACE.payload + 8192, content: sectorOf(fill) });

async function expectContent(path: string, expected: Uint8Array): Promise<void> {
  await using disk = await vhdxFormat.open(path);
  const got = new Uint8Array(expected.length);
  await disk.read(0, got);
  expect(Buffer.compare(got, expected)).toBe(0);
  expectCovering(await disk.extents({ offset: 0, length: disk.sizeBytes }), 0, disk.sizeBytes);
  await expectExtentsRead(disk, expected);
}

/** The content with one sector of it, or more, filled. */
function contentWith(fill: number, offset = MIB + 8192, length = 4096): Uint8Array {
  return content.slice().fill(fill, offset, offset + length);
}

describe('a VHDX whose log is in use', () => {
  it('reads as if the log had been replayed, and its file is not touched', async () => {
    const path = await withLog([{ sequence: 7n, writes: [payloadSector(0x22)] }]);
    const before = await readFile(path);
    await expectContent(path, contentWith(0x22));
    expect(await vhdxFormat.describe(path)).toMatchObject({ dirtyLog: true, virtualSize: 8 * MIB });
    expect(Buffer.compare(await readFile(path), before)).toBe(0);
  });

  it('knows the blocks that only the log places, also past the end of a file that has yet to grow', async () => {
    const lastFileOffset = clean.length + MIB;
    const path = await withLog([{ sequence: 7n, writes: [{ at: PLACE.bat, content: tableWithBlockZero() }], lastFileOffset }]);
    await using disk = await vhdxFormat.open(path);
    const sector = new Uint8Array(512).fill(1);
    await disk.read(0, sector);
    expect(sector).toEqual(new Uint8Array(512));
  });

  it('takes later entries over earlier ones, and zeros over bytes', async () => {
    const writes = [{ at: PLACE.payload, content: 16_384 }];
    const path = await withLog([
      { sequence: 7n, writes: [payloadSector(0x22)] },
      { sequence: 8n, writes, tail: 0 },
      { sequence: 9n, writes: [{ at: PLACE.payload + 4096, content: sectorOf(0x33) }], tail: 0 },
    ]);
    const expected = contentWith(0, MIB, 16_384);
    expected.fill(0x33, MIB + 4096, MIB + 8192);
    await expectContent(path, expected);
  });

  it('leaves out entries before the tail', async () => {
    const earlier = { sequence: 7n, writes: [payloadSector(0x22)] };
    await expectContent(
      await withLog([earlier, { sequence: 8n, writes: [{ at: PLACE.payload, content: sectorOf(0x44) }], tail: 1 }]),
      contentWith(0x44, MIB),
    );
  });

  it('follows a sequence around the end of the log, inside an entry too', async () => {
    const entries = [
      { sequence: 7n, writes: [payloadSector(0x22)] },
      { sequence: 8n, writes: [{ at: PLACE.payload, content: sectorOf(0x44) }], tail: 0 },
    ];
    const expected = contentWith(0x22).fill(0x44, MIB, MIB + 4096);
    await expectContent(await withLog(entries, MIB - 8192), expected);
    await expectContent(await withLog(entries, MIB - 4096), expected);
  });

  it('stops before an entry that was torn, or whose number does not follow', async () => {
    const whole = { sequence: 7n, writes: [payloadSector(0x22)] };
    const write = [payloadSector(0x55)];
    await expectContent(await withLog([whole, { sequence: 8n, writes: write, tail: 0, torn: true }]), contentWith(0x22));
    await expectContent(await withLog([whole, { sequence: 6n, writes: write, tail: 0 }]), contentWith(0x22));
  });

  it('takes the sequence with the highest number of several', async () => {
    const older = { sequence: 7n, writes: [payloadSector(0x55)] };
    await expectContent(await withLog([older, { sequence: 70n, writes: [payloadSector(0x22)] }]), contentWith(0x22));
  });

  it.each([
    { what: 'holds no intact entry', entries: [{ sequence: 7n, writes: [payloadSector(1)], torn: true }] },
    { what: 'would write over the headers', entries: [{ sequence: 7n, writes: [{ at: 65_536, content: sectorOf(1) }] }] },
    { what: 'would write over the log', entries: [{ sequence: 7n, writes: [{ at: MIB + 4096, content: sectorOf(1) }] }] },
    { what: 'would write past the end', entries: [{ sequence: 7n, writes: [{ at: 2 ** 40, content: 4096 }] }] },
    { what: 'is of a longer file', entries: [{ sequence: 7n, writes: [payloadSector(1)], flushedFileOffset: 2 ** 30 }] },
  ])('is refused when the log $what', async ({ entries }) => {
    const path = await withLog(entries);
    await expect(vhdxFormat.open(path)).rejects.toMatchObject({ code: 'MABS-VHDX-LOG', kind: 'damaged' });
    await expect(vhdxFormat.openForWriting(path)).rejects.toMatchObject({ code: 'MABS-VHDX-LOG' });
  });

  it('is replayed into its file when it is opened for writing', async () => {
    const lastFileOffset = clean.length + MIB;
    const path = await withLog([
      { sequence: 7n, writes: [payloadSector(0x22), { at: PLACE.bat, content: tableWithBlockZero() }], lastFileOffset },
    ]);
    {
      await using disk = await vhdxFormat.openForWriting(path);
      await disk.write(100, Uint8Array.of(9));
    }
    expect(await vhdxFormat.describe(path)).toMatchObject({ dirtyLog: false });
    await expectQemuAgrees(path, contentWith(0x22).fill(9, 100, 101));
  });
});
