import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openWofContent } from '../../../../src/filesystems/ntfs/compression/wof-content.ts';
import { type CompressedSample, compressedSamples, contentOf } from '../../../builders/compressed-samples.ts';

const ALGORITHMS = ['xpress4k', 'lzx', 'xpress8k', 'xpress16k'] as const;
const CHUNK_BYTES = [4096, 32_768, 8192, 16_384];

describe.each(ALGORITHMS)('a file kept as %s', (name) => {
  const algorithm = ALGORITHMS.indexOf(name) as 0 | 1 | 2 | 3;
  let sample: CompressedSample;
  let whole: Uint8Array;
  const open = (stored = sample.stored) => openWofContent(contentOf(stored), sample.size, algorithm);
  beforeAll(async () => {
    sample = (await compressedSamples()).find((one) => one.name === name)!;
    whole = new Uint8Array(sample.size);
    await (await open()).read(0, whole);
  });

  it('reads as what wimlib compressed', () => {
    expect(createHash('sha256').update(whole).digest('hex')).toBe(sample.sha256);
  });

  it('reads any part as the whole has it', async () => {
    const content = await open();
    for (let offset = 0; offset < sample.size; offset += 1999) {
      const part = new Uint8Array(Math.min((offset * 7) % 40_000, sample.size - offset)).fill(1);
      await content.read(offset, part);
      expect(Buffer.compare(part, whole.subarray(offset, offset + part.length))).toBe(0);
    }
    await content.read(sample.size, new Uint8Array(0));
    await expect(content.read(sample.size - 1, new Uint8Array(2))).rejects.toMatchObject({ code: 'MABS-READ-PAST-END' });
    expect(await content.data({ offset: 5, length: 1e9 })).toEqual([{ offset: 5, length: sample.size - 5 }]);
  });

  it('that is damaged in one chunk is read elsewhere', async () => {
    const chunks = Math.ceil(sample.size / CHUNK_BYTES[algorithm]!);
    const damaged = sample.stored.slice();
    damaged.fill(0xff, damaged.length - 40);
    const content = await open(damaged);
    const last = (chunks - 1) * CHUNK_BYTES[algorithm]!;
    const before = new Uint8Array(last);
    await content.read(0, before);
    expect(Buffer.compare(before, whole.subarray(0, last))).toBe(0);
    const table = sample.stored.slice();
    new DataView(table.buffer).setUint32(0, 0xffff_fff0, true);
    await expect((await open(table)).read(0, new Uint8Array(1))).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
    await expect(open(sample.stored.slice(0, (chunks - 2) * 4))).rejects.toMatchObject({ code: 'MABS-FS-DAMAGED' });
  });
});

it('reads neighbouring parts of a chunk without decompressing it again', async () => {
  const sample = (await compressedSamples()).find(({ name }) => name === 'lzx')!;
  let reads = 0;
  const stored = contentOf(sample.stored);
  const counted = {
    ...stored,
    read: (offset: number, into: Uint8Array) => {
      reads += 1;
      return stored.read(offset, into);
    },
  };
  const content = await openWofContent(counted, sample.size, 1);
  for (let offset = 0; offset < 32_768; offset += 512) await content.read(offset, new Uint8Array(512));
  expect(reads).toBe(2);
});

it('takes entries of eight bytes in files of 4 GiB and more', async () => {
  const chunk = Uint8Array.from({ length: 32_768 }, (_, index) => index * 3);
  const size = 2 ** 32 + 32_768;
  const chunks = size / 32_768;
  const table = (chunks - 1) * 8;
  const last = 40_000;
  // Every chunk but the first and the last has one byte; they are not asked for.
  const entry = (index: number) => BigInt(index === chunks - 1 ? last : 32_768 + index - 1);
  const compressed = {
    sizeBytes: table + last + 32_768,
    async read(offset: number, into: Uint8Array) {
      const view = new DataView(into.buffer, into.byteOffset, into.length);
      if (offset < table) for (let at = 0; at < into.length; at += 8) view.setBigUint64(at, entry((offset + at) / 8 + 1), true);
      else into.set(chunk.subarray(0, into.length));
    },
    data: async () => [],
  };
  const content = await openWofContent(compressed, size, 1);
  const into = new Uint8Array(10);
  await content.read(size - 10, into);
  expect(into).toEqual(chunk.subarray(-10));
});

it('holds nothing of an empty file', async () => {
  const content = await openWofContent(contentOf(new Uint8Array(0)), 0, 1);
  await content.read(0, new Uint8Array(0));
  expect(await content.data({ offset: 0, length: 1 })).toEqual([]);
});
