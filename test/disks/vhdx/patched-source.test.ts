import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { patchedSource } from '../../../src/disks/vhdx/patched-source.ts';
import { memorySource } from '../../../src/lib/byte-source.ts';

const SIZE = 200;

it('reads any range as if the patches had been written one after the other', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          offset: fc.nat(SIZE - 40),
          length: fc.integer({ min: 1, max: 40 }),
          fill: fc.option(fc.integer({ min: 1, max: 255 })),
        }),
      ),
      fc.nat(SIZE),
      fc.nat(SIZE),
      async (writes, offset, length) => {
        const base = new Uint8Array(SIZE - 50).fill(0xee);
        const expected = new Uint8Array(SIZE);
        expected.set(base);
        const patches = writes.map((write) => {
          expected.fill(write.fill ?? 0, write.offset, write.offset + write.length);
          return {
            offset: write.offset,
            length: write.length,
            ...(write.fill ? { bytes: new Uint8Array(write.length).fill(write.fill) } : {}),
          };
        });
        const source = patchedSource('test', memorySource(base), patches, SIZE);
        const into = new Uint8Array(Math.min(length, SIZE - offset)).fill(0xdd);
        await source.read(offset, into);
        expect(into).toEqual(expected.subarray(offset, offset + into.length));
        for (const [index, patch] of source.patches.slice(1).entries()) {
          expect(patch.offset).toBeGreaterThanOrEqual(source.patches[index]!.offset + source.patches[index]!.length);
        }
      },
    ),
  ));
