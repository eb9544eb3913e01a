import { describe, expect, it } from '@jest/globals';
import { fileTimeFromUnix, fileTimeFromWindows, fileTimeText } from '../../src/lib/file-time.ts';

describe('a time of a file', () => {
  it.each([
    { what: 'a whole second', time: fileTimeFromUnix(0), text: '1970-01-01T00:00:00Z' },
    { what: 'nanoseconds', time: fileTimeFromUnix(1_700_000_000n, 123_456_789), text: '2023-11-14T22:13:20.123456789Z' },
    { what: 'milliseconds', time: fileTimeFromUnix(1, 20_000_000), text: '1970-01-01T00:00:01.020Z' },
    { what: 'a time before 1970', time: fileTimeFromUnix(-1, 500_000_000), text: '1969-12-31T23:59:59.500Z' },
    { what: "Windows' units", time: fileTimeFromWindows(133_444_736_001_234_567n), text: '2023-11-14T22:13:20.123456700Z' },
    { what: 'a year of five digits', time: fileTimeFromUnix(300_000_000_000n), text: '+011476-08-15T05:20:00Z' },
  ])('is written with what it has: $what', ({ time, text }) => expect(fileTimeText(time)).toBe(text));

  it('is none where Windows keeps zero, and where no calendar reaches', () => {
    expect(fileTimeText(fileTimeFromWindows(0n))).toBeUndefined();
    expect(fileTimeText(fileTimeFromUnix(2n ** 62n))).toBeUndefined();
  });
});
