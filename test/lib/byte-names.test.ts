import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nameFromBytes, nameToBytes } from '../../src/lib/byte-names.ts';

describe('a name that is kept as bytes', () => {
  it('reads as the UTF-8 that it is', () => expect(nameFromBytes(Buffer.from('Größe 大.txt'))).toBe('Größe 大.txt'));

  it('keeps bytes that are no UTF-8 as surrogates', () => {
    expect(nameFromBytes(Uint8Array.of(0x61, 0xff, 0x62, 0xc3))).toBe('a\udcffb\udcc3');
  });

  it('comes back byte for byte', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const bytes = Buffer.concat(parts);
        expect(Buffer.from(nameToBytes(nameFromBytes(bytes)))).toEqual(bytes);
      }),
    );
  });
});
