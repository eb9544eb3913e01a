import type { UpCase } from '../unicode-up-case.ts';

/** Characters of UTF-16, each with an entry; and what one takes at most in the compressed form that the volume keeps. */
const UNITS = 65_536;
export const MOST_TABLE_BYTES = UNITS * 2;
/** Says that the number of characters that follows stand for themselves (exFAT specification 1.00, 7.2.5.1). */
const IDENTICAL = 0xffff;

/** From a volume's table. Characters past its end stand for themselves. */
export function parseUpCaseTable(table: Uint8Array): UpCase {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const upper = new Uint16Array(UNITS);
  for (let unit = 0; unit < UNITS; unit++) upper[unit] = unit;
  for (let at = 0, unit = 0; at + 2 <= table.length && unit < UNITS; at += 2) {
    const value = view.getUint16(at, true);
    if (value === IDENTICAL && at + 4 <= table.length) {
      at += 2;
      unit += view.getUint16(at, true);
    } else {
      upper[unit] = value;
      unit += 1;
    }
  }
  return (name) => String.fromCharCode(...Uint16Array.from({ length: name.length }, (_, at) => upper[name.charCodeAt(at)]!));
}

/** Over the whole table (7.2.2). */
export function upCaseChecksum(table: Uint8Array): number {
  let sum = 0;
  for (const byte of table) sum = (((sum << 31) | (sum >>> 1)) + byte) >>> 0;
  return sum;
}
