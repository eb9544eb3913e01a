import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { vhdxFormat } from '../../../src/disks/vhdx/vhdx-format.ts';
import { HEADER } from '../../../src/disks/vhdx/vhdx-header.ts';
import { readImage } from '../../../src/disks/vhdx/vhdx-image.ts';
import { WritableVhdx } from '../../../src/disks/vhdx/writable-vhdx.ts';
import { recordingFile } from '../../builders/recording-file.ts';
import { PLACE } from '../../builders/vhdx-bytes.ts';

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'mabs-writable-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

let made = 0;
let path: string;
beforeEach(async () => {
  path = join(folder, `${made++}.vhdx`);
  await using _ = await vhdxFormat.create(path, { subformat: 'dynamic', sizeBytes: 3 * MIB, blockSize: MIB });
});

/** Both headers, the older first. */
async function headers() {
  const image = await readFile(path);
  const both = PLACE.headers.map((at) => HEADER.read(image, at));
  return both.sort((a, b) => Number(a.sequenceNumber - b.sequenceNumber));
}

describe('a VHDX opened for writing', () => {
  it('keeps its identity until something is written', async () => {
    const before = await headers();
    {
      await using disk = await vhdxFormat.openForWriting(path);
      await disk.writeZeros({ offset: 0, length: 3 * MIB });
      await disk.allocate([]);
      await disk.flush();
    }
    expect(await headers()).toEqual(before);
  });

  it.each(['write', 'allocate'] as const)('has a new identity in both headers after %s, once a session', async (how) => {
    const [, before] = await headers();
    {
      await using disk = await vhdxFormat.openForWriting(path);
      for (const offset of [0, MIB]) {
        if (how === 'write') await disk.write(offset, Uint8Array.of(1));
        else await disk.allocate([{ offset, length: 1 }]);
      }
    }
    const [older, newer] = await headers();
    expect(newer!.dataWriteGuid).not.toBe(before!.dataWriteGuid);
    expect(newer!.fileWriteGuid).not.toBe(before!.fileWriteGuid);
    expect({ ...older, checksum: 0, sequenceNumber: 0n }).toEqual({ ...newer, checksum: 0, sequenceNumber: 0n });
    expect(newer!.sequenceNumber).toBe(before!.sequenceNumber + 2n);
  });

  it('writes no tables after a flush that failed, and says so each time', async () => {
    const file = recordingFile(path, new Uint8Array(await readFile(path)));
    const disk = new WritableVhdx(file, [await readImage(path, file)]);
    await disk.write(0, Uint8Array.of(1));
    const { sync } = file;
    const failure = new Error('EIO');
    file.sync = () => Promise.reject(failure);
    await expect(disk.flush()).rejects.toBe(failure);
    file.sync = sync;
    const { length } = file.operations;
    await expect(disk.flush()).rejects.toBe(failure);
    await disk[Symbol.asyncDispose]();
    expect(file.operations).toHaveLength(length);
  });
});
