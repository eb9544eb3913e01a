import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cachedVolume } from '../../src/filesystems/cached-volume.ts';
import { memorySource, ReadPastEndError } from '../../src/lib/byte-source.ts';

const content = Uint8Array.from({ length: 300_001 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

describe('a cached volume', () => {
  it('reads as the volume does', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(content.length), fc.nat(200_000), async (offset, most) => {
        const into = new Uint8Array(Math.min(most, content.length - offset));
        await cachedVolume(memorySource(content)).read(offset, into);
        expect(Buffer.from(into).equals(content.subarray(offset, offset + into.length))).toBe(true);
      }),
    ));

  it('reads a place once, and after a failure again', async () => {
    let reads = 0;
    let broken = true;
    const source = memorySource(content);
    const volume = cachedVolume({
      sizeBytes: content.length,
      async read(offset, into) {
        reads += 1;
        if (broken) throw new Error('not now');
        await source.read(offset, into);
      },
    });
    const into = new Uint8Array(100);
    await expect(volume.read(5, into)).rejects.toThrow('not now');
    broken = false;
    for (const offset of [5, 300, 16_000]) await volume.read(offset, into);
    expect(reads).toBe(2);
  });

  it('refuses what lies past the end', async () => {
    await expect(cachedVolume(memorySource(content)).read(content.length - 5, new Uint8Array(6))).rejects.toThrow(ReadPastEndError);
  });
});
