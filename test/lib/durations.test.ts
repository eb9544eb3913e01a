import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration, writeDuration } from '../../src/lib/durations.ts';

describe('parseDuration', () => {
  it.each([
    ['30s', 30_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['10d', 864_000_000],
    ['6w', 3_628_800_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['0', 0],
  ])('reads %s as %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '10', 'd', '1.5h', '-1d', '10 d', '1y', '999999999999w'])('refuses %j', (text) =>
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE', kind: 'usage' })),
  );
});

describe('writeDuration', () => {
  it('is read back as it was', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => expect(parseDuration(writeDuration(ms))).toBe(ms)));
  });

  it.each([
    [864_000_000, '10d'],
    [1_209_600_000, '14d'],
    [3_628_800_000, '6w'],
    [900_000, '15m'],
  ])('writes %d as %s', (ms, text) => expect(writeDuration(ms)).toBe(text));
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [850, '850 ms'],
    [12_400, '12 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [356_400_000, '4 d 3 h'],
  ])('writes %d as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});
