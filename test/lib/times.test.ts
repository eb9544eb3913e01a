import { describe, expect, it } from '@jest/globals';
import { formatTime, isoUtc, parseTime, parseTimeOfDay } from '../../src/lib/times.ts';

const now = new Date(2026, 10, 20, 12, 30).getTime();

describe('parseTime', () => {
  it.each([
    ['2026-11-20T18:00', new Date(2026, 10, 20, 18, 0).getTime()],
    ['2026-11-20 18:00:05', new Date(2026, 10, 20, 18, 0, 5).getTime()],
    ['2026-11-20T18:00Z', Date.UTC(2026, 10, 20, 18, 0)],
    ['2026-11-20T18:00:00.123Z', Date.UTC(2026, 10, 20, 18, 0, 0, 123)],
    ['2026-11-20T18:00:00+02:00', Date.UTC(2026, 10, 20, 16, 0)],
    ['2026-11-20', new Date(2026, 10, 20).getTime()],
    ['18:05', new Date(2026, 10, 20, 18, 5).getTime()],
  ])('reads %s', (text, instant) => expect(parseTime(text, now)).toBe(instant));

  it.each(['', 'yesterday', '2026-02-30', '2026-13-01', '24:00', '7:30', '2026-11-20T25:00', '2026-11-20T18:00+99:00'])(
    'refuses %j',
    (text) => expect(() => parseTime(text, now)).toThrow(expect.objectContaining({ code: 'MABS-VALUE-UNREADABLE' })),
  );

  it('reads back what isoUtc writes', () => expect(parseTime(isoUtc(now), 0)).toBe(now));
});

it('formats a time in local time', () => expect(formatTime(now)).toBe('2026-11-20 12:30'));

it('reads a time of day', () => {
  expect(parseTimeOfDay('18:05')).toEqual({ hours: 18, minutes: 5 });
  expect(() => parseTimeOfDay('18:05:01')).toThrow();
});
