/** Nanoseconds since 1970-01-01T00:00:00 UTC, before it negative: what every file system's times fit into without loss. */
export type FileTime = bigint;

const SECOND = 1_000_000_000n;
/** 1601-01-01 to 1970-01-01 in seconds: where Windows' clock begins. */
const WINDOWS_EPOCH_SECONDS = 11_644_473_600n;
/** What `Date` can hold, in milliseconds. */
const MOST_MILLISECONDS = 8_640_000_000_000_000n;

/** From seconds since 1970 and nanoseconds within the second. */
export function fileTimeFromUnix(seconds: bigint | number, nanoseconds = 0): FileTime {
  return BigInt(seconds) * SECOND + BigInt(nanoseconds);
}

/** From Windows' FILETIME: units of 100 ns since 1601 ([MS-DTYP] 2.3.3). Zero stands for no time. */
export function fileTimeFromWindows(units: bigint): FileTime | undefined {
  return units === 0n ? undefined : units * 100n - WINDOWS_EPOCH_SECONDS * SECOND;
}

/** ISO 8601 in UTC with as many decimals as the time has (none, 3, 6 or 9); undefined for what no calendar holds. */
export function fileTimeText(time: FileTime | undefined): string | undefined {
  if (time === undefined) return undefined;
  const second = floorDivide(time, SECOND);
  const milliseconds = second * 1000n;
  if (milliseconds > MOST_MILLISECONDS || milliseconds < -MOST_MILLISECONDS) return undefined;
  const whole = new Date(Number(milliseconds)).toISOString().slice(0, -'.000Z'.length);
  const decimals = String(time - second * SECOND)
    .padStart(9, '0')
    .replace(/(?:000)+$/, '');
  return decimals === '' ? `${whole}Z` : `${whole}.${decimals}Z`;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
