import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatSize, parseSize } from '../../src/lib/sizes.ts';

describe('parseSize', () => {
  it.each([
    ['64KiB', 65_536],
    ['4GiB', 4 * 2 ** 30],
    ['500MB', 500_000_000],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['4096', 4096],
    ['0', 0],
    ['12b', 12],
    ['2tib', 2 * 2 ** 40],
  ])('reads %s as %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'GiB', '-1', '1.5', '4G', '4Gi', '1e3', '9999999TiB', '1,5GB', '5 5MB', '0x10'])('refuses %j', (text) =>
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE', kind: 'usage' })),
  );

  it('reads every whole number of bytes as it is', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => expect(parseSize(String(bytes))).toBe(bytes)));
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [1000, '0.98 KiB'],
    [1536, '1.5 KiB'],
    [2 ** 30, '1 GiB'],
    [215 * 2 ** 20 + 1, '215 MiB'],
    [64 * 2 ** 40, '64 TiB'],
  ])('writes %d as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
});
