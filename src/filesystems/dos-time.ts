import { type FileTime, fileTimeFromUnix } from '../lib/file-time.ts';

/** What a FAT or exFAT system keeps of a moment. */
export interface DosTime {
  /** Years since 1980 in 7 bits, month in 4, day in 5. */
  readonly date: number;
  /** Hours in 5 bits, minutes in 6, units of two seconds in 5. */
  readonly time: number;
  /** Hundredths of a second on top: 0 to 199. */
  readonly hundredths?: number;
  /** What the clock was ahead of UTC. FAT does not tell: its times are those of some local clock, taken as UTC. */
  readonly minutesAheadOfUtc?: number;
}

/** The moment, where the fields make one: a date of 0 is what systems write that keep none. */
export function fileTimeFromDos({ date, time, hundredths = 0, minutesAheadOfUtc = 0 }: DosTime): FileTime | undefined {
  const year = 1980 + (date >> 9);
  const month = (date >> 5) & 15;
  const day = date & 31;
  const hour = time >> 11;
  const minute = (time >> 5) & 63;
  const second = (time & 31) * 2;
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month) || hour > 23 || minute > 59 || second > 58 || hundredths > 199)
    return undefined;
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - minutesAheadOfUtc * 60;
  return fileTimeFromUnix(seconds + Math.floor(hundredths / 100), (hundredths % 100) * 10_000_000);
}

const daysOf = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();
