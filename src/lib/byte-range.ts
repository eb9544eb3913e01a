/** A range of bytes: `offset` from the start, `length` bytes long. Both are safe integers ≥ 0. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The same bytes as ascending ranges that neither touch nor overlap; empty ranges vanish. */
export function normalizeRanges(ranges: Iterable<ByteRange>): ByteRange[] {
  const sorted = [...ranges].filter((range) => range.length > 0).sort((a, b) => a.offset - b.offset);
  const merged: { offset: number; length: number }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last && range.offset <= last.offset + last.length) {
      last.length = Math.max(last.length, range.offset + range.length - last.offset);
    } else merged.push({ offset: range.offset, length: range.length });
  }
  return merged;
}

/** Ranges grown outwards to multiples of `unit`, cut at `end`, and normalized. */
export function roundOut(ranges: Iterable<ByteRange>, unit: number, end: number): ByteRange[] {
  const grown: ByteRange[] = [];
  for (const { offset, length } of ranges) {
    if (length <= 0 || offset >= end) continue;
    const start = Math.floor(offset / unit) * unit;
    grown.push({ offset: start, length: Math.min(Math.ceil((offset + length) / unit) * unit, end) - start });
  }
  return normalizeRanges(grown);
}

/** The number of bytes in normalized ranges. */
export function totalLength(ranges: Iterable<ByteRange>): number {
  let sum = 0;
  for (const range of ranges) sum += range.length;
  return sum;
}

/** Whether a byte lies in one of normalized ranges. */
export function coversByte(ranges: readonly ByteRange[], offset: number): boolean {
  return touches(ranges, { offset, length: 1 });
}

/** Whether a range has a byte in common with one of normalized ranges. */
export function touches(ranges: readonly ByteRange[], { offset, length }: ByteRange): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.offset + ranges[middle]!.length <= offset) low = middle + 1;
    else high = middle;
  }
  return length > 0 && low < ranges.length && ranges[low]!.offset < offset + length;
}
