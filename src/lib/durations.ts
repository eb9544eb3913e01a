import { UnreadableValueError } from './unreadable-value.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * Milliseconds of a duration such as `30s`, `15m`, `12h`, `10d`, `6w` or `1h30m`. A bare number has no meaning, except `0`;
 * what is unreadable or longer than 1000 years is refused with MABS-VALUE-UNREADABLE.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  if (!/^(?:\d{1,12}(?:ms|[smhdw]))+$/.test(trimmed)) throw unreadable(text);
  let sum = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+)(ms|[smhdw])/g)) sum += Number(count) * UNITS[unit!]!;
  if (sum > 1000 * 366 * UNITS.d!) throw unreadable(text);
  return sum;
}

/** A duration for people, in its two largest units: `0 s`, `850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return milliseconds > 0 ? `${Math.round(milliseconds)} ms` : '0 s';
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  if (seconds < 86_400) return twoUnits(Math.round(seconds / 60), 60, 'h', 'min');
  return twoUnits(Math.round(seconds / 3600), 24, 'd', 'h');
}

function twoUnits(value: number, large: number, largeName: string, smallName: string): string {
  const rest = value % large;
  const first = `${Math.floor(value / large)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** The shortest text that `parseDuration` reads back: `10d`, `15m`, `90s`, `1500ms`. */
export function writeDuration(milliseconds: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    if (milliseconds > 0 && milliseconds % UNITS[unit]! === 0) {
      // Weeks only where a person would say weeks: 14 d stays days.
      if (unit === 'w' && milliseconds < 4 * UNITS.w!) continue;
      return `${milliseconds / UNITS[unit]!}${unit}`;
    }
  }
  return milliseconds === 0 ? '0' : `${Math.round(milliseconds)}ms`;
}

function unreadable(text: string): UnreadableValueError {
  return new UnreadableValueError('a duration', text, '30s, 15m, 12h, 10d or 6w');
}
