import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32c, crc32cWithout } from '../../src/lib/crc32c.ts';

describe('CRC-32C', () => {
  it.each([
    { what: 'the check value of the catalogue', bytes: new TextEncoder().encode('123456789'), crc: 0xe3069283 },
    { what: 'thirty-two zeros (RFC 3720)', bytes: new Uint8Array(32), crc: 0x8a9136aa },
    { what: 'thirty-two ones (RFC 3720)', bytes: new Uint8Array(32).fill(255), crc: 0x62a8ab43 },
    { what: 'nothing', bytes: new Uint8Array(0), crc: 0 },
  ])('knows $what', ({ bytes, crc }) => expect(crc32c(bytes)).toBe(crc));

  it('can be computed in parts', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) =>
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes)),
      ),
    ));

  it('counts the checksum that a structure holds of itself as zero', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index * 3);
    const zeroed = bytes.slice();
    zeroed.fill(0, 4, 8);
    expect(crc32cWithout(bytes, 4)).toBe(crc32c(zeroed));
  });
});
