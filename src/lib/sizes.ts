import { UnreadableValueError } from './unreadable-value.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes of a size such as `64KiB`, `4GiB`, `500MB`, `1.5TiB` or `4096`. Units are decimal (`MB`) or binary (`MiB`), in any case.
 * What is not a whole number of bytes, or more than 2^53 of them, is refused with MABS-VALUE-UNREADABLE.
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,12})?) ?([kmgt]?i?b?)$/i.exec(text.trim());
  const unit = match && UNITS[match[2]!.toLowerCase()];
  const bytes = match && unit ? Number(match[1]) * unit : Number.NaN;
  if (!Number.isSafeInteger(bytes)) throw new UnreadableValueError('a size', text, '64KiB, 4GiB, 500MB or 4096');
  return bytes;
}

const BINARY = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A number of bytes for people: `0 B`, `512 B`, `1.5 GiB`. Three digits at most, rounded. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const next of BINARY) {
    if (Math.abs(value) < 999.5) break;
    value /= 1024;
    unit = next;
  }
  return `${threeDigits(value)} ${unit}`;
}

function threeDigits(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 99.95) return String(Math.round(value));
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2).replace(/\.?0+$/, '');
}
