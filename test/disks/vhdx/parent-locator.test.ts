import { describe, expect, it } from '@jest/globals';
import { encodeLocator, parseLocator } from '../../../src/disks/vhdx/parent-locator.ts';

const LINKAGE = '12345678-1234-1234-1234-123456789abc';

describe('a parent locator', () => {
  const locator = { linkages: [LINKAGE], relativePath: '.\\Größe 試.vhdx', volumePath: '\\\\?\\Volume{x}\\b', absolutePath: 'D:\\b.vhdx' };

  it('says what was put into it', () => expect(parseLocator('x', encodeLocator(locator))).toEqual(locator));

  it.each([
    { what: 'is too short', spoil: (bytes: Uint8Array) => bytes.subarray(0, 19) },
    { what: 'is of an unknown type', spoil: (bytes: Uint8Array) => bytes.fill(1, 0, 1) },
    { what: 'names more keys than it has room for', spoil: (bytes: Uint8Array) => bytes.fill(0xff, 18, 20) },
    { what: 'has a text past its end', spoil: (bytes: Uint8Array) => bytes.fill(0xff, 24, 28) },
    { what: 'has half a character', spoil: (bytes: Uint8Array) => bytes.fill(3, 28, 29) },
    { what: 'has no linkage', spoil: (bytes: Uint8Array) => bytes.fill(0x41, 68, 70) },
    {
      what: 'names a key twice',
      spoil: (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, at) => (at >= 32 && at < 44 ? bytes[at - 12]! : byte)),
    },
    { what: 'has a linkage that is no GUID', spoil: (bytes: Uint8Array) => bytes.fill(0x7a, 102, 103) },
  ])('is refused when it $what', ({ spoil }) => {
    const bytes = encodeLocator(locator);
    const spoiled = spoil(bytes);
    expect(() => parseLocator('x', spoiled)).toThrow(expect.objectContaining({ code: 'MABS-VHDX-LOCATOR', kind: 'damaged' }));
  });
});
