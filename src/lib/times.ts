import type { Instant } from './clock.ts';
import { UnreadableValueError } from './unreadable-value.ts';

const TIME_OF_DAY = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * The instant of a time as people type it: ISO 8601 (`2026-11-20T18:00`, local unless it ends with `Z` or an offset; a bare date is
 * its first instant), or `HH:MM`, which is today in local time. Dates that do not exist are refused with MABS-VALUE-UNREADABLE.
 */
export function parseTime(text: string, now: Instant): Instant {
  const trimmed = text.trim();
  const instant = TIME_OF_DAY.test(trimmed) ? timeToday(trimmed, now) : isoTime(trimmed);
  if (instant === undefined || !Number.isSafeInteger(instant)) {
    throw new UnreadableValueError('a time', text, '2026-11-20T18:00, 2026-11-20T18:00Z or 18:00');
  }
  return instant;
}

/** Hours and minutes of `HH:MM`; MABS-VALUE-UNREADABLE for anything else. */
export function parseTimeOfDay(text: string): { readonly hours: number; readonly minutes: number } {
  const match = TIME_OF_DAY.exec(text.trim());
  if (!match || match[3] !== undefined) throw new UnreadableValueError('a time of day', text, '18:00');
  return { hours: Number(match[1]), minutes: Number(match[2]) };
}

/** An instant for people, in local time: `2026-11-20 18:00`. */
export function formatTime(instant: Instant): string {
  const date = new Date(instant);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** An instant for programs: ISO 8601, UTC. */
export function isoUtc(instant: Instant): string {
  return new Date(instant).toISOString();
}

function timeToday(text: string, now: Instant): Instant {
  const [hours, minutes, seconds] = text.split(':').map(Number);
  return new Date(now).setHours(hours!, minutes!, seconds ?? 0, 0);
}

function isoTime(text: string): Instant | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const millisecond = match[7] === undefined ? 0 : Math.floor(Number(`0.${match[7]}`) * 1000);
  const offset = match[8];
  // Judged as if it were UTC: a day or an hour that does not exist comes back as another one.
  const asUtc = new Date(0);
  asUtc.setUTCFullYear(year, month - 1, day);
  asUtc.setUTCHours(hour, minute, second, millisecond);
  const exists = asUtc.getUTCMonth() === month - 1 && asUtc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists) return undefined;
  if (offset === undefined) {
    const local = new Date(0);
    local.setFullYear(year, month - 1, day);
    return local.setHours(hour, minute, second, millisecond);
  }
  const shift = offsetMinutes(offset);
  return shift === undefined ? undefined : asUtc.getTime() - shift * 60_000;
}

function offsetMinutes(offset: string): number | undefined {
  if (offset.toUpperCase() === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
