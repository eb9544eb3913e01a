import type { ByteRange } from '../../lib/byte-range.ts';

/** Bytes that are in one of two sets of normalized ranges but not in both; normalized. */
export function differingRanges(a: readonly ByteRange[], b: readonly ByteRange[]): ByteRange[] {
  const edges = [...a, ...b].flatMap(({ offset, length }) => [offset, offset + length]).sort((x, y) => x - y);
  const ranges: ByteRange[] = [];
  let start: number | undefined;
  for (let i = 0; i < edges.length; i += 1) {
    // An edge that both sets have changes nothing: it comes twice.
    if (edges[i] === edges[i + 1]) {
      i += 1;
      continue;
    }
    if (start === undefined) start = edges[i]!;
    else {
      ranges.push({ offset: start, length: edges[i]! - start });
      start = undefined;
    }
  }
  return ranges;
}
