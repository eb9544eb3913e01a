import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { guidFromBytes, guidToBytes, parseGuid } from '../../src/lib/guid.ts';
import { ascii, bytes, guid, safeNumber, struct, u8, u16be, u16le, u32be, u32le, u64be, u64le } from '../../src/lib/struct.ts';

const TABLE = struct(64, {
  name: ascii(0, 4),
  one: u8(4),
  two: u16le(6),
  twoBig: u16be(8),
  four: u32le(12),
  fourBig: u32be(16),
  eight: u64le(24),
  eightBig: u64be(32),
  id: guid(40),
  rest: bytes(56, 8),
});

describe('a struct', () => {
  it('reads what it wrote, at any place', () =>
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 0, max: 0xffff_ffff }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (at, four, eight) => {
        const values = {
          ...{ name: 'head', one: 200, two: 65_535, twoBig: 258, four, fourBig: four, eight, eightBig: eight },
          ...{ id: '12345678-9abc-def0-1122-334455667788', rest: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
        };
        const into = new Uint8Array(104);
        TABLE.write(into, values, at);
        expect(TABLE.read(into, at)).toEqual(values);
      }),
    ));

  it('puts the bytes of each order where they belong', () => {
    const made = TABLE.make({ two: 0x0102, twoBig: 0x0102 });
    expect([...made.subarray(6, 10)]).toEqual([2, 1, 1, 2]);
  });

  it('refuses to read where the bytes end early', () => expect(() => TABLE.read(new Uint8Array(64), 1)).toThrow(RangeError));

  it('refuses a table whose field ends past its size', () => expect(() => struct(4, { four: u32le(1) })).toThrow(RangeError));
});

describe('safeNumber', () => {
  it.each([
    { value: 0n, number: 0 },
    { value: 2n ** 53n - 1n, number: Number.MAX_SAFE_INTEGER },
    { value: 2n ** 53n, number: undefined },
    { value: -1n, number: undefined },
  ])('turns $value into $number', ({ value, number }) => expect(safeNumber(value)).toBe(number));
});

describe('a GUID', () => {
  it('has its first three groups little-endian', () => {
    const stored = Uint8Array.of(0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08);
    expect(guidFromBytes(stored)).toBe('2dc27766-f623-4200-9d64-115e9bfd4a08');
    expect(guidToBytes('2DC27766-F623-4200-9D64-115E9BFD4A08')).toEqual(stored);
  });

  it.each([
    { text: '{2DC27766-F623-4200-9D64-115E9BFD4A08}', parsed: '2dc27766-f623-4200-9d64-115e9bfd4a08' },
    { text: '2dc27766-f623-4200-9d64-115e9bfd4a0', parsed: undefined },
    { text: '', parsed: undefined },
  ])('is read from "$text"', ({ text, parsed }) => expect(parseGuid(text)).toBe(parsed));
});
