import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { coversByte, normalizeRanges, touches } from '../../src/lib/byte-range.ts';

const someRange = fc.record({ offset: fc.nat(60), length: fc.nat(8) });

describe('normalized ranges', () => {
  it('touch a range exactly when they have a byte of it', () => {
    fc.assert(
      fc.property(fc.array(someRange, { maxLength: 12 }), someRange, (some, range) => {
        const ranges = normalizeRanges(some);
        const bytes = Array.from({ length: range.length }, (_, at) => range.offset + at);
        expect(touches(ranges, range)).toBe(bytes.some((byte) => coversByte(ranges, byte)));
        const covered = some.some(({ offset, length }) => range.offset >= offset && range.offset < offset + length);
        expect(coversByte(ranges, range.offset)).toBe(covered);
      }),
    );
  });
});
